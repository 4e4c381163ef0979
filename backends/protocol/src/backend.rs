//! The two traits behind which a guest may be simulated, real, or a recording.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use crate::choice::Choices;
use crate::profile::BootSpec;
use crate::program::Program;
use crate::{Frame, Lane, Nanos, Op, OpError, Reply, StreamId};

/// A future of the single thread on which tests run. It owns what it needs.
pub type LocalFuture<T> = Pin<Box<dyn Future<Output = T>>>;

/// What waiting came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idle {
    /// Something happened: a future may be ready, or a guest may go on.
    Woken,
    /// The deadline has come.
    Deadline,
    /// Nothing can ever happen again: every guest sleeps and no timer is set. Only a backend that
    /// sees all of its guests can know it.
    Stalled,
}

/// Makes guests and owns their clock.
///
/// The caller polls its own futures; between polls it lets guests go on with [`Backend::step`] and, when
/// neither side has anything to do, waits with [`Backend::idle`]. A backend whose guests run by
/// themselves never has a step to offer.
pub trait Backend {
    /// `"sim"`, `"qemu"`, `"replay"`.
    fn name(&self) -> &'static str;

    /// Boots a guest; it answers operations when the future ends.
    fn boot(&self, spec: BootSpec) -> LocalFuture<Result<Rc<dyn Guest>, OpError>>;

    /// The lab's clock, in nanoseconds since the backend was made: virtual on the simulator. It never
    /// goes back.
    fn now(&self) -> Nanos;

    /// Whether a deadline by the lab's clock has come, asked while the test's own Lua computes: a backend whose clock stands
    /// still meanwhile, so that a recording can repeat what Lua saw of it, looks at the real one. `look` counts these
    /// questions over the whole run.
    fn overdue(&self, deadline: Nanos, look: u64) -> bool {
        let _ = look;
        self.now() >= deadline
    }

    /// Ends when this much time of the lab's clock has passed.
    fn sleep(&self, duration: Nanos) -> LocalFuture<()>;

    /// The one source of choices of this run.
    fn choices(&self) -> Rc<dyn Choices>;

    /// Charges computing by the test itself to the lab's clock; a backend with a real clock ignores it.
    fn compute(&self, ns: Nanos);

    /// Adds a program to every guest; a backend with real guests ignores it.
    fn define_program(&self, name: &str, program: Program);

    /// Whether [`Backend::step`] has something to do.
    fn has_step(&self) -> bool;

    /// Lets one guest go on by one step, chosen through [`Backend::choices`].
    fn step(&self);

    /// Waits until something happens, at most until the clock reads `deadline`. Called only when no
    /// step is to be had and no future of the caller is ready. A backend whose guests run by themselves parks the
    /// thread, so the caller's wakers must unpark it.
    fn idle(&self, deadline: Option<Nanos>) -> Idle;
}

/// One booted guest.
pub trait Guest {
    /// Carries one operation out. Dropping the future abandons the operation: the guest stops working
    /// on it as soon as it can, and what it already did stays done.
    fn call(&self, lane: Lane, op: Op) -> LocalFuture<Result<Reply, OpError>>;

    /// The next piece of a stream; `None` at its end. One caller at a time for each stream.
    fn next_frame(&self, stream: StreamId) -> LocalFuture<Result<Option<Frame>, OpError>>;
}
