//! The backend of simulated guests.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use provium_kernel::{ProgramFn, World};
use provium_protocol::profile::BootSpec;
use provium_protocol::program::Program;
use provium_protocol::{Backend, Choices, Guest, Idle, LocalFuture, Nanos, OpError};

use crate::custom;
use crate::guest::{Inner, SimGuest};
use crate::image::{Extra, Image};
use crate::world::Lab;

/// Simulated guests in one world: one clock, one schedule, one source of choices.
pub struct SimBackend {
    lab: Rc<Lab>,
    image: RefCell<Rc<Image>>,
    booted: Cell<u64>,
}

impl SimBackend {
    /// A world without guests, driven by `choices`.
    #[must_use]
    pub fn new(choices: Rc<dyn Choices>) -> SimBackend {
        SimBackend { lab: Lab::new(World::new(choices)), image: RefCell::default(), booted: Cell::new(0) }
    }

    /// Drives a future to its end, with the guests going on whenever the future waits. `None` when it
    /// waits for something that can never happen.
    pub fn block_on<F: Future>(&self, future: F) -> Option<F::Output> {
        struct Woken(AtomicBool);
        impl Wake for Woken {
            fn wake(self: Arc<Self>) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        let waker = Waker::from(woken.clone());
        let mut future = pin!(future);
        loop {
            if woken.0.swap(false, Ordering::Relaxed)
                && let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker))
            {
                return Some(value);
            }
            if self.has_step() {
                self.step();
            } else if !woken.0.load(Ordering::Relaxed) && self.idle(None) == Idle::Stalled {
                return None;
            }
        }
    }

    /// Adds a program written against the simulated kernel to every guest, at an absolute path.
    pub fn add_program(&self, path: &str, name: &str, program: ProgramFn) {
        let extra = Extra { path: path.to_owned(), name: name.to_owned(), program };
        let mut image = Image::clone(&self.image.borrow());
        image.add(extra.clone());
        let image = Rc::new(image);
        for guest in self.lab.guests() {
            guest.add_program(&image, &extra);
        }
        *self.image.borrow_mut() = image;
    }

    /// Steps that guests have made so far.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.lab.world.steps()
    }
}

impl Backend for SimBackend {
    fn name(&self) -> &'static str {
        "sim"
    }

    fn boot(&self, spec: BootSpec) -> LocalFuture<Result<Rc<dyn Guest>, OpError>> {
        self.booted.set(self.booted.get() + 1);
        let (id, lab, image) = (self.booted.get(), self.lab.clone(), self.image.borrow().clone());
        Box::pin(async move {
            let inner = Inner::boot(&lab, id, image, spec)?;
            Ok(Rc::new(SimGuest::new(inner)) as Rc<dyn Guest>)
        })
    }

    fn now(&self) -> Nanos {
        self.lab.world.now()
    }

    fn sleep(&self, duration: Nanos) -> LocalFuture<()> {
        Box::pin(self.lab.world.sleep(duration))
    }

    fn choices(&self) -> Rc<dyn Choices> {
        self.lab.world.choices().clone()
    }

    fn compute(&self, ns: Nanos) {
        self.lab.world.compute(ns);
        self.lab.think();
    }

    fn define_program(&self, name: &str, program: Program) {
        // The first place where programs are searched: a test's own goes before the guest's.
        let path = if name.starts_with('/') { name.to_owned() } else { format!("/usr/local/bin/{name}") };
        self.add_program(&path, name, custom::program(program));
    }

    fn has_step(&self) -> bool {
        self.lab.think();
        self.lab.world.has_step()
    }

    fn step(&self) {
        self.lab.think();
        self.lab.world.step();
        self.lab.think();
    }

    fn idle(&self, deadline: Option<Nanos>) -> Idle {
        self.lab.think();
        let idle = self.lab.world.idle(deadline);
        self.lab.think();
        idle
    }
}

impl Drop for SimBackend {
    fn drop(&mut self) {
        for guest in self.lab.guests() {
            guest.power_off();
        }
        // Threads and world hold each other.
        self.lab.world.clear();
    }
}
