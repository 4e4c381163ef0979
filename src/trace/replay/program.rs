//! Programs written in Lua, run again: they share the test's Lua state.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use provium_protocol::exec::ByteString;
use provium_protocol::program::ProgramProcess;
use provium_protocol::{Errno, LocalFuture, Nanos, Signal};

use super::Replayer;
use super::plan::{Item, Start};
use crate::trace::record::{ProgramAnswer, ProgramNo};

/// A program that runs.
pub type Running = LocalFuture<i32>;

impl Replayer {
    /// The program of this number starts.
    pub(super) fn start_program(self: &Rc<Self>, number: ProgramNo) {
        let Some(start) = self.plan.programs.get(number as usize) else { return };
        let program = self.programs.borrow().get(&start.name).cloned();
        // A script from which the program was taken out: what it did in the guest is in the trace.
        let Some(program) = program else { return };
        let process = Process { replayer: Rc::clone(self), number };
        let running = program(Rc::new(process));
        self.running.borrow_mut().insert(number, running);
    }

    /// It has the floor.
    pub(super) fn poll_program(&self, number: ProgramNo) {
        let Some(mut running) = self.running.borrow_mut().remove(&number) else { return };
        if running.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
            self.running.borrow_mut().insert(number, running);
        }
    }

    /// It is no more.
    pub(super) fn end_program(&self, number: ProgramNo) {
        let running = self.running.borrow_mut().remove(&number);
        drop(running);
    }

    fn program_answer<T>(&self, read: impl Fn(&ProgramAnswer) -> Option<T>) -> Option<T> {
        let Some(Item::ProgramAnswer(answer)) = self.item() else { return None };
        let found = read(answer)?;
        self.advance();
        Some(found)
    }
}

struct Process {
    replayer: Rc<Replayer>,
    number: ProgramNo,
}

impl Process {
    fn start(&self) -> Option<&Start> {
        self.replayer.plan.programs.get(self.number as usize)
    }

    fn wait<T: 'static>(&self, read: impl Fn(&ProgramAnswer) -> Option<T> + 'static) -> LocalFuture<T> {
        let replayer = Rc::clone(&self.replayer);
        Box::pin(poll_fn(move |_| match replayer.program_answer(&read) {
            Some(answer) => Poll::Ready(answer),
            None => Poll::Pending,
        }))
    }
}

fn bytes(list: &[ByteString]) -> Vec<Vec<u8>> {
    list.iter().map(|bytes| bytes.0.clone()).collect()
}

impl ProgramProcess for Process {
    fn args(&self) -> Vec<Vec<u8>> {
        self.start().map(|start| bytes(&start.args)).unwrap_or_default()
    }

    fn env(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let pairs = self.start().map(|start| start.env.as_slice()).unwrap_or_default();
        pairs.iter().map(|(name, value)| (name.0.clone(), value.0.clone())).collect()
    }

    fn pid(&self) -> i32 {
        self.start().map_or(0, |start| start.pid)
    }

    fn compute(&self, _: Nanos) -> LocalFuture<()> {
        self.wait(|answer| matches!(answer, ProgramAnswer::Computed).then_some(()))
    }

    fn read(&self, _: i32, _: usize) -> LocalFuture<Result<Vec<u8>, Errno>> {
        self.wait(|answer| match answer {
            ProgramAnswer::Read(read) => Some(read.clone().map(|bytes| bytes.0)),
            _ => None,
        })
    }

    fn write(&self, _: i32, _: Vec<u8>) -> LocalFuture<Result<usize, Errno>> {
        self.wait(|answer| match answer {
            ProgramAnswer::Write(written) => Some(written.map(|count| count as usize)),
            _ => None,
        })
    }

    fn open(&self, _: Vec<u8>, _: i32, _: u32) -> LocalFuture<Result<i32, Errno>> {
        self.wait(|answer| match answer {
            ProgramAnswer::Open(opened) => Some(*opened),
            _ => None,
        })
    }

    fn close(&self, _: i32) -> LocalFuture<Result<(), Errno>> {
        self.wait(|answer| match answer {
            ProgramAnswer::Close(closed) => Some(*closed),
            _ => None,
        })
    }

    fn sleep(&self, _: Nanos) -> LocalFuture<Result<(), Errno>> {
        self.wait(|answer| match answer {
            ProgramAnswer::Sleep(slept) => Some(*slept),
            _ => None,
        })
    }

    fn catch(&self, _: Signal) -> LocalFuture<Result<(), Errno>> {
        self.wait(|answer| match answer {
            ProgramAnswer::Catch(caught) => Some(*caught),
            _ => None,
        })
    }

    fn caught(&self) -> Vec<Signal> {
        let caught = self.replayer.program_answer(|answer| match answer {
            ProgramAnswer::Caught(caught) => Some(caught.clone()),
            _ => None,
        });
        caught.unwrap_or_default()
    }

    fn exec(&self, _: Vec<u8>, _: Vec<Vec<u8>>) -> LocalFuture<Errno> {
        self.wait(|answer| match answer {
            ProgramAnswer::Exec(errno) => Some(*errno),
            _ => None,
        })
    }
}
