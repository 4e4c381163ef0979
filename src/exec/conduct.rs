//! Who else may say who goes next: the replayer of a trace.

use super::Ran;

/// Who goes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The executor decides, as without a conductor.
    Free,
    /// This task, woken or not.
    Task(u32),
    /// The guests' side, by one step.
    Guests,
    /// Nobody: the wait is over.
    Halt(Ran),
}

/// Says who goes next.
pub trait Conductor {
    /// Asked before each turn; `ready` says whether some task could go.
    fn next(&self, ready: bool) -> Next;

    /// Why the run does not go on, in a line, if it does not.
    fn stopped(&self) -> Option<String>;

    /// Whether no further test is to begin: where one test stops, those after it may still go on.
    fn ends_run(&self) -> bool;

    /// There is no task of this number (any more).
    fn no_such_task(&self, serial: u32);
}
