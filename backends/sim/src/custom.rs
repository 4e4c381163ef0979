//! Programs that a test adds, as processes of a simulated guest.

use std::rc::Rc;

use provium_kernel::{Errno, Invocation, ProgramFn, SigAction, Sys};
use provium_protocol::program::{Program, ProgramProcess};
use provium_protocol::{LocalFuture, Nanos, Signal};

/// A test's program as the kernel starts it.
pub fn program(program: Program) -> ProgramFn {
    Rc::new(move |sys, invocation| program(Rc::new(Process { sys, invocation })))
}

struct Process {
    sys: Sys,
    invocation: Invocation,
}

impl Process {
    /// The paths at which execvp(3) looks for a program.
    fn candidates(&self, program: &[u8]) -> Vec<Vec<u8>> {
        if program.contains(&b'/') {
            return vec![program.to_vec()];
        }
        let path = self.invocation.env.iter().find_map(|entry| entry.strip_prefix(b"PATH="));
        let path = path.unwrap_or(b"/usr/local/bin:/usr/bin:/bin");
        path.split(|byte| *byte == b':').map(|directory| [directory, b"/", program].concat()).collect()
    }
}

impl ProgramProcess for Process {
    fn args(&self) -> Vec<Vec<u8>> {
        self.invocation.argv.clone()
    }

    fn env(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let split = |entry: &Vec<u8>| match entry.iter().position(|byte| *byte == b'=') {
            Some(at) => (entry[..at].to_vec(), entry[at + 1..].to_vec()),
            None => (entry.clone(), Vec::new()),
        };
        self.invocation.env.iter().map(split).collect()
    }

    fn pid(&self) -> i32 {
        self.sys.pid()
    }

    fn compute(&self, ns: Nanos) -> LocalFuture<()> {
        let sys = self.sys.clone();
        Box::pin(async move { sys.compute(ns).await })
    }

    fn read(&self, fd: i32, len: usize) -> LocalFuture<Result<Vec<u8>, Errno>> {
        let sys = self.sys.clone();
        Box::pin(async move { sys.read(fd, len).await })
    }

    fn write(&self, fd: i32, data: Vec<u8>) -> LocalFuture<Result<usize, Errno>> {
        let sys = self.sys.clone();
        Box::pin(async move { sys.write(fd, &data).await })
    }

    fn open(&self, path: Vec<u8>, flags: i32, perm: u32) -> LocalFuture<Result<i32, Errno>> {
        let sys = self.sys.clone();
        Box::pin(async move { sys.open(path, flags, perm).await })
    }

    fn close(&self, fd: i32) -> LocalFuture<Result<(), Errno>> {
        let sys = self.sys.clone();
        Box::pin(async move { sys.close(fd).await })
    }

    fn sleep(&self, ns: Nanos) -> LocalFuture<Result<(), Errno>> {
        let sys = self.sys.clone();
        Box::pin(async move { sys.nanosleep(ns).await })
    }

    fn catch(&self, signal: Signal) -> LocalFuture<Result<(), Errno>> {
        let sys = self.sys.clone();
        Box::pin(async move { sys.sigaction(signal, SigAction::Catch).await.map(drop) })
    }

    fn caught(&self) -> Vec<Signal> {
        self.sys.take_caught()
    }

    fn exec(&self, program: Vec<u8>, args: Vec<Vec<u8>>) -> LocalFuture<Errno> {
        let (sys, env, candidates) = (self.sys.clone(), self.invocation.env.clone(), self.candidates(&program));
        Box::pin(async move {
            let argv: Vec<Vec<u8>> = std::iter::once(program).chain(args).collect();
            let mut why = Errno::ENOENT;
            for path in candidates {
                match sys.exec(path, argv.clone(), env.clone()).await {
                    Errno::EACCES => why = Errno::EACCES,
                    Errno::ENOENT | Errno::ENOTDIR => {}
                    errno => return errno,
                }
            }
            why
        })
    }
}
