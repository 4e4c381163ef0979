//! The one door to the guests: every exchange of every binding goes through [`exchange`].

use std::future::Future;
use std::rc::Rc;

use provium_protocol::profile::BootSpec;
use provium_protocol::{ErrorKind, Guest, Lane, Op, OpError, Reply};

use super::host::Host;
use super::machine::Vm;
use crate::runner::describe;
use crate::runner::exchanges::{Exchange, Origin};
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
            self.host.setup.observers.tell(|observer| observer.abandoned(&self.note));
        }
    }
}

/// Who asks now: the running task, or the closing of what its section opened.
fn origin(host: &Rc<Host>, speaker: &Speaker, at: Option<Place>) -> Origin {
    let (task, index) = match &*host.current.borrow() {
        Some(task) => (Rc::clone(&task.path), task.next_exchange()),
        None => ("close".into(), host.section().next_close()),
    };
    Origin {
        task,
        index,
        vm: Rc::clone(&speaker.vm.name),
        guest: speaker.vm.guest_number(),
        lane: speaker.lane,
        worker: speaker.worker.clone(),
        at,
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
    let origin = origin(&host, &speaker, at);
    async move {
        let Some(guest) = speaker.vm.guest_for(&op) else {
            let vm = &speaker.vm;
            return Err(OpError::state(format!("vm `{}` is {}", vm.name, vm.state().name())));
        };
        let now = host.backend.now();
        let note = Exchange::begin(Some(host.next_exchange()), origin, describe::operation(&op), now);
        section.recent.push(Rc::clone(&note));
        host.setup.observers.tell(|observer| observer.begun(&note, &op));
        speaker.vm.running.set(speaker.vm.running.get() + 1);
        let running = Running { host, vm: speaker.vm, note };
        let result = guest.call(speaker.lane, op).await;
        let now = running.host.backend.now();
        running.note.end(describe::outcome(&result), now);
        running.host.setup.observers.tell(|observer| observer.ended(&running.note, now, &result));
        if let Err(error) = &result
            && error.kind == ErrorKind::Lost
        {
            running.vm.lost(error);
        }
        result
    }
}

/// Boots a guest for a VM: the first thing that is said to it, and noted like all others.
pub async fn boot(
    host: Rc<Host>,
    vm: Rc<Vm>,
    spec: BootSpec,
    at: Option<Place>,
    task: Option<(Rc<str>, u32)>,
) -> Result<Rc<dyn Guest>, OpError> {
    vm.set_guest_number(host.next_guest());
    let (task, index) = task.unwrap_or_else(|| ("close".into(), 0));
    let origin =
        Origin { task, index, vm: Rc::clone(&vm.name), guest: vm.guest_number(), lane: Lane::Main, worker: None, at };
    let operation = format!("boot({})", spec.profile.name);
    let note = Exchange::begin(Some(host.next_exchange()), origin, operation, host.backend.now());
    host.setup.observers.tell(|observer| observer.boot_begun(&note, &spec));
    vm.running.set(vm.running.get() + 1);
    let running = Running { host, vm, note };
    let result = running.host.backend.boot(spec).await;
    let now = running.host.backend.now();
    let outcome = match &result {
        Ok(_) => "booted".to_owned(),
        Err(error) => error.message.clone(),
    };
    running.note.end(outcome, now);
    let told = result.as_ref().map(|_| ());
    running.host.setup.observers.tell(|observer| observer.boot_ended(&running.note, now, told));
    result
}

/// Notes that a test waits for a stream; the caller says how it ended. Frames are pushed, not asked for, so
/// nothing is said to the guest.
pub fn note_frames(host: &Rc<Host>, speaker: &Speaker, operation: String, at: Option<Place>) -> FrameNote {
    let section = host.section();
    let task = host.current.borrow().as_ref().map_or_else(|| "close".into(), |task| Rc::clone(&task.path));
    let origin = Origin {
        task,
        index: 0,
        vm: Rc::clone(&speaker.vm.name),
        guest: speaker.vm.guest_number(),
        lane: speaker.lane,
        worker: speaker.worker.clone(),
        at,
    };
    let note = Exchange::begin(None, origin, operation, host.backend.now());
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
