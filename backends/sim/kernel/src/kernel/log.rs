//! The kernel's log, and what of it goes to the console.

use std::collections::VecDeque;

use provium_protocol::Nanos;

use super::Kernel;
use crate::limits::LOG_BYTES;

/// How grave a line of the log is, as syslog(3) counts: 0 is the end of the world, 7 is of interest to nobody.
pub(crate) mod level {
    pub(crate) const EMERGENCY: u8 = 0;
    /// Of lines that say nothing else (`default_message_loglevel`).
    pub(crate) const WARNING: u8 = 4;
    pub(crate) const NOTICE: u8 = 5;
    pub(crate) const INFO: u8 = 6;
}

/// The setting that says which lines go to the console: those that are graver than its first number.
const PRINTK: &str = "sys/kernel/printk";

/// A log that forgets its oldest lines.
#[derive(Default)]
pub(super) struct Log {
    lines: VecDeque<(Nanos, String)>,
    bytes: usize,
}

/// The time of a line as the log and the console show it.
fn stamp(at: Nanos) -> String {
    format!("[{:5}.{:06}] ", at / 1_000_000_000, at / 1_000 % 1_000_000)
}

impl Kernel {
    /// Adds lines to the kernel's log, and to what the console prints if they are grave enough.
    pub(crate) fn log(&mut self, level: u8, text: &str) {
        let at = self.uptime();
        let shown = i64::from(level) < self.console_level();
        for line in text.lines() {
            self.log.bytes += line.len();
            self.log.lines.push_back((at, line.to_owned()));
            if shown {
                self.print(&format!("{}{line}\r\n", stamp(at)));
            }
        }
        while self.log.bytes > LOG_BYTES {
            let Some((_, oldest)) = self.log.lines.pop_front() else { break };
            self.log.bytes -= oldest.len();
        }
    }

    /// What a program writes to `/dev/kmsg`: it may begin with its level, as in `<3>`.
    pub(super) fn log_from_program(&mut self, data: &[u8]) {
        let text = String::from_utf8_lossy(data);
        let prefixed = text.strip_prefix('<').and_then(|rest| rest.split_once('>'));
        let priority = prefixed.and_then(|(number, rest)| Some((number.parse::<u32>().ok()?, rest)));
        match priority {
            // Above the level stands who said it.
            Some((priority, rest)) => self.log((priority % 8) as u8, rest),
            None => self.log(level::WARNING, &text),
        }
    }

    /// Lines below this level go to the console.
    fn console_level(&self) -> i64 {
        let set = self.settings.get(PRINTK).and_then(|value| value.split_whitespace().next()?.parse().ok());
        set.unwrap_or_else(|| boot_level(&self.cmdline))
    }

    /// What `/proc/sys/kernel/printk` says when nobody has written to it.
    pub(crate) fn printk(&self) -> String {
        format!("{}\t{}\t1\t7", boot_level(&self.cmdline), level::WARNING)
    }

    /// The log as dmesg(1) shows it.
    #[must_use]
    pub fn dmesg(&self) -> Vec<u8> {
        let mut text = String::new();
        for (at, line) in &self.log.lines {
            text.push_str(&format!("{}{line}\n", stamp(*at)));
        }
        text.into_bytes()
    }

    /// The kernel can do nothing more: says so on the console, and to who stands outside.
    pub fn panic(&mut self, why: &str) {
        self.log(level::EMERGENCY, &format!("Kernel panic - not syncing: {why}"));
        self.log(level::EMERGENCY, &format!("---[ end Kernel panic - not syncing: {why} ]---"));
        self.tell_panic(why);
    }

    /// The first process has ended, without which there is no system.
    pub fn panic_without_init(&mut self) {
        let code = self.procs.get(&1).and_then(|init| init.ended).map_or(0, crate::types::WaitStatus::raw);
        self.panic(&format!("Attempted to kill init! exitcode=0x{code:08x}"));
    }

    /// The last words of a machine whose power button was pressed.
    pub fn say_power_down(&mut self) {
        self.log(level::EMERGENCY, "reboot: Power down");
    }
}

/// What the command line says of the console's level: the last word wins.
fn boot_level(cmdline: &str) -> i64 {
    let said = cmdline.split_whitespace().rev().find_map(|word| match word {
        "quiet" => Some(4),
        "debug" => Some(10),
        word => word.strip_prefix("loglevel=")?.parse().ok(),
    });
    said.unwrap_or(7)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_says_what_the_console_shows() {
        assert_eq!(boot_level("console=ttyS0"), 7);
        assert_eq!(boot_level("quiet console=ttyS0"), 4);
        assert_eq!(boot_level("quiet loglevel=6"), 6);
        assert_eq!(boot_level("loglevel=x debug"), 10);
    }
}
