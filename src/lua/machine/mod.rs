//! A VM as the bindings know it: its state, its guest, and what is open in it.

mod open;
mod state;

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use mlua::{Lua, Value};
use provium_protocol::profile::{BootOptions, BootSpec, COLD, Profile};
use provium_protocol::{Guest, LocalFuture, Op, OpError, Reply};

use super::console::Cursor;
use super::exchange::{self, Speaker, exchange};
use super::fault::Fault;
use super::host::Host;
use crate::exec::wait::within;
use crate::runner::place::Place;
use crate::runner::scope::{Kind, Resource};

pub use open::OpenThing;
pub use state::VmState;

/// How a test wants a VM to be booted.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// What every backend knows of.
    pub options: BootOptions,
    /// Whether it really boots, from the beginning.
    pub cold: Option<bool>,
}

/// How a guest was lost. A VM that lost one is dead for good.
struct LostGuest {
    /// The first line of the error that said so.
    said: String,
    /// It is kept for its streams.
    guest: Rc<dyn Guest>,
    /// Under which number things were opened in it.
    boot: u32,
}

/// A VM.
pub struct Vm {
    /// Its name, unique in its lab.
    pub name: Rc<str>,
    /// Its kind.
    pub profile: Profile,
    /// What it is booted with unless `boot` says more.
    pub options: RefCell<Wishes>,
    /// The Lua line that declared it.
    pub declared_at: Option<Place>,
    /// How often a guest of it began or ended: what was opened under another number is gone.
    pub boots: Cell<u32>,
    guest_number: Cell<u32>,
    /// Operations that run.
    pub running: Cell<u32>,
    /// Workers made so far, for their names.
    pub workers_made: Cell<u32>,
    closed: Cell<bool>,
    state: Cell<VmState>,
    guest: RefCell<Option<Rc<dyn Guest>>>,
    /// The guest that answers now, or did last: its console can be read when it does not.
    last_guest: RefCell<Option<Rc<dyn Guest>>>,
    /// Where `expect` stands in the console of that guest.
    pub cursor: RefCell<Cursor>,
    open_consoles: Cell<u32>,
    lost: RefCell<Option<LostGuest>>,
    open_streams: Cell<u32>,
    open_files: Cell<u32>,
    open_others: Cell<u32>,
    host: Weak<Host>,
}

impl Vm {
    /// A VM that was never booted.
    pub fn new(
        host: &Rc<Host>,
        name: Rc<str>,
        profile: Profile,
        options: Wishes,
        declared_at: Option<Place>,
    ) -> Rc<Vm> {
        Rc::new(Vm {
            name,
            profile,
            options: RefCell::new(options),
            declared_at,
            boots: Cell::new(0),
            guest_number: Cell::new(0),
            running: Cell::new(0),
            workers_made: Cell::new(0),
            closed: Cell::new(false),
            state: Cell::new(VmState::Created),
            guest: RefCell::new(None),
            last_guest: RefCell::new(None),
            cursor: RefCell::default(),
            open_consoles: Cell::new(0),
            lost: RefCell::new(None),
            open_streams: Cell::new(0),
            open_files: Cell::new(0),
            open_others: Cell::new(0),
            host: Rc::downgrade(host),
        })
    }

    fn count(&self, kind: Kind) -> &Cell<u32> {
        match kind {
            Kind::Stream => &self.open_streams,
            Kind::File => &self.open_files,
            Kind::Process | Kind::Worker | Kind::Vm => &self.open_others,
        }
    }

    /// Its state.
    pub fn state(&self) -> VmState {
        self.state.get()
    }

    /// The guest, while there is one.
    pub fn guest(&self) -> Option<Rc<dyn Guest>> {
        self.guest.borrow().clone()
    }

    /// The guest that answers now, or did last.
    pub fn last_guest(&self) -> Option<Rc<dyn Guest>> {
        self.last_guest.borrow().clone()
    }

    /// The guest that this can be said to: what is about the console is answered by one that has ended, too.
    pub fn guest_for(&self, op: &Op) -> Option<Rc<dyn Guest>> {
        let of_console = match op {
            Op::ConsoleStream | Op::ConsoleLog => true,
            Op::StreamClose(stream) => stream.is_console(),
            _ => false,
        };
        if of_console { self.last_guest() } else { self.guest() }
    }

    /// Open files.
    pub fn open_files(&self) -> u32 {
        self.open_files.get()
    }

    /// Open streams.
    pub fn open_streams(&self) -> u32 {
        self.open_streams.get() + self.open_consoles.get()
    }

    /// Whether nothing runs and nothing is open.
    pub fn is_quiescent(&self) -> bool {
        self.running.get() == 0 && self.open_streams() == 0 && self.open_files.get() == 0 && self.open_others.get() == 0
    }

    /// Whether `close` was called.
    pub fn was_closed(&self) -> bool {
        self.closed.get()
    }

    /// An error unless the VM is in one of these states.
    pub fn require(&self, states: &[VmState], operation: &str) -> Result<(), Fault> {
        let state = self.state.get();
        if states.contains(&state) {
            return Ok(());
        }
        let lost = self.lost.borrow().as_ref().map(|lost| format!("; {}", lost.said));
        let hint = match (state, states.contains(&VmState::Booted)) {
            (VmState::Created | VmState::Shutdown, true) => "; boot it first",
            (VmState::Paused, true) => "; resume it first",
            (VmState::Dead, _) => lost.as_deref().unwrap_or_default(),
            _ => "",
        };
        let name = &self.name;
        let mut fault = Fault::state(format!("vm `{name}` is {}: cannot {operation}{hint}", state.name()));
        fault.vm = Some(Rc::clone(name));
        Err(fault)
    }

    /// An error unless the guest answers operations.
    pub fn require_booted(&self, operation: &str) -> Result<(), Fault> {
        self.require(&[VmState::Booted], operation)
    }

    fn ended(&self, state: VmState) {
        self.state.set(state);
        self.guest.replace(None);
        self.forget_open();
    }

    /// The guest that answers now, or did last: which boot of the run it was.
    pub fn guest_number(&self) -> u32 {
        self.guest_number.get()
    }

    /// A guest is booted.
    pub fn set_guest_number(&self, number: u32) {
        self.guest_number.set(number);
    }

    /// All that was open in the guest is gone.
    fn forget_open(&self) {
        self.boots.set(self.boots.get() + 1);
        self.open_streams.set(0);
        self.open_files.set(0);
        self.open_others.set(0);
    }

    /// The guest is gone, as this error says.
    pub fn lost(&self, error: &OpError) {
        let Some(guest) = self.guest() else { return };
        let said = error.message.lines().next().unwrap_or_default().to_owned();
        self.lost.replace(Some(LostGuest { said, guest, boot: self.boots.get() }));
        self.ended(VmState::Dead);
    }

    /// Boots it with these options on top of its own.
    pub fn boot(self: &Rc<Self>, host: &Rc<Host>, more: Wishes, at: Option<Place>) -> LocalFuture<Result<(), Fault>> {
        let (vm, host) = (Rc::clone(self), Rc::clone(host));
        let before = self.state.replace(VmState::Booting);
        let Wishes { options, cold } = merged(&self.options.borrow(), more);
        let task = host.current.borrow().as_ref().map(|task| (Rc::clone(&task.path), task.next_exchange()));
        Box::pin(async move {
            // Should the boot be abandoned, the VM is as it was.
            let guard = BootGuard { vm: &vm, before };
            let timeout = options.boot_timeout_ns;
            let spec = BootSpec {
                vm: vm.name.to_string(),
                profile: vm.profile.clone(),
                options,
                notes: cold.filter(|cold| *cold).map(|_| (COLD.to_owned(), String::new())).into_iter().collect(),
            };
            let booting = exchange::boot(Rc::clone(&host), Rc::clone(&vm), spec, at, task);
            let result = within(&*host.backend, timeout, booting).await;
            match result {
                Some(Ok(guest)) => {
                    std::mem::forget(guard);
                    vm.guest.replace(Some(Rc::clone(&guest)));
                    vm.last_guest.replace(Some(guest));
                    vm.cursor.take();
                    vm.forget_open();
                    vm.state.set(VmState::Booted);
                    Ok(())
                }
                Some(Err(error)) => Err(Fault::from_op(error, "vm:boot", &vm.name)),
                None => {
                    let limit = crate::units::format_duration(timeout.unwrap_or_default());
                    let mut fault = Fault::timeout(format!("vm:boot: vm `{}` did not answer within {limit}", vm.name));
                    fault.vm = Some(Rc::clone(&vm.name));
                    Err(fault)
                }
            }
        })
    }

    /// Says one of the machine's operations and sets the state that it leads to.
    pub fn machine_op(
        self: &Rc<Self>,
        host: &Rc<Host>,
        op: Op,
        leads_to: VmState,
        at: Option<Place>,
    ) -> LocalFuture<Result<(), OpError>> {
        let vm = Rc::clone(self);
        let call = exchange(host, &Speaker::main(self), op.clone(), at);
        Box::pin(async move {
            match call.await? {
                Reply::Unit => {}
                other => return Err(unexpected(&op, &other)),
            }
            match leads_to {
                VmState::Shutdown => vm.ended(VmState::Shutdown),
                state => {
                    if matches!(op, Op::Reset) {
                        vm.forget_open();
                    }
                    vm.state.set(state);
                }
            }
            Ok(())
        })
    }

    /// Switches it off for good; nothing if it is off.
    pub fn shut(self: &Rc<Self>, host: &Rc<Host>, at: Option<Place>) -> LocalFuture<Result<(), OpError>> {
        if self.guest().is_none() {
            if self.state.get() != VmState::Dead {
                self.state.set(VmState::Shutdown);
            }
            return Box::pin(std::future::ready(Ok(())));
        }
        self.machine_op(host, Op::Shutdown, VmState::Shutdown, at)
    }

    /// `close` was called.
    pub fn set_closed(&self) {
        self.closed.set(true);
    }
}

struct BootGuard<'a> {
    vm: &'a Vm,
    before: VmState,
}

impl Drop for BootGuard<'_> {
    fn drop(&mut self) {
        self.vm.state.set(self.before);
    }
}

fn merged(base: &Wishes, more: Wishes) -> Wishes {
    let cold = more.cold.or(base.cold);
    let (base, more) = (base.options.clone(), more.options);
    let mut files = base.files;
    files.extend(more.files);
    let options = BootOptions {
        memory: more.memory.or(base.memory),
        cpus: more.cpus.or(base.cpus),
        kernel_cmdline: more.kernel_cmdline.or(base.kernel_cmdline),
        kernel_cmdline_append: more.kernel_cmdline_append.or(base.kernel_cmdline_append),
        rng_seed: more.rng_seed.or(base.rng_seed),
        initial_time_ns: more.initial_time_ns.or(base.initial_time_ns),
        files,
        boot_timeout_ns: more.boot_timeout_ns.or(base.boot_timeout_ns),
    };
    Wishes { options, cold }
}

/// A reply that does not answer its operation: a defect of the backend, told as such.
pub fn unexpected(op: &Op, reply: &Reply) -> OpError {
    OpError::agent(format!("the guest answered {} with something else: {}", op.name(), {
        let mut text = format!("{reply:?}");
        text.truncate(text.char_indices().nth(80).map_or(text.len(), |(at, _)| at));
        text
    }))
}

impl Resource for Vm {
    fn kind(&self) -> Kind {
        Kind::Vm
    }

    fn label(&self) -> String {
        format!("vm `{}`", self.name)
    }

    fn opened_at(&self) -> Option<Place> {
        self.declared_at.clone()
    }

    fn is_closed(&self) -> bool {
        self.guest.borrow().is_none()
    }

    fn close(self: Rc<Self>) -> LocalFuture<Result<(), String>> {
        let Some(host) = self.host.upgrade() else { return Box::pin(std::future::ready(Ok(()))) };
        let shutting = self.shut(&host, None);
        Box::pin(async move { shutting.await.map_err(|error| error.to_string()) })
    }
}

/// The userdata of a VM.
#[derive(Clone)]
pub struct VmRef(pub Rc<Vm>);

/// A VM for Lua.
pub fn to_lua(lua: &Lua, vm: &Rc<Vm>) -> mlua::Result<Value> {
    Ok(Value::UserData(lua.create_userdata(VmRef(Rc::clone(vm)))?))
}
