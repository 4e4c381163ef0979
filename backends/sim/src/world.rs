//! What all guests of a backend share.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};

use provium_kernel::World;
use provium_protocol::Nanos;

use crate::executor::{Executor, GuestId};
use crate::guest::Inner;

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
    guests: RefCell<BTreeMap<GuestId, Weak<Inner>>>,
    /// Guests whose agent ended since somebody looked.
    ended: RefCell<Vec<GuestId>>,
}

impl Lab {
    /// An empty lab.
    pub fn new(world: Rc<World>) -> Rc<Lab> {
        Rc::new(Lab {
            world,
            executor: Executor::default(),
            clocks: RefCell::default(),
            guests: RefCell::default(),
            ended: RefCell::default(),
        })
    }

    /// Takes a guest in.
    pub fn add(&self, id: GuestId, guest: &Rc<Inner>) {
        let mut guests = self.guests.borrow_mut();
        guests.retain(|_, guest| guest.strong_count() > 0);
        guests.insert(id, Rc::downgrade(guest));
    }

    /// The guests, on or off.
    pub fn guests(&self) -> Vec<Rc<Inner>> {
        self.guests.borrow().values().filter_map(Weak::upgrade).collect()
    }

    /// Notes that the process of a guest's agent has ended.
    pub fn agent_ended(&self, guest: GuestId) {
        self.ended.borrow_mut().push(guest);
    }

    /// Lets the agents think until each waits for something.
    pub fn think(&self) {
        let ended = std::mem::take(&mut *self.ended.borrow_mut());
        for id in ended {
            let guest = self.guests.borrow().get(&id).and_then(Weak::upgrade);
            if let Some(guest) = guest {
                guest.lost_its_agent();
            }
        }
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
