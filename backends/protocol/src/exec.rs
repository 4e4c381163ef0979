//! Commands: what to run, and what came of it.

use serde::{Deserialize, Serialize};

use crate::{Nanos, Signal};

/// What is started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// A script for `/bin/sh -c`.
    Shell(String),
    /// A program (searched in `PATH` when it has no slash) and its arguments, without `argv[0]`.
    Direct {
        /// The program.
        program: String,
        /// `argv[1..]`, as bytes because Lua strings are.
        args: Vec<ByteString>,
    },
}

/// Characters of a command shown in messages: one line of a report.
const LABEL_CHARS: usize = 60;

impl Command {
    /// The command in a few words, for messages: one line, cut off after 60 characters.
    #[must_use]
    pub fn label(&self) -> String {
        let whole = match self {
            Command::Shell(script) => script.clone(),
            Command::Direct { program, args } => {
                // Enough words to fill a label: the rest would be cut off anyway.
                let args = args.iter().take(LABEL_CHARS).map(|arg| String::from_utf8_lossy(&arg.0));
                std::iter::once(program.as_str().into()).chain(args).collect::<Vec<_>>().join(" ")
            }
        };
        let line = |most: usize| whole.chars().map(|c| if c.is_control() { ' ' } else { c }).take(most);
        match line(LABEL_CHARS + 1).count() > LABEL_CHARS {
            true => line(LABEL_CHARS - 1).chain(['…']).collect(),
            false => line(LABEL_CHARS).collect(),
        }
    }
}

/// Bytes that are usually text: arguments, environment, paths.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ByteString(#[serde(with = "serde_bytes")] pub Vec<u8>);

impl std::fmt::Debug for ByteString {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(&self.0))
    }
}

impl From<&str> for ByteString {
    fn from(text: &str) -> Self {
        ByteString(text.as_bytes().to_vec())
    }
}

impl From<Vec<u8>> for ByteString {
    fn from(bytes: Vec<u8>) -> Self {
        ByteString(bytes)
    }
}

/// How a command is started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecSpec {
    /// What is started.
    pub command: Command,
    /// Variables set in the environment, in order of name.
    pub env: Vec<(ByteString, ByteString)>,
    /// Whether the agent's own environment is left out.
    pub env_clear: bool,
    /// The working directory; the agent's own by default.
    pub cwd: Option<ByteString>,
    /// Written to standard input first.
    #[serde(with = "serde_bytes")]
    pub stdin: Vec<u8>,
    /// Whether standard input stays an open pipe after `stdin` was written.
    pub stdin_open: bool,
    /// Bytes kept of each output stream; [`crate::limits::MAX_OUTPUT`] by default.
    pub max_output: u64,
}

impl ExecSpec {
    /// A shell command with nothing else said.
    #[must_use]
    pub fn shell(script: impl Into<String>) -> ExecSpec {
        ExecSpec::new(Command::Shell(script.into()))
    }

    /// A command with nothing else said.
    #[must_use]
    pub fn new(command: Command) -> ExecSpec {
        ExecSpec {
            command,
            env: Vec::new(),
            env_clear: false,
            cwd: None,
            stdin: Vec::new(),
            stdin_open: false,
            max_output: crate::limits::MAX_OUTPUT,
        }
    }
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExitStatus {
    /// With this exit code, 0 to 255.
    Exited(i32),
    /// By this signal.
    Signalled(Signal),
    /// By provium, because its time was up.
    TimedOut,
}

/// What came of a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunReply {
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote to standard output, up to the limit.
    #[serde(with = "serde_bytes")]
    pub stdout: Vec<u8>,
    /// What it wrote to standard error, up to the limit.
    #[serde(with = "serde_bytes")]
    pub stderr: Vec<u8>,
    /// Whether either stream had more than was kept.
    pub truncated: bool,
    /// From start to the end of process and pipes, in guest time.
    pub duration_ns: Nanos,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_one_short_line() {
        let long = Command::Shell("é\n".repeat(100)).label();
        assert_eq!(long.chars().count(), LABEL_CHARS);
        assert!(!long.contains('\n') && long.ends_with('…'));
        assert_eq!(Command::Shell("x".repeat(LABEL_CHARS)).label(), "x".repeat(LABEL_CHARS));
        let direct = Command::Direct { program: "dd".into(), args: vec!["if=/x".into(), "bs=1".into()] };
        assert_eq!(direct.label(), "dd if=/x bs=1");
    }
}
