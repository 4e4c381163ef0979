//! How a machine ended.

use std::fmt;
use std::process::ExitStatus;

use serde_json::Value;

use super::console::Console;
use super::qmp::MachineEvent;

/// What Linux prints when it panics.
const PANIC_MARK: &str = "Kernel panic - not syncing";
/// The panic's message is looked for in so much of the console's end: a long trace may follow it.
const PANIC_SEARCH: usize = 256 << 10;

/// The end of a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Why.
    pub cause: EndCause,
    /// The last lines of its console.
    pub console_tail: String,
    /// What QEMU wrote on its standard error, warnings included.
    pub qemu_said: String,
}

/// Why a machine ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndCause {
    /// QEMU exited.
    Exited {
        /// Its status.
        status: i32,
        /// Who wanted it.
        by: ExitedBy,
    },
    /// The guest's kernel panicked.
    Panicked {
        /// What it said, when the console has it.
        message: Option<String>,
    },
    /// QEMU was killed.
    Killed {
        /// By this signal.
        signal: i32,
        /// Whether it was [`super::Machine::kill`], or a machine that was dropped.
        by_us: bool,
    },
    /// QEMU closed its monitor and went on: it could not be driven any more, and was killed.
    QmpClosed,
}

/// Who ended a QEMU that exited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExitedBy {
    /// [`super::Machine::quit`].
    Quit,
    /// The guest switched itself off.
    GuestShutdown,
    /// The guest rebooted, or its processor gave up (a triple fault).
    GuestReset,
    /// A signal of the host that QEMU obeys: SIGTERM, SIGINT, SIGHUP.
    HostSignal,
    /// QEMU itself, because of an error: see what it said.
    Qemu,
}

/// What is noticed of an end before the process is gone.
#[derive(Debug, Default)]
pub(crate) struct Signs {
    panicked: bool,
    reason: Option<String>,
    pub(crate) killed_by_us: bool,
    pub(crate) qmp_closed: bool,
}

impl Signs {
    pub(crate) fn note(&mut self, event: &MachineEvent) {
        match event.name.as_str() {
            "GUEST_PANICKED" => self.panicked = true,
            "SHUTDOWN" => self.reason = event.data.get("reason").and_then(Value::as_str).map(str::to_owned),
            _ => {}
        }
    }

    pub(crate) fn cause(&self, status: Option<ExitStatus>, console: &Console) -> EndCause {
        use std::os::unix::process::ExitStatusExt;
        let reason = self.reason.as_deref();
        let message = panic_message(console);
        if self.panicked || reason == Some("guest-panic") || (reason == Some("guest-reset") && message.is_some()) {
            return EndCause::Panicked { message };
        }
        if self.qmp_closed {
            return EndCause::QmpClosed;
        }
        if let Some(signal) = status.and_then(|status| status.signal()) {
            return EndCause::Killed { signal, by_us: self.killed_by_us };
        }
        let by = match reason {
            Some("host-qmp-quit") => ExitedBy::Quit,
            Some("guest-shutdown") => ExitedBy::GuestShutdown,
            Some("guest-reset" | "subsystem-reset") => ExitedBy::GuestReset,
            Some("host-signal") => ExitedBy::HostSignal,
            _ => ExitedBy::Qemu,
        };
        EndCause::Exited { status: status.and_then(|status| status.code()).unwrap_or(-1), by }
    }
}

/// The first panic in the console's end: what follows it may be panics about the panic.
fn panic_message(console: &Console) -> Option<String> {
    let bytes = console.last(PANIC_SEARCH);
    let text = String::from_utf8_lossy(&bytes);
    let (_, after) = text.split_once(PANIC_MARK)?;
    Some(after.lines().next().unwrap_or_default().trim_start_matches(':').trim().to_owned())
}

impl fmt::Display for EndCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited { status, by } => match by {
                ExitedBy::Quit => write!(f, "it was ended in order"),
                ExitedBy::GuestShutdown => write!(f, "the guest switched itself off"),
                ExitedBy::GuestReset => write!(f, "the guest rebooted"),
                ExitedBy::HostSignal => write!(f, "a signal of the host ended QEMU"),
                ExitedBy::Qemu => write!(f, "QEMU exited with status {status}"),
            },
            Self::Panicked { message: Some(message) } => write!(f, "the guest's kernel panicked: {message}"),
            Self::Panicked { message: None } => write!(f, "the guest's kernel panicked"),
            Self::Killed { by_us: true, .. } => write!(f, "provium killed it"),
            Self::Killed { signal, by_us: false } => write!(f, "QEMU was killed by signal {signal}"),
            Self::QmpClosed => write!(f, "QEMU closed its monitor and could not be driven any more"),
        }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.cause)?;
        if !self.qemu_said.is_empty() {
            write!(f, "\nQEMU said: {}", self.qemu_said)?;
        }
        if !self.console_tail.is_empty() {
            write!(f, "\nthe last lines of its console:\n{}", self.console_tail)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::os::unix::process::ExitStatusExt;

    fn cause(events: &[(&str, Value)], status: i32, console: &str) -> EndCause {
        let mut signs = Signs::default();
        for (name, data) in events {
            signs.note(&MachineEvent { name: (*name).to_owned(), data: data.clone() });
        }
        signs.cause(Some(ExitStatus::from_raw(status)), &Console::new("vm", console.as_bytes()))
    }

    #[test]
    fn a_panic_is_told_from_a_reboot() {
        let reset = [("SHUTDOWN", json!({"guest": true, "reason": "guest-reset"}))];
        assert_eq!(cause(&reset, 0, "fine\r\n"), EndCause::Exited { status: 0, by: ExitedBy::GuestReset });
        let console = "[1.0] Kernel panic - not syncing: Fatal exception\r\nmore\r\n";
        let message = Some("Fatal exception".to_owned());
        assert_eq!(cause(&reset, 0, console), EndCause::Panicked { message: message.clone() });
        assert_eq!(cause(&[("GUEST_PANICKED", json!({}))], 0, console), EndCause::Panicked { message });
        // The words alone are nothing: a test may print them.
        let shutdown = [("SHUTDOWN", json!({"guest": true, "reason": "guest-shutdown"}))];
        assert_eq!(cause(&shutdown, 0, console), EndCause::Exited { status: 0, by: ExitedBy::GuestShutdown });
    }

    #[test]
    fn signals_and_errors_are_named() {
        assert_eq!(cause(&[], 9, ""), EndCause::Killed { signal: 9, by_us: false });
        assert_eq!(cause(&[], 1 << 8, ""), EndCause::Exited { status: 1, by: ExitedBy::Qemu });
        let term = [("SHUTDOWN", json!({"guest": false, "reason": "host-signal"}))];
        assert_eq!(cause(&term, 0, ""), EndCause::Exited { status: 0, by: ExitedBy::HostSignal });
    }
}
