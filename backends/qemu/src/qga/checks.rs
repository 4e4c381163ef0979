//! What is wrong with an operation before QGA is asked.

use provium_protocol::exec::{Command, ExecSpec};
use provium_protocol::limits::MAX_OUTPUT_CEILING;
use provium_protocol::{ErrorKind, OpError};

use super::errors::unsupported;

/// Characters of a command shown in messages: one line of a report.
const LABEL_CHARS: usize = 60;

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

/// A command in a few words.
pub fn label(command: &Command) -> String {
    let whole = match command {
        Command::Shell(script) => script.clone(),
        Command::Direct { program, args } => {
            let args = args.iter().take(LABEL_CHARS).map(|arg| String::from_utf8_lossy(&arg.0));
            std::iter::once(program.as_str().into()).chain(args).collect::<Vec<_>>().join(" ")
        }
    };
    let mut line: String = whole.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LABEL_CHARS + 1).collect();
    if line.chars().count() > LABEL_CHARS {
        line = line.chars().take(LABEL_CHARS - 1).chain(['…']).collect();
    }
    line
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

    #[test]
    fn labels_are_one_short_line() {
        let long = label(&Command::Shell("é\n".repeat(100)));
        assert_eq!(long.chars().count(), LABEL_CHARS);
        assert!(!long.contains('\n') && long.ends_with('…'));
        let direct = Command::Direct { program: "dd".into(), args: vec!["if=/x".into(), "bs=1".into()] };
        assert_eq!(label(&direct), "dd if=/x bs=1");
    }
}
