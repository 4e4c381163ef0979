//! One process that QGA started, and what is known of it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use provium_protocol::exec::{ExitStatus, RunReply};
use provium_protocol::process::ProcHandle;
use provium_protocol::{Errno, Nanos, OpError, Signal};
use qapi::qga::GuestExecStatus;
use tokio::sync::watch;
use tokio::time::Instant;

use super::errors::errno_in;

/// One look at a command that has just begun costs the guest as much as the command itself.
const SHORTEST_PAUSE: Duration = Duration::from_millis(2);

/// How late the end of a command that takes long may be noticed.
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// How long to wait between two looks at something that has begun so long ago: a quarter of that, so that nothing
/// takes much longer than it would, and nothing is looked at often.
pub fn pause_after(elapsed: Duration) -> Duration {
    (elapsed / 4).clamp(SHORTEST_PAUSE, LONGEST_PAUSE)
}

/// What a process was started as.
#[derive(Clone, Debug)]
pub struct Started {
    /// How messages name it.
    pub label: String,
    /// The program, if it is called without a shell.
    pub program: Option<String>,
    /// The directory that it was started in.
    pub cwd: Option<String>,
    /// Whether it leads a group of its own.
    pub group: bool,
    /// Bytes kept of each output.
    pub max_output: u64,
}

/// What came of a process.
pub type Outcome = Result<RunReply, OpError>;

#[derive(Default)]
struct State {
    timed_out: bool,
    ending: Option<ExitStatus>,
    /// QGA knows nothing of it any more.
    over: bool,
}

/// See the module.
pub struct Proc {
    pub handle: ProcHandle,
    pub pid: i64,
    pub started_as: Started,
    began: Instant,
    state: Mutex<State>,
    outcome: watch::Sender<Option<Outcome>>,
    /// One asks at a time: QGA forgets a process when it has told its end.
    pub asking: tokio::sync::Mutex<()>,
}

impl Proc {
    pub fn new(handle: ProcHandle, pid: i64, started_as: Started, began: Instant) -> Proc {
        Proc {
            handle,
            pid,
            started_as,
            began,
            state: Mutex::default(),
            outcome: watch::Sender::new(None),
            asking: tokio::sync::Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long ago it began.
    pub fn age(&self) -> Duration {
        self.began.elapsed()
    }

    /// How messages name it.
    pub fn describe(&self) -> String {
        format!("process {} (`{}`)", self.pid, self.started_as.label)
    }

    /// What came of it, if that is known.
    pub fn outcome(&self) -> Option<Outcome> {
        self.outcome.borrow().clone()
    }

    /// Waits for what comes of it.
    pub async fn finished(&self) -> Outcome {
        let mut outcome = self.outcome.subscribe();
        match outcome.wait_for(Option::is_some).await.map(|outcome| outcome.clone()) {
            Ok(Some(outcome)) => outcome,
            _ => Err(OpError::agent(format!("{} was forgotten", self.describe()))),
        }
    }

    /// The kernel's word on how it ended.
    pub fn ending(&self) -> Option<ExitStatus> {
        self.state().ending
    }

    /// Whether there is nothing left to ask QGA.
    pub fn is_over(&self) -> bool {
        self.state().over
    }

    /// Notes that provium ends it because its time is up.
    pub fn set_timed_out(&self) {
        self.state().timed_out = true;
    }

    /// Takes what QGA says of its end.
    pub fn ended(&self, status: GuestExecStatus) {
        self.state().over = true;
        let ending = match (status.signal, status.exitcode) {
            (Some(signal), _) => i32::try_from(signal).ok().map(|signal| ExitStatus::Signalled(Signal(signal))),
            (None, Some(code)) => i32::try_from(code).ok().map(ExitStatus::Exited),
            (None, None) => None,
        };
        let Some(ending) = ending else {
            return self.set(Err(OpError::agent(format!(
                "qemu-guest-agent says that {} has ended, and not how",
                self.describe()
            ))));
        };
        let timed_out = {
            let mut state = self.state();
            state.ending = Some(ending);
            state.timed_out
        };
        let mut truncated = status.out_truncated == Some(true) || status.err_truncated == Some(true);
        let [mut stdout, mut stderr] = [status.out_data, status.err_data].map(Option::unwrap_or_default);
        if !timed_out
            && stdout.is_empty()
            && let Some(error) = self.failed_start(ending, &stderr)
        {
            return self.set(Err(error));
        }
        let most = usize::try_from(self.started_as.max_output).unwrap_or(usize::MAX);
        for output in [&mut stdout, &mut stderr] {
            truncated |= output.len() > most;
            output.truncate(most);
        }
        let status = if timed_out { ExitStatus::TimedOut } else { ending };
        self.set(Ok(RunReply { status, stdout, stderr, truncated, duration_ns: self.age_ns() }));
    }

    /// Its end is not waited for any longer. QGA gives no output before all who hold it are gone.
    pub fn give_up(&self) {
        let reply = RunReply {
            status: ExitStatus::TimedOut,
            stdout: Vec::new(),
            stderr: Vec::new(),
            truncated: true,
            duration_ns: self.age_ns(),
        };
        self.set(Ok(reply));
    }

    /// Notes that its end will never be known.
    pub fn lost(&self, error: OpError) {
        self.state().over = true;
        self.set(Err(error));
    }

    fn set(&self, outcome: Outcome) {
        self.outcome.send_if_modified(|known| known.is_none() && known.replace(outcome).is_none());
    }

    fn age_ns(&self) -> Nanos {
        Nanos::try_from(self.age().as_nanos()).unwrap_or(Nanos::MAX)
    }

    /// The error when it was the launcher that ended, because it could not start the program.
    fn failed_start(&self, ending: ExitStatus, stderr: &[u8]) -> Option<OpError> {
        let said = std::str::from_utf8(stderr).ok()?;
        if let (Some(cwd), ExitStatus::Exited(126), Some(why)) =
            (&self.started_as.cwd, ending, said.strip_prefix(CWD_MARK))
        {
            let doing = format!("start `{}` in {cwd}", self.started_as.label);
            return Some(match errno_in(why) {
                Some(errno) => OpError::os(errno, doing),
                None => OpError::agent(format!("{doing}: {}", why.trim())),
            });
        }
        let program = self.started_as.program.as_ref().filter(|_| self.started_as.group)?;
        if !matches!(ending, ExitStatus::Exited(126 | 127)) {
            return None;
        }
        let errno = errno_of_setsid(said, program)?;
        Some(OpError::os(errno, format!("start `{program}`")))
    }
}

/// What the shell that changes the directory says first when it cannot.
pub const CWD_MARK: &str = "provium: no such working directory\n";

/// The error in the words of setsid(1), that of util-linux or of busybox.
fn errno_of_setsid(said: &str, program: &str) -> Option<Errno> {
    let ways = [format!("failed to execute {program}: "), format!("can't execute '{program}': ")];
    let said = said.strip_prefix("setsid: ")?.strip_suffix('\n')?;
    let text = ways.iter().find_map(|way| said.strip_prefix(way.as_str()))?;
    Errno::ALL.iter().map(|(errno, _)| *errno).find(|errno| errno.text() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proc(program: Option<&str>) -> Proc {
        let started_as = Started {
            label: "x".to_owned(),
            program: program.map(str::to_owned),
            cwd: Some("/d".to_owned()),
            group: true,
            max_output: 4,
        };
        Proc::new(1, 12, started_as, Instant::now())
    }

    fn status(exitcode: Option<i64>, signal: Option<i64>, out: &str, err: &str) -> GuestExecStatus {
        GuestExecStatus {
            err_data: Some(err.as_bytes().to_vec()),
            err_truncated: None,
            exitcode,
            out_data: Some(out.as_bytes().to_vec()),
            out_truncated: None,
            signal,
            exited: true,
        }
    }

    fn came_of(program: Option<&str>, status: GuestExecStatus) -> Outcome {
        let proc = proc(program);
        proc.ended(status);
        proc.outcome().expect("it has ended")
    }

    #[test]
    fn output_is_kept_up_to_the_limit() {
        let reply = came_of(None, status(Some(3), None, "abcdef", "xyz")).expect("it ran");
        assert_eq!((reply.status, reply.truncated), (ExitStatus::Exited(3), true));
        assert_eq!((reply.stdout, reply.stderr), (b"abcd".to_vec(), b"xyz".to_vec()));
        let reply = came_of(None, status(None, Some(9), "", "")).expect("it ran");
        assert_eq!((reply.status, reply.truncated), (ExitStatus::Signalled(Signal::SIGKILL), false));
        let cut = GuestExecStatus { out_truncated: Some(true), ..status(Some(0), None, "abc", "") };
        assert!(came_of(None, cut).expect("it ran").truncated);
        assert!(came_of(None, status(None, None, "", "")).is_err());
    }

    #[test]
    fn a_program_that_could_not_be_started_is_told_from_one_that_exits_so() {
        for said in
            ["setsid: failed to execute x: Permission denied\n", "setsid: can't execute 'x': Permission denied\n"]
        {
            let error = came_of(Some("x"), status(Some(126), None, "", said)).expect_err("it did not start");
            assert_eq!(error, OpError::os(Errno::EACCES, "start `x`"));
            for other in [
                came_of(None, status(Some(126), None, "", said)),
                came_of(Some("y"), status(Some(126), None, "", said)),
                came_of(Some("x"), status(Some(1), None, "", said)),
                came_of(Some("x"), status(Some(126), None, "out", said)),
                came_of(Some("x"), status(Some(126), None, "", &format!("{said}more\n"))),
            ] {
                assert!(other.is_ok());
            }
        }
        let said = format!("{CWD_MARK}ls: cannot access '/d/.': Not a directory\n");
        let error = came_of(None, status(Some(126), None, "", &said)).expect_err("it did not start");
        assert_eq!(error, OpError::os(Errno::ENOTDIR, "start `x` in /d"));
    }

    #[test]
    fn a_timeout_outranks_the_signal_that_carried_it_out_and_the_first_outcome_stays() {
        let killed = proc(None);
        killed.set_timed_out();
        killed.ended(status(None, Some(9), "out", ""));
        killed.give_up();
        let reply = killed.outcome().expect("it has ended").expect("it ran");
        assert_eq!((reply.status, reply.stdout), (ExitStatus::TimedOut, b"out".to_vec()));
        assert_eq!(killed.ending(), Some(ExitStatus::Signalled(Signal::SIGKILL)));
    }

    #[test]
    fn pauses_grow_with_age() {
        let pause = |ms| pause_after(Duration::from_millis(ms)).as_millis();
        assert_eq!([0, 8, 40, 400, 60_000].map(pause), [2, 2, 10, 100, 100]);
    }
}
