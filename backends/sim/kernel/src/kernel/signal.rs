//! Signals, see signal(7).

use std::rc::Rc;

use provium_protocol::{Errno, Signal};

use super::Kernel;
use super::process::Process;
use super::wait::Channel;
use crate::limits::MAX_CAUGHT;
use crate::types::{Pid, SigAction, WaitStatus};
use crate::world::TimerTarget;
use crate::world::thread::Thread;

/// What a signal does by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DefaultAction {
    Terminate { core: bool },
    Ignore,
    Stop,
    Continue,
}

fn default_action(signal: Signal) -> DefaultAction {
    match signal {
        Signal::SIGCHLD | Signal::SIGURG | Signal::SIGWINCH => DefaultAction::Ignore,
        Signal::SIGCONT => DefaultAction::Continue,
        Signal::SIGSTOP | Signal::SIGTSTP | Signal::SIGTTIN | Signal::SIGTTOU => DefaultAction::Stop,
        Signal::SIGQUIT
        | Signal::SIGILL
        | Signal::SIGTRAP
        | Signal::SIGABRT
        | Signal::SIGBUS
        | Signal::SIGFPE
        | Signal::SIGSEGV
        | Signal::SIGXCPU
        | Signal::SIGXFSZ
        | Signal::SIGSYS => DefaultAction::Terminate { core: true },
        _ => DefaultAction::Terminate { core: false },
    }
}

const STOPS: [Signal; 4] = [Signal::SIGSTOP, Signal::SIGTSTP, Signal::SIGTTIN, Signal::SIGTTOU];

fn bit(signal: Signal) -> u64 {
    1 << (signal.0 - 1)
}

/// What acting on signals came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Acted {
    GoOn,
    Stopped,
    Ended,
}

impl Process {
    /// Whether a signal has no effect on this process at all.
    fn discards(&self, signal: Signal) -> bool {
        match self.action(signal) {
            SigAction::Ignore => true,
            SigAction::Catch => false,
            // The first process of a guest gets only the signals it asked for.
            SigAction::Default => self.pid == 1 || default_action(signal) == DefaultAction::Ignore,
        }
    }
}

impl Kernel {
    /// Sends a signal without asking whether the sender may.
    pub(crate) fn send(&mut self, pid: Pid, signal: Signal) {
        let Some(process) = self.procs.get_mut(&pid) else { return };
        if process.is_zombie() {
            return;
        }
        if signal == Signal::SIGCONT || signal == Signal::SIGKILL {
            for stop in STOPS {
                process.pending &= !bit(stop);
            }
            if process.stopped.take().is_some() {
                if signal == Signal::SIGCONT {
                    process.change = Some(WaitStatus::Continued);
                }
                for thread in &process.threads {
                    thread.set_frozen(false);
                }
                let parent = process.ppid;
                self.wake(Channel::ProcessState(pid));
                self.notify_parent(parent);
                self.world.refreeze();
            }
        } else if STOPS.contains(&signal) {
            process.pending &= !bit(Signal::SIGCONT);
        }
        let Some(process) = self.procs.get_mut(&pid) else { return };
        let held = process.blocked & bit(signal) != 0;
        if process.discards(signal) && !held {
            return;
        }
        process.pending |= bit(signal);
        if !held {
            self.kick(pid);
        }
    }

    /// Lets a thread of the process look at its pending signals.
    fn kick(&mut self, pid: Pid) {
        let Some(process) = self.procs.get(&pid) else { return };
        // One thread acts for the process; the first is as good as any.
        let Some(thread) = process.threads.first().cloned() else { return };
        thread.signal();
        self.world.ready(thread.key());
    }

    /// Acts on what is pending, in order of number. Called when one of its threads is about to go on.
    pub(crate) fn act_on_signals(&mut self, thread: &Rc<Thread>) -> Acted {
        let pid = thread.pid();
        loop {
            let Some(process) = self.procs.get_mut(&pid) else { return Acted::Ended };
            let open = process.pending & !process.blocked;
            if open == 0 {
                return Acted::GoOn;
            }
            // SIGKILL goes before all others.
            let number = if open & bit(Signal::SIGKILL) != 0 { 9 } else { open.trailing_zeros() as i32 + 1 };
            let signal = Signal(number);
            process.pending &= !bit(signal);
            match (process.action(signal), default_action(signal)) {
                (SigAction::Catch, _) => {
                    if process.caught.len() < MAX_CAUGHT {
                        process.caught.push(signal);
                    }
                    thread.interrupt();
                    self.wake(Channel::Signal(pid));
                }
                (SigAction::Ignore, _) | (_, DefaultAction::Ignore | DefaultAction::Continue) => {}
                (SigAction::Default, _) if process.pid == 1 => {}
                (SigAction::Default, DefaultAction::Stop) => {
                    self.stop(pid, signal);
                    return Acted::Stopped;
                }
                (SigAction::Default, DefaultAction::Terminate { core }) => {
                    self.end_process(pid, WaitStatus::Signalled(signal, core));
                    return Acted::Ended;
                }
            }
        }
    }

    fn stop(&mut self, pid: Pid, signal: Signal) {
        let Some(process) = self.procs.get_mut(&pid) else { return };
        process.stopped = Some(signal);
        process.change = Some(WaitStatus::Stopped(signal));
        for thread in &process.threads {
            thread.set_frozen(true);
        }
        let parent = process.ppid;
        self.wake(Channel::ProcessState(pid));
        self.notify_parent(parent);
        self.world.refreeze();
    }

    /// Tells a parent that a child changed.
    pub(crate) fn notify_parent(&mut self, parent: Pid) {
        self.wake(Channel::Child(parent));
        self.send(parent, Signal::SIGCHLD);
    }

    /// kill(2).
    pub fn kill(&mut self, pid: Pid, target: Pid, signal: Option<Signal>) -> Result<(), Errno> {
        if signal.is_some_and(|signal| Signal::from_number(i64::from(signal.0)).is_none()) {
            return Err(Errno::EINVAL);
        }
        let own_group = self.proc(pid)?.pgid;
        let targets: Vec<Pid> = match target {
            1.. => vec![target],
            0 => self.group(own_group),
            -1 => self.procs.keys().copied().filter(|other| *other > 1 && *other != pid).collect(),
            group => self.group(group.checked_neg().ok_or(Errno::ESRCH)?),
        };
        if targets.is_empty() {
            return Err(Errno::ESRCH);
        }
        let mut result = Err(Errno::ESRCH);
        for target in targets {
            match self.may_signal(pid, target, signal) {
                Ok(()) => {
                    if let Some(signal) = signal {
                        self.send(target, signal);
                    }
                    result = Ok(());
                }
                Err(errno) if result.is_err() => result = Err(errno),
                Err(_) => {}
            }
        }
        result
    }

    fn may_signal(&self, pid: Pid, target: Pid, signal: Option<Signal>) -> Result<(), Errno> {
        let to = self.proc(target)?;
        let from = self.proc(pid)?;
        let same = |id: u32| id == to.creds.uid || id == to.creds.suid;
        let continues = signal == Some(Signal::SIGCONT) && from.sid == to.sid;
        if from.creds.is_root() || same(from.creds.uid) || same(from.creds.euid) || continues {
            Ok(())
        } else {
            Err(Errno::EPERM)
        }
    }

    /// Processes of a group, ended ones included.
    pub(crate) fn group(&self, pgid: Pid) -> Vec<Pid> {
        self.procs.values().filter(|process| process.pgid == pgid).map(|process| process.pid).collect()
    }

    /// sigaction(2).
    pub fn sigaction(&mut self, pid: Pid, signal: Signal, action: SigAction) -> Result<SigAction, Errno> {
        let changeable = Signal::from_number(i64::from(signal.0)).is_some()
            && signal != Signal::SIGKILL
            && signal != Signal::SIGSTOP;
        if !changeable {
            return Err(Errno::EINVAL);
        }
        let process = self.proc_mut(pid)?;
        let old = std::mem::replace(&mut process.actions[signal.0 as usize - 1], action);
        if process.discards(signal) {
            process.pending &= !bit(signal);
        }
        Ok(old)
    }

    /// sigprocmask(2) with `SIG_SETMASK`: the old mask. SIGKILL and SIGSTOP cannot be held back.
    pub fn set_sigmask(&mut self, pid: Pid, mask: u64) -> Result<u64, Errno> {
        let process = self.proc_mut(pid)?;
        let mask = mask & !(bit(Signal::SIGKILL) | bit(Signal::SIGSTOP));
        let old = std::mem::replace(&mut process.blocked, mask);
        if process.pending & !process.blocked != 0 {
            self.kick(pid);
        }
        Ok(old)
    }

    /// alarm(2): how much was left of the one before.
    pub fn set_alarm(
        &mut self,
        pid: Pid,
        after: Option<u64>,
        machine: std::rc::Weak<crate::Machine>,
    ) -> Result<Option<u64>, Errno> {
        let now = self.world.now();
        let timer =
            after.map(|after| self.world.set_timer(now.saturating_add(after), TimerTarget::Alarm(machine, pid)));
        let old = std::mem::replace(&mut self.proc_mut(pid)?.alarm, timer);
        if let Some(old) = old {
            self.world.cancel_timer(old);
        }
        Ok(old.map(|old| old.at().saturating_sub(now)))
    }
}
