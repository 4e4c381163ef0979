//! What is open in a guest.

use std::cell::Cell;
use std::rc::Rc;

use provium_protocol::Guest;

use crate::lua::exchange::Speaker;
use crate::lua::fault::Fault;
use crate::lua::host::Host;
use crate::runner::place::Place;
use crate::runner::scope::Kind;

/// Something open inside a guest: it is gone when the guest is.
pub struct OpenThing {
    /// What it is, for people.
    pub label: String,
    /// The Lua line that opened it.
    pub at: Option<Place>,
    closed: Cell<bool>,
    /// Who speaks to the guest for it.
    pub speaker: Speaker,
    boot: u32,
    /// Which kind of thing it is.
    pub kind: Kind,
    /// What it was opened on is there after the guest.
    outlives: bool,
}

impl OpenThing {
    /// Counts it in its VM.
    pub fn new(speaker: &Speaker, kind: Kind, label: String, at: Option<Place>) -> OpenThing {
        let count = speaker.vm.count(kind);
        count.set(count.get() + 1);
        let (closed, boot) = (Cell::new(false), speaker.vm.boots.get());
        OpenThing { label, at, closed, boot, speaker: speaker.clone(), kind, outlives: false }
    }

    /// A stream of what the console prints: it is there after the guest.
    pub fn of_console(speaker: &Speaker, label: String, at: Option<Place>) -> OpenThing {
        let vm = &speaker.vm;
        vm.open_consoles.set(vm.open_consoles.get() + 1);
        let (closed, boot) = (Cell::new(false), vm.boots.get());
        OpenThing { label, at, closed, boot, speaker: speaker.clone(), kind: Kind::Stream, outlives: true }
    }

    /// Where the test runs; `None` when it does not any more.
    pub fn host(&self) -> Option<Rc<Host>> {
        self.speaker.vm.host.upgrade()
    }

    /// It is of the bindings' own making, and nothing that the test opened.
    pub fn uncount(&self) {
        let count = if self.outlives { &self.speaker.vm.open_consoles } else { self.speaker.vm.count(self.kind) };
        count.set(count.get().saturating_sub(1));
    }

    /// Whether it was closed, or its guest has ended.
    pub fn is_closed(&self) -> bool {
        self.closed.get() || self.guest_has_ended()
    }

    fn guest_has_ended(&self) -> bool {
        !self.outlives && self.boot != self.speaker.vm.boots.get()
    }

    /// It is closed now.
    pub fn set_closed(&self) {
        if !self.is_closed() {
            let count = if self.outlives { &self.speaker.vm.open_consoles } else { self.speaker.vm.count(self.kind) };
            count.set(count.get().saturating_sub(1));
        }
        self.closed.set(true);
    }

    /// An error if it is closed; `noun` is what it is called (`file`).
    pub fn check(&self, noun: &str) -> Result<(), Fault> {
        if self.closed.get() {
            return Err(Fault::state(format!("{noun} is closed")).of_vm(&self.speaker.vm.name));
        }
        self.check_guest(noun)
    }

    /// An error if the guest in which it was opened has ended.
    pub fn check_guest(&self, noun: &str) -> Result<(), Fault> {
        if self.guest_has_ended() {
            let vm = &self.speaker.vm.name;
            let why = match &*self.speaker.vm.lost.borrow() {
                Some(lost) => lost.said.clone(),
                None => format!("its vm `{vm}` was shut down or reset"),
            };
            return Err(Fault::state(format!("{noun} is closed: {why}")).of_vm(vm));
        }
        Ok(())
    }

    /// The guest that was lost with it, which may still hold what it had given: `None` if it was closed before.
    pub fn lost_guest(&self) -> Option<Rc<dyn Guest>> {
        let lost = self.speaker.vm.lost.borrow();
        let lost = lost.as_ref().filter(|lost| !self.closed.get() && self.boot == lost.boot)?;
        Some(Rc::clone(&lost.guest))
    }
}
