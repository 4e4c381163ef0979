//! Programs that a test adds to simulated guests, and what they may ask of the guest's kernel.

use std::rc::Rc;

use crate::backend::LocalFuture;
use crate::{Errno, Nanos, Signal};

/// A program: runs with the process it was started as, returns its exit code.
pub type Program = Rc<dyn Fn(Rc<dyn ProgramProcess>) -> LocalFuture<i32>>;

/// The process that a test's program runs as. Every future is one step of the guest (or as many as
/// the operation takes), so the scheduler may let others go between any two.
pub trait ProgramProcess {
    /// `argv`, the program's own name first.
    fn args(&self) -> Vec<Vec<u8>>;
    /// The environment as `(name, value)`.
    fn env(&self) -> Vec<(Vec<u8>, Vec<u8>)>;
    /// Its process id.
    fn pid(&self) -> i32;
    /// Charges `ns` of computing to the guest's clock and lets the scheduler choose who goes next.
    fn compute(&self, ns: Nanos) -> LocalFuture<()>;
    /// read(2): up to `len` bytes, none at the end of the file.
    fn read(&self, fd: i32, len: usize) -> LocalFuture<Result<Vec<u8>, Errno>>;
    /// write(2): how many bytes were written.
    fn write(&self, fd: i32, data: Vec<u8>) -> LocalFuture<Result<usize, Errno>>;
    /// open(2) with `O_*` flags and permission bits.
    fn open(&self, path: Vec<u8>, flags: i32, perm: u32) -> LocalFuture<Result<i32, Errno>>;
    /// close(2).
    fn close(&self, fd: i32) -> LocalFuture<Result<(), Errno>>;
    /// nanosleep(2); `EINTR` when a caught signal ended it.
    fn sleep(&self, ns: Nanos) -> LocalFuture<Result<(), Errno>>;
    /// Catches a signal from now on: it then shows up in [`ProgramProcess::caught`].
    fn catch(&self, signal: Signal) -> LocalFuture<Result<(), Errno>>;
    /// Caught signals that arrived since the last call, in order of arrival.
    fn caught(&self) -> Vec<Signal>;
    /// execve(2): on success the process becomes another program and the future never ends.
    fn exec(&self, program: Vec<u8>, args: Vec<Vec<u8>>) -> LocalFuture<Errno>;
}
