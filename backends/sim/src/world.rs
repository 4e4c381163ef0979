//! What all guests of a backend share.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use provium_kernel::World;
use provium_protocol::Nanos;

use crate::executor::{Executor, GuestId};

/// A guest's own clock: the lab's, less the time for which the guest was paused.
#[derive(Clone, Copy, Debug, Default)]
struct GuestClock {
    paused_for: Nanos,
    paused_at: Option<Nanos>,
}

/// One world and the agents in it.
pub struct Lab {
    pub world: Rc<World>,
    pub executor: Executor,
    clocks: RefCell<BTreeMap<GuestId, GuestClock>>,
}

impl Lab {
    /// An empty lab.
    pub fn new(world: Rc<World>) -> Rc<Lab> {
        Rc::new(Lab { world, executor: Executor::default(), clocks: RefCell::default() })
    }

    /// Lets the agents think until each waits for something.
    pub fn think(&self) {
        if self.executor.has_ready() {
            self.executor.run(|guest| self.is_paused(guest));
        }
    }

    /// Whether a guest is paused.
    pub fn is_paused(&self, guest: GuestId) -> bool {
        self.clocks.borrow().get(&guest).is_some_and(|clock| clock.paused_at.is_some())
    }

    /// Stops a guest's clock.
    pub fn pause(&self, guest: GuestId) {
        let now = self.world.now();
        self.clocks.borrow_mut().entry(guest).or_default().paused_at.get_or_insert(now);
    }

    /// Lets it go on.
    pub fn resume(&self, guest: GuestId) {
        let now = self.world.now();
        if let Some(clock) = self.clocks.borrow_mut().get_mut(&guest)
            && let Some(paused_at) = clock.paused_at.take()
        {
            clock.paused_for += now.saturating_sub(paused_at);
        }
        self.executor.unpark();
    }

    /// The clock of a guest.
    pub fn guest_now(&self, guest: GuestId) -> Nanos {
        let clock = self.clocks.borrow().get(&guest).copied().unwrap_or_default();
        clock.paused_at.unwrap_or_else(|| self.world.now()).saturating_sub(clock.paused_for)
    }
}
