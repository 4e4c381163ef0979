//! The end of a process, and wait(2).

use provium_protocol::{Errno, Signal};

use super::Kernel;
use super::wait::{Channel, Stop};
use crate::types::{Pid, SigAction, WaitFor, WaitOptions, WaitStatus};

impl Kernel {
    /// Ends a process: descriptors closed, children handed over, parent told. Its threads' futures are
    /// dropped when the scheduler next looks at them.
    pub(crate) fn end_process(&mut self, pid: Pid, status: WaitStatus) {
        let Some(process) = self.procs.get_mut(&pid) else { return };
        if process.is_zombie() {
            return;
        }
        process.ended = Some(status);
        process.change = None;
        process.stopped = None;
        let threads = std::mem::take(&mut process.threads);
        let alarm = process.alarm.take();
        let (parent, cwd, root) = (process.ppid, process.cwd, process.root);
        self.threads -= threads.len();
        for thread in &threads {
            self.stop_sleeping(thread);
            self.world.drop_later(thread);
        }
        if let Some(alarm) = alarm {
            self.world.cancel_timer(alarm);
        }
        self.close_all(pid);
        self.unhold(cwd.node);
        self.unhold(root.node);
        self.hand_over_children(pid, parent);
        self.wake(Channel::ProcessState(pid));
        let ignored = self.procs.get(&parent).is_none_or(|parent| parent.action(Signal::SIGCHLD) == SigAction::Ignore);
        if ignored {
            self.reap(pid);
            self.wake(Channel::Child(parent));
        } else {
            self.notify_parent(parent);
        }
    }

    fn hand_over_children(&mut self, pid: Pid, parent: Pid) {
        let children = match self.procs.get_mut(&pid) {
            Some(process) => std::mem::take(&mut process.children),
            None => return,
        };
        if children.is_empty() {
            return;
        }
        let heir = self.heir(parent);
        let mut zombies = false;
        for child in children {
            if let Some(process) = self.procs.get_mut(&child) {
                process.ppid = heir;
                zombies |= process.is_zombie();
            }
            if let Some(process) = self.procs.get_mut(&heir) {
                process.children.insert(child);
            }
        }
        if zombies {
            self.notify_parent(heir);
        }
    }

    /// The nearest ancestor that adopts orphans, else the first process.
    fn heir(&self, mut ancestor: Pid) -> Pid {
        while let Some(process) = self.procs.get(&ancestor) {
            if process.subreaper && !process.is_zombie() {
                return ancestor;
            }
            ancestor = process.ppid;
        }
        1
    }

    /// Takes an ended process out of the table.
    pub(crate) fn reap(&mut self, pid: Pid) {
        let Some(process) = self.procs.remove(&pid) else { return };
        if let Some(parent) = self.procs.get_mut(&process.ppid) {
            parent.children.remove(&pid);
            parent.children_cpu_ns += process.cpu_ns + process.children_cpu_ns;
        }
        self.wake(Channel::ProcessState(pid));
    }

    /// wait4(2): a child that changed and how; `None` if nobody did and `nohang` is set.
    pub fn wait(&mut self, pid: Pid, which: WaitFor, options: WaitOptions) -> Result<Option<(Pid, WaitStatus)>, Stop> {
        let own_group = self.proc(pid)?.pgid;
        let children: Vec<Pid> = self
            .proc(pid)?
            .children
            .iter()
            .copied()
            .filter(|child| match which {
                WaitFor::Any => true,
                WaitFor::Pid(wanted) => *child == wanted,
                WaitFor::Group(group) => self.procs.get(child).is_some_and(|child| child.pgid == group),
                WaitFor::OwnGroup => self.procs.get(child).is_some_and(|child| child.pgid == own_group),
            })
            .collect();
        if children.is_empty() {
            return Err(Errno::ECHILD.into());
        }
        for child in children {
            let Some(process) = self.procs.get_mut(&child) else { continue };
            if let Some(status) = process.ended.filter(|_| !options.not_exited) {
                if !options.nowait {
                    self.reap(child);
                }
                return Ok(Some((child, status)));
            }
            let wanted = match process.change {
                Some(WaitStatus::Stopped(_)) => options.untraced,
                Some(WaitStatus::Continued) => options.continued,
                _ => false,
            };
            if wanted && let Some(status) = process.change {
                if !options.nowait {
                    process.change = None;
                }
                return Ok(Some((child, status)));
            }
        }
        if options.nohang { Ok(None) } else { Err(Stop::on(Channel::Child(pid))) }
    }
}
