//! The state of one guest's kernel, and its system calls as plain functions: each either finishes, fails
//! with an errno, or says what it waits for ([`wait::Stop`]). Scheduling is not known here.

pub mod epoll;
pub mod event;
pub mod exec;
pub mod exit;
pub mod fd;
pub mod file;
pub mod flock;
pub mod fork;
pub mod ids;
pub mod inspect;
pub mod io;
pub mod log;
pub mod memfd;
pub mod pipe;
pub mod poll;
pub mod posix_lock;
pub mod process;
pub mod rlimit;
pub mod seek;
pub mod signal;
pub mod socket;
pub mod spawn;
pub mod system;
pub mod timerfd;
pub mod tty;
pub mod wait;

use std::collections::BTreeMap;
use std::rc::Rc;

use provium_protocol::{Errno, Nanos};
use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;
use slab::Slab;

use crate::types::Pid;
use crate::vfs::NodeId;
use crate::vfs::fs::FileSystem;
use crate::vfs::mount::{Loc, Mount, MountId};
use crate::world::World;
use crate::world::thread::Thread;
use file::OpenFile;
pub use pipe::FifoOpen;
use process::Process;
use wait::Channel;

/// One guest's kernel.
pub struct Kernel {
    pub(crate) world: Rc<World>,
    pub(crate) procs: BTreeMap<Pid, Process>,
    next_pid: Pid,
    pub(crate) threads: usize,
    pub(crate) filesystems: Vec<FileSystem>,
    pub(crate) mounts: BTreeMap<MountId, Mount>,
    pub(crate) mounted_at: BTreeMap<Loc, MountId>,
    pub(crate) next_mount: MountId,
    pub(crate) proc_fs: u32,
    pub(crate) files: Slab<OpenFile>,
    pub(crate) pipes: Slab<pipe::Pipe>,
    pub(crate) events: Slab<event::EventFd>,
    pub(crate) sockets: Slab<socket::Socket>,
    abstract_names: BTreeMap<Vec<u8>, usize>,
    timer_fds: Slab<timerfd::TimerFd>,
    epolls: Slab<epoll::Epoll>,
    pub(crate) memfd_fs: u32,
    memfds: memfd::Memfds,
    next_object_ino: u64,
    /// Open files that lost a reference while another was being closed.
    doomed: Vec<usize>,
    releasing: bool,
    /// Settings below `/proc/sys` that were changed.
    pub(crate) settings: BTreeMap<&'static str, String>,
    /// Random bits that name this boot.
    pub(crate) boot_id: [u8; 16],
    /// The thread that last used the kernel.
    pub(crate) current_tid: Pid,
    /// Time that all steps took.
    pub(crate) cpu_ns: Nanos,
    flocks: BTreeMap<NodeId, Vec<flock::Flock>>,
    posix_locks: BTreeMap<NodeId, Vec<posix_lock::PosixLock>>,
    waits: BTreeMap<Channel, Vec<Rc<Thread>>>,
    pub(crate) rng: Pcg64Mcg,
    log: log::Log,
    tty: tty::Tty,
    pub(crate) hostname: Vec<u8>,
    pub(crate) cmdline: String,
    pub(crate) memory: u64,
    pub(crate) cpus: u32,
    /// The real-time clock when the guest booted, in nanoseconds since 1970.
    pub(crate) boot_time: i64,
    /// The world's clock when the guest booted.
    booted_at: Nanos,
}

/// Random bits of the guest's seed, apart from those that the guest draws.
fn boot_id(seed: u64) -> [u8; 16] {
    let mut bytes = [0; 16];
    // Any constant keeps the two sequences apart; this one spells "boot id".
    Pcg64Mcg::seed_from_u64(seed ^ 0x62_6f6f_7420_6964).fill_bytes(&mut bytes);
    bytes
}

/// What a fresh kernel is told.
pub(crate) struct KernelConfig {
    pub(crate) hostname: Vec<u8>,
    pub(crate) cmdline: String,
    pub(crate) memory: u64,
    pub(crate) cpus: u32,
    pub(crate) boot_time: i64,
    pub(crate) seed: u64,
}

impl Kernel {
    pub(crate) fn new(world: Rc<World>, config: KernelConfig) -> Kernel {
        Kernel {
            booted_at: world.now(),
            world,
            procs: BTreeMap::new(),
            next_pid: 1,
            threads: 0,
            filesystems: Vec::new(),
            mounts: BTreeMap::new(),
            mounted_at: BTreeMap::new(),
            next_mount: 0,
            proc_fs: 0,
            files: Slab::new(),
            pipes: Slab::new(),
            events: Slab::new(),
            sockets: Slab::new(),
            abstract_names: BTreeMap::new(),
            timer_fds: Slab::new(),
            epolls: Slab::new(),
            memfd_fs: 0,
            memfds: memfd::Memfds::default(),
            next_object_ino: 1,
            doomed: Vec::new(),
            releasing: false,
            settings: BTreeMap::new(),
            boot_id: boot_id(config.seed),
            current_tid: 0,
            cpu_ns: 0,
            flocks: BTreeMap::new(),
            posix_locks: BTreeMap::new(),
            waits: BTreeMap::new(),
            rng: Pcg64Mcg::seed_from_u64(config.seed),
            log: log::Log::default(),
            tty: tty::Tty::default(),
            hostname: config.hostname,
            cmdline: config.cmdline,
            memory: config.memory,
            cpus: config.cpus,
            boot_time: config.boot_time,
        }
    }

    pub(crate) fn proc(&self, pid: Pid) -> Result<&Process, Errno> {
        self.procs.get(&pid).ok_or(Errno::ESRCH)
    }

    pub(crate) fn proc_mut(&mut self, pid: Pid) -> Result<&mut Process, Errno> {
        self.procs.get_mut(&pid).ok_or(Errno::ESRCH)
    }

    /// A process by its id or that of one of its threads.
    pub(crate) fn find_process(&self, id: Pid) -> Result<&Process, Errno> {
        match self.procs.get(&id) {
            Some(process) => Ok(process),
            None => {
                let has = |process: &&Process| process.threads.iter().any(|thread| thread.tid() == id);
                self.procs.values().find(has).ok_or(Errno::ESRCH)
            }
        }
    }

    pub(crate) fn find_process_mut(&mut self, id: Pid) -> Result<&mut Process, Errno> {
        let pid = self.find_process(id)?.pid;
        self.proc_mut(pid)
    }

    /// The name of a thread: its process's unless it has one of its own.
    pub(crate) fn thread_name(&self, thread: &Thread) -> Result<Vec<u8>, Errno> {
        match &*thread.name().borrow() {
            Some(name) => Ok(name.clone()),
            None => Ok(self.proc(thread.pid())?.comm.clone()),
        }
    }

    /// Names a thread (`PR_SET_NAME`); the name of the first one is the process's.
    pub(crate) fn set_thread_name(&mut self, thread: &Thread, name: &[u8]) -> Result<(), Errno> {
        if thread.tid() == thread.pid() {
            self.proc_mut(thread.pid())?.comm = name.to_vec();
        } else {
            *thread.name().borrow_mut() = Some(name.to_vec());
        }
        Ok(())
    }

    /// An inode number for something that is in no file system: a pipe, a socket.
    pub(crate) fn new_object_ino(&mut self) -> u64 {
        self.next_object_ino += 1;
        self.next_object_ino - 1
    }

    pub(crate) fn new_pid(&mut self) -> Pid {
        let pid = self.next_pid;
        self.next_pid += 1;
        pid
    }

    pub(crate) fn last_pid(&self) -> Pid {
        self.next_pid - 1
    }

    /// Nanoseconds since boot (`CLOCK_MONOTONIC`).
    #[must_use]
    pub fn uptime(&self) -> Nanos {
        self.world.now().saturating_sub(self.booted_at)
    }

    /// The real-time clock, in nanoseconds since 1970.
    #[must_use]
    pub fn realtime(&self) -> i64 {
        self.boot_time.saturating_add(i64::try_from(self.uptime()).unwrap_or(i64::MAX))
    }

    /// clock_settime(2) of the real-time clock.
    pub fn set_realtime(&mut self, ns: i64) {
        self.boot_time = ns.saturating_sub(i64::try_from(self.uptime()).unwrap_or(i64::MAX));
    }
}
