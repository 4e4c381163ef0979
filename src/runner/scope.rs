//! What a test or a file opened, and how it is closed again.

use std::cell::RefCell;
use std::rc::Rc;

use provium_protocol::{Backend, LocalFuture, Nanos};

use super::place::Place;
use crate::exec::wait::within;

/// What is closed, in the order of closing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A stream of frames.
    Stream,
    /// A process of a guest.
    Process,
    /// An open file of a guest.
    File,
    /// A worker.
    Worker,
    /// A VM.
    Vm,
}

impl Kind {
    const ORDER: [Kind; 5] = [Kind::Stream, Kind::Process, Kind::File, Kind::Worker, Kind::Vm];
}

/// Something that a scope closes.
pub trait Resource {
    /// Which kind.
    fn kind(&self) -> Kind;
    /// What it is, for people: ``file `/tmp/a` of vm `v` ``.
    fn label(&self) -> String;
    /// The Lua line that opened it.
    fn opened_at(&self) -> Option<Place>;
    /// Whether there is nothing to close any more.
    fn is_closed(&self) -> bool;
    /// Closes it; the error says why it could not be closed.
    fn close(self: Rc<Self>) -> LocalFuture<Result<(), String>>;
}

/// How long closing one resource may take by the lab's clock, in nanoseconds (10 s): a process gets 2 s to end
/// after SIGTERM, everything else is quick. A guest that needs longer is not going to answer at all.
pub const CLOSE_PATIENCE: Nanos = 10_000_000_000;

/// Closed resources that a scope keeps before it forgets them: a test that opens and closes in a loop must not
/// grow without bound, and looking through the list at each registration must not cost much.
const PRUNE_AT_LEAST: usize = 64;

/// The resources that end together.
#[derive(Default)]
pub struct Scope {
    resources: RefCell<Vec<Rc<dyn Resource>>>,
    prune_at: std::cell::Cell<usize>,
}

impl Scope {
    /// From now on the scope closes it.
    pub fn register(&self, resource: Rc<dyn Resource>) {
        let mut resources = self.resources.borrow_mut();
        if resources.len() >= self.prune_at.get().max(PRUNE_AT_LEAST) {
            resources.retain(|resource| !resource.is_closed());
            self.prune_at.set(resources.len() * 2);
        }
        resources.push(resource);
    }

    /// Whether something is left to close.
    #[must_use]
    pub fn has_open(&self) -> bool {
        self.resources.borrow().iter().any(|resource| !resource.is_closed())
    }

    /// Closes all that is open: streams, processes, files, workers, VMs, the youngest of a kind first. What goes
    /// wrong is told to `warn`, one line each, and stops nothing.
    pub async fn close_all(&self, backend: &dyn Backend, warn: &dyn Fn(String)) {
        let mut resources = std::mem::take(&mut *self.resources.borrow_mut());
        for kind in Kind::ORDER {
            for resource in resources.iter().rev().filter(|resource| resource.kind() == kind) {
                if resource.is_closed() {
                    continue;
                }
                let problem = match within(backend, Some(CLOSE_PATIENCE), Rc::clone(resource).close()).await {
                    Some(Ok(())) => continue,
                    Some(Err(problem)) => problem,
                    None => format!("no answer within {}s", CLOSE_PATIENCE / 1_000_000_000),
                };
                let opened = resource.opened_at().map(|at| format!(" (opened at {at})")).unwrap_or_default();
                warn(format!("{}{opened} could not be closed: {problem}", resource.label()));
            }
        }
        resources.clear();
    }

    /// What is still open, for a warning when it cannot be closed in time.
    #[must_use]
    pub fn open_labels(&self) -> Vec<String> {
        let resources = self.resources.borrow();
        resources
            .iter()
            .filter(|resource| !resource.is_closed())
            .map(|resource| match resource.opened_at() {
                Some(at) => format!("{} (opened at {at})", resource.label()),
                None => resource.label(),
            })
            .collect()
    }
}
