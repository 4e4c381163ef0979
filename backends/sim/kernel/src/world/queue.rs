//! The run queue and the threads behind it.

use std::cell::Cell;
use std::rc::Rc;
use std::task::Waker;

use slab::Slab;

use super::thread::{Thread, ThreadKey};
use crate::machine::Machine;
use crate::program::ProgramFuture;

/// Where a thread stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Run {
    /// In the queue.
    Queued,
    /// Being polled.
    Polled,
    /// Waits for something.
    Sleeping,
    /// Could run, but its process is stopped or its machine paused.
    Parked,
}

pub(super) struct Slot {
    pub(super) thread: Rc<Thread>,
    pub(super) machine: Rc<Machine>,
    pub(super) future: Option<ProgramFuture>,
    pub(super) waker: Waker,
    pub(super) run: Run,
}

impl Slot {
    fn is_frozen(&self) -> bool {
        !self.thread.is_dead() && (self.thread.is_frozen() || self.machine.is_paused())
    }
}

#[derive(Default)]
pub(super) struct RunQueue {
    slots: Slab<Option<Slot>>,
    /// Runnable threads, first come first, as indices and as the identities that choices see.
    queue: Vec<u32>,
    ids: Vec<u32>,
    serial: u32,
}

impl RunQueue {
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(super) fn ids(&self) -> &[u32] {
        &self.ids
    }

    pub(super) fn reserve(&mut self) -> ThreadKey {
        self.serial = self.serial.wrapping_add(1);
        ThreadKey { index: self.slots.insert(None) as u32, serial: self.serial }
    }

    pub(super) fn fill(&mut self, key: ThreadKey, slot: Slot) {
        if let Some(place) = self.slots.get_mut(key.index as usize) {
            *place = Some(slot);
        }
    }

    fn slot(&mut self, key: ThreadKey) -> Option<&mut Slot> {
        let slot = self.slots.get_mut(key.index as usize)?.as_mut()?;
        (slot.thread.key() == key).then_some(slot)
    }

    pub(super) fn take(&mut self, at: usize) -> Option<(ThreadKey, &mut Slot)> {
        self.ids.remove(at);
        let index = self.queue.remove(at);
        let slot = self.slots.get_mut(index as usize)?.as_mut()?;
        slot.run = Run::Polled;
        Some((slot.thread.key(), slot))
    }

    pub(super) fn put_back(&mut self, key: ThreadKey, future: ProgramFuture, run: Run) {
        if let Some(slot) = self.slot(key) {
            slot.future = Some(future);
            slot.run = run;
            if run == Run::Queued {
                self.enqueue(key);
            }
        }
    }

    fn enqueue(&mut self, key: ThreadKey) {
        self.queue.push(key.index);
        self.ids.push(key.serial);
    }

    pub(super) fn ready(&mut self, key: ThreadKey, again: &Cell<bool>) {
        let Some(slot) = self.slot(key) else { return };
        match slot.run {
            Run::Sleeping if slot.is_frozen() => slot.run = Run::Parked,
            Run::Sleeping => {
                slot.run = Run::Queued;
                self.enqueue(key);
            }
            Run::Polled => again.set(true),
            Run::Queued | Run::Parked => {}
        }
    }

    pub(super) fn unpark(&mut self, key: ThreadKey) {
        let Some(slot) = self.slot(key) else { return };
        if slot.run == Run::Parked {
            slot.run = Run::Queued;
            self.enqueue(key);
        }
    }

    pub(super) fn refreeze(&mut self) {
        let mut at = 0;
        while at < self.queue.len() {
            let index = self.queue[at];
            match self.slots.get_mut(index as usize).and_then(Option::as_mut) {
                Some(slot) if slot.is_frozen() => {
                    slot.run = Run::Parked;
                    self.queue.remove(at);
                    self.ids.remove(at);
                }
                _ => at += 1,
            }
        }
        let thawed: Vec<ThreadKey> = self
            .slots
            .iter()
            .filter_map(|(_, slot)| slot.as_ref())
            .filter(|slot| slot.run == Run::Parked && !slot.is_frozen())
            .map(|slot| slot.thread.key())
            .collect();
        for key in thawed {
            self.unpark(key);
        }
    }

    pub(super) fn remove(&mut self, key: ThreadKey) -> Option<Slot> {
        self.slot(key)?;
        self.slots.try_remove(key.index as usize).flatten()
    }

    pub(super) fn clear(&mut self) -> Vec<Slot> {
        self.queue.clear();
        self.ids.clear();
        std::mem::take(&mut self.slots).into_iter().filter_map(|(_, slot)| slot).collect()
    }
}
