//! Why `qemu-guest-agent` did not do what it was asked to, and what an operation makes of that.

use provium_protocol::{Errno, ErrorKind, OpError};

/// What QGA says instead of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// QEMU's class of the error.
    pub class: String,
    /// Its text, for people.
    pub desc: String,
}

impl Said {
    /// Whether QGA could not read what came: then it may have taken one message for several.
    pub fn is_parse_error(&self) -> bool {
        self.desc.starts_with("JSON parse error")
    }

    /// Whether this QGA does not have the command, or was told to refuse it.
    fn is_missing_command(&self) -> bool {
        self.class == "CommandNotFound" || (self.desc.contains("command") && self.desc.contains("has been disabled"))
    }
}

/// Why there is no answer.
#[derive(Clone, Debug)]
pub enum Refused {
    /// QGA says why.
    Said(Said),
    /// QGA answers, and not to this: it was started anew meanwhile, or its answer could not be read.
    Disturbed,
    /// There is nobody to ask any more, or the answer is of no known form.
    Op(OpError),
}

impl Refused {
    /// The error of an operation that was `doing` something: `open /tmp/x`.
    pub fn doing(self, doing: impl Into<String>) -> OpError {
        let said = match self {
            Refused::Op(error) => return error,
            Refused::Disturbed => {
                return OpError::agent(format!(
                    "{}: qemu-guest-agent was started anew, or could not be understood, while the operation was under way; it may \
                     have been carried out",
                    doing.into()
                ));
            }
            Refused::Said(said) => said,
        };
        if said.is_missing_command() {
            return OpError::new(
                ErrorKind::Unsupported,
                format!(
                    "{}: the guest's qemu-guest-agent refuses: {}; its options and its configuration in the guest say which \
                     commands it carries out",
                    doing.into(),
                    said.desc
                ),
            );
        }
        match errno_in(&said.desc) {
            Some(errno) => OpError::os(errno, doing),
            None => OpError::agent(format!("{}: qemu-guest-agent says: {}", doing.into(), said.desc)),
        }
    }
}

/// The error whose strerror(3) text a message ends in: after a colon, as most programs put it, or in parentheses, as GLib does.
pub fn errno_in(message: &str) -> Option<Errno> {
    let message = message.trim_end().trim_end_matches(['\'', ')']);
    let ends_in =
        |text: &str| message.strip_suffix(text).is_some_and(|before| before.ends_with(": ") || before.ends_with('('));
    Errno::ALL.iter().map(|(errno, _)| *errno).find(|errno| ends_in(errno.text()))
}

/// An operation that such a guest cannot do.
pub fn unsupported(operation: &str, instead: &str) -> OpError {
    OpError::new(
        ErrorKind::Unsupported,
        format!("qemu-guest-agent cannot do `{operation}`: {instead}, or a guest without `agent = \"qga\"`"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(class: &str, desc: &str) -> OpError {
        Refused::Said(Said { class: class.to_owned(), desc: desc.to_owned() }).doing("open /x")
    }

    #[test]
    fn error_numbers_are_read_out_of_texts() {
        let found = |text: &str| errno_in(text);
        assert_eq!(found("failed to open file '/x' (mode: 'r'): No such file or directory"), Some(Errno::ENOENT));
        assert_eq!(
            found(
                "Guest agent command failed, error was 'Failed to execute child process “x” (No such file or directory)'"
            ),
            Some(Errno::ENOENT)
        );
        assert_eq!(found("sh: 1: kill: No such process\n\n"), Some(Errno::ESRCH));
        // One text is the beginning of another.
        assert_eq!(found("x: No such device"), Some(Errno::ENODEV));
        assert_eq!(found("x: No such device or address"), Some(Errno::ENXIO));
        // Words of somebody else are no error number.
        assert_eq!(found("it says No such file or directory"), None);
        assert_eq!(found("handle '1000' has not been found"), None);
    }

    #[test]
    fn what_qga_says_becomes_the_right_kind_of_error() {
        let os = said("GenericError", "failed to read file: Is a directory");
        assert_eq!((os.kind, os.errno, os.to_string()), {
            (ErrorKind::Os, Some(Errno::EISDIR), "open /x: Is a directory (EISDIR)".to_owned())
        });
        let other = said("GenericError", "handle '1' has not been found");
        assert_eq!(other.kind, ErrorKind::Agent);
        assert!(other.message.contains("open /x: qemu-guest-agent says: handle '1'"), "{other}");
        for (class, desc) in [
            ("CommandNotFound", "The command guest-exec has not been found"),
            ("GenericError", "The command guest-exec has been disabled for this instance"),
        ] {
            let missing = said(class, desc);
            assert_eq!(missing.kind, ErrorKind::Unsupported);
            assert!(missing.message.contains(desc), "{missing}");
        }
        let gone = Refused::Op(OpError::lost("it panicked")).doing("open /x");
        assert_eq!(gone, OpError::lost("it panicked"));
    }
}
