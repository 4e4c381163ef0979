//! What the image and the kernel's command line say about this guest.
//!
//! `/etc/provium/config` has lines `KEY=VALUE`; the command line has words `provium.KEY=VALUE`, which win.

use std::fs;
use std::path::PathBuf;

use crate::server::Endpoint;

/// The image's word.
const FILE: &str = "/etc/provium/config";

/// What our own keys on the command line begin with.
const PREFIX: &str = "provium.";

/// What was said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// `port`, `serial` or `vsock`: where the host is; the virtio port `provium.agent.0` by default, or the second serial port.
    pub endpoint: Option<Endpoint>,
    /// `hostname`.
    pub hostname: Option<String>,
    /// `time`: the real-time clock, in nanoseconds since 1970.
    pub time_ns: Option<i128>,
    /// `init`: the image's own init; `/init` by default.
    pub init: Option<PathBuf>,
}

impl Config {
    /// Reads what was said; what cannot be understood is named on the console and left out.
    pub fn read() -> Config {
        let mut config = Config::default();
        for line in fs::read_to_string(FILE).unwrap_or_default().lines() {
            let line = line.trim();
            if !line.is_empty() && !line.starts_with('#') {
                config.take(line, FILE);
            }
        }
        let words = fs::read_to_string("/proc/cmdline").unwrap_or_default();
        for word in words.split_ascii_whitespace() {
            if let Some(word) = word.strip_prefix(PREFIX) {
                config.take(word, "the kernel's command line");
            }
        }
        config
    }

    fn take(&mut self, word: &str, place: &str) {
        if self.set(word).is_none() {
            super::say(&format!("`{word}` in {place} is not understood"));
        }
    }

    fn set(&mut self, word: &str) -> Option<()> {
        let (key, value) = word.split_once('=')?;
        match key {
            "port" => self.endpoint = Some(Endpoint::VirtioPort(value.to_owned())),
            "serial" => self.endpoint = Some(Endpoint::Device(value.into())),
            "vsock" => self.endpoint = Some(Endpoint::Vsock(value.parse().ok()?)),
            "hostname" => self.hostname = Some(value.to_owned()),
            "time" => self.time_ns = Some(value.parse().ok()?),
            "init" => self.init = Some(value.into()),
            _ => return None,
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_words_win_and_nonsense_is_left_out() {
        let mut config = Config::default();
        for word in ["hostname=a", "vsock=x", "vsock=1024", "nonsense", "colour=red", "hostname=b", "time=-5"] {
            config.take(word, "a test");
        }
        let expected =
            Config { endpoint: Some(Endpoint::Vsock(1024)), hostname: Some("b".into()), time_ns: Some(-5), init: None };
        assert_eq!(config, expected);
    }
}
