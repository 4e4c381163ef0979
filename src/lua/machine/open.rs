//! What is open in a guest.

use std::cell::Cell;
use std::rc::Rc;

use provium_protocol::Guest;

use super::Vm;
use crate::lua::fault::Fault;
use crate::runner::place::Place;
use crate::runner::scope::Kind;

/// Something open inside a guest: it is gone when the guest is.
pub struct OpenThing {
    /// What it is, for people.
    pub label: String,
    /// The Lua line that opened it.
    pub at: Option<Place>,
    closed: Cell<bool>,
    vm: Rc<Vm>,
    boot: u32,
    /// Which kind of thing it is.
    pub kind: Kind,
    /// What it was opened on is there after the guest.
    outlives: bool,
}

impl OpenThing {
    /// Counts it in its VM.
    pub fn new(vm: &Rc<Vm>, kind: Kind, label: String, at: Option<Place>) -> OpenThing {
        let count = vm.count(kind);
        count.set(count.get() + 1);
        let (closed, vm) = (Cell::new(false), Rc::clone(vm));
        OpenThing { label, at, closed, boot: vm.boots.get(), vm, kind, outlives: false }
    }

    /// A stream of what the console prints: it is there after the guest.
    pub fn of_console(vm: &Rc<Vm>, label: String, at: Option<Place>) -> OpenThing {
        vm.open_consoles.set(vm.open_consoles.get() + 1);
        let (closed, vm) = (Cell::new(false), Rc::clone(vm));
        OpenThing { label, at, closed, boot: vm.boots.get(), vm, kind: Kind::Stream, outlives: true }
    }

    /// It is of the bindings' own making, and nothing that the test opened.
    pub fn uncount(&self) {
        let count = if self.outlives { &self.vm.open_consoles } else { self.vm.count(self.kind) };
        count.set(count.get().saturating_sub(1));
    }

    /// Whether it was closed, or its guest has ended.
    pub fn is_closed(&self) -> bool {
        self.closed.get() || self.guest_has_ended()
    }

    fn guest_has_ended(&self) -> bool {
        !self.outlives && self.boot != self.vm.boots.get()
    }

    /// It is closed now.
    pub fn set_closed(&self) {
        if !self.is_closed() {
            let count = if self.outlives { &self.vm.open_consoles } else { self.vm.count(self.kind) };
            count.set(count.get().saturating_sub(1));
        }
        self.closed.set(true);
    }

    /// An error if it is closed; `noun` is what it is called (`file`).
    pub fn check(&self, noun: &str) -> Result<(), Fault> {
        if self.closed.get() {
            return Err(Fault::state(format!("{noun} is closed")).of_vm(&self.vm.name));
        }
        self.check_guest(noun)
    }

    /// An error if the guest in which it was opened has ended.
    pub fn check_guest(&self, noun: &str) -> Result<(), Fault> {
        if self.guest_has_ended() {
            let vm = &self.vm.name;
            let why = match &*self.vm.lost.borrow() {
                Some(lost) => lost.said.clone(),
                None => format!("its vm `{vm}` was shut down or reset"),
            };
            return Err(Fault::state(format!("{noun} is closed: {why}")).of_vm(vm));
        }
        Ok(())
    }

    /// The guest that was lost with it, which may still hold what it had given: `None` if it was closed before.
    pub fn lost_guest(&self) -> Option<Rc<dyn Guest>> {
        let lost = self.vm.lost.borrow();
        let lost = lost.as_ref().filter(|lost| !self.closed.get() && self.boot == lost.boot)?;
        Some(Rc::clone(&lost.guest))
    }
}
