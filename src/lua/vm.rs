//! VM: a guest, from its declaration to its end.

use std::rc::Rc;

use mlua::{MetaMethod, UserData, UserDataFields, UserDataMethods, Value};
use provium_protocol::profile::{BootFile, BootOptions};
use provium_protocol::{Lane, Op, OpError, time};

use super::args::{Named, Options, sequence_length};
use super::call::{Answer, Call, Class, Returned, later, now, one, prelude};
use super::exchange::Speaker;
use super::fault::Fault;
use super::file::FileRef;
use super::machine::{Vm, VmRef, VmState, Wishes};
use super::ops::{Speaks, say, say_with};
use super::{exec, fs, stream, syscall, worker};
use crate::runner::scope::Resource;

static CLASS: Class = Class {
    prefix: "vm:",
    entries: &[
        later("boot", 1, boot),
        later("pause", 0, |call| machine(call, &[VmState::Booted], Op::Pause, VmState::Paused)),
        later("resume", 0, |call| machine(call, &[VmState::Paused], Op::Resume, VmState::Booted)),
        later("reset", 0, |call| machine(call, &[VmState::Booted, VmState::Paused], Op::Reset, VmState::Booted)),
        later("power_button", 0, |call| machine(call, &[VmState::Booted], Op::PowerButton, VmState::Shutdown)),
        later("shutdown", 0, shutdown),
        later("close", 0, close),
        later("run", 2, |call| say::<VmSpeaks>(call, exec::run)),
        later("run_async", 2, |call| say::<VmSpeaks>(call, exec::run_async)),
        later("read_file", 1, |call| say::<VmSpeaks>(call, fs::read_file)),
        later("write_file", 3, |call| say::<VmSpeaks>(call, fs::write_file)),
        later("push_file", 3, |call| say::<VmSpeaks>(call, fs::push_file)),
        later("stat", 1, |call| say::<VmSpeaks>(call, fs::stat)),
        later("lstat", 1, |call| say::<VmSpeaks>(call, fs::lstat)),
        later("listdir", 1, |call| say::<VmSpeaks>(call, fs::listdir)),
        later("mkdir", 2, |call| say::<VmSpeaks>(call, fs::mkdir)),
        later("unlink", 1, |call| say::<VmSpeaks>(call, fs::unlink)),
        later("rename", 2, |call| say::<VmSpeaks>(call, fs::rename)),
        later("symlink", 2, |call| say::<VmSpeaks>(call, fs::symlink)),
        later("readlink", 1, |call| say::<VmSpeaks>(call, fs::readlink)),
        later("chmod", 2, |call| say::<VmSpeaks>(call, fs::chmod)),
        later("open_file", 2, |call| say::<VmSpeaks>(call, fs::open_file)),
        later("syscall", 1_000, |call| say::<VmSpeaks>(call, syscall::syscall)),
        later("ioctl", 4, |call| say::<VmSpeaks>(call, syscall::ioctl)),
        prelude("batch", 1, "batch"),
        later("tail_file", 2, fs::tail_file::<VmSpeaks>),
        later("fd_stream", 1, fd_stream),
        later("spawn_worker", 1, worker::spawn),
        prelude("with_worker", 2, "with_worker"),
        now("name", 0, |call| one(call.lua, &*this(call)?.name)),
        now("profile", 0, |call| one(call.lua, this(call)?.profile.name.as_str())),
        now("state", 0, |call| one(call.lua, this(call)?.state().name())),
        now("is_quiescent", 0, |call| one(call.lua, this(call)?.is_quiescent())),
        now("open_file_count", 0, |call| one(call.lua, this(call)?.open_files())),
        now("open_stream_count", 0, |call| one(call.lua, this(call)?.open_streams())),
        now("console", 0, |call| super::console::of(call, &this(call)?)),
        now("clock", 0, |call| unsupported(call, "reading or setting the guest's clock")),
        now("snapshot", 1, |call| unsupported(call, "snapshots")),
        now("restore", 1, |call| unsupported(call, "restoring a snapshot")),
    ],
};

impl UserData for VmRef {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_meta_field(MetaMethod::Type, "VM");
        fields.add_meta_field_with(MetaMethod::Index, |lua| CLASS.lazy_table(lua));
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_meta_method(MetaMethod::ToString, |_, this, ()| Ok(this.0.label()));
        methods.add_meta_method(MetaMethod::Eq, |_, this, other: mlua::UserDataRef<VmRef>| {
            Ok(Rc::ptr_eq(&this.0, &other.0))
        });
    }
}

/// Operations said on the VM's main line.
pub struct VmSpeaks;

impl Speaks for VmSpeaks {
    fn speaker(call: &Call, operation: &str) -> Result<Speaker, Fault> {
        let vm = this(call)?;
        vm.require_booted(operation).map_err(|fault| fault.prefixed(&call.name()))?;
        Ok(Speaker { vm, lane: Lane::Main, worker: None })
    }
}

fn this(call: &Call) -> Result<Rc<Vm>, Fault> {
    Ok(call.this::<VmRef>()?.0)
}

/// The VM given as an argument, booted.
pub fn live(call: &Call, position: usize) -> Result<Rc<Vm>, Fault> {
    let Value::UserData(vm) = call.arg(position) else {
        return Err(call.usage("must be called on a vm, with a colon"));
    };
    let vm = vm.borrow::<VmRef>().map_err(|_| call.usage("must be called on a vm, with a colon"))?.0.clone();
    vm.require_booted(call.method())?;
    Ok(vm)
}

/// The answer of everything that this backend cannot do (yet).
pub fn unsupported(call: &Call, what: &str) -> Returned {
    let error = OpError::unsupported(call.host.backend.name(), what);
    let mut fault = Fault::from_op(error, &call.name(), &"".into());
    fault.vm = this(call).ok().map(|vm| Rc::clone(&vm.name));
    Err(fault)
}

const BOOT_OPTIONS: &[&str] = &[
    "memory",
    "cpus",
    "kernel_cmdline",
    "kernel_cmdline_append",
    "rng_seed",
    "initial_time",
    "files",
    "boot_timeout",
    "cold",
];

/// The most CPUs that may be asked for: what Linux is built for on large machines.
const MAX_CPUS: i64 = 4_096;

/// Reads boot options.
pub fn boot_options(value: &Value) -> Result<Wishes, Fault> {
    let options = Options::read(value, BOOT_OPTIONS)?;
    let boot = BootOptions {
        memory: options.get("memory", Named::size)?,
        cpus: options.get("cpus", |named| named.integer_in(1..=MAX_CPUS))?.map(|cpus| cpus as u32),
        kernel_cmdline: options.get("kernel_cmdline", Named::text)?,
        kernel_cmdline_append: options.get("kernel_cmdline_append", Named::text)?,
        // All 64 bits count; Lua shows the upper half of them as negative numbers.
        rng_seed: options.get("rng_seed", Named::integer)?.map(|seed| seed as u64),
        initial_time_ns: options.get("initial_time", initial_time)?,
        files: options.get("files", boot_files)?.unwrap_or_default(),
        boot_timeout_ns: options.get("boot_timeout", Named::duration)?,
    };
    let cold = options.get("cold", Named::boolean)?;
    Ok(Wishes { options: boot, cold })
}

fn initial_time(named: &Named) -> Result<i128, Fault> {
    match &named.value {
        Value::Integer(seconds) => Ok(i128::from(*seconds) * i128::from(time::SECOND)),
        // Far outside of what a 64-bit clock of seconds can hold, nothing is lost by the saturating cast.
        Value::Number(seconds) if seconds.is_finite() && seconds.abs() < 1e18 => {
            let whole = seconds.floor();
            let fraction = ((seconds - whole) * time::SECOND as f64).round();
            Ok(whole as i128 * i128::from(time::SECOND) + fraction as i128)
        }
        _ => Err(named.expected("a number of seconds since 1970")),
    }
}

fn boot_files(named: &Named) -> Result<Vec<BootFile>, Fault> {
    let Value::Table(table) = &named.value else { return Err(named.expected("an array of {path, content, mode}")) };
    let length = sequence_length(table, &named.name)?;
    (1..=length)
        .map(|index| {
            let entry: Value = table.raw_get(index)?;
            let place = format!("{}[{index}]", named.name);
            let options =
                Options::read(&entry, &["path", "content", "mode"]).map_err(|fault| fault.prefixed(&place))?;
            let missing = |key: &str| Fault::usage(format!("{place}: `{key}` is missing"));
            let path = options.get("path", Named::path)?.ok_or_else(|| missing("path"))?;
            if path.0.first() != Some(&b'/') {
                return Err(Fault::usage(format!("{place}: the path must be absolute")));
            }
            let content = options.get("content", Named::bytes)?.ok_or_else(|| missing("content"))?;
            Ok(BootFile { path, content, mode: options.get("mode", Named::permissions)? })
        })
        .collect()
}

fn boot(call: &Call) -> Result<Answer, Fault> {
    let vm = this(call)?;
    let options = boot_options(call.arg(1)).map_err(|fault| fault.prefixed(&call.name()))?;
    if vm.was_closed() {
        return Err(Fault::state(format!("vm:boot: vm `{}` is closed", vm.name)).of_vm(&vm.name));
    }
    vm.require(&[VmState::Created, VmState::Shutdown], "boot").map_err(|fault| fault.prefixed(&call.name()))?;
    let booting = vm.boot(&call.host, options, call.place());
    let (lua, itself) = (call.lua.clone(), call.this_value()?);
    Ok(Box::pin(async move {
        booting.await?;
        one(&lua, itself)
    }))
}

fn machine(call: &Call, from: &[VmState], op: Op, to: VmState) -> Result<Answer, Fault> {
    let vm = this(call)?;
    vm.require(from, call.method()).map_err(|fault| fault.prefixed(&call.name()))?;
    let said = vm.machine_op(&call.host, op, to, call.place());
    let (lua, itself, name) = (call.lua.clone(), call.this_value()?, call.name());
    Ok(Box::pin(async move {
        said.await.map_err(|error| Fault::from_op(error, &name, &vm.name))?;
        one(&lua, itself)
    }))
}

fn shutdown(call: &Call) -> Result<Answer, Fault> {
    let vm = this(call)?;
    if vm.state() == VmState::Booting {
        vm.require(&[VmState::Booted], "shutdown")?;
    }
    let shutting = vm.shut(&call.host, call.place());
    let (lua, itself, name) = (call.lua.clone(), call.this_value()?, call.name());
    Ok(Box::pin(async move {
        shutting.await.map_err(|error| Fault::from_op(error, &name, &vm.name))?;
        one(&lua, itself)
    }))
}

fn close(call: &Call) -> Result<Answer, Fault> {
    let vm = this(call)?;
    vm.set_closed();
    let shutting = vm.shut(&call.host, call.place());
    let name = call.name();
    Ok(Box::pin(async move {
        shutting.await.map_err(|error| Fault::from_op(error, &name, &vm.name))?;
        super::call::nothing()
    }))
}

fn fd_stream(call: &Call) -> Result<Answer, Fault> {
    let speaker = VmSpeaks::speaker(call, "fd_stream")?;
    let file = match call.arg(1) {
        Value::UserData(file) => file.borrow::<FileRef>().ok().map(|file| file.0.clone()),
        _ => None,
    };
    let Some(file) = file else { return Err(call.named(1, "file").expected("a File").prefixed(&call.name())) };
    let (handle, path) = file.stream_source().map_err(|fault| fault.prefixed(&call.name()))?;
    let label = format!("file `{path}`");
    Ok(say_with(call, &speaker, Op::FdStream(handle), move |ground, reply| stream::open(ground, reply, &label)))
}
