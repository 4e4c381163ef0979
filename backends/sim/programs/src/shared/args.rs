//! Options and operands by the rules of GNU getopt_long, with its messages.

/// Whether an option takes an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Takes {
    Nothing,
    Value,
    OptionalValue,
    /// The real tool has it, the simulated one does not.
    Refused,
}

/// One option of a tool.
#[derive(Clone, Copy, Debug)]
pub struct Opt {
    shorts: &'static str,
    long: &'static str,
    takes: Takes,
}

impl Opt {
    /// An option without argument. `shorts` are the letters that mean it (`"rR"`), `long` its name
    /// without dashes; either may be empty.
    #[must_use]
    pub const fn flag(shorts: &'static str, long: &'static str) -> Opt {
        Opt { shorts, long, takes: Takes::Nothing }
    }

    /// An option with an argument: `-t DIR`, `-tDIR`, `--target-directory=DIR`, `--target-directory DIR`.
    #[must_use]
    pub const fn value(shorts: &'static str, long: &'static str) -> Opt {
        Opt { shorts, long, takes: Takes::Value }
    }

    /// An option with an argument only if it is attached: `-iSUFFIX`, `--color=WHEN`.
    #[must_use]
    pub const fn optional(shorts: &'static str, long: &'static str) -> Opt {
        Opt { shorts, long, takes: Takes::OptionalValue }
    }

    /// An option of the real tool that the simulated one lacks: using it is an error that says so.
    #[must_use]
    pub const fn unsupported(shorts: &'static str, long: &'static str) -> Opt {
        Opt { shorts, long, takes: Takes::Refused }
    }

    /// What the option is called in [`Parsed::options`]: the long name, else the first letter.
    const fn key(&self) -> &'static str {
        if !self.long.is_empty() {
            return self.long;
        }
        match self.shorts.split_at_checked(1) {
            Some((first, _)) => first,
            None => "",
        }
    }
}

/// What a tool accepts.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    usage: &'static str,
    options: &'static [Opt],
    failure: i32,
    stop_at_operand: bool,
}

/// Options in the order given, and operands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// Each option by its key (the long name, or the letter if it has none), with its argument.
    pub options: Vec<(&'static str, Option<Vec<u8>>)>,
    /// What is no option.
    pub operands: Vec<Vec<u8>>,
}

impl Parsed {
    /// Whether an option was given.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.options.iter().any(|(given, _)| *given == key)
    }

    /// The argument of an option that was given, its last one.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<&[u8]> {
        self.options.iter().rev().find(|(given, _)| *given == key)?.1.as_deref()
    }

    /// Which of several options that override each other was given last.
    #[must_use]
    pub fn last_of(&self, keys: &[&str]) -> Option<&'static str> {
        self.options.iter().rev().map(|(given, _)| *given).find(|given| keys.contains(given))
    }
}

/// Why parsing did not give options to work with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// `--help`.
    Help,
    /// `--version`.
    Version,
    /// An option of the real tool that is not simulated.
    Unsupported(String),
    /// A usage error, in getopt's words without the program's name.
    Wrong(Vec<u8>),
}

impl Spec {
    /// Options of a tool whose arguments are described by `usage` (`"[OPTION]... FILE"`).
    #[must_use]
    pub const fn new(usage: &'static str, options: &'static [Opt]) -> Spec {
        Spec { usage, options, failure: 1, stop_at_operand: false }
    }

    /// The exit code of a usage error, 1 unless set.
    #[must_use]
    pub const fn failure(mut self, code: i32) -> Spec {
        self.failure = code;
        self
    }

    /// Takes everything after the first operand as operands: for tools that run another program.
    #[must_use]
    pub const fn stop_at_operand(mut self) -> Spec {
        self.stop_at_operand = true;
        self
    }

    /// The exit code of a usage error.
    #[must_use]
    pub const fn failure_code(&self) -> i32 {
        self.failure
    }

    /// The text of `--help`.
    #[must_use]
    pub fn help(&self, name: &str) -> String {
        let mut text = format!("Usage: {name} {}\nOptions in the simulated guest:\n", self.usage);
        for option in self.options.iter().filter(|option| option.takes != Takes::Refused) {
            let mut forms: Vec<String> = option.shorts.chars().map(|letter| format!("-{letter}")).collect();
            if !option.long.is_empty() {
                forms.push(format!("--{}", option.long));
            }
            let argument = match option.takes {
                Takes::Value => " ARG",
                Takes::OptionalValue => "[=ARG]",
                Takes::Nothing | Takes::Refused => "",
            };
            text.push_str(&format!("  {}{argument}\n", forms.join(", ")));
        }
        text.push_str("  --help\n  --version\n");
        text
    }

    /// Reads arguments. Options may follow operands; `--` ends the options.
    pub fn parse(&self, args: Vec<Vec<u8>>) -> Result<Parsed, Stopped> {
        let mut parsed = Parsed::default();
        let mut args = args.into_iter();
        while let Some(arg) = args.next() {
            if arg == b"--" {
                break;
            }
            if let Some(long) = arg.strip_prefix(b"--") {
                self.long(long, &mut args, &mut parsed)?;
            } else if arg.len() > 1 && arg.starts_with(b"-") {
                self.cluster(&arg[1..], &mut args, &mut parsed)?;
            } else {
                parsed.operands.push(arg);
                if self.stop_at_operand {
                    break;
                }
            }
        }
        parsed.operands.extend(args);
        Ok(parsed)
    }

    fn cluster(
        &self,
        letters: &[u8],
        args: &mut dyn Iterator<Item = Vec<u8>>,
        parsed: &mut Parsed,
    ) -> Result<(), Stopped> {
        for (index, &letter) in letters.iter().enumerate() {
            let Some(option) = self.options.iter().find(|option| option.shorts.as_bytes().contains(&letter)) else {
                return Err(wrong(b"invalid option -- '", &[letter], b"'"));
            };
            let rest = &letters[index + 1..];
            let value = match option.takes {
                Takes::Refused => return Err(Stopped::Unsupported(format!("-{}", char::from(letter)))),
                Takes::Nothing => {
                    parsed.options.push((option.key(), None));
                    continue;
                }
                Takes::OptionalValue => (!rest.is_empty()).then(|| rest.to_vec()),
                Takes::Value if !rest.is_empty() => Some(rest.to_vec()),
                Takes::Value => match args.next() {
                    Some(next) => Some(next),
                    None => return Err(wrong(b"option requires an argument -- '", &[letter], b"'")),
                },
            };
            parsed.options.push((option.key(), value));
            break;
        }
        Ok(())
    }

    fn long(&self, text: &[u8], args: &mut dyn Iterator<Item = Vec<u8>>, parsed: &mut Parsed) -> Result<(), Stopped> {
        let (name, attached) = match text.iter().position(|&byte| byte == b'=') {
            Some(at) => (&text[..at], Some(text[at + 1..].to_vec())),
            None => (text, None),
        };
        let option = match self.find_long(name, text)? {
            Found::Option(option) => option,
            Found::Help => return Err(Stopped::Help),
            Found::Version => return Err(Stopped::Version),
        };
        let value = match option.takes {
            Takes::Refused => return Err(Stopped::Unsupported(format!("--{}", option.long))),
            Takes::Nothing if attached.is_some() => {
                return Err(wrong(b"option '--", option.long.as_bytes(), b"' doesn't allow an argument"));
            }
            Takes::Nothing | Takes::OptionalValue => attached,
            Takes::Value => match attached.or_else(|| args.next()) {
                Some(value) => Some(value),
                None => return Err(wrong(b"option '--", option.long.as_bytes(), b"' requires an argument")),
            },
        };
        parsed.options.push((option.key(), value));
        Ok(())
    }

    /// The option of that name, or the only one that the name is a beginning of.
    fn find_long(&self, name: &[u8], text: &[u8]) -> Result<Found<'_>, Stopped> {
        let known = self.options.iter().filter(|option| !option.long.is_empty());
        let known = known.map(|option| (option.long, Found::Option(option)));
        let own = [("help", Found::Help), ("version", Found::Version)];
        let own = own.into_iter().filter(|(own, _)| self.options.iter().all(|option| option.long != *own));
        let mut candidates: Vec<(&str, Found<'_>)> =
            known.chain(own).filter(|(long, _)| long.as_bytes().starts_with(name)).collect();
        if let Some(exact) = candidates.iter().position(|(long, _)| long.as_bytes() == name) {
            return Ok(candidates.swap_remove(exact).1);
        }
        match candidates.len() {
            1 => Ok(candidates.swap_remove(0).1),
            0 => Err(wrong(b"unrecognized option '--", text, b"'")),
            _ => {
                let all: String = candidates.iter().map(|(long, _)| format!(" '--{long}'")).collect();
                Err(wrong(b"option '--", text, format!("' is ambiguous; possibilities:{all}").as_bytes()))
            }
        }
    }
}

enum Found<'a> {
    Option(&'a Opt),
    Help,
    Version,
}

fn wrong(before: &[u8], name: &[u8], after: &[u8]) -> Stopped {
    Stopped::Wrong([before, name, after].concat())
}

#[cfg(test)]
mod tests {
    use super::{Opt, Parsed, Spec, Stopped};

    const OPTIONS: &[Opt] = &[
        Opt::flag("rR", "recursive"),
        Opt::flag("f", ""),
        Opt::value("t", "target"),
        Opt::optional("i", "in-place"),
        Opt::flag("", "reference"),
        Opt::unsupported("Z", "context"),
    ];

    fn parse(args: &[&str]) -> Result<Parsed, Stopped> {
        Spec::new("", OPTIONS).parse(args.iter().map(|arg| arg.as_bytes().to_vec()).collect())
    }

    fn message(args: &[&str]) -> String {
        match parse(args) {
            Err(Stopped::Wrong(message)) => String::from_utf8_lossy(&message).into_owned(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn clusters_values_and_operands_in_any_order() {
        let parsed = parse(&["-Rf", "a", "-tdir", "-isuf", "-i", "b", "--", "-f"]).expect("valid");
        let keys: Vec<&str> = parsed.options.iter().map(|(key, _)| *key).collect();
        assert_eq!(keys, ["recursive", "f", "target", "in-place", "in-place"]);
        assert_eq!(parsed.value("target"), Some(&b"dir"[..]));
        assert_eq!(parsed.operands, [&b"a"[..], b"b", b"-f"]);
        assert_eq!(parse(&["-ft", "x"]).expect("valid").value("target"), Some(&b"x"[..]));
        assert_eq!(parse(&["-"]).expect("valid").operands, [b"-"]);
    }

    #[test]
    fn long_names_may_be_shortened_while_unique() {
        assert!(parse(&["--rec"]).expect("valid").has("recursive"));
        assert_eq!(parse(&["--tar=x"]).expect("valid").value("target"), Some(&b"x"[..]));
        assert_eq!(message(&["--re"]), "option '--re' is ambiguous; possibilities: '--recursive' '--reference'");
        assert_eq!(parse(&["--help"]), Err(Stopped::Help));
        assert_eq!(parse(&["--vers"]), Err(Stopped::Version));
    }

    #[test]
    fn errors_read_as_getopt_writes_them() {
        assert_eq!(message(&["-z"]), "invalid option -- 'z'");
        assert_eq!(message(&["-t"]), "option requires an argument -- 't'");
        assert_eq!(message(&["--target"]), "option '--target' requires an argument");
        assert_eq!(message(&["--recursive=1"]), "option '--recursive' doesn't allow an argument");
        assert_eq!(message(&["--foo=1"]), "unrecognized option '--foo=1'");
        assert_eq!(parse(&["-fZ"]), Err(Stopped::Unsupported("-Z".into())));
        assert_eq!(parse(&["--cont"]), Err(Stopped::Unsupported("--context".into())));
    }

    #[test]
    fn a_tool_that_runs_another_stops_at_the_first_operand() {
        let spec = Spec::new("", OPTIONS).stop_at_operand();
        let args = ["-f", "cmd", "-z", "--"].map(|arg| arg.as_bytes().to_vec());
        assert_eq!(spec.parse(args.to_vec()).expect("valid").operands, [&b"cmd"[..], b"-z", b"--"]);
    }
}
