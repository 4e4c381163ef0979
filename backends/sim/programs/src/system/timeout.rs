//! timeout(1): runs a command and ends it when its time is up.

use std::cell::Cell;
use std::rc::Rc;

use provium_kernel::{Errno, Pid, SigAction, Signal, WaitFor, WaitOptions, WaitStatus};

use crate::shared::exec::{cannot_run, exec_path};
use crate::shared::tool::{STDERR, text_of};
use crate::shared::{Opt, Outcome, Spec, Tool, duration, quote};

/// The command timed out.
const TIMED_OUT: i32 = 124;
/// timeout itself failed.
const FAILED: i32 = 125;

const SPEC: Spec = Spec::new(
    "[OPTION] DURATION COMMAND [ARG]...",
    &[
        Opt::flag("", "foreground"),
        Opt::value("k", "kill-after"),
        Opt::flag("", "preserve-status"),
        Opt::value("s", "signal"),
        Opt::flag("v", "verbose"),
    ],
)
.failure(FAILED)
.stop_at_operand();

pub(super) async fn run(tool: Tool) -> Outcome {
    let parsed = tool.parse(&SPEC).await?;
    let (Some(limit), [_, command @ ..]) = (parsed.operands.first(), &parsed.operands[..]) else {
        return Err(tool.missing_operand(FAILED, None).await);
    };
    if command.is_empty() {
        return Err(tool.missing_operand(FAILED, Some(limit)).await);
    }
    let mut times = [Some(limit.as_slice()), parsed.value("kill-after")].into_iter();
    let mut time = async || match times.next().flatten() {
        None => Ok(None),
        Some(text) => match duration::with_suffix(text) {
            Some(0) => Ok(None),
            Some(ns) => Ok(Some(ns)),
            None => Err(tool.usage_error(FAILED, format!("invalid time interval {}", quote(text))).await),
        },
    };
    let (limit, kill_after) = (time().await?, time().await?);
    let signal = match parsed.value("signal") {
        None => Signal::SIGTERM,
        Some(name) => match std::str::from_utf8(name).ok().and_then(Signal::parse) {
            Some(signal) => signal,
            None => return Err(tool.usage_error(FAILED, format!("{}: invalid signal", quote(name))).await),
        },
    };
    let foreground = parsed.has("foreground");
    if !foreground {
        // Its own group, so that what the command starts ends with it. A group leader is in one already.
        let _grouped = tool.sys.setpgid(0, 0).await;
    }
    for caught in [Signal::SIGALRM, Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGQUIT, signal] {
        let _set = tool.sys.sigaction(caught, SigAction::Catch).await;
    }
    let child = start(&tool, command).await?;
    let watch = Watch {
        tool: &tool,
        command,
        child,
        signal,
        foreground,
        verbose: parsed.has("verbose"),
        preserve: parsed.has("preserve-status"),
        kill_after: Cell::new(kill_after),
        timed_out: Cell::new(false),
    };
    watch.run(limit).await
}

async fn start(tool: &Tool, command: &[Vec<u8>]) -> Result<Pid, crate::shared::Exit> {
    let (argv, env, name) = (command.to_vec(), tool.env.clone(), Rc::<[u8]>::from(tool.name()));
    let forked = tool.sys.fork(move |sys| {
        Box::pin(async move {
            let shown = argv.first().cloned().unwrap_or_default();
            for ignored in [Signal::SIGTTIN, Signal::SIGTTOU] {
                let _set = sys.sigaction(ignored, SigAction::Default).await;
            }
            let errno = exec_path(&sys, argv, env).await;
            let why = format!(": failed to run command {}: {}\n", quote(&shown), text_of(errno));
            let text = [&name[..], why.as_bytes()];
            let _lost = sys.write_all(STDERR, &text.concat()).await;
            cannot_run(errno)
        })
    });
    match forked.await {
        Ok(child) => Ok(child),
        Err(errno) => Err(tool.fail_errno(FAILED, "fork system call failed", errno).await),
    }
}

struct Watch<'a> {
    tool: &'a Tool,
    command: &'a [Vec<u8>],
    child: Pid,
    signal: Signal,
    foreground: bool,
    verbose: bool,
    preserve: bool,
    kill_after: Cell<Option<u64>>,
    timed_out: Cell<bool>,
}

impl Watch<'_> {
    async fn run(&self, limit: Option<u64>) -> Outcome {
        let sys = &self.tool.sys;
        let _armed = sys.alarm(limit).await;
        let mut signal = self.signal;
        loop {
            match sys.wait(WaitFor::Pid(self.child), WaitOptions::default()).await {
                Ok(Some((_, status))) => return Ok(self.code(status, signal)),
                Err(Errno::EINTR) => {
                    for caught in sys.take_caught() {
                        let send = if caught == Signal::SIGALRM {
                            self.timed_out.set(true);
                            signal
                        } else {
                            caught
                        };
                        self.send(send).await;
                        if let Some(after) = self.kill_after.take() {
                            signal = Signal::SIGKILL;
                            let _armed = sys.alarm(Some(after)).await;
                        }
                    }
                }
                Ok(None) => {}
                Err(errno) => return Err(self.tool.fail_errno(FAILED, "error waiting for command", errno).await),
            }
        }
    }

    fn code(&self, status: WaitStatus, last: Signal) -> i32 {
        let plain = match status {
            WaitStatus::Exited(code) => code,
            WaitStatus::Signalled(signal, _) => 128 + signal.0,
            WaitStatus::Stopped(_) | WaitStatus::Continued => FAILED,
        };
        let killed = status == WaitStatus::Signalled(Signal::SIGKILL, false) && last == Signal::SIGKILL;
        if self.timed_out.get() && !self.preserve && !killed { TIMED_OUT } else { plain }
    }

    async fn send(&self, signal: Signal) {
        let sys = &self.tool.sys;
        if self.verbose {
            let name = signal.name();
            let shown = self.command.first().map(|name| quote(name.as_slice())).unwrap_or_default();
            let bare = name.strip_prefix("SIG").unwrap_or(&name);
            self.tool.error(format!("sending signal {bare} to command {shown}")).await;
        }
        // The command may have ended on its own by now.
        let _sent = sys.kill(self.child, Some(signal)).await;
        if self.foreground {
            return;
        }
        // The rest of the group, timeout itself left alone.
        let _set = sys.sigaction(signal, SigAction::Ignore).await;
        if signal == Signal::SIGKILL || signal == Signal::SIGSTOP {
            return;
        }
        let _sent = sys.kill(0, Some(signal)).await;
        let _sent = sys.kill(self.child, Some(Signal::SIGCONT)).await;
    }
}
