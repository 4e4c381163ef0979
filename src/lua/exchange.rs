//! The one door to the guests: every exchange of every binding goes through [`exchange`].

use std::future::Future;
use std::rc::Rc;

use provium_protocol::{ErrorKind, Lane, Op, OpError, Reply};

use super::host::Host;
use super::machine::Vm;
use crate::runner::describe;
use crate::runner::exchanges::Exchange;
use crate::runner::place::Place;

/// Who speaks to a guest: its main agent's line, or a worker's.
#[derive(Clone)]
pub struct Speaker {
    /// The VM.
    pub vm: Rc<Vm>,
    /// The line.
    pub lane: Lane,
    /// The worker's name.
    pub worker: Option<Rc<str>>,
}

impl Speaker {
    /// On the VM's main line.
    pub fn main(vm: &Rc<Vm>) -> Speaker {
        Speaker { vm: Rc::clone(vm), lane: Lane::Main, worker: None }
    }
}

/// Counts an operation as running for as long as it lives, and notes when it is abandoned.
struct Running {
    host: Rc<Host>,
    vm: Rc<Vm>,
    note: Rc<Exchange>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.vm.running.set(self.vm.running.get().saturating_sub(1));
        if self.note.is_pending() {
            self.note.end("abandoned".to_owned(), self.host.backend.now());
        }
    }
}

/// Carries one operation out. It has begun when the future is first polled; dropping the future abandons it.
pub fn exchange(
    host: &Rc<Host>,
    speaker: &Speaker,
    op: Op,
    at: Option<Place>,
) -> impl Future<Output = Result<Reply, OpError>> + 'static {
    let host = Rc::clone(host);
    let speaker = speaker.clone();
    let section = host.section();
    let (task, index) = match &*host.current.borrow() {
        Some(task) => {
            task.exchanges.set(task.exchanges.get() + 1);
            (Rc::clone(&task.path), task.exchanges.get() - 1)
        }
        None => ("close".into(), 0),
    };
    async move {
        let Some(guest) = speaker.vm.guest() else {
            let vm = &speaker.vm;
            return Err(OpError::state(format!("vm `{}` is {}", vm.name, vm.state().name())));
        };
        let vm = Rc::clone(&speaker.vm.name);
        let note =
            Exchange::begin((task, index), (vm, speaker.worker), describe::operation(&op), at, host.backend.now());
        section.recent.push(Rc::clone(&note));
        if let Some(observer) = &host.setup.observer {
            observer.begun(&note, &op);
        }
        speaker.vm.running.set(speaker.vm.running.get() + 1);
        let running = Running { host, vm: speaker.vm, note };
        let result = guest.call(speaker.lane, op).await;
        let now = running.host.backend.now();
        running.note.end(describe::outcome(&result), now);
        if let Some(observer) = &running.host.setup.observer {
            observer.ended(&running.note, now, &result);
        }
        if let Err(error) = &result
            && error.kind == ErrorKind::Lost
        {
            running.vm.lost();
        }
        result
    }
}

/// Notes that a test waits for a stream; the caller says how it ended. Frames are pushed, not asked for, so
/// nothing is said to the guest.
pub fn note_frames(host: &Rc<Host>, speaker: &Speaker, operation: String, at: Option<Place>) -> FrameNote {
    let section = host.section();
    let task = host.current.borrow().as_ref().map_or_else(|| "close".into(), |task| Rc::clone(&task.path));
    let vm = Rc::clone(&speaker.vm.name);
    let now = host.backend.now();
    let note = Exchange::begin((task, 0), (vm, speaker.worker.clone()), operation, at, now);
    section.recent.push(Rc::clone(&note));
    FrameNote { note, host: Rc::clone(host) }
}

/// A wait for a stream, in the report.
pub struct FrameNote {
    note: Rc<Exchange>,
    host: Rc<Host>,
}

impl FrameNote {
    /// How it ended.
    pub fn end(&self, outcome: String, now: provium_protocol::Nanos) {
        self.note.end(outcome, now);
    }
}

impl Drop for FrameNote {
    fn drop(&mut self) {
        if self.note.is_pending() {
            self.note.end("abandoned".to_owned(), self.host.backend.now());
        }
    }
}
