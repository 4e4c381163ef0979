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
    /// Sends a signal to a process without asking whether the sender may.
    pub(crate) fn send(&mut self, pid: Pid, signal: Signal) {
        self.send_to(pid, None, signal);
    }

    /// Sends a signal to a process or to one thread of it alone.
    fn send_to(&mut self, pid: Pid, thread: Option<&Rc<Thread>>, signal: Signal) {
        let Some(process) = self.procs.get_mut(&pid) else { return };
        if process.is_zombie() {
            return;
        }
        if signal == Signal::SIGCONT || signal == Signal::SIGKILL {
            for stop in STOPS {
                process.pending &= !bit(stop);
                for thread in &process.threads {
                    thread.pending().set(thread.pending().get() & !bit(stop));
                }
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
        // Whether a signal is thrown away at once depends on the thread it is for, else on the first.
        let held = thread.or(process.threads.first()).is_some_and(|thread| thread.blocked() & bit(signal) != 0);
        if process.discards(signal) && !held {
            return;
        }
        match thread {
            Some(thread) => thread.pending().set(thread.pending().get() | bit(signal)),
            None => process.pending |= bit(signal),
        }
        self.kick(pid);
        self.wake(Channel::Pending(pid));
    }

    /// Lets threads of the process look at their pending signals.
    fn kick(&mut self, pid: Pid) {
        let Some(process) = self.procs.get(&pid) else { return };
        for thread in &process.threads {
            if thread.pending().get() & !thread.blocked() != 0 {
                thread.signal();
                self.world.ready(thread.key());
            }
        }
        // One thread acts for the process: the first that does not hold the signal back.
        let acts = process.threads.iter().find(|thread| process.pending & !thread.blocked() != 0);
        if let Some(thread) = acts {
            thread.signal();
            self.world.ready(thread.key());
        }
    }

    /// Acts on what is pending, in order of number. Called when one of its threads is about to go on.
    pub(crate) fn act_on_signals(&mut self, thread: &Rc<Thread>) -> Acted {
        let pid = thread.pid();
        loop {
            let Some(process) = self.procs.get_mut(&pid) else { return Acted::Ended };
            let open = (process.pending | thread.pending().get()) & !thread.blocked();
            if open == 0 {
                return Acted::GoOn;
            }
            // SIGKILL goes before all others.
            let number = if open & bit(Signal::SIGKILL) != 0 { 9 } else { open.trailing_zeros() as i32 + 1 };
            let signal = Signal(number);
            take_pending(process, thread, signal);
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

    /// tkill(2) and tgkill(2): a signal for one thread.
    pub(crate) fn thread_kill(
        &mut self,
        pid: Pid,
        process: Option<Pid>,
        tid: Pid,
        signal: Option<Signal>,
    ) -> Result<(), Errno> {
        let is = |thread: &&Rc<Thread>| thread.tid() == tid;
        let thread = self.procs.values().find_map(|process| process.threads.iter().find(is)).cloned();
        // An ended process still has its id, and takes signals without effect.
        let target = thread.as_ref().map_or(tid, |thread| thread.pid());
        if process.is_some_and(|process| process != target) {
            return Err(Errno::ESRCH);
        }
        self.may_signal(pid, target, signal)?;
        if let Some(signal) = signal {
            self.send_to(target, thread.as_ref(), signal);
        }
        Ok(())
    }

    /// Sets which signals a thread holds back; the old mask. SIGKILL and SIGSTOP cannot be.
    pub(crate) fn set_thread_mask(&mut self, thread: &Rc<Thread>, mask: u64) -> u64 {
        let old = thread.blocked();
        thread.set_blocked(mask & !(bit(Signal::SIGKILL) | bit(Signal::SIGSTOP)));
        self.kick(thread.pid());
        old
    }

    /// Signals that are held back and wait for a thread.
    pub(crate) fn pending(&self, thread: &Rc<Thread>) -> Result<u64, Errno> {
        Ok((self.proc(thread.pid())?.pending | thread.pending().get()) & thread.blocked())
    }

    /// rt_sigtimedwait(2): takes a pending signal out of a set.
    pub(crate) fn take_signal(
        &mut self,
        thread: &Rc<Thread>,
        set: u64,
        deadline: Option<u64>,
    ) -> Result<Signal, super::wait::Stop> {
        let pid = thread.pid();
        let process = self.proc_mut(pid)?;
        let open = (process.pending | thread.pending().get()) & set;
        if open != 0 {
            let signal = Signal(open.trailing_zeros() as i32 + 1);
            take_pending(process, thread, signal);
            return Ok(signal);
        }
        if deadline.is_some_and(|deadline| self.world.now() >= deadline) {
            return Err(Errno::EAGAIN.into());
        }
        let channels = vec![Channel::Pending(pid), Channel::Signal(pid)];
        Err(super::wait::Stop::Block(super::wait::Block { channels, deadline }))
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

    /// setitimer(2) of the real time, alarm(2): how much was left of the one before, and how often that
    /// would have come again.
    pub(crate) fn set_alarm(
        &mut self,
        pid: Pid,
        after: Option<u64>,
        interval: u64,
        machine: std::rc::Weak<crate::Machine>,
    ) -> Result<Option<(u64, u64)>, Errno> {
        let old = self.alarm_left(pid)?;
        let at = after.map(|after| self.world.now().saturating_add(after));
        let timer = at.map(|at| self.world.set_timer(at, TimerTarget::Alarm(machine, pid)));
        let process = self.proc_mut(pid)?;
        process.alarm_interval = interval;
        if let Some(old) = std::mem::replace(&mut process.alarm, timer) {
            self.world.cancel_timer(old);
        }
        Ok(old)
    }

    /// getitimer(2): how much is left, and how often it comes again.
    pub(crate) fn alarm_left(&self, pid: Pid) -> Result<Option<(u64, u64)>, Errno> {
        let process = self.proc(pid)?;
        Ok(process.alarm.map(|timer| (timer.at().saturating_sub(self.world.now()), process.alarm_interval)))
    }
}

/// Takes a signal from what is pending for a thread: its own before its process's.
fn take_pending(process: &mut Process, thread: &Rc<Thread>, signal: Signal) {
    let own = thread.pending();
    if own.get() & bit(signal) != 0 {
        own.set(own.get() & !bit(signal));
    } else {
        process.pending &= !bit(signal);
    }
}
