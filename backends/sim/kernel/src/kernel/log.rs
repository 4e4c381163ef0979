//! The kernel's log and what is written to the console.

use std::collections::VecDeque;

use provium_protocol::Nanos;

use super::Kernel;
use crate::limits::LOG_BYTES;

/// A log that forgets its oldest lines.
#[derive(Default)]
pub(super) struct Log {
    lines: VecDeque<(Nanos, String)>,
    bytes: usize,
    console: VecDeque<u8>,
}

impl Kernel {
    /// Adds a line to the kernel's log.
    pub fn log(&mut self, line: &str) {
        let at = self.uptime();
        for line in line.lines() {
            self.log.bytes += line.len();
            self.log.lines.push_back((at, line.to_owned()));
        }
        while self.log.bytes > LOG_BYTES {
            let Some((_, oldest)) = self.log.lines.pop_front() else { break };
            self.log.bytes -= oldest.len();
        }
    }

    /// The log as dmesg(1) shows it.
    #[must_use]
    pub fn dmesg(&self) -> Vec<u8> {
        let mut text = String::new();
        for (at, line) in &self.log.lines {
            text.push_str(&format!("[{:5}.{:06}] {line}\n", at / 1_000_000_000, at / 1_000 % 1_000_000));
        }
        text.into_bytes()
    }

    pub(super) fn console_write(&mut self, data: &[u8]) {
        self.log.console.extend(data);
        let surplus = self.log.console.len().saturating_sub(LOG_BYTES);
        self.log.console.drain(..surplus);
    }

    /// The last bytes written to the console.
    #[must_use]
    pub fn console(&self) -> Vec<u8> {
        self.log.console.iter().copied().collect()
    }
}
