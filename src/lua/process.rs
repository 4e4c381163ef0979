//! Process: a command that was started and runs on.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use mlua::{MetaMethod, UserData, UserDataFields, UserDataMethods, Value};
use provium_protocol::exec::{ExitStatus, RunReply};
use provium_protocol::process::{OutputStream, ProcHandle, ProcState, ProcStatus};
use provium_protocol::{Nanos, Op, Reply, time};

use super::args::{Named, Options};
use super::call::{Answer, Call, Class, later, now, one};
use super::fault::Fault;
use super::held::Held;
use super::machine::OpenThing;
use super::ops::{self, Ground, mismatch, say_with};
use super::{run_result, stream};
use crate::runner::scope::Kind;

/// How long `wait_state` waits unless it is told.
const WAIT_STATE_TIMEOUT: Nanos = 10 * time::SECOND;

/// A process as its VM's bindings know it.
pub struct Process {
    handle: ProcHandle,
    pid: i32,
    open: OpenThing,
    result: RefCell<Option<RunReply>>,
    stdin_closed: Cell<bool>,
}

/// The userdata of a Process.
#[derive(Clone)]
pub struct ProcessRef(Rc<Process>);

static CLASS: Class = Class {
    prefix: "proc:",
    entries: &[
        later("wait", 1, wait),
        later("kill", 2, kill),
        later("signal", 2, signal),
        now("pid", 0, |call| one(call.lua, this(call)?.pid)),
        now("handle", 0, |call| one(call.lua, this(call)?.handle)),
        later("status", 0, status),
        later("state", 0, state),
        later("wait_state", 2, wait_state),
        later("stdin_write", 1, stdin_write),
        later("close_stdin", 0, close_stdin),
        later("stdout_stream", 0, |call| output_stream(call, OutputStream::Stdout)),
        later("stderr_stream", 0, |call| output_stream(call, OutputStream::Stderr)),
        later("close", 0, close),
    ],
};

impl UserData for ProcessRef {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_meta_field(MetaMethod::Type, "Process");
        fields.add_meta_field_with(MetaMethod::Index, |lua| CLASS.lazy_table(lua));
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_meta_method(MetaMethod::ToString, |_, this, ()| Ok(this.0.open.label.clone()));
    }
}

/// A process was started: registers it with the scope and makes its object.
pub fn open(ground: &Ground, handle: ProcHandle, pid: i32, label: &str) -> Result<Value, Fault> {
    let vm = &ground.speaker.vm;
    let label = format!("process {pid} of vm `{}` ({label})", vm.name);
    let process = Rc::new(Process {
        handle,
        pid,
        open: OpenThing::new(&ground.speaker, Kind::Process, label, ground.at.clone()),
        result: RefCell::new(None),
        stdin_closed: Cell::new(false),
    });
    ground.section.scope.register(process.clone());
    Ok(Value::UserData(ground.lua.create_userdata(ProcessRef(process))?))
}

fn this(call: &Call) -> Result<Rc<Process>, Fault> {
    Ok(call.this::<ProcessRef>()?.0)
}

/// The process, in a guest that answers.
fn live(call: &Call) -> Result<Rc<Process>, Fault> {
    let process = this(call)?;
    if process.result.borrow().is_none() {
        process.open.check_guest("process")?;
    }
    process.open.speaker.vm.require_booted(call.method())?;
    Ok(process)
}

fn wait(call: &Call) -> Result<Answer, Fault> {
    let process = this(call)?;
    let (timeout_ns, kill) = match call.arg(1) {
        Value::Table(_) => {
            let options = call.options(1, &["timeout", "kill"])?;
            let read = |options: &Options| -> Result<_, Fault> {
                Ok((options.get("timeout", Named::duration)?, options.flag("kill", true)?))
            };
            read(&options).map_err(|fault| fault.prefixed("proc:wait"))?
        }
        _ => (call.read_optional(1, "timeout", Named::duration)?, true),
    };
    if timeout_ns == Some(0) {
        return Err(call.usage("a timeout of 0 waits for nothing; ask proc:status() whether the process still runs"));
    }
    if let Some(result) = &*process.result.borrow() {
        return Ok(ops::ready(run_result::to_lua(call.lua, result.clone())?));
    }
    let process = live(call)?;
    let op = Op::ProcWait { proc: process.handle, timeout_ns, kill };
    let speaker = process.open.speaker.clone();
    Ok(say_with(call, &speaker, op, move |ground, reply| match reply {
        Reply::Run(run) => {
            process.open.set_closed();
            *process.result.borrow_mut() = Some(run.clone());
            Ok(run_result::to_lua(&ground.lua, run)?)
        }
        Reply::Nothing => Ok(Value::Nil),
        other => Err(mismatch("wait", ground, &other)),
    }))
}

fn kill(call: &Call) -> Result<Answer, Fault> {
    let signal = call.read(1, "signal", Named::signal)?;
    send(call, signal)
}

fn signal(call: &Call) -> Result<Answer, Fault> {
    if call.arg(1).is_nil() {
        return Err(call.usage("expected integer or signal name, got nothing"));
    }
    let signal = call.read(1, "signal", Named::signal)?;
    send(call, signal)
}

fn send(call: &Call, signal: provium_protocol::Signal) -> Result<Answer, Fault> {
    let group = call.options(2, &["group"])?.flag("group", false).map_err(|fault| fault.prefixed(&call.name()))?;
    let process = live(call)?;
    let op = Op::ProcSignal { proc: process.handle, signal, group };
    Ok(say_with(call, &process.open.speaker, op, ops::boolean))
}

fn status(call: &Call) -> Result<Answer, Fault> {
    let process = this(call)?;
    if let Some(result) = &*process.result.borrow() {
        let word = status_word(ProcStatus::Ended(result.status));
        return Ok(ops::ready(Value::String(call.lua.create_string(word)?)));
    }
    let process = live(call)?;
    Ok(say_with(call, &process.open.speaker, Op::ProcStatus(process.handle), |ground, reply| match reply {
        Reply::ProcStatus(status) => Ok(Value::String(ground.lua.create_string(status_word(status))?)),
        other => Err(mismatch("status", ground, &other)),
    }))
}

fn status_word(status: ProcStatus) -> &'static str {
    match status {
        ProcStatus::Running => "running",
        ProcStatus::Ended(ExitStatus::Exited(_)) => "exited",
        // A process that a timeout ended was killed by a signal.
        ProcStatus::Ended(ExitStatus::Signalled(_) | ExitStatus::TimedOut) => "signalled",
    }
}

fn state(call: &Call) -> Result<Answer, Fault> {
    let process = live(call)?;
    Ok(say_with(call, &process.open.speaker, Op::ProcState(process.handle), decode_state))
}

fn decode_state(ground: &Ground, reply: Reply) -> Result<Value, Fault> {
    match reply {
        Reply::ProcState(state) => Ok(Value::String(ground.lua.create_string(state.name())?)),
        other => Err(mismatch("state", ground, &other)),
    }
}

fn wait_state(call: &Call) -> Result<Answer, Fault> {
    let word = call.read(1, "state", Named::text)?;
    let Some(state) = ProcState::ALL.into_iter().find(|state| state.name() == word) else {
        let valid: Vec<&str> = ProcState::ALL.iter().map(|state| state.name()).collect();
        return Err(call.usage(format!("unknown state `{word}`; valid states: {}", valid.join(", "))));
    };
    let timeout = call.read_optional(2, "timeout", Named::duration)?.unwrap_or(WAIT_STATE_TIMEOUT);
    let process = live(call)?;
    let op = Op::ProcWaitState { proc: process.handle, state, timeout_ns: Some(timeout) };
    Ok(say_with(call, &process.open.speaker, op, decode_state))
}

fn stdin_write(call: &Call) -> Result<Answer, Fault> {
    let data = call.read(1, "data", Named::bytes)?;
    let process = live(call)?;
    if process.stdin_closed.get() {
        let fault = Fault::state("proc:stdin_write: standard input is closed");
        return Err(fault.of_vm(&process.open.speaker.vm.name));
    }
    let op = Op::StdinWrite { proc: process.handle, data };
    Ok(say_with(call, &process.open.speaker, op, ops::count))
}

fn close_stdin(call: &Call) -> Result<Answer, Fault> {
    let process = live(call)?;
    if process.stdin_closed.replace(true) {
        return Ok(ops::ready(Value::Nil));
    }
    Ok(say_with(call, &process.open.speaker, Op::StdinClose(process.handle), ops::unit))
}

fn output_stream(call: &Call, output: OutputStream) -> Result<Answer, Fault> {
    let process = this(call)?;
    process.open.check_guest("process")?;
    process.open.speaker.vm.require_booted(call.method())?;
    let name = match output {
        OutputStream::Stdout => "stdout",
        OutputStream::Stderr => "stderr",
    };
    let label = format!("{name} of process {}", process.pid);
    let op = Op::ProcStream { proc: process.handle, output };
    Ok(say_with(call, &process.open.speaker, op, move |ground, reply| stream::open(ground, reply, &label)))
}

fn close(call: &Call) -> Result<Answer, Fault> {
    let process = this(call)?;
    if process.open.is_closed() {
        return Ok(ops::ready(Value::Nil));
    }
    process.open.speaker.vm.require_booted(call.method())?;
    let op = Op::ProcClose(process.handle);
    let speaker = process.open.speaker.clone();
    Ok(say_with(call, &speaker, op, move |ground, reply| {
        process.open.set_closed();
        ops::unit(ground, reply)
    }))
}

impl Held for Process {
    fn open(&self) -> &OpenThing {
        &self.open
    }

    fn closing(&self) -> Option<Op> {
        Some(Op::ProcClose(self.handle))
    }
}
