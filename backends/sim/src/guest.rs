//! One simulated guest behind the waist: its power, and who answers its operations.

use std::cell::{Cell, RefCell};
use std::future::ready;
use std::rc::Rc;

use provium_agent::Agent;
use provium_agent::sync::{First, Flag, race, within};
use provium_kernel::Machine;
use provium_protocol::profile::BootSpec;
use provium_protocol::time::SECOND;
use provium_protocol::{ErrorKind, Frame, Guest, Lane, LocalFuture, Nanos, Op, OpError, Reply, StreamId};
use tokio::sync::Notify;

use crate::boot;
use crate::call::Call;
use crate::console::{Console, TYPED_WHILE_PAUSED};
use crate::executor::GuestId;
use crate::image::{Extra, Image};
use crate::os::SimOs;
use crate::world::Lab;

/// How long processes get between SIGTERM and the end of a machine whose power button was pressed.
const POWER_OFF_PATIENCE: Nanos = 10 * SECOND;

/// A machine whose power is on.
struct Running {
    machine: Rc<Machine>,
    os: SimOs,
    agent: Agent<SimOs>,
    /// Its power went off.
    off: Rc<Flag>,
    /// Typed at it while it was paused.
    typed: RefCell<Vec<u8>>,
    /// It was resumed.
    resumed: Rc<Notify>,
}

/// One guest, on or off.
pub struct Inner {
    lab: Rc<Lab>,
    id: GuestId,
    spec: BootSpec,
    image: RefCell<Rc<Image>>,
    boots: Cell<u64>,
    /// It went off by itself.
    lost: Cell<bool>,
    /// Its kernel panicked before that.
    panicked: Cell<bool>,
    running: RefCell<Option<Running>>,
    console: Rc<Console>,
}

impl Inner {
    /// Switches the power on.
    pub fn boot(lab: &Rc<Lab>, id: GuestId, image: Rc<Image>, spec: BootSpec) -> Result<Rc<Inner>, OpError> {
        let inner = Inner {
            lab: lab.clone(),
            id,
            spec,
            image: RefCell::new(image),
            boots: Cell::new(0),
            lost: Cell::new(false),
            panicked: Cell::new(false),
            running: RefCell::new(None),
            console: Rc::new(Console::new(lab, id)),
        };
        inner.power_on()?;
        let inner = Rc::new(inner);
        lab.add(id, &inner);
        Ok(inner)
    }

    fn power_on(&self) -> Result<(), OpError> {
        let image = self.image.borrow().clone();
        let (machine, os) = boot::boot(&self.lab, self.id, &image, &self.spec)?;
        let agent = Agent::new(os.clone(), self.boots.get());
        self.boots.set(self.boots.get() + 1);
        self.lost.set(false);
        self.console.goes_on();
        machine.kernel().borrow_mut().watch_from_outside(self.console.clone());
        let (off, typed, resumed) = (Rc::default(), RefCell::default(), Rc::default());
        *self.running.borrow_mut() = Some(Running { machine, os, agent, off, typed, resumed });
        self.lab.think();
        Ok(())
    }

    /// Switches the power off: nothing in the guest goes on, what was under way is lost, and its console ends.
    pub fn power_off(&self) {
        self.cut_power();
        self.console.ends();
    }

    fn cut_power(&self) {
        let running = self.running.borrow_mut().take();
        if let Some(running) = running {
            self.lab.resume(self.id);
            self.lab.executor.cancel_guest(self.id);
            running.machine.power_off();
            running.off.set();
        }
    }

    /// Its kernel panicked, or the process of its agent has ended: a kernel that loses its first process panics.
    pub fn lost_its_agent(&self) {
        // It may have been the machine of an earlier boot that ended.
        let Some((machine, alive)) =
            self.running.borrow().as_ref().map(|running| (running.machine.clone(), running.os.agent_lives()))
        else {
            return;
        };
        let panicked = self.console.panic().is_some();
        if alive && !panicked {
            return;
        }
        self.panicked.set(panicked);
        if !panicked {
            machine.kernel().borrow_mut().panic_without_init();
        }
        self.lost.set(true);
        self.power_off();
    }

    /// Adds a program to the guest as it is and as it will boot.
    pub fn add_program(&self, image: &Rc<Image>, extra: &Extra) {
        *self.image.borrow_mut() = image.clone();
        if let Some(running) = &*self.running.borrow() {
            // A guest whose file system is full does without; starting the program says ENOENT there.
            let _ = running.machine.add_program(&extra.path, &extra.name, extra.program.clone());
        }
    }

    fn is_off(&self) -> OpError {
        if self.lost.get() {
            let why = match self.console.panic() {
                Some(why) if self.panicked.get() => why,
                _ => "its first process, the agent, ended".to_owned(),
            };
            return OpError::lost(format!("the guest `{}` panicked: {why}", self.spec.vm));
        }
        OpError::state(format!("the guest `{}` is shut down", self.spec.vm))
    }

    fn begin(self: &Rc<Self>, lane: Lane, op: Op) -> LocalFuture<Result<Reply, OpError>> {
        match &*self.running.borrow() {
            Some(running) => {
                let work = running.agent.call(lane, op);
                let (call, inner) = (Call::begin(&self.lab, self.id, &running.agent, work), self.clone());
                Box::pin(async move {
                    match call.await {
                        // A guest that went away by itself says why.
                        Err(error) if error.kind == ErrorKind::Lost && inner.lost.get() => Err(inner.is_off()),
                        result => result,
                    }
                })
            }
            None => Box::pin(ready(Err(self.is_off()))),
        }
    }

    fn pause(&self) -> Result<Reply, OpError> {
        let running = self.running.borrow();
        let running = running.as_ref().ok_or_else(|| self.is_off())?;
        running.machine.pause();
        self.lab.pause(self.id);
        Ok(Reply::Unit)
    }

    fn resume(&self) -> Result<Reply, OpError> {
        let running = self.running.borrow();
        let running = running.as_ref().ok_or_else(|| self.is_off())?;
        running.machine.resume();
        self.lab.resume(self.id);
        let typed = running.typed.take();
        running.machine.kernel().borrow_mut().type_at_console(&typed);
        running.resumed.notify_waiters();
        self.lab.think();
        Ok(Reply::Unit)
    }

    fn reset(&self) -> Result<Reply, OpError> {
        if self.running.borrow().is_none() && !self.lost.get() {
            return Err(self.is_off());
        }
        self.cut_power();
        if let Err(error) = self.power_on() {
            self.console.ends();
            return Err(error);
        }
        Ok(Reply::Unit)
    }

    /// Types at the console. A guest that is paused takes a little; who types more waits until it goes on.
    async fn type_at(self: Rc<Self>, data: Vec<u8>) -> Result<Reply, OpError> {
        let mut rest = data.as_slice();
        loop {
            let resumed = {
                let running = self.running.borrow();
                let running = running.as_ref().ok_or_else(|| self.is_off())?;
                if !self.lab.is_paused(self.id) {
                    running.machine.kernel().borrow_mut().type_at_console(rest);
                    return Ok(Reply::Count(data.len() as u64));
                }
                let mut typed = running.typed.borrow_mut();
                let fits = rest.len().min(TYPED_WHILE_PAUSED.saturating_sub(typed.len()));
                typed.extend_from_slice(&rest[..fits]);
                rest = &rest[fits..];
                if rest.is_empty() {
                    return Ok(Reply::Count(data.len() as u64));
                }
                (running.resumed.clone(), running.off.clone())
            };
            let (resumed, off) = resumed;
            race(resumed.notified(), off.wait()).await;
        }
    }

    /// SIGTERM to all, patience, off.
    fn power_button(self: Rc<Self>) -> LocalFuture<Result<Reply, OpError>> {
        let call = match &*self.running.borrow() {
            Some(running) => {
                let os = running.os.clone();
                let work = async move {
                    os.terminate_all().await;
                    // Who has not ended by then loses its power all the same.
                    within(&os, Some(POWER_OFF_PATIENCE), os.alone()).await;
                    Ok(Reply::Unit)
                };
                Call::begin(&self.lab, self.id, &running.agent, work)
            }
            None => return Box::pin(ready(Err(self.is_off()))),
        };
        Box::pin(async move {
            call.await?;
            if let Some(running) = &*self.running.borrow() {
                running.machine.kernel().borrow_mut().say_power_down();
            }
            self.power_off();
            Ok(Reply::Unit)
        })
    }
}

/// A handle on a guest. The guest is switched off when the handle is dropped.
pub struct SimGuest {
    inner: Rc<Inner>,
}

impl SimGuest {
    /// A handle on a guest.
    pub fn new(inner: Rc<Inner>) -> SimGuest {
        SimGuest { inner }
    }
}

impl Guest for SimGuest {
    fn call(&self, lane: Lane, op: Op) -> LocalFuture<Result<Reply, OpError>> {
        let inner = &self.inner;
        match op {
            Op::Pause => Box::pin(ready(inner.pause())),
            Op::Resume => Box::pin(ready(inner.resume())),
            Op::Reset => Box::pin(ready(inner.reset())),
            Op::PowerButton => inner.clone().power_button(),
            Op::Shutdown => {
                inner.power_off();
                Box::pin(ready(Ok(Reply::Unit)))
            }
            Op::ConsoleStream => Box::pin(ready(Ok(Reply::Stream(inner.console.open())))),
            Op::ConsoleLog => Box::pin(ready(Ok(Reply::Bytes(inner.console.whole())))),
            Op::ConsoleWrite { data } => Box::pin(inner.clone().type_at(data)),
            Op::StreamClose(stream) if stream.is_console() => {
                inner.console.close(stream);
                Box::pin(ready(Ok(Reply::Unit)))
            }
            op => inner.begin(lane, op),
        }
    }

    fn next_frame(&self, stream: StreamId) -> LocalFuture<Result<Option<Frame>, OpError>> {
        if stream.is_console() {
            return Box::pin(self.inner.console.clone().next_frame(stream));
        }
        let (next, off) = match &*self.inner.running.borrow() {
            // Not a task: what is taken out of the stream reaches the caller in the same instant, so that
            // no frame is lost when the caller gives up.
            Some(running) => (running.agent.next_frame(stream), running.off.clone()),
            None => return Box::pin(ready(Err(self.inner.is_off()))),
        };
        Box::pin(async move {
            match race(next, off.wait()).await {
                First::A(frame) => frame,
                First::B(()) => Err(OpError::lost("the guest went away while its stream was read")),
            }
        })
    }
}

impl Drop for SimGuest {
    fn drop(&mut self) {
        self.inner.power_off();
    }
}
