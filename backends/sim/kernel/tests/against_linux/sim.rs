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

use crate::PROCESSES;
use crate::op::Op;
use crate::perform::{Kernel, perform, tree};
use crate::settings::{PARENT_MODE, Settings, User};

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

fn serve(sys: Sys, settings: Settings, lines: Lines, at: usize) -> ProgramFuture {
    Box::pin(async move {
        lines[at].borrow_mut().pid = Some(sys.pid());
        loop {
            let result = match next_job(&lines, at).await {
                Job::Tree => tree(&mut Caller(&sys), &settings).await,
                Job::Op(Op::Exit) => {
                    // The result is given first: the process is gone afterwards.
                    lines[at].borrow_mut().result = Some(String::new());
                    return 0;
                }
                Job::Op(Op::Fork(to, uid)) => fork(&sys, settings, &lines, to, uid).await,
                Job::Op(op) => perform(&mut Caller(&sys), &settings, &op).await,
            };
            lines[at].borrow_mut().result = Some(result);
        }
    })
}

async fn become_user(sys: &Sys, user: User) {
    let groups: Vec<u8> = user.groups.iter().flat_map(|group| group.to_le_bytes()).collect();
    let count = user.groups.len() as i64;
    sys.raw_syscall(nr::SETGROUPS, [count, 0, 0, 0, 0, 0], &mut [groups], &[PtrTarget::Arg(1)]).await;
    for (nr, id) in [(nr::SETRESGID, user.gid), (nr::SETRESUID, user.uid)] {
        let id = i64::from(id);
        sys.raw_syscall(nr, [id, id, id, 0, 0, 0], &mut [], &[]).await;
    }
}

async fn fork(sys: &Sys, settings: Settings, lines: &Lines, to: usize, uid: u32) -> String {
    let lines = lines.clone();
    let pid = sys
        .fork(move |child| {
            Box::pin(async move {
                if uid != 0 && settings.user.is_none() {
                    become_user(&child, User { uid, gid: uid, groups: &[] }).await;
                }
                serve(child, settings, lines, to).await
            })
        })
        .await;
    pid.map_or_else(|errno| errno.to_string(), |_| "forked".to_owned())
}

/// Makes the processes' directory.
async fn make_scratch(sys: &Sys, settings: &Settings) {
    let path = settings.scratch;
    let mut parent = "";
    for (end, _) in path.match_indices('/').skip(1) {
        parent = &path[..end];
        // All but the last are there at boot, or as they are on any host.
        let _ = sys.mkdir(parent, 0o755).await;
    }
    sys.chmod(parent, PARENT_MODE).await.unwrap();
    sys.mkdir(path, 0o755).await.unwrap();
    if let Some(user) = settings.user {
        let ids = [libc::AT_FDCWD.into(), 0, user.uid.into(), user.gid.into(), 0, 0];
        for path in [parent, path] {
            let name = [path.as_bytes(), b"\0"].concat();
            assert_eq!(sys.raw_syscall(nr::FCHOWNAT, ids, &mut [name], &[PtrTarget::Arg(1)]).await, 0);
        }
    }
    sys.chmod(path, settings.mode).await.unwrap();
}

/// What makes the first process one of nothing but its directory.
async fn enter(sys: &Sys, settings: &Settings) {
    match settings.user {
        Some(user) => {
            become_user(sys, user).await;
            sys.chdir(settings.scratch).await.unwrap();
        }
        None => {
            let bufs = &mut [[settings.scratch.as_bytes(), b"\0"].concat()];
            assert_eq!(sys.raw_syscall(nr::CHROOT, [0; 6], bufs, &[PtrTarget::Arg(0)]).await, 0);
            sys.chdir("/").await.unwrap();
        }
    }
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
                    make_scratch(&sys, &settings).await;
                    sys.fork(move |child| {
                        Box::pin(async move {
                            enter(&child, &settings).await;
                            serve(child, settings, first, 0).await
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
