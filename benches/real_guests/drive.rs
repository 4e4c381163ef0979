//! Guests as the runner drives them: futures polled by one thread, which the backend parks when there is nothing to do.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use provium_protocol::choice::Fixed;
use provium_protocol::exec::{ExecSpec, ExitStatus};
use provium_protocol::profile::{BootSpec, COLD, Profile};
use provium_protocol::{Backend, Guest, Lane, LocalFuture, Op, Reply};
use provium_qemu::QemuBackend;
use provium_qemu::backend::Host;

/// Wakes the thread that drives.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Drives futures to their ends, side by side.
pub fn all<T>(backend: &dyn Backend, futures: Vec<LocalFuture<T>>) -> Vec<T> {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let context = &mut Context::from_waker(&waker);
    let mut open: Vec<(LocalFuture<T>, Option<T>)> = futures.into_iter().map(|future| (future, None)).collect();
    loop {
        for (future, value) in open.iter_mut().filter(|(_, value)| value.is_none()) {
            if let Poll::Ready(ready) = Pin::as_mut(future).poll(context) {
                *value = Some(ready);
            }
        }
        if open.iter().all(|(_, value)| value.is_some()) {
            return open.into_iter().filter_map(|(_, value)| value).collect();
        }
        backend.idle(None);
    }
}

/// Drives one future to its end.
pub fn one<T: 'static>(backend: &dyn Backend, future: impl Future<Output = T> + 'static) -> T {
    let mut values = all(backend, vec![Box::pin(future) as LocalFuture<T>]);
    values.pop().expect("one future has one value")
}

/// A backend of real guests.
pub fn backend(host: &Arc<Host>) -> QemuBackend {
    QemuBackend::new(Arc::clone(host), Rc::new(Fixed::default()))
}

/// How a guest of this name is booted.
pub fn spec(vm: &str, cold: bool) -> BootSpec {
    let profile = Profile { name: "linux".into(), ..Profile::default() };
    let mut spec = BootSpec { vm: vm.to_owned(), profile, ..BootSpec::default() };
    if cold {
        spec.notes.insert(COLD.to_owned(), "true".to_owned());
    }
    spec
}

/// Boots a guest.
pub fn boot(backend: &dyn Backend, vm: &str) -> Rc<dyn Guest> {
    one(backend, backend.boot(spec(vm, false))).expect("the guest boots")
}

/// Asks a guest for one thing.
pub fn ask(backend: &dyn Backend, guest: &dyn Guest, op: Op) -> Reply {
    one(backend, guest.call(Lane::Main, op)).expect("the guest answers")
}

/// An operation that does nothing: what is left is the way there and back.
pub fn nothing() -> Op {
    Op::Batch(Vec::new())
}

/// A command that must succeed.
pub fn run(backend: &dyn Backend, guest: &dyn Guest, script: &str) {
    let reply = ask(backend, guest, Op::Run { spec: ExecSpec::shell(script), timeout_ns: None });
    assert!(matches!(&reply, Reply::Run(run) if run.status == ExitStatus::Exited(0)), "{script}: {reply:?}");
}
