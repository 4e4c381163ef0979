//! One real guest behind the waist: its power, and who answers its operations.

use std::future::{Future, ready};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use provium_protocol::profile::BootSpec;
use provium_protocol::time::SECOND;
use provium_protocol::{Frame, Guest, Lane, LocalFuture, Nanos, Op, OpError, Reply, StreamId};
use tokio::task::AbortHandle;

use crate::answerer::Answerer;
use crate::backend::{Host, on_runtime};
use crate::boot;
use crate::console::GuestConsole;
use crate::link::Link;
use crate::lost;
use crate::machine::Machine;

/// How long processes get between SIGTERM and SIGKILL when the power button was pressed: as in the simulator.
const POWER_OFF_PATIENCE: Nanos = 10 * SECOND;

/// How long a guest may take beyond that until its machine is off.
const POWER_OFF_REST: Duration = Duration::from_secs(20);

/// A machine whose power is on.
struct Running {
    machine: Arc<Machine>,
    answerer: Answerer,
    supervisor: AbortHandle,
}

enum Power {
    On(Running),
    /// It was switched off, or never on.
    Off,
    /// It went away by itself; the link still holds what streams had given.
    Lost(OpError, Answerer),
}

/// What the guest's handle and those who watch over it share.
pub(crate) struct Shared {
    host: Arc<Host>,
    spec: BootSpec,
    seed: u64,
    boots: AtomicU64,
    power: Mutex<Power>,
    console: GuestConsole,
}

impl Shared {
    pub(crate) fn new(host: Arc<Host>, spec: BootSpec, seed: u64) -> Arc<Shared> {
        let (boots, power) = (AtomicU64::new(0), Mutex::new(Power::Off));
        Arc::new(Shared { host, spec, seed, boots, power, console: GuestConsole::default() })
    }

    fn power(&self) -> MutexGuard<'_, Power> {
        // Whoever panics while it holds the lock leaves one of the three states.
        self.power.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Switches the power on; the guest answers when the future ends.
    pub(crate) async fn power_on(self: Arc<Shared>) -> Result<(), OpError> {
        let boots = self.boots.fetch_add(1, Ordering::Relaxed);
        let booted = boot::boot(&self.host, &self.spec, self.seed, boots).await?;
        let machine = Arc::new(booted.machine);
        self.console.goes_on(machine.console());
        let supervisor = tokio::spawn(supervise(Arc::downgrade(&self), Arc::clone(&machine), booted.answerer.clone()));
        let running = Running { machine, answerer: booted.answerer, supervisor: supervisor.abort_handle() };
        *self.power() = Power::On(running);
        Ok(())
    }

    /// Takes the machine out of the guest: what is under way ends with `error`.
    fn take(&self, error: &OpError) -> Option<Running> {
        let mut power = self.power();
        match std::mem::replace(&mut *power, Power::Off) {
            Power::On(running) => {
                running.supervisor.abort();
                running.answerer.fail(error.clone());
                Some(running)
            }
            Power::Off | Power::Lost(..) => None,
        }
    }

    /// Looks again after a machine that it had no longer looked after.
    fn supervise(self: &Arc<Shared>, machine: &Arc<Machine>, answerer: &Answerer) {
        if let Power::On(running) = &mut *self.power()
            && Arc::ptr_eq(&running.machine, machine)
        {
            let watch = supervise(Arc::downgrade(self), Arc::clone(machine), answerer.clone());
            running.supervisor = tokio::spawn(watch).abort_handle();
        }
    }

    /// Gives a machine up: what is under way in the guest ends with the error, and so does what is asked later.
    async fn lose(&self, machine: &Arc<Machine>, answerer: &Answerer, error: &OpError) {
        {
            let mut power = self.power();
            // It may have been switched off in this moment.
            if let Power::On(running) = &*power
                && Arc::ptr_eq(&running.machine, machine)
            {
                *power = Power::Lost(error.clone(), answerer.clone());
                self.console.ends();
            }
        }
        answerer.fail(error.clone());
        machine.kill().await;
    }

    fn running(&self) -> Result<(Arc<Machine>, Answerer), OpError> {
        match &*self.power() {
            Power::On(running) => Ok((Arc::clone(&running.machine), running.answerer.clone())),
            Power::Lost(error, _) => Err(error.clone()),
            Power::Off => Err(shut_down(&self.spec.vm)),
        }
    }
}

fn shut_down(vm: &str) -> OpError {
    OpError::state(format!("the guest `{vm}` is shut down"))
}

/// Waits for the end of a guest that nobody asked for, and says it to all who wait for the guest.
async fn supervise(guest: std::sync::Weak<Shared>, machine: Arc<Machine>, answerer: Answerer) {
    let how = lost::cause(&machine, &answerer).await;
    let Some(guest) = guest.upgrade() else { return };
    let error = OpError::lost(format!("the guest `{}` was lost: {how}", guest.spec.vm));
    guest.lose(&machine, &answerer, &error).await;
}

/// A handle on a guest. The guest is switched off when the handle is dropped.
pub struct QemuGuest {
    shared: Arc<Shared>,
}

impl QemuGuest {
    pub(crate) fn new(shared: Arc<Shared>) -> QemuGuest {
        QemuGuest { shared }
    }

    /// Its machine and its link while its power is on: for tests that do harm to them.
    #[doc(hidden)]
    #[must_use]
    pub fn innards(&self) -> Option<(Arc<Machine>, Link)> {
        match self.shared.running() {
            Ok((machine, Answerer::Agent(link))) => Some((machine, link)),
            _ => None,
        }
    }

    /// Has work done among the machines.
    fn work<F>(&self, work: impl FnOnce(Arc<Shared>) -> F) -> LocalFuture<Result<Reply, OpError>>
    where
        F: Future<Output = Result<Reply, OpError>> + Send + 'static,
    {
        Box::pin(on_runtime(&self.shared.host.handle(), work(Arc::clone(&self.shared))))
    }
}

async fn pause(guest: Arc<Shared>) -> Result<Reply, OpError> {
    let (machine, answerer) = guest.running()?;
    machine.pause().await.map_err(|error| OpError::agent(error.to_string()))?;
    answerer.set_paused(true);
    Ok(Reply::Unit)
}

async fn resume(guest: Arc<Shared>) -> Result<Reply, OpError> {
    let (machine, answerer) = guest.running()?;
    machine.resume().await.map_err(|error| OpError::agent(error.to_string()))?;
    answerer.set_paused(false);
    Ok(Reply::Unit)
}

/// A machine that was cloned has no kernel to boot again, so a reset is a new machine in the old one's place.
async fn reset(guest: Arc<Shared>) -> Result<Reply, OpError> {
    if matches!(&*guest.power(), Power::Off) {
        return Err(shut_down(&guest.spec.vm));
    }
    let error = OpError::lost(format!("the guest `{}` was reset while the operation was under way", guest.spec.vm));
    if let Some(running) = guest.take(&error) {
        running.machine.kill().await;
    }
    if let Err(error) = Arc::clone(&guest).power_on().await {
        guest.console.ends();
        return Err(error);
    }
    Ok(Reply::Unit)
}

async fn power_button(guest: Arc<Shared>) -> Result<Reply, OpError> {
    let (machine, answerer) = guest.running()?;
    if let Power::On(running) = &*guest.power() {
        // Its end is what was asked for.
        running.supervisor.abort();
    }
    let patience = Duration::from_nanos(POWER_OFF_PATIENCE) + POWER_OFF_REST;
    let off = tokio::time::timeout(patience, async {
        answerer.power_off(POWER_OFF_PATIENCE).await?;
        machine.ended().await;
        Ok(Reply::Unit)
    });
    match off.await {
        Ok(Err(refused)) => {
            guest.supervise(&machine, &answerer);
            Err(refused)
        }
        Ok(Ok(off)) => {
            guest.take(&shut_down(&guest.spec.vm));
            machine.kill().await;
            guest.console.ends();
            Ok(off)
        }
        Err(_) => {
            let error = OpError::lost(format!(
                "the guest `{}` was lost: it did not switch itself off within {} s of its power button being pressed; its power was \
                 cut",
                guest.spec.vm,
                patience.as_secs()
            ));
            guest.lose(&machine, &answerer, &error).await;
            Err(error)
        }
    }
}

async fn shutdown(guest: Arc<Shared>) -> Result<Reply, OpError> {
    if let Some(running) = guest.take(&shut_down(&guest.spec.vm)) {
        running.machine.kill().await;
    }
    guest.console.ends();
    Ok(Reply::Unit)
}

async fn type_at(guest: Arc<Shared>, data: Vec<u8>) -> Result<Reply, OpError> {
    let (machine, _) = guest.running()?;
    match machine.console().write(&data).await {
        Ok(()) => Ok(Reply::Count(data.len() as u64)),
        // Whoever ended the machine says why, a moment after its console went.
        Err(error) => {
            machine.ended().await;
            Err(guest.running().err().unwrap_or_else(|| OpError::lost(error.to_string())))
        }
    }
}

impl Guest for QemuGuest {
    fn call(&self, lane: Lane, op: Op) -> LocalFuture<Result<Reply, OpError>> {
        match op {
            Op::Pause => self.work(pause),
            Op::Resume => self.work(resume),
            Op::Reset => self.work(reset),
            Op::PowerButton => self.work(power_button),
            Op::Shutdown => self.work(shutdown),
            Op::ConsoleStream => Box::pin(ready(Ok(Reply::Stream(self.shared.console.open())))),
            Op::ConsoleLog => Box::pin(ready(Ok(Reply::Bytes(self.shared.console.log())))),
            Op::ConsoleWrite { data } => self.work(|guest| type_at(guest, data)),
            Op::StreamClose(stream) if stream.is_console() => {
                self.shared.console.close(stream);
                Box::pin(ready(Ok(Reply::Unit)))
            }
            op => match &*self.shared.power() {
                Power::On(running) => running.answerer.call(lane, op),
                Power::Lost(error, _) => Box::pin(ready(Err(error.clone()))),
                Power::Off => Box::pin(ready(Err(shut_down(&self.shared.spec.vm)))),
            },
        }
    }

    fn next_frame(&self, stream: StreamId) -> LocalFuture<Result<Option<Frame>, OpError>> {
        if stream.is_console() {
            return Box::pin(self.shared.console.next_frame(stream));
        }
        match &*self.shared.power() {
            Power::On(Running { answerer, .. }) | Power::Lost(_, answerer) => answerer.next_frame(stream),
            Power::Off => Box::pin(ready(Err(shut_down(&self.shared.spec.vm)))),
        }
    }
}

impl Drop for QemuGuest {
    fn drop(&mut self) {
        // The machine is killed when its last handle is dropped.
        drop(self.shared.take(&shut_down(&self.shared.spec.vm)));
    }
}
