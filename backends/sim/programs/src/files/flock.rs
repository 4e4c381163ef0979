//! flock(1): runs a command, or goes on, with a lock held.

use provium_kernel::flags::{LOCK_EX, LOCK_NB, LOCK_SH, LOCK_UN, O_CREAT, O_NOCTTY, O_RDONLY};
use provium_kernel::{Errno, Fd, SigAction, Signal, WaitFor, WaitOptions, WaitStatus};

use crate::shared::duration;
use crate::shared::exec::exec_path;
use crate::shared::tool::{Tool, text_of};
use crate::shared::{Exit, Opt, Outcome, Parsed, Spec, quote};

/// sysexits(3): wrong use of the command.
const EX_USAGE: i32 = 64;
/// sysexits(3): the descriptor is none.
const EX_DATAERR: i32 = 65;
/// sysexits(3): the lock file cannot be opened.
const EX_NOINPUT: i32 = 66;
/// sysexits(3): the command cannot be run.
const EX_UNAVAILABLE: i32 = 69;
/// sysexits(3): the system does not do it.
const EX_OSERR: i32 = 71;
/// sysexits(3): the lock file cannot be made.
const EX_CANTCREAT: i32 = 73;

const SPEC: Spec = Spec::new(
    "[options] <file>|<directory> <command> [<argument>...]",
    &[
        Opt::flag("s", "shared"),
        Opt::flag("xe", "exclusive"),
        Opt::flag("u", "unlock"),
        Opt::flag("n", "nonblock"),
        Opt::flag("", "nb"),
        Opt::value("w", "timeout"),
        Opt::flag("", "wait"),
        Opt::value("E", "conflict-exit-code"),
        Opt::flag("o", "close"),
        Opt::value("c", "command"),
        Opt::flag("F", "no-fork"),
        Opt::flag("", "verbose"),
    ],
)
.failure(EX_USAGE)
.stop_at_operand();

pub(super) async fn run(mut tool: Tool) -> Outcome {
    tool.use_short_name();
    let parsed = tool.parse(&SPEC).await?;
    let conflict = match parsed.value("conflict-exit-code") {
        None => 1,
        Some(text) => match std::str::from_utf8(text).ok().and_then(|text| text.parse::<i32>().ok()) {
            Some(code @ 0..=255) => code,
            Some(_) => return Err(tool.fail(EX_USAGE, "exit code out of range (expected 0 to 255)").await),
            None => {
                let text = format!("invalid exit code: {}", quote(text));
                return Err(tool.fail(EX_USAGE, text).await);
            }
        },
    };
    let mut patience = None;
    if let Some(text) = parsed.value("timeout") {
        match duration::seconds(text) {
            Some(ns) => patience = Some(ns),
            None => return Err(tool.fail(EX_USAGE, format!("invalid timeout value: {}", quote(text))).await),
        }
    }
    let command = command(&tool, &parsed).await?;
    let Some(target) = parsed.operands.first() else {
        return Err(tool.usage_error(EX_USAGE, "not enough arguments").await);
    };
    let fd = if command.is_some() { open(&tool, target).await? } else { number(&tool, target).await? };
    lock(&tool, target, fd, &parsed, patience, conflict).await?;
    let Some(command) = command else { return Ok(0) };
    if parsed.has("no-fork") && parsed.has("close") {
        return Err(tool.fail(EX_USAGE, "the --no-fork and --close options are incompatible").await);
    }
    if parsed.has("verbose") {
        let shown = String::from_utf8_lossy(command.first().map_or(&[][..], Vec::as_slice)).into_owned();
        tool.out.write(format!("flock: executing {shown}\n")).await?;
        tool.out.flush().await?;
    }
    if parsed.has("no-fork") {
        return Ok(execute(&tool, command).await);
    }
    run_command(tool, command, fd, parsed.has("close")).await
}

/// The command to run with the lock held; `None` if the operand is a descriptor to be locked.
async fn command(tool: &Tool, parsed: &Parsed) -> Result<Option<Vec<Vec<u8>>>, Exit> {
    let shell = || tool.env_var("SHELL").filter(|shell| !shell.is_empty()).unwrap_or(b"/bin/sh").to_vec();
    let rest = parsed.operands.get(1..).unwrap_or_default();
    if let Some(line) = parsed.value("command") {
        return Ok(Some(vec![shell(), b"-c".to_vec(), line.to_vec()]));
    }
    match rest {
        [] => Ok(None),
        [option, line] if option == b"-c" || option == b"--command" => {
            Ok(Some(vec![shell(), b"-c".to_vec(), line.clone()]))
        }
        [option, ..] if option == b"-c" || option == b"--command" => {
            let text = format!("{} requires exactly one command argument", String::from_utf8_lossy(option));
            Err(tool.fail(EX_USAGE, text).await)
        }
        command => Ok(Some(command.to_vec())),
    }
}

async fn open(tool: &Tool, path: &[u8]) -> Result<Fd, Exit> {
    let mut opened = tool.sys.open(path, O_RDONLY | O_CREAT | O_NOCTTY, 0o666).await;
    if opened == Err(Errno::EISDIR) {
        opened = tool.sys.open(path, O_RDONLY | O_NOCTTY, 0).await;
    }
    match opened {
        Ok(fd) => Ok(fd),
        Err(errno) => {
            let code = match errno {
                Errno::ENOMEM | Errno::EMFILE | Errno::ENFILE => EX_OSERR,
                Errno::EROFS | Errno::ENOSPC => EX_CANTCREAT,
                _ => EX_NOINPUT,
            };
            let text = format!("cannot open lock file {}", String::from_utf8_lossy(path));
            Err(tool.fail_errno(code, text, errno).await)
        }
    }
}

async fn number(tool: &Tool, text: &[u8]) -> Result<Fd, Exit> {
    match std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()) {
        Some(fd) => Ok(fd),
        None => Err(tool.fail(EX_USAGE, format!("bad file descriptor: {}", quote(text))).await),
    }
}

async fn lock(
    tool: &Tool,
    target: &[u8],
    fd: Fd,
    parsed: &Parsed,
    patience: Option<u64>,
    conflict: i32,
) -> Result<(), Exit> {
    let kind = match parsed.last_of(&["shared", "exclusive", "unlock"]) {
        Some("shared") => LOCK_SH,
        Some("unlock") => LOCK_UN,
        _ => LOCK_EX,
    };
    let at_once = parsed.has("nonblock") || parsed.has("nb") || patience == Some(0);
    let verbose = parsed.has("verbose");
    let started = if verbose { tool.sys.clock_monotonic().await } else { 0 };
    let timer = patience.filter(|ns| *ns > 0 && !at_once);
    if timer.is_some() {
        let _set = tool.sys.sigaction(Signal::SIGALRM, SigAction::Catch).await;
        let _armed = tool.sys.alarm(timer).await;
    }
    loop {
        match tool.sys.flock(fd, kind | if at_once { LOCK_NB } else { 0 }).await {
            Ok(()) => break,
            Err(Errno::EWOULDBLOCK) => {
                if verbose {
                    tool.error("failed to get lock").await;
                }
                return Err(Exit(conflict));
            }
            Err(Errno::EINTR) => {
                if tool.sys.take_caught().contains(&Signal::SIGALRM) {
                    if verbose {
                        tool.error("timeout while waiting to get lock").await;
                    }
                    return Err(Exit(conflict));
                }
            }
            Err(errno) => {
                let code = match errno {
                    Errno::ENOLCK | Errno::ENOMEM => EX_OSERR,
                    _ => EX_DATAERR,
                };
                return Err(tool.fail_errno(code, String::from_utf8_lossy(target).as_bytes(), errno).await);
            }
        }
    }
    if verbose {
        let ns = tool.sys.clock_monotonic().await.saturating_sub(started);
        let (seconds, micros) = (ns / 1_000_000_000, ns / 1000 % 1_000_000);
        tool.out.write(format!("flock: getting lock took {seconds}.{micros:06} seconds\n")).await?;
    }
    if timer.is_some() {
        let _disarmed = tool.sys.alarm(None).await;
        let _set = tool.sys.sigaction(Signal::SIGALRM, SigAction::Default).await;
    }
    Ok(())
}

async fn run_command(tool: Tool, command: Vec<Vec<u8>>, fd: Fd, close: bool) -> Outcome {
    let _set = tool.sys.sigaction(Signal::SIGCHLD, SigAction::Default).await;
    let env = tool.env.clone();
    let name = tool.name().to_vec();
    let forked = tool
        .sys
        .fork(move |sys| {
            Box::pin(async move {
                if close {
                    let _closed = sys.close(fd).await;
                }
                let shown = command.first().cloned().unwrap_or_default();
                let errno = exec_path(&sys, command, env).await;
                let reason = text_of(errno);
                let text = [name.as_slice(), b": failed to execute ", &shown, b": ", reason.as_bytes(), b"\n"];
                let _lost = sys.write_all(crate::shared::tool::STDERR, &text.concat()).await;
                if errno == Errno::ENOMEM { EX_OSERR } else { EX_UNAVAILABLE }
            })
        })
        .await;
    let child = match forked {
        Ok(child) => child,
        Err(errno) => return Err(tool.fail_errno(EX_OSERR, "fork failed", errno).await),
    };
    loop {
        match tool.sys.wait(WaitFor::Pid(child), WaitOptions::default()).await {
            Ok(Some((_, WaitStatus::Exited(code)))) => return Ok(code),
            Ok(Some((_, WaitStatus::Signalled(signal, _)))) => return Ok(128 + signal.0),
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(tool.fail_errno(EX_OSERR, "waitpid failed", errno).await),
        }
    }
}

async fn execute(tool: &Tool, command: Vec<Vec<u8>>) -> i32 {
    let shown = String::from_utf8_lossy(command.first().map_or(&[][..], Vec::as_slice)).into_owned();
    let errno = exec_path(&tool.sys, command, tool.env.clone()).await;
    tool.error_errno(format!("failed to execute {shown}"), errno).await;
    if errno == Errno::ENOMEM { EX_OSERR } else { EX_UNAVAILABLE }
}
