//! The backend of real guests: the lab's clock, and the making of guests.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use provium_protocol::profile::BootSpec;
use provium_protocol::program::Program;
use provium_protocol::{Backend, Choices, Guest, Idle, LocalFuture, Nanos, OpError};
use tokio::runtime::{Handle, Runtime};
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;

use crate::guest::{QemuGuest, Shared};
use crate::machine::{AccelProbe, MachineError, Qemu, TemplateStore};
use crate::profile::QemuProfile;

/// How this backend is called.
pub const NAME: &str = "qemu";

/// The longest that the thread is parked without looking at the clock: what wakes it later is not lost, only late.
const LONGEST_PARK: Duration = Duration::from_secs(3600);

/// Takes a line about what is being done that takes its time.
pub type Progress = Box<dyn FnMut(&str) + Send>;

/// What all real guests of a process share: the runtime on which their QEMUs are driven, and what was found out about this
/// machine.
pub struct Host {
    runtime: Option<Runtime>,
    pub(crate) profiles: BTreeMap<String, QemuProfile>,
    /// Boots from the beginning, without templates.
    pub(crate) cold_boot: bool,
    pub(crate) progress: Mutex<Progress>,
    pub(crate) qemu: OnceCell<Qemu>,
    pub(crate) accel: OnceCell<AccelProbe>,
    pub(crate) templates: OnceCell<TemplateStore>,
    /// One after the other: two guests of one kind must not make its image at the same time.
    pub(crate) images: tokio::sync::Mutex<BTreeMap<String, crate::image::Image>>,
}

impl Host {
    /// With these profiles; `progress` is told what takes its time.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn new(
        profiles: BTreeMap<String, QemuProfile>,
        cold_boot: bool,
        progress: Progress,
    ) -> Result<Arc<Host>, std::io::Error> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("provium-qemu")
            .enable_all()
            .build()?;
        Ok(Arc::new(Host {
            runtime: Some(runtime),
            profiles,
            cold_boot,
            progress: Mutex::new(progress),
            qemu: OnceCell::new(),
            accel: OnceCell::new(),
            templates: OnceCell::new(),
            images: tokio::sync::Mutex::default(),
        }))
    }

    /// The QEMU of this machine.
    ///
    /// # Errors
    /// Why there is none.
    pub fn find_qemu(&self) -> Result<Qemu, MachineError> {
        self.handle().block_on(Qemu::find())
    }

    /// Where the machines are driven.
    pub(crate) fn handle(&self) -> Handle {
        match &self.runtime {
            Some(runtime) => runtime.handle().clone(),
            None => unreachable!("it is taken when the last handle is dropped"),
        }
    }

    pub(crate) fn say(&self, line: &str) {
        (self.progress.lock().unwrap_or_else(PoisonError::into_inner))(line);
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Machines kill their QEMUs when they are dropped; nothing else is waited for.
            runtime.shutdown_background();
        }
    }
}

/// Real guests, on the host's clock.
pub struct QemuBackend {
    host: Arc<Host>,
    choices: Rc<dyn Choices>,
    began: Instant,
    /// What the lab's clock reads. It stands still while a task of the test goes on, so that a recording, which knows when
    /// each task went on, can repeat all that Lua saw of it.
    now: Cell<Nanos>,
    booted: Cell<u64>,
}

impl QemuBackend {
    /// A backend without guests. Must be driven by the thread that makes it.
    #[must_use]
    pub fn new(host: Arc<Host>, choices: Rc<dyn Choices>) -> QemuBackend {
        QemuBackend { host, choices, began: Instant::now(), now: Cell::new(0), booted: Cell::new(0) }
    }
}

impl QemuBackend {
    /// The clock as it really is.
    fn elapsed(&self) -> Nanos {
        Nanos::try_from(self.began.elapsed().as_nanos()).unwrap_or(Nanos::MAX)
    }

    fn read_clock(&self) {
        self.now.set(self.elapsed());
    }

    /// What [`Backend::boot`] does; the guest is known to be a real one, for tests that do harm to it.
    #[doc(hidden)]
    pub fn boot_real(&self, spec: BootSpec) -> LocalFuture<Result<Rc<QemuGuest>, OpError>> {
        self.booted.set(self.booted.get() + 1);
        let seed = spec.options.rng_seed.unwrap_or_else(|| self.choices.draw());
        let shared = Shared::new(Arc::clone(&self.host), spec, seed);
        let power_on = on_runtime(&self.host.handle(), Arc::clone(&shared).power_on());
        Box::pin(async move {
            power_on.await?;
            Ok(Rc::new(QemuGuest::new(shared)))
        })
    }
}

impl Backend for QemuBackend {
    fn name(&self) -> &'static str {
        NAME
    }

    fn boot(&self, spec: BootSpec) -> LocalFuture<Result<Rc<dyn Guest>, OpError>> {
        let booting = self.boot_real(spec);
        Box::pin(async move { Ok(booting.await? as Rc<dyn Guest>) })
    }

    fn now(&self) -> Nanos {
        self.now.get()
    }

    fn overdue(&self, deadline: Nanos, _: u64) -> bool {
        self.elapsed() >= deadline
    }

    fn sleep(&self, duration: Nanos) -> LocalFuture<()> {
        let handle = self.host.handle();
        let _entered = handle.enter();
        Box::pin(tokio::time::sleep(Duration::from_nanos(duration)))
    }

    fn choices(&self) -> Rc<dyn Choices> {
        Rc::clone(&self.choices)
    }

    fn compute(&self, _: Nanos) {}

    fn define_program(&self, _: &str, _: Program) {}

    fn has_step(&self) -> bool {
        // Asked before each task that goes on.
        self.read_clock();
        false
    }

    fn step(&self) {}

    fn idle(&self, deadline: Option<Nanos>) -> Idle {
        self.read_clock();
        let left = deadline.map(|deadline| Duration::from_nanos(deadline.saturating_sub(self.now())));
        if left == Some(Duration::ZERO) {
            return Idle::Deadline;
        }
        std::thread::park_timeout(left.unwrap_or(LONGEST_PARK).min(LONGEST_PARK));
        self.read_clock();
        Idle::Woken
    }
}

/// Runs a future among the machines and waits for it; giving the wait up gives the work up.
pub(crate) fn on_runtime<T: Send + 'static>(
    handle: &Handle,
    work: impl Future<Output = Result<T, OpError>> + Send + 'static,
) -> OnRuntime<T> {
    OnRuntime(handle.spawn(work))
}

/// See [`on_runtime`].
pub(crate) struct OnRuntime<T>(JoinHandle<Result<T, OpError>>);

impl<T> Future for OnRuntime<T> {
    type Output = Result<T, OpError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|done| {
            done.unwrap_or_else(|error| Err(OpError::agent(format!("a task of the backend `{NAME}` ended: {error}"))))
        })
    }
}

impl<T> Drop for OnRuntime<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
