//! The simulated side: each process takes operations from a slot and puts results into another.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use provium_kernel::raw::table::nr;
use provium_kernel::vfs::root::RootTree;
use provium_kernel::{Machine, MachineConfig, ProgramFuture, ProgramTable, SigAction, Signal, Sys, World};
use provium_protocol::choice::Fixed;
use provium_protocol::syscall::PtrTarget;

use crate::op::Op;
use crate::perform::{Kernel, perform, tree};
use crate::{PROCESSES, Settings};

#[derive(Clone, Copy)]
enum Job {
    Op(Op),
    Tree,
}

#[derive(Default)]
struct Line {
    job: Option<Job>,
    result: Option<String>,
    waker: Option<Waker>,
    pid: Option<i32>,
}

type Lines = Rc<[RefCell<Line>]>;

pub struct Sim {
    world: Rc<World>,
    lines: Lines,
    // Keeps the guest alive.
    _machine: Rc<Machine>,
}

struct Caller<'a>(&'a Sys);

impl Kernel for Caller<'_> {
    async fn call(&mut self, nr: i64, args: [i64; 6], bufs: &mut [Vec<u8>], ptrs: &[PtrTarget]) -> i64 {
        self.0.raw_syscall(nr as u64, args, bufs, ptrs).await
    }
}

async fn next_job(lines: &Lines, at: usize) -> Job {
    poll_fn(|context| {
        let mut line = lines[at].borrow_mut();
        match line.job.take() {
            Some(job) => Poll::Ready(job),
            None => {
                line.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    })
    .await
}

fn serve(sys: Sys, lines: Lines, at: usize) -> ProgramFuture {
    Box::pin(async move {
        lines[at].borrow_mut().pid = Some(sys.pid());
        loop {
            let result = match next_job(&lines, at).await {
                Job::Tree => tree(&mut Caller(&sys)).await,
                Job::Op(Op::Exit) => {
                    // The result is given first: the process is gone afterwards.
                    lines[at].borrow_mut().result = Some(String::new());
                    return 0;
                }
                Job::Op(Op::Fork(to, uid)) => fork(&sys, &lines, to, uid).await,
                Job::Op(op) => perform(&mut Caller(&sys), &op).await,
            };
            lines[at].borrow_mut().result = Some(result);
        }
    })
}

async fn fork(sys: &Sys, lines: &Lines, to: usize, uid: u32) -> String {
    let lines = lines.clone();
    let pid = sys
        .fork(move |child| {
            Box::pin(async move {
                if uid != 0 {
                    let id = i64::from(uid);
                    for (nr, args) in [
                        (nr::SETGROUPS, [0, 0, 0, 0, 0, 0]),
                        (nr::SETRESGID, [id, id, id, 0, 0, 0]),
                        (nr::SETRESUID, [id, id, id, 0, 0, 0]),
                    ] {
                        child.raw_syscall(nr, args, &mut [], &[]).await;
                    }
                }
                serve(child, lines, to).await
            })
        })
        .await;
    pid.map_or_else(|errno| errno.to_string(), |_| "forked".to_owned())
}

impl Sim {
    pub fn start(settings: &Settings) -> Sim {
        let world = World::new(Rc::new(Fixed::default()));
        let programs = ProgramTable::new();
        let config = MachineConfig::default();
        let root = RootTree::new(&programs, config.memory / 2, config.boot_time);
        let machine = Machine::boot(&world, config, programs, root, "init").unwrap();
        let lines: Lines = (0..PROCESSES).map(|_| RefCell::default()).collect();
        let (first, settings) = (lines.clone(), *settings);
        machine
            .spawn_thread(1, move |sys| {
                Box::pin(async move {
                    for signal in [Signal::SIGPIPE, Signal::SIGCHLD, Signal::SIGXFSZ] {
                        sys.sigaction(signal, SigAction::Ignore).await.unwrap();
                    }
                    for (name, value) in
                        [("hardlinks", settings.protected_hardlinks), ("symlinks", settings.protected_symlinks)]
                    {
                        let path = format!("/proc/sys/fs/protected_{name}");
                        let fd = sys.open(&path, 1, 0).await.unwrap();
                        sys.write_all(fd, if value { b"1" } else { b"0" }).await.unwrap();
                        sys.close(fd).await.unwrap();
                    }
                    sys.mkdir("/scratch", 0o755).await.unwrap();
                    sys.chmod("/scratch", settings.mode).await.unwrap();
                    sys.fork(move |child| {
                        Box::pin(async move {
                            let bufs = &mut [b"/scratch\0".to_vec()];
                            let entered = child.raw_syscall(nr::CHROOT, [0; 6], bufs, &[PtrTarget::Arg(0)]).await;
                            assert_eq!(entered, 0);
                            child.chdir("/").await.unwrap();
                            serve(child, first, 0).await
                        })
                    })
                    .await
                    .unwrap();
                    sys.pause().await;
                    0
                })
            })
            .unwrap();
        let sim = Sim { world, lines, _machine: machine };
        sim.settle();
        sim
    }

    /// Runs until nobody can go on without a job.
    fn settle(&self) {
        while self.world.has_step() {
            self.world.step();
        }
    }

    fn ask(&self, at: usize, job: Job) -> String {
        let waker = {
            let mut line = self.lines[at].borrow_mut();
            line.job = Some(job);
            line.result = None;
            line.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
        self.settle();
        self.lines[at].borrow_mut().result.take().unwrap_or_else(|| "blocked".to_owned())
    }

    pub fn perform(&self, at: usize, op: Op) -> String {
        self.ask(at, Job::Op(op))
    }

    pub fn tree(&self) -> String {
        self.ask(0, Job::Tree)
    }

    pub fn pids(&self) -> Vec<Option<i32>> {
        self.lines.iter().map(|line| line.borrow().pid).collect()
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        self.world.clear();
    }
}
