//! Starting programs.

use std::ffi::CString;

use provium_agent::os::{Child, SpawnError, SpawnSpec, SpawnStage};
use provium_protocol::Errno;
use tokio::io::Interest;

use super::blocking::Pool;
use super::child::{self, Plan};
use super::fds::Table;
use super::reap::Births;
use super::sys::{self, Fd, check};
use super::turns::Turns;

/// The first descriptor that is no standard one.
const FIRST_FREE: i32 = 3;

/// What every process of the agent starts with.
#[derive(Clone)]
pub struct Start {
    /// Who is told of children.
    pub births: Births,
    /// The limit of open files that programs get.
    pub files: Option<libc::rlimit>,
    /// What programs get as their `oom_score_adj`, where the agent has changed its own.
    pub oom_score_adj: Option<CString>,
}

/// A program that was started. Nobody has learnt of it until it is kept: dropping it kills it.
struct Started {
    pid: i32,
    stdin: Option<Fd>,
    stdout: Option<Fd>,
    stderr: Option<Fd>,
    kept: bool,
}

impl Drop for Started {
    fn drop(&mut self) {
        if !self.kept {
            // SAFETY: sending a signal is no matter of memory.
            unsafe { libc::kill(-self.pid, libc::SIGKILL) };
        }
    }
}

fn no_process(errno: Errno) -> SpawnError {
    SpawnError { stage: SpawnStage::Fork, errno }
}

/// Starts a program.
pub async fn spawn(
    pool: &Pool,
    table: &Table,
    turns: &Turns,
    start: &Start,
    spec: &SpawnSpec,
) -> Result<Child, SpawnError> {
    let _turn = turns.next().await;
    let (spec, start) = (spec.clone(), start.clone());
    // A thread's work: the system may take its time to read the program, or to find the directory.
    let submitted = pool.submit(move |gate| {
        if gate.is_cancelled() {
            return Err(no_process(Errno::EINTR));
        }
        begin(&spec, &start)
    });
    let started = submitted.map_err(no_process)?.await;
    let mut started = started.unwrap_or(Err(no_process(Errno::EIO)))?;
    let connect = |fd: Option<Fd>, interest| match fd {
        Some(fd) => table.add_pipe(fd, interest).map(Some),
        None => Ok(None),
    };
    let ends = (|| {
        let stdin = connect(started.stdin.take(), Interest::WRITABLE)?;
        let stdout = connect(started.stdout.take(), Interest::READABLE)?;
        let stderr = connect(started.stderr.take(), Interest::READABLE)?;
        Ok((stdin, stdout.ok_or(Errno::EBADF)?, stderr.ok_or(Errno::EBADF)?))
    })();
    let (stdin, stdout, stderr) = ends.map_err(no_process)?;
    started.kept = true;
    Ok(Child { pid: started.pid, stdin, stdout, stderr })
}

fn begin(spec: &SpawnSpec, start: &Start) -> Result<Started, SpawnError> {
    let (input, stdin) = input(spec.stdin_pipe).map_err(no_process)?;
    let (stdout, out) = output().map_err(no_process)?;
    let (stderr, err) = output().map_err(no_process)?;
    let plan = plan(spec, [input.raw(), out.raw(), err.raw()], start).map_err(no_process)?;
    let expected = start.births.expect();
    let pid = child::make(&plan)?;
    expected.claim(pid);
    if spec.looked_at {
        super::proc::wait_started(pid);
    }
    Ok(Started { pid, stdin, stdout: Some(stdout), stderr: Some(stderr), kept: false })
}

fn input(pipe: bool) -> Result<(Fd, Option<Fd>), Errno> {
    if pipe {
        let (read, write) = sys::pipe()?;
        sys::set_nonblocking(&write)?;
        return Ok((above_standard(read)?, Some(above_standard(write)?)));
    }
    // SAFETY: the path ends in a NUL.
    let null = Fd::from_call(unsafe { libc::open(c"/dev/null".as_ptr(), libc::O_RDWR | libc::O_CLOEXEC) })?;
    Ok((above_standard(null)?, None))
}

fn output() -> Result<(Fd, Fd), Errno> {
    let (read, write) = sys::pipe()?;
    sys::set_nonblocking(&read)?;
    Ok((above_standard(read)?, above_standard(write)?))
}

/// A descriptor that does not get into the way of the standard ones.
fn above_standard(fd: Fd) -> Result<Fd, Errno> {
    if fd.raw() >= FIRST_FREE {
        return Ok(fd);
    }
    // SAFETY: it takes numbers.
    let copy = check(unsafe { libc::fcntl(fd.raw(), libc::F_DUPFD_CLOEXEC, FIRST_FREE) })?;
    Ok(Fd::new(copy))
}

fn plan(spec: &SpawnSpec, standard: [i32; 3], start: &Start) -> Result<Plan, Errno> {
    let strings = |all: &[Vec<u8>]| all.iter().map(|one| sys::c_string(one)).collect::<Result<Vec<CString>, Errno>>();
    let env = spec.env.iter().map(|(name, value)| sys::c_string(&[&name.0[..], b"=", &value.0].concat()));
    Ok(Plan {
        candidates: strings(&spec.candidates)?,
        argv: strings(&spec.argv)?,
        env: env.collect::<Result<_, _>>()?,
        cwd: spec.cwd.as_ref().map(|cwd| sys::c_string(cwd)).transpose()?,
        standard,
        files: start.files,
        oom_score_adj: start.oom_score_adj.clone(),
    })
}
