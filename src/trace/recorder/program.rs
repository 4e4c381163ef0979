//! Programs written in Lua run inside the guest, and share the test's Lua state: when they ran and what their kernel
//! told them is part of what the Lua side saw.

use std::future::Future;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll};

use provium_protocol::exec::ByteString;
use provium_protocol::program::{Program, ProgramProcess};
use provium_protocol::{Backend, Errno, LocalFuture, Nanos, Signal};

use super::Recorder;
use crate::trace::record::{ProgramAnswer, Record};

/// The program, each run of it recorded.
pub fn recorded(recorder: &Rc<Recorder>, backend: &Rc<dyn Backend>, name: &str, program: Program) -> Program {
    let (recorder, name) = (Rc::clone(recorder), name.to_owned());
    // The backend keeps the program.
    let backend = Rc::downgrade(backend);
    Rc::new(move |process| {
        let bytes = |list: Vec<Vec<u8>>| list.into_iter().map(ByteString).collect();
        recorder.put(Record::ProgramStart {
            name: name.clone(),
            pid: process.pid(),
            args: bytes(process.args()),
            env: process.env().into_iter().map(|(name, value)| (ByteString(name), ByteString(value))).collect(),
        });
        let number = recorder.programs.replace(recorder.programs.get() + 1);
        let seen = Rc::new(Seen { recorder: Rc::clone(&recorder), process });
        Box::pin(Running {
            number,
            recorder: Rc::clone(&recorder),
            backend: Weak::clone(&backend),
            future: program(seen),
        })
    })
}

/// A run of a program.
struct Running {
    number: u32,
    recorder: Rc<Recorder>,
    backend: Weak<dyn Backend>,
    future: LocalFuture<i32>,
}

impl Future for Running {
    type Output = i32;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<i32> {
        let now = self.backend.upgrade().map_or(0, |backend| backend.now());
        let dt = self.recorder.dt(now);
        self.recorder.put(Record::ProgramPoll { program: self.number, dt });
        self.future.as_mut().poll(cx)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.recorder.put(Record::ProgramGone { program: self.number });
    }
}

/// The process of a run, with its answers recorded.
struct Seen {
    recorder: Rc<Recorder>,
    process: Rc<dyn ProgramProcess>,
}

impl Seen {
    fn answer<T: 'static>(
        &self,
        future: LocalFuture<T>,
        record: impl Fn(&T) -> ProgramAnswer + 'static,
    ) -> LocalFuture<T> {
        let recorder = Rc::clone(&self.recorder);
        Box::pin(async move {
            let answer = future.await;
            recorder.answered(record(&answer));
            answer
        })
    }
}

impl ProgramProcess for Seen {
    fn args(&self) -> Vec<Vec<u8>> {
        self.process.args()
    }

    fn env(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.process.env()
    }

    fn pid(&self) -> i32 {
        self.process.pid()
    }

    fn compute(&self, ns: Nanos) -> LocalFuture<()> {
        self.answer(self.process.compute(ns), |()| ProgramAnswer::Computed)
    }

    fn read(&self, fd: i32, len: usize) -> LocalFuture<Result<Vec<u8>, Errno>> {
        self.answer(self.process.read(fd, len), |read| ProgramAnswer::Read(read.clone().map(ByteString)))
    }

    fn write(&self, fd: i32, data: Vec<u8>) -> LocalFuture<Result<usize, Errno>> {
        self.answer(self.process.write(fd, data), |written| ProgramAnswer::Write(written.map(|count| count as u64)))
    }

    fn open(&self, path: Vec<u8>, flags: i32, perm: u32) -> LocalFuture<Result<i32, Errno>> {
        self.answer(self.process.open(path, flags, perm), |opened| ProgramAnswer::Open(*opened))
    }

    fn close(&self, fd: i32) -> LocalFuture<Result<(), Errno>> {
        self.answer(self.process.close(fd), |closed| ProgramAnswer::Close(*closed))
    }

    fn sleep(&self, ns: Nanos) -> LocalFuture<Result<(), Errno>> {
        self.answer(self.process.sleep(ns), |slept| ProgramAnswer::Sleep(*slept))
    }

    fn catch(&self, signal: Signal) -> LocalFuture<Result<(), Errno>> {
        self.answer(self.process.catch(signal), |caught| ProgramAnswer::Catch(*caught))
    }

    fn caught(&self) -> Vec<Signal> {
        let caught = self.process.caught();
        if !caught.is_empty() {
            self.recorder.answered(ProgramAnswer::Caught(caught.clone()));
        }
        caught
    }

    fn exec(&self, program: Vec<u8>, args: Vec<Vec<u8>>) -> LocalFuture<Errno> {
        self.answer(self.process.exec(program, args), |errno| ProgramAnswer::Exec(*errno))
    }
}
