//! Children: those in front, which the shell waits for, and those in the background.

use std::collections::BTreeMap;
use std::rc::Rc;

use provium_kernel::{Errno, Pid, Signal, WaitFor, WaitOptions, WaitStatus};

use super::state::Shell;

/// Background jobs that are remembered after they ended: a loop that starts them and never waits must not
/// fill the memory. The oldest are forgotten first.
const MAX_REMEMBERED: usize = 4096;

/// A background job.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its processes in order of the pipeline, and what became of them.
    pub processes: Vec<(Pid, Option<WaitStatus>)>,
    /// Whether somebody waited for its end.
    pub waited: bool,
}

impl Job {
    /// Whether all of its processes have ended.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.processes.iter().all(|(_, status)| status.is_some())
    }

    /// The status of its last process.
    #[must_use]
    pub fn status(&self) -> Option<i32> {
        self.processes.last().and_then(|(_, status)| status.map(exit_status))
    }
}

/// The background jobs of a shell.
#[derive(Clone, Debug, Default)]
pub struct Jobs {
    table: Rc<BTreeMap<usize, Job>>,
    by_pid: Rc<BTreeMap<Pid, usize>>,
}

impl Jobs {
    /// Adds a job under the smallest number that is free.
    pub fn add(&mut self, pids: Vec<Pid>) {
        let done_and_known = self.table.iter().find(|(_, job)| job.is_done() && job.waited).map(|(number, _)| *number);
        let oldest = (self.table.len() >= MAX_REMEMBERED)
            .then(|| self.table.iter().find(|(_, job)| job.is_done()).map(|(number, _)| *number))
            .flatten();
        for number in done_and_known.into_iter().chain(oldest) {
            self.forget(number);
        }
        let table = Rc::make_mut(&mut self.table);
        // Numbers are dense, so that the count of the table tells whether there is a gap.
        let next = table.len() + 1;
        let number = match table.last_key_value() {
            Some((last, _)) if *last >= next => (1..next).find(|number| !table.contains_key(number)).unwrap_or(next),
            _ => next,
        };
        let by_pid = Rc::make_mut(&mut self.by_pid);
        by_pid.extend(pids.iter().map(|pid| (*pid, number)));
        let processes = pids.into_iter().map(|pid| (pid, None)).collect();
        table.insert(number, Job { processes, waited: false });
    }

    /// Forgets a job that was shown to be done.
    pub fn forget_if_done(&mut self, number: usize) {
        if self.get(number).is_some_and(Job::is_done) {
            self.forget(number);
        }
    }

    fn forget(&mut self, number: usize) {
        if let Some(job) = Rc::make_mut(&mut self.table).remove(&number) {
            let by_pid = Rc::make_mut(&mut self.by_pid);
            for (pid, _) in job.processes {
                by_pid.remove(&pid);
            }
        }
    }

    /// All jobs by number.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &Job)> {
        self.table.iter().map(|(number, job)| (*number, job))
    }

    /// A job by number.
    #[must_use]
    pub fn get(&self, number: usize) -> Option<&Job> {
        self.table.get(&number)
    }

    /// The number of the job that a process is part of.
    #[must_use]
    pub fn number_of(&self, pid: Pid) -> Option<usize> {
        self.by_pid.get(&pid).copied()
    }

    /// The youngest job, or the one before it.
    #[must_use]
    pub fn youngest(&self, skip: usize) -> Option<usize> {
        self.table.keys().rev().nth(skip).copied()
    }

    /// Forgets all: they are the parent's, not those of a subshell.
    pub fn clear(&mut self) {
        *self = Jobs::default();
    }

    /// Somebody has asked how the job ended.
    pub fn mark_waited(&mut self, number: usize) {
        if let Some(job) = Rc::make_mut(&mut self.table).get_mut(&number) {
            job.waited = true;
        }
    }

    fn record(&mut self, pid: Pid, status: WaitStatus) -> Option<usize> {
        let number = self.number_of(pid)?;
        let job = Rc::make_mut(&mut self.table).get_mut(&number)?;
        for (known, slot) in &mut job.processes {
            if *known == pid {
                *slot = Some(status);
            }
        }
        Some(number)
    }
}

/// `$?` after a child that ended so.
#[must_use]
pub fn exit_status(status: WaitStatus) -> i32 {
    match status {
        WaitStatus::Exited(code) => code,
        WaitStatus::Signalled(signal, _) | WaitStatus::Stopped(signal) => 128 + signal.0,
        WaitStatus::Continued => 0,
    }
}

impl Shell {
    /// Waits until all of these children have ended; their statuses in the same order. A signal of which one
    /// died is told on standard error.
    pub(super) async fn wait_in_front(&mut self, pids: &[Pid]) -> Vec<i32> {
        let mut statuses: Vec<Option<WaitStatus>> = vec![None; pids.len()];
        while statuses.contains(&None) {
            match self.sys.wait(WaitFor::Any, WaitOptions::default()).await {
                Ok(Some((pid, status))) => match pids.iter().position(|known| *known == pid) {
                    Some(index) => {
                        statuses[index] = Some(status);
                        self.tell_signal(status).await;
                    }
                    None => {
                        self.jobs.record(pid, status);
                    }
                },
                Err(Errno::EINTR) => self.note_signals(),
                // Somebody else took them, which cannot happen as long as only the shell waits.
                Ok(None) | Err(_) => break,
            }
        }
        statuses.into_iter().map(|status| status.map_or(127, exit_status)).collect()
    }

    /// Waits until a background job has ended; the signal that came in between is the error.
    pub(super) async fn wait_for_job(&mut self, number: usize) -> Result<(), i32> {
        while self.jobs.get(number).is_some_and(|job| !job.is_done()) {
            let (pid, status) = self.wait_for_any().await?;
            if self.jobs.record(pid, status) == Some(number) {
                self.tell_signal(status).await;
            }
        }
        self.jobs.mark_waited(number);
        Ok(())
    }

    /// Waits until all background jobs have ended.
    pub(super) async fn wait_for_all_jobs(&mut self) -> Result<(), i32> {
        while self.jobs.iter().any(|(_, job)| !job.is_done()) {
            let (pid, status) = self.wait_for_any().await?;
            self.jobs.record(pid, status);
        }
        for job in Rc::make_mut(&mut self.jobs.table).values_mut() {
            job.waited = true;
        }
        Ok(())
    }

    async fn wait_for_any(&mut self) -> Result<(Pid, WaitStatus), i32> {
        loop {
            self.note_signals();
            if let Some(signal) = self.traps.first_pending() {
                return Err(signal);
            }
            match self.sys.wait(WaitFor::Any, WaitOptions::default()).await {
                Ok(Some(ended)) => return Ok(ended),
                Err(Errno::EINTR) => {}
                // A child that the kernel does not know any more: its job cannot be waited for.
                Ok(None) | Err(_) => {
                    let lost = self.jobs.iter().flat_map(|(_, job)| &job.processes);
                    let lost = lost.filter(|(_, status)| status.is_none()).map(|(pid, _)| *pid).next();
                    return Ok((lost.unwrap_or_default(), WaitStatus::Exited(127)));
                }
            }
        }
    }

    /// Looks which background jobs have ended, without waiting.
    pub(super) async fn poll_jobs(&mut self) {
        let options = WaitOptions { nohang: true, ..WaitOptions::default() };
        while let Ok(Some((pid, status))) = self.sys.wait(WaitFor::Any, options).await {
            self.jobs.record(pid, status);
        }
    }

    async fn tell_signal(&mut self, status: WaitStatus) {
        if let WaitStatus::Signalled(signal, core) = status
            && signal != Signal::SIGINT
            && signal != Signal::SIGPIPE
        {
            let line = format!("{}{}\n", signal.text(), if core { " (core dumped)" } else { "" });
            self.write_error(line.as_bytes()).await;
        }
    }
}
