//! What printf writes: once for the builtin of the shell, once for the utility of GNU coreutils.

use super::echo::{Flavor, unescape};
use super::escape::{self, Escape};
use super::numfmt::{MAX_WIDTH, Spec};
use super::quote::{quote, shell_escaped};
use super::strnum::{self, Read};

/// What a run of printf came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// All that goes to standard output.
    pub output: Vec<u8>,
    /// Messages for standard error, without the tool's name before them.
    pub errors: Vec<Vec<u8>>,
    /// The exit status.
    pub status: i32,
    /// Whether the last message ended the run: in the shell that is an error of the builtin.
    pub fatal: bool,
}

/// The most output of one run, in bytes: a field's width is cheap to write and dear to hold.
pub const MAX_OUTPUT: usize = 64 << 20;

/// Formats `args` by `format`, again and again as long as it consumes arguments and some are left.
#[must_use]
pub fn printf(format: &[u8], args: &[Vec<u8>], flavor: Flavor) -> Report {
    let mut run = Run { flavor, args, next: 0, report: Report::default() };
    loop {
        let before = run.next;
        match run.once(format) {
            Ok(()) => {}
            Err(Stop::Done) => return run.report,
            Err(Stop::Fatal(message)) => {
                run.report.errors.push(message);
                run.report.status = if flavor == Flavor::Gnu { 1 } else { 2 };
                run.report.fatal = true;
                return run.report;
            }
        }
        if run.next == before || run.next >= run.args.len() {
            break;
        }
    }
    if let (Flavor::Gnu, Some(extra)) = (flavor, run.args.get(run.next)) {
        let message = format!("warning: ignoring excess arguments, starting with {}", quote(extra));
        run.report.errors.push(message.into_bytes());
    }
    run.report
}

/// Why formatting ends before the format does.
enum Stop {
    /// `\c`.
    Done,
    /// A directive that is none.
    Fatal(Vec<u8>),
}

struct Run<'a> {
    flavor: Flavor,
    args: &'a [Vec<u8>],
    next: usize,
    report: Report,
}

impl Run<'_> {
    fn once(&mut self, format: &[u8]) -> Result<(), Stop> {
        let mut rest = format;
        while let Some((&byte, after)) = rest.split_first() {
            if self.report.output.len() > MAX_OUTPUT {
                return Err(Stop::Fatal(format!("more than {MAX_OUTPUT} bytes of output").into_bytes()));
            }
            rest = match byte {
                b'\\' => self.escape(after)?,
                b'%' if after.first() == Some(&b'%') => {
                    self.report.output.push(b'%');
                    &after[1..]
                }
                b'%' => self.directive(rest)?,
                _ => {
                    self.report.output.push(byte);
                    after
                }
            };
        }
        Ok(())
    }

    /// An escape of the format; `rest` starts after the backslash.
    fn escape<'f>(&mut self, rest: &'f [u8]) -> Result<&'f [u8], Stop> {
        if self.flavor == Flavor::Gnu {
            match rest.first() {
                Some(b'c') => return Err(Stop::Done),
                Some(b'"') => {
                    self.report.output.push(b'"');
                    return Ok(&rest[1..]);
                }
                _ => {}
            }
        }
        match escape::read(rest, self.flavor) {
            Escape::Bytes(bytes, used) => {
                self.report.output.extend_from_slice(&bytes);
                Ok(&rest[used..])
            }
            Escape::NoHexDigits => Err(Stop::Fatal(b"missing hexadecimal number in escape".to_vec())),
            Escape::None => {
                self.report.output.push(b'\\');
                Ok(rest)
            }
        }
    }

    /// A conversion; `text` starts with its percent sign.
    fn directive<'f>(&mut self, text: &'f [u8]) -> Result<&'f [u8], Stop> {
        let gnu = self.flavor == Flavor::Gnu;
        if gnu {
            match text.get(1) {
                Some(b'b') => {
                    let arg = self.argument();
                    return if unescape(&arg, self.flavor, &mut self.report.output) {
                        Err(Stop::Done)
                    } else {
                        Ok(&text[2..])
                    };
                }
                Some(b'q') => {
                    let arg = self.argument();
                    self.report.output.extend_from_slice(shell_escaped(&arg).as_bytes());
                    return Ok(&text[2..]);
                }
                _ => {}
            }
        }
        let mut at = 1;
        let mut spec = Spec::default();
        loop {
            match text.get(at) {
                Some(b'-') => spec.left = true,
                Some(b'+') => spec.plus = true,
                Some(b' ') => spec.space = true,
                Some(b'#') => spec.alternate = true,
                Some(b'0') => spec.zero = true,
                Some(b'\'' | b'I') if gnu => {}
                _ => break,
            }
            at += 1;
        }
        if text.get(at) == Some(&b'*') {
            at += 1;
            let width = self.integer().clamp(-(MAX_WIDTH as i64), MAX_WIDTH as i64);
            spec.left |= width < 0;
            spec.width = usize::try_from(width.unsigned_abs()).unwrap_or(MAX_WIDTH);
        } else {
            spec.width = decimal(text, &mut at);
        }
        if text.get(at) == Some(&b'.') {
            at += 1;
            if text.get(at) == Some(&b'*') {
                at += 1;
                spec.precision = usize::try_from(self.integer()).ok().map(|most| most.min(MAX_WIDTH));
            } else {
                spec.precision = Some(decimal(text, &mut at));
            }
        }
        while gnu && matches!(text.get(at), Some(b'h' | b'j' | b'l' | b'L' | b't' | b'z')) {
            at += 1;
        }
        let Some(&letter) = text.get(at) else {
            return Err(Stop::Fatal(match self.flavor {
                Flavor::Dash => b"missing format character".to_vec(),
                Flavor::Gnu => [text, b": invalid conversion specification"].concat(),
            }));
        };
        let field = self.field(spec, letter).map_err(|stop| match stop {
            Some(stop) => stop,
            None => Stop::Fatal(match self.flavor {
                Flavor::Dash => [&text[..=at], b": invalid directive"].concat(),
                Flavor::Gnu => [&text[..=at], b": invalid conversion specification"].concat(),
            }),
        })?;
        self.report.output.extend_from_slice(&field);
        Ok(&text[at + 1..])
    }

    /// One conversion; `Err(None)` if the letter means none.
    fn field(&mut self, spec: Spec, letter: u8) -> Result<Vec<u8>, Option<Stop>> {
        Ok(match letter {
            b'd' | b'i' => spec.signed(self.integer()),
            b'o' | b'u' | b'x' | b'X' => spec.unsigned(self.unsigned(), letter),
            b'e' | b'E' | b'f' | b'F' | b'g' | b'G' | b'a' | b'A' => {
                let value = self.float();
                spec.float(value, letter, self.flavor == Flavor::Gnu)
            }
            b'c' => spec.pad(&[self.argument().first().copied().unwrap_or_default()]),
            b's' => {
                let arg = self.argument();
                spec.string(&arg)
            }
            b'b' if self.flavor == Flavor::Dash => {
                let (arg, mut text) = (self.argument(), Vec::new());
                let ended = unescape(&arg, self.flavor, &mut text);
                let field = spec.string(&text);
                if ended {
                    self.report.output.extend_from_slice(&field);
                    return Err(Some(Stop::Done));
                }
                field
            }
            _ => return Err(None),
        })
    }

    fn take(&mut self) -> Option<Vec<u8>> {
        let arg = self.args.get(self.next)?;
        self.next += 1;
        Some(arg.clone())
    }

    fn argument(&mut self) -> Vec<u8> {
        self.take().unwrap_or_default()
    }

    fn integer(&mut self) -> i64 {
        let Some(arg) = self.take() else { return 0 };
        match self.character(&arg) {
            Some(value) => value,
            None => self.checked(&arg, strnum::signed(&arg, 0)),
        }
    }

    fn unsigned(&mut self) -> u64 {
        let Some(arg) = self.take() else { return 0 };
        match self.character(&arg) {
            Some(value) => value.cast_unsigned(),
            None => self.checked(&arg, strnum::unsigned(&arg, 0)),
        }
    }

    fn float(&mut self) -> f64 {
        let Some(arg) = self.take() else { return 0.0 };
        match self.character(&arg) {
            Some(value) => value as f64,
            None => self.checked(&arg, strnum::float(&arg)),
        }
    }

    /// `'x` and `"x` are the number of the byte x.
    fn character(&mut self, arg: &[u8]) -> Option<i64> {
        let ([b'\'' | b'"', rest @ ..], flavor) = (arg, self.flavor) else { return None };
        match (rest, flavor) {
            ([], Flavor::Gnu) => None,
            ([], Flavor::Dash) => Some(0),
            ([byte, extra @ ..], _) => {
                if flavor == Flavor::Gnu && !extra.is_empty() {
                    let text = String::from_utf8_lossy(extra);
                    let message =
                        format!("warning: {text}: character(s) following character constant have been ignored");
                    self.report.errors.push(message.into_bytes());
                }
                Some(i64::from(*byte))
            }
        }
    }

    /// The value that was read, after a complaint about what is wrong with it.
    fn checked<T>(&mut self, arg: &[u8], read: Read<T>) -> T {
        let gnu = self.flavor == Flavor::Gnu;
        let complaint = match (read.used, read.overflow) {
            (_, true) if gnu || read.used == arg.len() => "Numerical result out of range",
            (used, _) if used == arg.len() => return read.value,
            (0, _) if gnu => "expected a numeric value",
            (0, _) => "expected numeric value",
            _ if gnu => "value not completely converted",
            _ => "not completely converted",
        };
        let shown = if gnu { quote(arg).into_bytes() } else { arg.to_vec() };
        self.report.errors.push([&shown, ": ".as_bytes(), complaint.as_bytes()].concat());
        self.report.status = 1;
        read.value
    }
}

/// A decimal number in the format, at most [`MAX_WIDTH`].
fn decimal(text: &[u8], at: &mut usize) -> usize {
    let mut value = 0usize;
    while let Some(digit) = text.get(*at).filter(|byte| byte.is_ascii_digit()) {
        value = value.saturating_mul(10).saturating_add(usize::from(digit - b'0')).min(MAX_WIDTH);
        *at += 1;
    }
    value
}

#[cfg(test)]
mod tests {
    use super::{Flavor, Report, printf};

    fn run(flavor: Flavor, format: &str, args: &[&str]) -> Report {
        let args: Vec<Vec<u8>> = args.iter().map(|arg| arg.as_bytes().to_vec()).collect();
        printf(format.as_bytes(), &args, flavor)
    }

    fn text(format: &str, args: &[&str]) -> String {
        String::from_utf8_lossy(&run(Flavor::Dash, format, args).output).into_owned()
    }

    #[test]
    fn the_format_is_used_again_as_long_as_there_are_arguments() {
        assert_eq!(text("%s\n", &["a", "b"]), "a\nb\n");
        assert_eq!(text("%d %d\n", &["1", "2", "3"]), "1 2\n3 0\n");
        assert_eq!(text("x\n", &["a", "b"]), "x\n");
        assert_eq!(text("%s|%d|", &[]), "|0|");
        assert_eq!(text("%*d|%-*d|%.*f", &["5", "42", "5", "42", "2", "3.14159"]), "   42|42   |3.14");
        assert_eq!(text("%d %d", &["'a", "\"b"]), "97 98");
        assert_eq!(text("%b|%b", &["x\\cy", "z"]), "x");
    }

    #[test]
    fn complaints_read_as_the_real_tools_do() {
        let dash = run(Flavor::Dash, "%d\n", &["12abc"]);
        assert_eq!((dash.output, dash.status), (b"12\n".to_vec(), 1));
        assert_eq!(dash.errors, [b"12abc: not completely converted"]);
        let gnu = run(Flavor::Gnu, "%d\n", &["abc"]);
        assert_eq!(gnu.errors, [b"'abc': expected a numeric value"]);
        assert_eq!(run(Flavor::Dash, "a%", &[]).errors, [b"missing format character"]);
        assert_eq!(run(Flavor::Dash, "%5%", &[]).errors, [b"%5%: invalid directive"]);
        let gnu = run(Flavor::Gnu, "%z", &[]);
        assert_eq!((gnu.errors, gnu.status), (vec![b"%z: invalid conversion specification".to_vec()], 1));
        assert_eq!(run(Flavor::Gnu, "x", &["a"]).errors, [b"warning: ignoring excess arguments, starting with 'a'"]);
        assert_eq!(run(Flavor::Gnu, "%d", &[""]), Report { output: b"0".to_vec(), ..Report::default() });
    }
}
