//! What echo writes: once for the builtin of the shell, once for the utility of GNU coreutils.

use super::escape::{self, Escape};

/// Whose words and rules a tool follows that exists both in the shell and as a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavor {
    /// The builtin of dash.
    Dash,
    /// The utility of GNU coreutils.
    Gnu,
}

/// All that `echo ARGS...` writes.
#[must_use]
pub fn echo(args: &[Vec<u8>], flavor: Flavor) -> Vec<u8> {
    let (args, newline, escapes) = match flavor {
        Flavor::Dash => match args.split_first() {
            Some((first, rest)) if first == b"-n" => (rest, false, true),
            _ => (args, true, true),
        },
        Flavor::Gnu => gnu_options(args),
    };
    let mut out = Vec::new();
    for (index, arg) in args.iter().enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        if !escapes {
            out.extend_from_slice(arg);
        } else if unescape(arg, flavor, &mut out) {
            return out;
        }
    }
    if newline {
        out.push(b'\n');
    }
    out
}

/// The operands, whether a newline ends the line, and whether backslashes are special.
fn gnu_options(mut args: &[Vec<u8>]) -> (&[Vec<u8>], bool, bool) {
    let (mut newline, mut escapes) = (true, false);
    while let Some((first, rest)) = args.split_first() {
        let Some(letters) = first.strip_prefix(b"-") else { break };
        if letters.is_empty() || !letters.iter().all(|letter| b"neE".contains(letter)) {
            break;
        }
        for letter in letters {
            match letter {
                b'n' => newline = false,
                b'e' => escapes = true,
                _ => escapes = false,
            }
        }
        args = rest;
    }
    (args, newline, escapes)
}

/// Appends `text` with its escapes replaced; true after `\c`, where all output ends. The same rules hold
/// for `%b` of printf.
#[must_use]
pub fn unescape(text: &[u8], flavor: Flavor, out: &mut Vec<u8>) -> bool {
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        if rest.first() == Some(&b'c') {
            return true;
        }
        if rest.first() == Some(&b'0') {
            let (value, used) = escape::octal(&rest[1..], 3);
            out.push(value);
            rest = &rest[1 + used..];
            continue;
        }
        rest = match escape::read(rest, flavor) {
            Escape::Bytes(bytes, used) => {
                out.extend_from_slice(&bytes);
                &rest[used..]
            }
            Escape::None | Escape::NoHexDigits => {
                out.push(b'\\');
                rest
            }
        };
    }
    false
}

#[cfg(test)]
mod tests {
    use super::{Flavor, echo};

    fn run(flavor: Flavor, args: &[&str]) -> String {
        let args: Vec<Vec<u8>> = args.iter().map(|arg| arg.as_bytes().to_vec()).collect();
        String::from_utf8_lossy(&echo(&args, flavor)).into_owned()
    }

    #[test]
    fn the_builtin_knows_one_option_and_always_replaces_escapes() {
        assert_eq!(run(Flavor::Dash, &["-n", "a"]), "a");
        assert_eq!(run(Flavor::Dash, &["-e", "b"]), "-e b\n");
        assert_eq!(run(Flavor::Dash, &["-nn", "--"]), "-nn --\n");
        assert_eq!(run(Flavor::Dash, &[r"\101 \x41 \z \0101 \08 a\cb", "x"]), "A \\x41 \\z A \08 a");
        assert_eq!(run(Flavor::Dash, &["a\\"]), "a\\\n");
        assert_eq!(run(Flavor::Dash, &[]), "\n");
    }

    #[test]
    fn the_utility_replaces_escapes_on_demand() {
        assert_eq!(run(Flavor::Gnu, &["-E", r"a\n"]), "a\\n\n");
        assert_eq!(run(Flavor::Gnu, &["-ne", r"a\n"]), "a\n");
        assert_eq!(run(Flavor::Gnu, &["-e", r"a\tb\x41\101\0101\z"]), "a\tbAAA\\z\n");
        assert_eq!(run(Flavor::Gnu, &["-nx"]), "-nx\n");
        assert_eq!(run(Flavor::Gnu, &["-"]), "-\n");
    }
}
