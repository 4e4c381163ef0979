//! Arguments that subcommands share, and how values are read.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use provium_protocol::Nanos;

use crate::error::CommandError;
use crate::runner::select::{Filter, Selector};
use crate::units;

/// Which tests.
#[derive(Args, Clone, Debug)]
pub(super) struct SelectArgs {
    /// Test files, or directories to search for `*.test.lua` [default: the roots of provium.toml, else `.`]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Only tests whose `file: name` contains TEXT, or matches /REGEX/; several: any of them
    #[arg(long, short = 'f', value_name = "TEXT", help_heading = "Which tests")]
    pub filter: Vec<String>,
    /// Only tests with this tag; several: any of them
    #[arg(long, value_name = "TAG", help_heading = "Which tests", value_parser = tag)]
    pub tag: Vec<String>,
    /// No tests with this tag
    #[arg(long, value_name = "TAG", help_heading = "Which tests", value_parser = tag)]
    pub no_tag: Vec<String>,
    /// Also tests that are marked slow
    #[arg(long, help_heading = "Which tests")]
    pub include_slow: bool,
}

impl SelectArgs {
    /// As the runner wants it.
    pub fn selector(&self) -> Result<Selector, CommandError> {
        let filters: Result<_, _> = self.filter.iter().map(|filter| Filter::parse(filter)).collect();
        Ok(Selector {
            filters: filters?,
            tags: self.tag.clone(),
            no_tags: self.no_tag.clone(),
            include_slow: self.include_slow,
        })
    }

    /// As it was typed, without the paths.
    pub fn as_typed(&self) -> Vec<String> {
        let mut typed = Vec::new();
        for (option, values) in [("--filter", &self.filter), ("--tag", &self.tag), ("--no-tag", &self.no_tag)] {
            // With `=`, so that a value that begins with `-` is read as a value again.
            typed.extend(values.iter().map(|value| format!("{option}={value}")));
        }
        if self.include_slow {
            typed.push("--include-slow".to_owned());
        }
        typed
    }

    /// What an error says when there are tests but none was asked for.
    pub fn described(&self) -> String {
        let typed = self.as_typed();
        if typed.is_empty() { "nothing was asked for".to_owned() } else { typed.join(" ") }
    }
}

/// When to use colours.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Colour {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Colour {
    /// Whether what is written to standard output is coloured.
    pub fn on(self) -> bool {
        use std::io::IsTerminal;
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        match self {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => {
                std::io::stdout().is_terminal()
                    && !set("NO_COLOR")
                    && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
            }
        }
    }
}

/// Reads a tag: an empty one comes from a variable that is not set, and would select nothing, or everything.
fn tag(text: &str) -> Result<String, String> {
    if text.is_empty() { Err("the tag is empty".to_owned()) } else { Ok(text.to_owned()) }
}

/// Reads a timeout: `10` and `10s` are ten seconds.
pub(super) fn timeout(text: &str) -> Result<Nanos, String> {
    let bare = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') && !text.is_empty();
    let read = if bare { units::parse_duration(&format!("{text}s")) } else { units::parse_duration(text) };
    match read.map_err(|error| error.to_string())? {
        0 => Err("no test ends within no time".to_owned()),
        ns => Ok(ns),
    }
}

/// Reads a seed, decimal or with `0x`.
pub(super) fn seed(text: &str) -> Result<u64, String> {
    let read = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    read.map_err(|_| "expected a whole number from 0 to 18446744073709551615, or 0x and hexadecimal digits".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_may_be_bare_seconds() {
        assert_eq!(timeout("10"), Ok(10_000_000_000));
        assert_eq!(timeout("1.5"), timeout("1500ms"));
        for bad in ["0", "0s", "", "soon", "-1", "1e3", "."] {
            assert!(timeout(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_seed_may_be_hexadecimal() {
        assert_eq!(seed("7"), Ok(7));
        assert_eq!(seed("0xff"), Ok(255));
        for bad in ["", "0x", "-1", "18446744073709551616", "seven"] {
            assert!(seed(bad).is_err(), "{bad}");
        }
    }
}
