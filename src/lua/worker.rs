//! Worker: a second line of work in the same guest.

use std::rc::Rc;

use mlua::{Lua, MetaMethod, Table, UserData, UserDataFields, UserDataMethods, Value};
use provium_protocol::exec::ExitStatus;
use provium_protocol::worker::JoinSummary;
use provium_protocol::{Lane, Nanos, Op, Reply, time};

use super::args::Named;
use super::call::{Answer, Call, Class, later, now, one};
use super::exchange::Speaker;
use super::fault::Fault;
use super::held::Held;
use super::machine::OpenThing;
use super::ops::{self, Speaks, mismatch, say, say_with};
use super::vm::VmSpeaks;
use super::{exec, fs, run_result, syscall};
use crate::runner::scope::Kind;

/// How long `wait_blocked` waits unless it is told.
const WAIT_BLOCKED_TIMEOUT: Nanos = 10 * time::SECOND;

/// A worker as the bindings know it.
pub struct Worker {
    handle: u64,
    name: Rc<str>,
    open: OpenThing,
}

/// The userdata of a Worker.
#[derive(Clone)]
pub struct WorkerRef(Rc<Worker>);

static CLASS: Class = Class {
    prefix: "worker:",
    entries: &[
        later("run", 2, |call| say::<WorkerSpeaks>(call, exec::run)),
        later("run_async", 2, |call| say::<WorkerSpeaks>(call, exec::run_async)),
        later("open_file", 2, |call| say::<WorkerSpeaks>(call, fs::open_file)),
        later("syscall", 1_000, |call| say::<WorkerSpeaks>(call, syscall::syscall)),
        later("kill", 1, kill),
        later("join", 1, join),
        later("close", 0, close),
        now("handle", 0, |call| one(call.lua, this(call)?.handle)),
        now("name", 0, |call| one(call.lua, &*this(call)?.name)),
        later("state", 0, state),
        later("wait_blocked", 1, wait_blocked),
    ],
};

impl UserData for WorkerRef {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_meta_field(MetaMethod::Type, "Worker");
        fields.add_meta_field_with(MetaMethod::Index, |lua| CLASS.lazy_table(lua));
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_meta_method(MetaMethod::ToString, |_, this, ()| Ok(this.0.open.label.clone()));
    }
}

/// Operations said on a worker's line.
pub struct WorkerSpeaks;

impl Speaks for WorkerSpeaks {
    fn speaker(call: &Call, _: &str) -> Result<Speaker, Fault> {
        Ok(live(call)?.open.speaker.clone())
    }
}

fn this(call: &Call) -> Result<Rc<Worker>, Fault> {
    Ok(call.this::<WorkerRef>()?.0)
}

fn live(call: &Call) -> Result<Rc<Worker>, Fault> {
    let worker = this(call)?;
    worker.open.check("worker").map_err(|fault| fault.prefixed(&call.name()))?;
    worker.open.speaker.vm.require_booted(call.method()).map_err(|fault| fault.prefixed(&call.name()))?;
    Ok(worker)
}

/// `vm:spawn_worker(options?)`.
pub fn spawn(call: &Call) -> Result<Answer, Fault> {
    let speaker = VmSpeaks::speaker(call, "spawn_worker")?;
    let options = call.options(1, &["thread", "name", "process"])?;
    let prefixed = |fault: Fault| fault.prefixed(&call.name());
    if options.flag("thread", false).map_err(prefixed)? {
        return Err(call.usage("{thread = true} is future work: every worker uses the VM's main agent for now"));
    }
    if options.flag("process", false).map_err(prefixed)? {
        return Err(call.usage("{process = true} is future work: a worker is no guest process of its own yet"));
    }
    let vm = &speaker.vm;
    vm.workers_made.set(vm.workers_made.get() + 1);
    let name = match options.get("name", Named::name).map_err(prefixed)? {
        Some(name) => name,
        None => format!("worker{}", vm.workers_made.get()),
    };
    let op = Op::SpawnWorker { name: name.clone() };
    Ok(say_with(call, &speaker, op, move |ground, reply| {
        let Reply::Worker(handle) = reply else { return Err(mismatch("spawn_worker", ground, &reply)) };
        let vm = &ground.speaker.vm;
        let name: Rc<str> = name.into();
        let label = format!("worker `{name}` of vm `{}`", vm.name);
        let speaker = Speaker { vm: Rc::clone(vm), lane: Lane::Worker(handle), worker: Some(Rc::clone(&name)) };
        let open = OpenThing::new(&speaker, Kind::Worker, label, ground.at.clone());
        let worker = Rc::new(Worker { handle, name, open });
        ground.section.scope.register(worker.clone());
        Ok(Value::UserData(ground.lua.create_userdata(WorkerRef(worker))?))
    }))
}

fn kill(call: &Call) -> Result<Answer, Fault> {
    let signal = call.read(1, "signal", Named::signal)?;
    let worker = live(call)?;
    Ok(say_with(call, &worker.open.speaker, Op::WorkerKill(signal), ops::count))
}

fn join(call: &Call) -> Result<Answer, Fault> {
    let timeout_ns = call.read_optional(1, "timeout", Named::duration)?;
    let worker = live(call)?;
    Ok(say_with(call, &worker.open.speaker, Op::WorkerJoin { timeout_ns }, |ground, reply| match reply {
        Reply::Joined(summary) => Ok(Value::Table(summary_table(&ground.lua, &summary)?)),
        other => Err(mismatch("join", ground, &other)),
    }))
}

fn summary_table(lua: &Lua, summary: &JoinSummary) -> mlua::Result<Table> {
    let children = lua.create_table_with_capacity(summary.children.len(), 0)?;
    let (mut ok, mut failed, mut signalled, mut worst) = (0, 0, 0, 0);
    for child in &summary.children {
        let (status, code, signal) = run_result::status_fields(child.status);
        let weight = match child.status {
            ExitStatus::Exited(0) => {
                ok += 1;
                0
            }
            ExitStatus::Exited(code) => {
                failed += 1;
                code
            }
            ExitStatus::Signalled(signal) => {
                signalled += 1;
                128 + signal.0
            }
            // A timeout kills with SIGKILL.
            ExitStatus::TimedOut => {
                signalled += 1;
                128 + provium_protocol::Signal::SIGKILL.0
            }
        };
        worst = worst.max(weight);
        let item = lua.create_table_with_capacity(0, 5)?;
        item.raw_set("handle", child.handle)?;
        item.raw_set("pid", child.pid)?;
        item.raw_set("status", status)?;
        item.raw_set("exit_code", code)?;
        item.raw_set("signal", signal)?;
        children.raw_push(item)?;
    }
    let table = lua.create_table_with_capacity(0, 6)?;
    table.raw_set("count", summary.children.len())?;
    table.raw_set("ok", ok)?;
    table.raw_set("failed", failed)?;
    table.raw_set("signalled", signalled)?;
    table.raw_set("worst", worst)?;
    table.raw_set("children", children)?;
    Ok(table)
}

fn close(call: &Call) -> Result<Answer, Fault> {
    let worker = this(call)?;
    if worker.open.is_closed() {
        return Ok(ops::ready(Value::Nil));
    }
    worker.open.speaker.vm.require_booted(call.method()).map_err(|fault| fault.prefixed(&call.name()))?;
    let speaker = worker.open.speaker.clone();
    let at = call.place();
    let (host, name) = (Rc::clone(&call.host), call.name());
    let said = super::exchange::exchange(&host, &speaker, Op::WorkerClose, at);
    // From now on it takes no more operations; what it does to its processes takes its time.
    worker.open.set_closed();
    Ok(Box::pin(async move {
        said.await.map_err(|error| Fault::from_op(error, &name, &speaker.vm.name))?;
        super::call::nothing()
    }))
}

fn state(call: &Call) -> Result<Answer, Fault> {
    let worker = this(call)?;
    if worker.open.is_closed() {
        return Ok(ops::ready(Value::String(call.lua.create_string("closed")?)));
    }
    worker.open.speaker.vm.require_booted(call.method()).map_err(|fault| fault.prefixed(&call.name()))?;
    Ok(say_with(call, &worker.open.speaker, Op::WorkerState, |ground, reply| match reply {
        Reply::WorkerState(state) => Ok(Value::String(ground.lua.create_string(state.name())?)),
        other => Err(mismatch("worker_state", ground, &other)),
    }))
}

fn wait_blocked(call: &Call) -> Result<Answer, Fault> {
    let timeout = call.read_optional(1, "timeout", Named::duration)?.unwrap_or(WAIT_BLOCKED_TIMEOUT);
    let worker = live(call)?;
    Ok(say_with(call, &worker.open.speaker, Op::WorkerWaitBlocked { timeout_ns: Some(timeout) }, ops::unit))
}

impl Held for Worker {
    fn open(&self) -> &OpenThing {
        &self.open
    }

    fn closing(&self) -> Option<Op> {
        Some(Op::WorkerClose)
    }
}
