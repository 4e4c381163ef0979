//! Starting commands.
//!
//! QGA gives its children neither a process group, which a timeout kills, nor a working directory. setsid(1) makes the one,
//! a shell changes into the other; both then become the program, so that its process is the one that QGA knows. What
//! they say when they cannot is read by `proc`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use provium_protocol::OpError;
use provium_protocol::exec::{ByteString, Command, ExecSpec};
use qapi::qga::{GuestExecCaptureOutput, guest_exec};
use tokio::time::Instant;

use super::proc::{CWD_MARK, Proc, Started, pause_after};
use super::{Inner, checks, files, procs};

const SHELL: &str = "/bin/sh";

/// Becomes the command behind `$0` in the directory `$0`. Its arguments follow.
fn change_directory() -> String {
    let mark = CWD_MARK.trim_end();
    // The error of a `cd` has no text in some shells; ls(1) goes the same way and says what is wrong.
    format!(
        "cd -P -- \"$0\" 2>/dev/null || {{ echo '{mark}'; LC_ALL=C ls -d -- \"$0/.\"; exit 126; }} >&2; exec \"$@\""
    )
}

/// How long a program that is not there any more may have its end unnoticed.
const END_UNNOTICED: Duration = Duration::from_secs(1);

/// A process that was just started. Unless it is kept, it is killed when this is dropped.
pub struct Fresh {
    inner: Arc<Inner>,
    proc: Option<Arc<Proc>>,
}

impl Fresh {
    fn new(inner: &Arc<Inner>, proc: Arc<Proc>) -> Fresh {
        Fresh { inner: Arc::clone(inner), proc: Some(proc) }
    }

    /// The process.
    pub fn proc(&self) -> Result<Arc<Proc>, OpError> {
        self.proc.clone().ok_or_else(|| OpError::agent("a started command was lost"))
    }

    /// Leaves it alone from now on.
    pub fn keep(mut self) {
        self.proc = None;
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        if let Some(proc) = self.proc.take() {
            procs::abandon(&self.inner, proc);
        }
    }
}

/// A command as QGA is told it, and what tells of its start.
struct Settled {
    command: guest_exec,
    started_as: Started,
    /// What the process is called, for the kernel, before it becomes the program.
    before: Vec<Vec<u8>>,
}

/// Starts a command.
pub async fn start(inner: &Arc<Inner>, spec: &ExecSpec) -> Result<Fresh, OpError> {
    checks::exec(spec)?;
    let settled = settle(inner, spec).await?;
    start_settled(inner, settled.command, settled.started_as).await
}

/// Starts a command, and waits until the process has become what was asked for.
pub async fn start_and_see(inner: &Arc<Inner>, spec: &ExecSpec) -> Result<Fresh, OpError> {
    checks::exec(spec)?;
    let Settled { command, started_as, before } = settle(inner, spec).await?;
    let fresh = start_settled(inner, command, started_as).await?;
    if !before.is_empty() {
        see_start(inner, &*fresh.proc()?, &before).await?;
    }
    Ok(fresh)
}

async fn start_settled(inner: &Arc<Inner>, command: guest_exec, started_as: Started) -> Result<Fresh, OpError> {
    let task_inner = Arc::clone(inner);
    // A task, because a process of which nobody knows could not be ended: one that nobody waits for is killed.
    let starting = inner.runtime.spawn(async move {
        let began = Instant::now();
        let what = started_as.program.clone().unwrap_or_else(|| SHELL.to_owned());
        let answer = task_inner.talk.ask(command).await;
        let pid = answer.map_err(|refused| refused.doing(format!("start `{what}`")))?.pid;
        let proc = Arc::new(Proc::new(task_inner.next_handle(), pid, started_as, began));
        task_inner.runtime.spawn(procs::watch(Arc::clone(&task_inner), Arc::clone(&proc)));
        Ok(Fresh::new(&task_inner, proc))
    });
    starting.await.map_err(|error| OpError::agent(format!("starting a command ended: {error}")))?
}

/// Waits until the launcher has become the program, or has ended because it could not.
async fn see_start(inner: &Arc<Inner>, proc: &Proc, before: &[Vec<u8>]) -> Result<(), OpError> {
    let path = format!("/proc/{}/cmdline", proc.pid);
    loop {
        if let Some(outcome) = proc.outcome() {
            return outcome.map(drop);
        }
        match files::read_path(inner, &path).await {
            Err(error) if files::is_gone(&error) => {
                // It has ended; if something of it still runs, it was the program.
                let outcome = tokio::time::timeout(END_UNNOTICED, proc.finished()).await;
                return outcome.map_or(Ok(()), |outcome| outcome.map(drop));
            }
            Err(error) => return Err(error),
            Ok(now) if !now.is_empty() && !before.contains(&now) => return Ok(()),
            Ok(_) => tokio::time::sleep(pause_after(proc.age())).await,
        }
    }
}

async fn settle(inner: &Arc<Inner>, spec: &ExecSpec) -> Result<Settled, OpError> {
    let (program, mut argv) = match &spec.command {
        Command::Shell(script) => {
            (None, vec![SHELL.to_owned(), "-c".to_owned(), checks::text("the command", script.as_bytes())?])
        }
        Command::Direct { program, args } => {
            let program = checks::text("the program", program.as_bytes())?;
            let args = args.iter().map(|arg| checks::text("an argument", &arg.0));
            (Some(program.clone()), std::iter::once(Ok(program)).chain(args).collect::<Result<_, _>>()?)
        }
    };
    let mut before = Vec::new();
    let setsid = inner.setsid.get_or_try_init(|| find_setsid(inner)).await?;
    if let Some(setsid) = setsid {
        let option = argv[0].starts_with('-').then(|| "--".to_owned());
        argv.splice(0..0, std::iter::once(setsid.clone()).chain(option));
        before.push(cmdline(&argv));
    }
    let cwd = spec.cwd.as_ref().map(|cwd| checks::text("the working directory", &cwd.0)).transpose()?;
    if let Some(cwd) = &cwd {
        // Not `-`, which is another directory to a shell.
        let given = if cwd.starts_with('/') { cwd.clone() } else { format!("./{cwd}") };
        argv.splice(0..0, [SHELL.to_owned(), "-c".to_owned(), change_directory(), given]);
        before.push(cmdline(&argv));
    }
    let env = environment(inner, spec).await?;
    let mut argv = argv.into_iter();
    let path = argv.next().unwrap_or_default();
    Ok(Settled {
        command: guest_exec {
            path,
            arg: Some(argv.collect()),
            env,
            input_data: (!spec.stdin.is_empty()).then(|| spec.stdin.clone()),
            capture_output: Some(GuestExecCaptureOutput::flag(true)),
        },
        started_as: Started {
            label: spec.command.label(),
            program,
            cwd,
            group: setsid.is_some(),
            max_output: spec.max_output,
        },
        before,
    })
}

/// Arguments as the kernel shows them.
fn cmdline(argv: &[String]) -> Vec<u8> {
    argv.iter().flat_map(|arg| arg.bytes().chain([0])).collect()
}

/// Where setsid(1) is in the guest. Nearly every guest has it; without it, only the process itself can be ended.
async fn find_setsid(inner: &Arc<Inner>) -> Result<Option<String>, OpError> {
    let found = procs::helper(inner, "command -v setsid", &[], "look for setsid in the guest").await?;
    let path = String::from_utf8_lossy(&found.stdout).trim().to_owned();
    Ok(path.starts_with('/').then_some(path))
}

/// The whole environment of a command, where it is not QGA's own.
async fn environment(inner: &Arc<Inner>, spec: &ExecSpec) -> Result<Option<Vec<String>>, OpError> {
    if spec.env.is_empty() && !spec.env_clear {
        return Ok(None);
    }
    let mut env = BTreeMap::new();
    if !spec.env_clear {
        let own = inner.environment.get_or_try_init(|| files::read_path(inner, "/proc/self/environ")).await?;
        env.extend(entries(own));
    }
    env.extend(spec.env.iter().cloned());
    let pair = |(name, value): (ByteString, ByteString)| {
        let name = checks::text("the name of an environment variable", &name.0)?;
        let value = checks::text(&format!("the environment variable `{name}`"), &value.0)?;
        Ok(format!("{name}={value}"))
    };
    env.into_iter().map(pair).collect::<Result<_, _>>().map(Some)
}

/// Names and values as `/proc/PID/environ` has them.
fn entries(environ: &[u8]) -> impl Iterator<Item = (ByteString, ByteString)> {
    environ.split(|byte| *byte == 0).filter_map(|entry| {
        let at = entry.iter().position(|byte| *byte == b'=')?;
        Some((entry[..at].to_vec().into(), entry[at + 1..].to_vec().into()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_is_read_as_the_kernel_shows_it() {
        let found: Vec<_> = entries(b"A=1\0B=x=y\0nothing\0C=\0").collect();
        assert_eq!(found, [("A".into(), "1".into()), ("B".into(), "x=y".into()), ("C".into(), "".into())]);
    }

    #[test]
    fn arguments_look_as_the_kernel_shows_them() {
        assert_eq!(cmdline(&["sh".to_owned(), String::new(), "x y".to_owned()]), b"sh\0\0x y\0");
    }
}
