//! How the GNU tools quote names in messages, in the C locale (gnulib's quotearg).
//!
//! All three return plain ASCII: what is not printable ASCII is written as an escape.

/// A name in shell quotes, always: `'x'`, `"it's"`, `'a'$'\n''b'`. Used where a message says what
/// could not be done: `cannot stat 'x'`.
#[must_use]
pub fn quoteaf(name: impl AsRef<[u8]>) -> String {
    shell_quoted(name.as_ref())
}

/// A name in shell quotes if it needs any (a colon counts: messages use it as separator). Used where
/// a message starts with the name: `cat: x: No such file or directory`.
#[must_use]
pub fn quotef(name: impl AsRef<[u8]>) -> String {
    let name = name.as_ref();
    if needs_quotes(name) || name.contains(&b':') { shell_quoted(name) } else { String::from_utf8_lossy(name).into() }
}

/// A name as the shell would need it, without the rule for colons: `ls --quoting-style=shell-escape`.
#[must_use]
pub fn shell_escaped(name: impl AsRef<[u8]>) -> String {
    let name = name.as_ref();
    if needs_quotes(name) { shell_quoted(name) } else { String::from_utf8_lossy(name).into() }
}

/// A piece of text in the locale's quotes, with C escapes: `'x'`, `'it\'s'`. Used for arguments that
/// are no file names: `invalid mode: 'x'`.
#[must_use]
pub fn quote(text: impl AsRef<[u8]>) -> String {
    let mut quoted = String::from("'");
    for &byte in text.as_ref() {
        if byte == b'\'' {
            quoted.push_str("\\'");
        } else {
            push_c_escaped(&mut quoted, byte);
        }
    }
    quoted.push('\'');
    quoted
}

/// Text with C escapes (`\n`, `\303`) and no quotes around it: `ls -b`, `find -printf`.
#[must_use]
pub fn c_escaped(text: &[u8]) -> String {
    let mut escaped = String::new();
    for &byte in text {
        push_c_escaped(&mut escaped, byte);
    }
    escaped
}

fn push_c_escaped(text: &mut String, byte: u8) {
    match (letter_escape(byte), byte) {
        (Some(letter), _) => {
            text.push('\\');
            text.push(letter);
        }
        (None, b'\\') => text.push_str("\\\\"),
        (None, b' '..=b'~') => text.push(char::from(byte)),
        (None, _) => text.push_str(&format!("\\{byte:03o}")),
    }
}

fn letter_escape(byte: u8) -> Option<char> {
    Some(match byte {
        7 => 'a',
        8 => 'b',
        9 => 't',
        10 => 'n',
        11 => 'v',
        12 => 'f',
        13 => 'r',
        _ => return None,
    })
}

/// Whether the shell would take the bare name for something else.
fn needs_quotes(name: &[u8]) -> bool {
    if name.is_empty() || name == b"{" || name == b"}" || matches!(name.first(), Some(b'#' | b'~')) {
        return true;
    }
    name.iter().any(|byte| {
        !(b' '..=b'~').contains(byte)
            || matches!(
                byte,
                b' ' | b'!'
                    | b'"'
                    | b'$'
                    | b'&'
                    | b'('
                    | b')'
                    | b'*'
                    | b';'
                    | b'<'
                    | b'='
                    | b'>'
                    | b'['
                    | b'^'
                    | b'`'
                    | b'|'
                    | b'?'
                    | b'\\'
                    | b'\''
            )
    })
}

/// Whether the byte means the same in double quotes to C and to the shell.
fn is_plain_in_double_quotes(index: usize, byte: u8) -> bool {
    match byte {
        b'#' | b'~' => index == 0,
        b' ' | b'\'' | b'%' | b'+' | b',' | b'-' | b'.' | b'/' | b':' | b']' | b'_' => true,
        _ => byte.is_ascii_alphanumeric(),
    }
}

fn shell_quoted(name: &[u8]) -> String {
    if name.contains(&b'\'') && name.iter().enumerate().all(|(index, &byte)| is_plain_in_double_quotes(index, byte)) {
        return format!("\"{}\"", String::from_utf8_lossy(name));
    }
    let mut quoted = String::from("'");
    let mut in_escape = false;
    for &byte in name {
        if !(b' '..=b'~').contains(&byte) {
            if !in_escape {
                quoted.push_str("'$'");
                in_escape = true;
            }
            push_c_escaped(&mut quoted, byte);
        } else if byte == b'\'' {
            quoted.push_str("'\\''");
            in_escape = false;
        } else {
            if in_escape {
                quoted.push_str("''");
                in_escape = false;
            }
            quoted.push(char::from(byte));
        }
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::{quote, quoteaf, quotef};

    #[test]
    fn names_are_quoted_as_the_gnu_tools_do() {
        assert_eq!(quoteaf("x"), "'x'");
        assert_eq!(quoteaf("it's"), "\"it's\"");
        assert_eq!(quoteaf("it's $5"), "'it'\\''s $5'");
        assert_eq!(quoteaf("a\nb"), "'a'$'\\n''b'");
        assert_eq!(quoteaf("\n"), "''$'\\n'");
        assert_eq!(quoteaf("\u{e9}"), "''$'\\303\\251'");
    }

    #[test]
    fn leading_names_are_quoted_only_at_need() {
        assert_eq!(quotef("x"), "x");
        assert_eq!(quotef("a b"), "'a b'");
        assert_eq!(quotef("a:b"), "'a:b'");
        assert_eq!(quotef(""), "''");
    }

    #[test]
    fn arguments_are_quoted_with_c_escapes() {
        assert_eq!(quote("it's"), "'it\\'s'");
        assert_eq!(quote("a\tb\\"), "'a\\tb\\\\'");
    }
}
