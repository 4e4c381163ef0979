//! Console: what a VM prints, from its first byte, and what is typed there.

use std::rc::Rc;

use mlua::{MetaMethod, UserData, UserDataFields, UserDataMethods};
use provium_protocol::{Nanos, Op, time};

use super::args::Named;
use super::call::{Answer, Call, Class, Returned, later, one};
use super::exchange::{Speaker, exchange};
use super::fault::Fault;
use super::machine::{Vm, VmState};
use super::ops::{self, Ground, say_with};
use super::stream::{self, Stream, Wanted};

/// How long `expect` waits unless it is told: a boot is among what it is waited for with.
const EXPECT_TIMEOUT: Nanos = 30 * time::SECOND;

/// Where `expect` stands: there is one for each boot of a VM, whoever holds its console.
#[derive(Default)]
pub struct Cursor {
    /// Opened by the first `expect`.
    stream: Option<Rc<Stream>>,
    /// By a call that is under way.
    opening: bool,
}

/// The userdata of a Console.
#[derive(Clone)]
pub struct ConsoleRef(Rc<Vm>);

static CLASS: Class = Class {
    prefix: "console:",
    entries: &[
        later("read", 0, read),
        later("read_log", 0, read_log),
        later("expect", 2, expect),
        later("write", 1, write),
    ],
};

impl UserData for ConsoleRef {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_meta_field(MetaMethod::Type, "Console");
        fields.add_meta_field_with(MetaMethod::Index, |lua| CLASS.lazy_table(lua));
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_meta_method(MetaMethod::ToString, |_, this, ()| Ok(format!("console of vm `{}`", this.0.name)));
        methods.add_meta_method(MetaMethod::Eq, |_, this, other: mlua::UserDataRef<ConsoleRef>| {
            Ok(Rc::ptr_eq(&this.0, &other.0))
        });
    }
}

/// The console of a VM, in whatever state that is.
pub fn of(call: &Call, vm: &Rc<Vm>) -> Returned {
    one(call.lua, call.lua.create_userdata(ConsoleRef(Rc::clone(vm)))?)
}

/// The VM, which was booted once: what it printed can be read ever after.
fn once_booted(call: &Call) -> Result<Rc<Vm>, Fault> {
    let ConsoleRef(vm) = call.this()?;
    let states = [VmState::Booted, VmState::Paused, VmState::Shutdown, VmState::Dead];
    vm.require(&states, call.method()).map_err(|fault| fault.prefixed(&call.name()))?;
    if vm.last_guest().is_none() {
        // It was shut down before it was ever booted.
        vm.require_booted(call.method()).map_err(|fault| fault.prefixed(&call.name()))?;
    }
    Ok(vm)
}

fn read(call: &Call) -> Result<Answer, Fault> {
    let vm = once_booted(call)?;
    Ok(say_with(call, &Speaker::main(&vm), Op::ConsoleStream, stream::open_console))
}

fn read_log(call: &Call) -> Result<Answer, Fault> {
    let vm = once_booted(call)?;
    Ok(say_with(call, &Speaker::main(&vm), Op::ConsoleLog, ops::bytes))
}

fn write(call: &Call) -> Result<Answer, Fault> {
    let ConsoleRef(vm) = call.this()?;
    vm.require(&[VmState::Booted, VmState::Paused], call.method()).map_err(|fault| fault.prefixed(&call.name()))?;
    let data = call.read(1, "s", Named::bytes)?;
    Ok(say_with(call, &Speaker::main(&vm), Op::ConsoleWrite { data }, ops::count))
}

/// A cursor that is being opened; dropped, it is so no more.
struct Opening(Rc<Vm>);

impl Drop for Opening {
    fn drop(&mut self) {
        self.0.cursor.borrow_mut().opening = false;
    }
}

fn expect(call: &Call) -> Result<Answer, Fault> {
    let vm = once_booted(call)?;
    let wanted = Wanted::read(call, EXPECT_TIMEOUT)?;
    let (lua, host, at) = (call.lua.clone(), Rc::clone(&call.host), call.place());
    let open = vm.cursor.borrow().stream.clone();
    if let Some(stream) = open {
        return Ok(Box::pin(stream::expect(lua, host, stream, wanted, at)));
    }
    if std::mem::replace(&mut vm.cursor.borrow_mut().opening, true) {
        let name = call.name();
        let fault = Fault::state(format!("{name}: another task is reading this console; one at a time"));
        return Err(fault.of_vm(&vm.name));
    }
    let opening = Opening(Rc::clone(&vm));
    let ground = Ground::of(call, &Speaker::main(&vm));
    let said = exchange(&host, &ground.speaker, Op::ConsoleStream, at.clone());
    Ok(Box::pin(async move {
        let reply = said.await.map_err(|error| Fault::from_op(error, wanted.name(), &vm.name))?;
        let stream = stream::console(&ground, reply, "console")?.uncounted();
        vm.cursor.borrow_mut().stream = Some(Rc::clone(&stream));
        drop(opening);
        stream::expect(lua, host, stream, wanted, at).await
    }))
}
