//! fork(2): a process is made.

use std::collections::BTreeSet;
use std::rc::Rc;

use provium_protocol::Errno;

use super::Kernel;
use super::fd::FdTable;
use super::process::Process;
use super::wait::Channel;
use crate::limits::MAX_THREADS;
use crate::types::{Credentials, Pid, SigAction};
use crate::world::thread::Thread;

impl Kernel {
    /// Makes the first process, without threads yet.
    pub(crate) fn first_process(&mut self, name: &str) -> Pid {
        let pid = self.new_pid();
        let cwd = self.root_loc();
        self.hold(cwd.node);
        self.hold(cwd.node);
        let process = Process {
            pid,
            ppid: 0,
            pgid: pid,
            sid: pid,
            creds: Credentials::default(),
            umask: 0o022,
            cwd,
            root: cwd,
            fds: FdTable::default(),
            comm: name.as_bytes()[..name.len().min(15)].to_vec(),
            exe: Vec::new(),
            argv: vec![name.as_bytes().to_vec()],
            env: Vec::new(),
            threads: Vec::new(),
            pending: 0,
            actions: [SigAction::Default; 64],
            caught: Vec::new(),
            stopped: None,
            change: None,
            ended: None,
            children: BTreeSet::new(),
            started: self.uptime(),
            cpu_ns: 0,
            children_cpu_ns: 0,
            rlimits: super::rlimit::defaults(),
            alarm: None,
            alarm_interval: 0,
            has_execed: true,
            started_thread: false,
            oom_score_adj: 0,
            subreaper: false,
        };
        self.procs.insert(pid, process);
        pid
    }

    /// `EAGAIN` when the guest has as many threads as it may.
    pub(crate) fn check_thread_limit(&self) -> Result<(), Errno> {
        // A zombie has no thread any more but still takes its place in the table.
        let zombies = self.procs.values().filter(|process| process.is_zombie()).count();
        if self.counted_threads() + zombies >= MAX_THREADS { Err(Errno::EAGAIN) } else { Ok(()) }
    }

    /// All threads but those of the first process: it is held to no limit, for it must be able to act on a fork bomb, and it
    /// needs more of them the more the others are.
    pub(crate) fn counted_threads(&self) -> usize {
        let own = self.procs.get(&1).map_or(0, |process| process.threads.len());
        self.threads.saturating_sub(own)
    }

    /// Copies a process; the copy has no threads yet.
    pub(crate) fn fork_process(&mut self, parent: Pid) -> Result<Pid, Errno> {
        self.check_thread_limit()?;
        let fds = self.fork_fds(parent)?;
        let pid = self.new_pid();
        let started = self.uptime();
        let from = self.proc_mut(parent)?;
        from.children.insert(pid);
        let child = Process {
            pid,
            ppid: parent,
            pgid: from.pgid,
            sid: from.sid,
            creds: from.creds.clone(),
            umask: from.umask,
            cwd: from.cwd,
            root: from.root,
            fds,
            comm: from.comm.clone(),
            exe: from.exe.clone(),
            argv: from.argv.clone(),
            env: from.env.clone(),
            threads: Vec::new(),
            pending: 0,
            actions: from.actions,
            caught: Vec::new(),
            stopped: None,
            change: None,
            ended: None,
            children: BTreeSet::new(),
            started,
            cpu_ns: 0,
            children_cpu_ns: 0,
            rlimits: from.rlimits,
            alarm: None,
            alarm_interval: 0,
            has_execed: false,
            started_thread: false,
            oom_score_adj: from.oom_score_adj,
            subreaper: false,
        };
        let (cwd, root) = (child.cwd, child.root);
        self.procs.insert(pid, child);
        self.hold(cwd.node);
        self.hold(root.node);
        Ok(pid)
    }

    /// Takes a thread out of its process; false if it was not in it any more.
    pub(crate) fn remove_thread(&mut self, thread: &Rc<Thread>) -> bool {
        self.stop_sleeping(thread);
        let Some(process) = self.procs.get_mut(&thread.pid()) else { return false };
        let before = process.threads.len();
        process.threads.retain(|other| !Rc::ptr_eq(other, thread));
        let removed = process.threads.len() < before;
        if removed {
            self.threads -= 1;
            self.wake(Channel::ThreadActivity(thread.tid()));
        }
        removed
    }
}
