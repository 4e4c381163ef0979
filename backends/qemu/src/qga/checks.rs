//! What is wrong with an operation before QGA is asked.

use provium_protocol::exec::ExecSpec;
use provium_protocol::limits::MAX_OUTPUT_CEILING;
use provium_protocol::{ErrorKind, OpError};

use super::errors::unsupported;

/// The most that a command gets as standard input, in bytes: QGA reads no longer texts than 64 MiB, and this is one in base64.
pub const MAX_STDIN: usize = 32 << 20;

/// What `what` says as QGA takes it: text, without NUL bytes.
pub fn text(what: &str, bytes: &[u8]) -> Result<String, OpError> {
    if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
        return Err(OpError::usage(format!("{what} has a NUL byte at position {at}: `{}`", bytes.escape_ascii())));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => Err(OpError::new(
            ErrorKind::Unsupported,
            format!(
                "{what} is no UTF-8 at position {}: `{}`; qemu-guest-agent takes text only",
                error.valid_up_to(),
                bytes.escape_ascii()
            ),
        )),
    }
}

/// A path.
pub fn path(path: &[u8]) -> Result<String, OpError> {
    text("the path", path)
}

/// Refuses what QGA cannot start, or not like this.
pub fn exec(spec: &ExecSpec) -> Result<(), OpError> {
    if spec.max_output > MAX_OUTPUT_CEILING {
        return Err(OpError::limit(format!(
            "max_output of {} bytes is above the limit of {MAX_OUTPUT_CEILING} bytes (MAX_OUTPUT_CEILING)",
            spec.max_output
        )));
    }
    if spec.stdin_open && !spec.stdin.is_empty() {
        return Err(unsupported("stdin_open", "give the command all of its input as `stdin`"));
    }
    if spec.stdin.len() > MAX_STDIN {
        return Err(OpError::limit(format!(
            "standard input of {} bytes is above the limit of {MAX_STDIN} bytes for qemu-guest-agent: use `write_file`",
            spec.stdin.len()
        )));
    }
    for (name, _) in &spec.env {
        if name.0.is_empty() || name.0.contains(&b'=') {
            return Err(OpError::usage(format!("`{}` is no name for an environment variable", name.0.escape_ascii())));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_text_reaches_qga() {
        assert_eq!(text("the path", "/ü".as_bytes()).as_deref(), Ok("/ü"));
        let error = text("the path", b"/\xff").expect_err("no text");
        assert_eq!(error.kind, ErrorKind::Unsupported);
        assert!(error.message.starts_with("the path is no UTF-8 at position 1: `/\\xff`"), "{error}");
        let error = text("the path", b"a\0").expect_err("a NUL byte");
        assert_eq!(error.kind, ErrorKind::Usage);
    }

    #[test]
    fn input_that_stays_open_is_refused_by_name() {
        let spec = ExecSpec { stdin: b"x".to_vec(), stdin_open: true, ..ExecSpec::shell("cat") };
        let error = exec(&spec).expect_err("QGA closes what it is given");
        assert_eq!(error.kind, ErrorKind::Unsupported);
        assert!(error.message.contains("`stdin_open`"), "{error}");
        // A process that says nothing of its input has an empty one.
        assert_eq!(exec(&ExecSpec { stdin_open: true, ..ExecSpec::shell("cat") }), Ok(()));
    }
}
