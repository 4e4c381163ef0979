//! A recorder around a backend: what its guests run of the test's own Lua is recorded, too.

use std::rc::Rc;

use provium_protocol::profile::BootSpec;
use provium_protocol::program::Program;
use provium_protocol::{Backend, Choices, Guest, Idle, LocalFuture, Nanos, OpError};

use super::{Recorder, program};

/// Any backend, recorded.
pub struct RecordingBackend {
    recorder: Rc<Recorder>,
    inner: Rc<dyn Backend>,
}

impl RecordingBackend {
    /// Around this one. Its choices should be [`super::RecordingChoices`] of the same recorder.
    #[must_use]
    pub fn new(recorder: Rc<Recorder>, inner: Rc<dyn Backend>) -> RecordingBackend {
        RecordingBackend { recorder, inner }
    }
}

impl Backend for RecordingBackend {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn boot(&self, spec: BootSpec) -> LocalFuture<Result<Rc<dyn Guest>, OpError>> {
        self.inner.boot(spec)
    }

    fn now(&self) -> Nanos {
        self.inner.now()
    }

    fn overdue(&self, deadline: Nanos, look: u64) -> bool {
        self.inner.overdue(deadline, look)
    }

    fn sleep(&self, duration: Nanos) -> LocalFuture<()> {
        self.inner.sleep(duration)
    }

    fn choices(&self) -> Rc<dyn Choices> {
        self.inner.choices()
    }

    fn compute(&self, ns: Nanos) {
        self.inner.compute(ns);
    }

    fn define_program(&self, name: &str, program: Program) {
        let recorded = program::recorded(&self.recorder, &self.inner, name, program);
        self.inner.define_program(name, recorded);
    }

    fn has_step(&self) -> bool {
        self.inner.has_step()
    }

    fn step(&self) {
        self.inner.step();
    }

    fn idle(&self, deadline: Option<Nanos>) -> Idle {
        self.inner.idle(deadline)
    }
}
