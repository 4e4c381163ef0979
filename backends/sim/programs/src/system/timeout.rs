//! timeout(1): a command in a process group of its own, and a signal to it when its time is over.

use provium_kernel::{Errno, Pid, SigAction, Signal, WaitFor, WaitOptions, WaitStatus};

use crate::shared::duration::with_suffix;
use crate::shared::exec::{cannot_run, exec_path};
use crate::shared::tool::{STDERR, text_of};
use crate::shared::{Exit, Opt, Outcome, Spec, Tool, quote, quoteaf};

/// The command ran out of time.
const TIMED_OUT: i32 = 124;
/// timeout itself failed.
const CANCELED: i32 = 125;

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
.failure(CANCELED)
.stop_at_operand();

struct Watch {
    tool: Tool,
    command: Vec<u8>,
    child: Pid,
    signal: Signal,
    kill_after: u64,
    foreground: bool,
    verbose: bool,
    timed_out: bool,
}

pub(super) async fn run(tool: Tool) -> Outcome {
    let parsed = tool.parse(&SPEC).await?;
    let mut kill_after = 0;
    if let Some(text) = parsed.value("kill-after") {
        kill_after = interval(&tool, text).await?;
    }
    let mut signal = Signal::SIGTERM;
    if let Some(text) = parsed.value("signal") {
        match Signal::parse(&String::from_utf8_lossy(text)) {
            Some(given) => signal = given,
            None => return Err(tool.usage_error(CANCELED, format!("{}: invalid signal", quote(text))).await),
        }
    }
    let [duration, command @ ..] = parsed.operands.as_slice() else {
        return Err(tool.usage_hint(CANCELED).await);
    };
    if command.is_empty() {
        return Err(tool.usage_hint(CANCELED).await);
    }
    let duration = interval(&tool, duration).await?;
    let foreground = parsed.has("foreground");
    if !foreground {
        let _set = tool.sys.setpgid(0, 0).await;
    }
    for caught in [Signal::SIGALRM, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGHUP, Signal::SIGTERM, signal] {
        let _set = tool.sys.sigaction(caught, SigAction::Catch).await;
    }
    for ignored in [Signal::SIGTTIN, Signal::SIGTTOU] {
        let _set = tool.sys.sigaction(ignored, SigAction::Ignore).await;
    }
    let words = command.to_vec();
    let child = start(&tool, words).await?;
    let mut watch = Watch {
        command: command.first().cloned().unwrap_or_default(),
        child,
        signal,
        kill_after,
        foreground,
        verbose: parsed.has("verbose"),
        timed_out: false,
        tool,
    };
    // 0 is no limit.
    if duration > 0 {
        let _armed = watch.tool.sys.alarm(Some(duration)).await;
    }
    let status = watch.wait().await?;
    watch.end(status, parsed.has("preserve-status")).await
}

async fn interval(tool: &Tool, text: &[u8]) -> Result<u64, Exit> {
    match with_suffix(text) {
        Some(ns) => Ok(ns),
        None => Err(tool.usage_error(CANCELED, format!("invalid time interval {}", quote(text))).await),
    }
}

async fn start(tool: &Tool, words: Vec<Vec<u8>>) -> Result<Pid, Exit> {
    let env = tool.env.clone();
    let name = tool.name().to_vec();
    let forked = tool.sys.fork(move |sys| {
        Box::pin(async move {
            for signal in [Signal::SIGTTIN, Signal::SIGTTOU] {
                let _set = sys.sigaction(signal, SigAction::Default).await;
            }
            let shown = quoteaf(words.first().map_or(&[][..], Vec::as_slice));
            let errno = exec_path(&sys, words, env).await;
            let text =
                format!("{}: failed to run command {shown}: {}\n", String::from_utf8_lossy(&name), text_of(errno));
            let _lost = sys.write_all(STDERR, text.as_bytes()).await;
            cannot_run(errno)
        })
    });
    match forked.await {
        Ok(child) => Ok(child),
        Err(errno) => Err(tool.fail_errno(CANCELED, "fork system call failed", errno).await),
    }
}

impl Watch {
    async fn wait(&mut self) -> Result<WaitStatus, Exit> {
        loop {
            match self.tool.sys.wait(WaitFor::Pid(self.child), WaitOptions::default()).await {
                Ok(Some((_, status))) => return Ok(status),
                Ok(None) => {}
                Err(Errno::EINTR) => {
                    for caught in self.tool.sys.take_caught() {
                        self.pass_on(caught).await;
                    }
                }
                Err(errno) => return Err(self.tool.fail_errno(CANCELED, "error waiting for command", errno).await),
            }
        }
    }

    /// Sends the command a signal that timeout got, or its own when the time is over.
    async fn pass_on(&mut self, caught: Signal) {
        let mut signal = caught;
        if caught == Signal::SIGALRM {
            self.timed_out = true;
            signal = self.signal;
        }
        if self.kill_after > 0 {
            self.signal = Signal::SIGKILL;
            let _armed = self.tool.sys.alarm(Some(self.kill_after)).await;
            self.kill_after = 0;
        }
        if self.verbose {
            let name = signal.name();
            let name = name.strip_prefix("SIG").unwrap_or(&name);
            self.tool.error(format!("sending signal {name} to command {}", quote(&self.command))).await;
        }
        self.send(self.child, signal).await;
        if self.foreground {
            return;
        }
        // The rest of the group, timeout itself left out unless the signal cannot be ignored.
        self.send(0, signal).await;
        if !matches!(signal, Signal::SIGKILL | Signal::SIGCONT) {
            self.send(self.child, Signal::SIGCONT).await;
            self.send(0, Signal::SIGCONT).await;
        }
    }

    async fn send(&self, whom: Pid, signal: Signal) {
        if whom == 0 {
            let _set = self.tool.sys.sigaction(signal, SigAction::Ignore).await;
        }
        let _sent = self.tool.sys.kill(whom, Some(signal)).await;
    }

    async fn end(&self, status: WaitStatus, mut preserve: bool) -> Outcome {
        let code = match status {
            WaitStatus::Exited(code) => code,
            WaitStatus::Signalled(signal, _) => {
                if !self.timed_out {
                    // It ends as its command ended.
                    let _set = self.tool.sys.sigaction(signal, SigAction::Default).await;
                    let _sent = self.tool.sys.kill(self.tool.sys.pid(), Some(signal)).await;
                }
                preserve |= signal == Signal::SIGKILL;
                128 + signal.0
            }
            WaitStatus::Stopped(_) | WaitStatus::Continued => CANCELED,
        };
        Ok(if self.timed_out && !preserve { TIMED_OUT } else { code })
    }
}
