//! How somebody leaves a console on which every key belongs to the guest.

/// Ctrl-].
const ESCAPE: u8 = 0x1d;

/// What is said of it.
pub(super) const HELP: &str = "Ctrl-] then q leaves, Ctrl-] twice types one";

/// Watches for the keys that leave.
#[derive(Default)]
pub(super) struct Escape {
    /// The last key was Ctrl-].
    begun: bool,
}

/// What keys came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Keys {
    /// Those that are for the guest.
    pub typed: Vec<u8>,
    /// Whether the last of them leaves.
    pub leaves: bool,
}

impl Escape {
    /// Sorts keys. Nothing of what comes after those that leave is for anybody.
    pub fn keys(&mut self, keys: &[u8]) -> Keys {
        let mut typed = Vec::with_capacity(keys.len());
        for key in keys {
            match (std::mem::take(&mut self.begun), *key) {
                (false, ESCAPE) => self.begun = true,
                (true, b'q' | b'.') => return Keys { typed, leaves: true },
                (true, ESCAPE) => typed.push(ESCAPE),
                (true, other) => typed.extend([ESCAPE, other]),
                (false, other) => typed.push(other),
            }
        }
        Keys { typed, leaves: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_own_keys_leave() {
        let mut escape = Escape::default();
        let mut keys = |keys: &[u8]| {
            let Keys { typed, leaves } = escape.keys(keys);
            (String::from_utf8(typed).expect("ASCII"), leaves)
        };
        assert_eq!(keys(b"quit.\x03"), ("quit.\x03".to_owned(), false));
        assert_eq!(keys(b"a\x1d"), ("a".to_owned(), false));
        assert_eq!(keys(b"\x1dq"), ("\x1dq".to_owned(), false));
        assert_eq!(keys(b"\x1dx"), ("\x1dx".to_owned(), false));
        assert_eq!(keys(b"b\x1d"), ("b".to_owned(), false));
        assert_eq!(keys(b".c"), (String::new(), true));
        assert_eq!(keys(b"d\x1dqe"), ("d".to_owned(), true));
    }
}
