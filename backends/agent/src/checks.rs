//! What is wrong with an operation before the system is asked.

use std::borrow::Cow;

use provium_protocol::OpError;
use provium_protocol::exec::{Command, ExecSpec};
use provium_protocol::limits::MAX_OUTPUT_CEILING;

/// Bytes as people read them in messages; nothing at all is shown as `""`.
pub fn text(bytes: &[u8]) -> Cow<'_, str> {
    if bytes.is_empty() {
        return "\"\"".into();
    }
    String::from_utf8_lossy(bytes)
}

/// Refuses what no system call can take as a string.
pub fn no_nul(what: &str, bytes: &[u8]) -> Result<(), OpError> {
    match bytes.iter().position(|byte| *byte == 0) {
        None => Ok(()),
        Some(at) => Err(OpError::usage(format!("{what} has a NUL byte at position {at}: `{}`", bytes.escape_ascii()))),
    }
}

/// Refuses a path with a NUL byte.
pub fn path(path: &[u8]) -> Result<(), OpError> {
    no_nul("the path", path)
}

/// Refuses a command that cannot be handed to execve(2).
pub fn exec(spec: &ExecSpec) -> Result<(), OpError> {
    match &spec.command {
        Command::Shell(script) => no_nul("the command", script.as_bytes())?,
        Command::Direct { program, args } => {
            no_nul("the program", program.as_bytes())?;
            for arg in args {
                no_nul("an argument", &arg.0)?;
            }
        }
    }
    for (name, value) in &spec.env {
        no_nul("the name of an environment variable", &name.0)?;
        no_nul(&format!("the environment variable `{}`", text(&name.0)), &value.0)?;
        if name.0.is_empty() || name.0.contains(&b'=') {
            return Err(OpError::usage(format!("`{}` is no name for an environment variable", text(&name.0))));
        }
    }
    if let Some(cwd) = &spec.cwd {
        no_nul("the working directory", &cwd.0)?;
    }
    if spec.max_output > MAX_OUTPUT_CEILING {
        return Err(OpError::limit(format!(
            "max_output of {} bytes is above the limit of {MAX_OUTPUT_CEILING} bytes (MAX_OUTPUT_CEILING)",
            spec.max_output
        )));
    }
    Ok(())
}
