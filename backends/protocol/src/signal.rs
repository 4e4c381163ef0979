//! Signal numbers of Linux on x86-64 and their names, see signal(7).

use std::fmt;

use serde::{Deserialize, Serialize};

/// A signal number, 1 to 64.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Signal(pub i32);

macro_rules! signals {
    ($(($num:literal, $name:ident, $text:literal),)*) => {
        impl Signal {
            $(
                #[doc = concat!($text, " (signal(7)).")]
                pub const $name: Signal = Signal($num);
            )*

            /// Every standard signal with its name, in order of number.
            pub const ALL: &'static [(Signal, &'static str)] = &[$((Signal($num), stringify!($name)),)*];

            fn standard_name(self) -> Option<&'static str> {
                match self.0 {
                    $($num => Some(stringify!($name)),)*
                    _ => None,
                }
            }

            /// The text of strsignal(3) in the C locale, `"Terminated"`.
            #[must_use]
            pub fn text(self) -> String {
                match self.0 {
                    $($num => $text.to_owned(),)*
                    34..=64 => format!("Real-time signal {}", self.0 - 34),
                    other => format!("Unknown signal {other}"),
                }
            }
        }
    };
}

signals! {
    (1, SIGHUP, "Hangup"),
    (2, SIGINT, "Interrupt"),
    (3, SIGQUIT, "Quit"),
    (4, SIGILL, "Illegal instruction"),
    (5, SIGTRAP, "Trace/breakpoint trap"),
    (6, SIGABRT, "Aborted"),
    (7, SIGBUS, "Bus error"),
    (8, SIGFPE, "Floating point exception"),
    (9, SIGKILL, "Killed"),
    (10, SIGUSR1, "User defined signal 1"),
    (11, SIGSEGV, "Segmentation fault"),
    (12, SIGUSR2, "User defined signal 2"),
    (13, SIGPIPE, "Broken pipe"),
    (14, SIGALRM, "Alarm clock"),
    (15, SIGTERM, "Terminated"),
    (16, SIGSTKFLT, "Stack fault"),
    (17, SIGCHLD, "Child exited"),
    (18, SIGCONT, "Continued"),
    (19, SIGSTOP, "Stopped (signal)"),
    (20, SIGTSTP, "Stopped"),
    (21, SIGTTIN, "Stopped (tty input)"),
    (22, SIGTTOU, "Stopped (tty output)"),
    (23, SIGURG, "Urgent I/O condition"),
    (24, SIGXCPU, "CPU time limit exceeded"),
    (25, SIGXFSZ, "File size limit exceeded"),
    (26, SIGVTALRM, "Virtual timer expired"),
    (27, SIGPROF, "Profiling timer expired"),
    (28, SIGWINCH, "Window changed"),
    (29, SIGIO, "I/O possible"),
    (30, SIGPWR, "Power failure"),
    (31, SIGSYS, "Bad system call"),
}

impl Signal {
    /// The largest signal number, `SIGRTMAX`.
    pub const MAX: i32 = 64;
    /// The first real-time signal as glibc counts, `SIGRTMIN`.
    pub const RTMIN: i32 = 34;

    /// A signal by number; `None` outside 1 to 64.
    #[must_use]
    pub fn from_number(number: i64) -> Option<Signal> {
        (1..=i64::from(Signal::MAX)).contains(&number).then_some(Signal(number as i32))
    }

    /// A signal by name in any case, with or without `SIG`, or by digits; real-time signals as
    /// `RTMIN`, `RTMIN+2`, `RTMAX-1`, `RTMAX`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Signal> {
        if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
            return text.parse::<i64>().ok().and_then(Signal::from_number);
        }
        let upper = text.to_ascii_uppercase();
        let bare = upper.strip_prefix("SIG").unwrap_or(&upper);
        match bare {
            "CLD" => return Some(Signal::SIGCHLD),
            "IOT" => return Some(Signal::SIGABRT),
            "POLL" => return Some(Signal::SIGIO),
            _ => {}
        }
        if let Some(rest) = bare.strip_prefix("RTMIN") {
            return Signal::real_time(Signal::RTMIN, rest, '+');
        }
        if let Some(rest) = bare.strip_prefix("RTMAX") {
            return Signal::real_time(Signal::MAX, rest, '-');
        }
        Signal::ALL.iter().find(|(_, name)| &name[3..] == bare).map(|(signal, _)| *signal)
    }

    fn real_time(base: i32, rest: &str, sign: char) -> Option<Signal> {
        if rest.is_empty() {
            return Some(Signal(base));
        }
        let offset: i32 = rest.strip_prefix(sign)?.parse().ok()?;
        let number = if sign == '+' { base.checked_add(offset)? } else { base.checked_sub(offset)? };
        (Signal::RTMIN..=Signal::MAX).contains(&number).then_some(Signal(number))
    }

    /// The name with `SIG`: `"SIGTERM"`, `"SIGRTMIN+1"`.
    #[must_use]
    pub fn name(self) -> String {
        match self.standard_name() {
            Some(name) => name.to_owned(),
            None if self.0 == Signal::RTMIN => "SIGRTMIN".to_owned(),
            None if self.0 == Signal::MAX => "SIGRTMAX".to_owned(),
            None if (Signal::RTMIN..=Signal::MAX).contains(&self.0) => format!("SIGRTMIN+{}", self.0 - Signal::RTMIN),
            None => format!("signal {}", self.0),
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::Signal;

    #[test]
    fn names_in_any_form_find_their_signal() {
        for text in ["SIGTERM", "term", "Term", "sigterm", "15"] {
            assert_eq!(Signal::parse(text), Some(Signal::SIGTERM), "{text}");
        }
        for (signal, name) in Signal::ALL {
            assert_eq!(Signal::parse(name), Some(*signal));
            assert_eq!(signal.name(), *name);
        }
        assert_eq!(Signal::parse("RTMIN+2"), Some(Signal(36)));
        assert_eq!(Signal::parse("sigrtmax-1"), Some(Signal(63)));
    }

    #[test]
    fn what_is_no_signal_is_refused() {
        for text in ["", "SIG", "0", "65", "TERMINATE", "RTMIN+99", "RTMIN-1", "-9", "99999999999999999999"] {
            assert_eq!(Signal::parse(text), None, "{text}");
        }
    }
}
