//! A process that the agent started.

use std::cell::Cell;
use std::rc::Rc;

use provium_protocol::Nanos;
use provium_protocol::exec::{ExitStatus, RunReply};
use provium_protocol::process::{OutputStream, ProcHandle};
use tokio::sync::Notify;

use crate::capture::Capture;
use crate::os::Ending;
use crate::stdin::Stdin;
use crate::sync::{Flag, until};

/// What the agent knows of one process.
pub struct Proc {
    pub handle: ProcHandle,
    pub pid: i32,
    /// The command, for messages.
    pub label: String,
    started: Nanos,
    ending: Cell<Option<Ending>>,
    timed_out: Cell<bool>,
    finished_at: Cell<Option<Nanos>>,
    /// Its pipes are read no further.
    pub cut: Flag,
    pub stdin: Stdin,
    pub stdout: Rc<Capture>,
    pub stderr: Rc<Capture>,
    changed: Notify,
}

impl Proc {
    pub fn new(
        handle: ProcHandle,
        pid: i32,
        label: String,
        stdin: Stdin,
        outputs: [Capture; 2],
        started: Nanos,
    ) -> Proc {
        let [stdout, stderr] = outputs.map(Rc::new);
        Proc {
            handle,
            pid,
            label,
            started,
            ending: Cell::new(None),
            timed_out: Cell::new(false),
            finished_at: Cell::new(None),
            cut: Flag::default(),
            stdin,
            stdout,
            stderr,
            changed: Notify::new(),
        }
    }

    /// How it ended, once it was reaped.
    pub fn ending(&self) -> Option<Ending> {
        self.ending.get()
    }

    /// Whether it and all who hold its pipes have ended.
    pub fn is_finished(&self) -> bool {
        self.finished_at.get().is_some()
    }

    /// Notes that it was reaped.
    pub fn set_ending(&self, ending: Ending, now: Nanos) {
        self.ending.set(Some(ending));
        self.check_finished(now);
        self.changed.notify_waiters();
    }

    /// Notes that provium ended it because its time was up.
    pub fn set_timed_out(&self) {
        self.timed_out.set(true);
    }

    /// To be called when one of the things that a result waits for has happened.
    pub fn check_finished(&self, now: Nanos) {
        let over = self.ending.get().is_some() && self.stdout.ended() && self.stderr.ended();
        if over && self.finished_at.get().is_none() {
            self.finished_at.set(Some(now));
            self.changed.notify_waiters();
        }
    }

    /// Notes that its end is not waited for any longer: the result is there without it.
    pub fn give_up(&self, now: Nanos) {
        if self.finished_at.get().is_none() {
            self.finished_at.set(Some(now));
            self.changed.notify_waiters();
        }
    }

    /// Ends when the process was reaped.
    pub async fn exited(&self) {
        until(&self.changed, || self.ending.get().map(|_| ())).await;
    }

    /// Ends when the result is there: process and pipes are done. Who waits for that wants the process to go on
    /// whether or not somebody reads its output.
    pub async fn finished(&self) {
        self.stdout.expect_no_stream();
        self.stderr.expect_no_stream();
        until(&self.changed, || self.finished_at.get().map(|_| ())).await;
    }

    /// One of its outputs.
    pub fn output(&self, output: OutputStream) -> &Rc<Capture> {
        match output {
            OutputStream::Stdout => &self.stdout,
            OutputStream::Stderr => &self.stderr,
        }
    }

    /// The kernel's word on how it ended.
    pub fn exit_status(&self) -> Option<ExitStatus> {
        Some(match self.ending.get()? {
            Ending::Exited(code) => ExitStatus::Exited(code),
            Ending::Signalled(signal) => ExitStatus::Signalled(signal),
        })
    }

    /// The result of a finished process, with a copy of its output.
    pub fn reply(&self) -> Option<RunReply> {
        self.reply_with(Capture::kept)
    }

    /// The result of a finished process that nobody can ask for again.
    pub fn take_reply(&self) -> Option<RunReply> {
        self.reply_with(Capture::take)
    }

    fn reply_with(&self, output: impl Fn(&Capture) -> Vec<u8>) -> Option<RunReply> {
        let finished_at = self.finished_at.get()?;
        let status = if self.timed_out.get() { ExitStatus::TimedOut } else { self.exit_status()? };
        Some(RunReply {
            status,
            truncated: self.stdout.truncated() || self.stderr.truncated(),
            stdout: output(&self.stdout),
            stderr: output(&self.stderr),
            duration_ns: finished_at.saturating_sub(self.started),
        })
    }

    /// How messages name it: ``process 12 (`sleep 100`)``.
    pub fn describe(&self) -> String {
        format!("process {} (`{}`)", self.pid, self.label)
    }
}

#[cfg(test)]
mod tests {
    use provium_protocol::Signal;

    use super::*;

    fn proc() -> Proc {
        let capture = || Capture::new(100, Rc::default());
        Proc::new(1, 12, "true".into(), Stdin::none(), [capture(), capture()], 50)
    }

    #[test]
    fn a_result_needs_the_process_and_both_pipes() {
        let proc = proc();
        proc.set_ending(Ending::Exited(3), 60);
        assert_eq!(proc.reply(), None);
        proc.stdout.push(b"out");
        proc.stdout.end();
        proc.check_finished(70);
        assert_eq!(proc.reply(), None);
        proc.stderr.end();
        proc.check_finished(80);
        proc.check_finished(90);
        let reply = proc.reply().expect("finished");
        assert_eq!((reply.status, reply.duration_ns), (ExitStatus::Exited(3), 30));
        assert_eq!(proc.reply(), Some(reply));
    }

    #[test]
    fn a_timeout_outranks_the_signal_that_carried_it_out() {
        let proc = proc();
        proc.set_timed_out();
        proc.stdout.end();
        proc.stderr.end();
        proc.set_ending(Ending::Signalled(Signal::SIGKILL), 60);
        assert_eq!(proc.reply().map(|reply| reply.status), Some(ExitStatus::TimedOut));
        assert_eq!(proc.exit_status(), Some(ExitStatus::Signalled(Signal::SIGKILL)));
    }
}
