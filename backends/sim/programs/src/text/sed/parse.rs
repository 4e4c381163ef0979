//! Reading a script.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::script::{Action, Address, Command, Pattern, Script, Substitution, Target};
use super::source::Source;
use super::text::{self, Quoted};
use crate::shared::posix_regex::{Dialect, Regex, RegexError, Syntax};

/// Commands of one script: far above any real one.
const MAX_COMMANDS: usize = 100_000;

/// What is wrong with a script: the message after `sed: `, and the exit code.
pub(super) struct Fault {
    pub(super) code: i32,
    pub(super) message: String,
}

/// Reads the whole script.
pub(super) fn parse(source: &mut Source, extended: bool, lines: bool) -> Result<Script, Fault> {
    let quiet = source.begins_with(b"#n\n");
    let mut parser = Parser {
        source,
        extended,
        lines,
        script: Script { quiet, ..Script::default() },
        blocks: Vec::new(),
        labels: BTreeMap::new(),
        jumps: Vec::new(),
    };
    parser.run()?;
    parser.script.place = parser.source.place_of_all();
    Ok(parser.script)
}

struct Parser<'a> {
    source: &'a mut Source,
    extended: bool,
    /// `^` and `$` may match at newlines: not if lines end in NUL.
    lines: bool,
    script: Script,
    /// Places of `{` that are open.
    blocks: Vec<usize>,
    labels: BTreeMap<Vec<u8>, usize>,
    /// Commands that jump to a label.
    jumps: Vec<(usize, Vec<u8>)>,
}

impl Parser<'_> {
    fn fail<T>(&self, message: impl AsRef<str>) -> Result<T, Fault> {
        Err(Fault { code: 1, message: format!("{}{}", self.source.place(), message.as_ref()) })
    }

    fn run(&mut self) -> Result<(), Fault> {
        loop {
            self.source.skip_separators();
            if self.source.peek().is_none() {
                break;
            }
            self.command()?;
            if self.script.commands.len() > MAX_COMMANDS {
                return self
                    .fail(format!("more than {MAX_COMMANDS} commands are not supported by the simulated guest"));
            }
        }
        if !self.blocks.is_empty() {
            return Err(Fault { code: 1, message: format!("{}unmatched `{{'", self.source.place_of_all()) });
        }
        for (index, label) in std::mem::take(&mut self.jumps) {
            let target =
                if label.is_empty() { Some(self.script.commands.len()) } else { self.labels.get(&label).copied() };
            let Some(target) = target else {
                let message = format!("can't find label for jump to `{}'", String::from_utf8_lossy(&label));
                return Err(Fault { code: 4, message });
            };
            let command = self.script.commands.get_mut(index);
            if let Some(Action::Branch(to) | Action::BranchIf { to, .. }) = command.map(|command| &mut command.action) {
                *to = target;
            }
        }
        Ok(())
    }

    fn command(&mut self) -> Result<(), Fault> {
        let from = self.address(true)?;
        let mut to = None;
        if from.is_some() {
            self.source.skip_blanks();
            if self.source.peek() == Some(b',') {
                self.source.next();
                self.source.skip_blanks();
                to = self.address(false)?;
                if to.is_none() {
                    self.step_for_error();
                    return self.fail("unexpected `,'");
                }
            }
        }
        if let Some(Address::Line(0)) = from
            && !matches!(to, Some(Address::Pattern(_)))
        {
            self.step_for_error();
            return self.fail("invalid usage of line address 0");
        }
        self.source.skip_blanks();
        let mut negated = false;
        while self.source.peek() == Some(b'!') {
            self.source.next();
            if negated {
                return self.fail("multiple `!'s");
            }
            negated = true;
            self.source.skip_blanks();
        }
        let Some(letter) = self.source.next() else { return self.fail("missing command") };
        let addresses = usize::from(from.is_some()) + usize::from(to.is_some());
        let index = self.script.commands.len();
        let action = self.action(letter, addresses, index)?;
        self.script.commands.push(Command { from, to, negated, action });
        Ok(())
    }

    /// The real parser has read one byte further when it reports some faults.
    fn step_for_error(&mut self) {
        self.source.skip_blanks();
        self.source.next();
    }

    fn number(&mut self) -> u64 {
        let mut value: u64 = 0;
        while let Some(digit @ b'0'..=b'9') = self.source.peek() {
            self.source.next();
            value = value.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
        }
        value
    }

    fn address(&mut self, first: bool) -> Result<Option<Address>, Fault> {
        let Some(byte) = self.source.peek() else { return Ok(None) };
        Ok(Some(match byte {
            b'0'..=b'9' => {
                let line = self.number();
                self.source.skip_blanks();
                if first && self.source.peek() == Some(b'~') {
                    self.source.next();
                    self.source.skip_blanks();
                    let step = self.number();
                    if step == 0 { Address::Line(line) } else { Address::Step(line, step) }
                } else {
                    Address::Line(line)
                }
            }
            b'+' | b'~' => {
                self.source.next();
                if first {
                    self.source.next();
                    return self.fail("invalid usage of +N or ~N as first address");
                }
                self.source.skip_blanks();
                let count = self.number();
                if byte == b'+' { Address::Plus(count) } else { Address::Multiple(count) }
            }
            b'$' => {
                self.source.next();
                Address::Last
            }
            b'/' | b'\\' => {
                self.source.next();
                let delimiter = if byte == b'/' { Some(b'/') } else { self.source.next() };
                let Some(delimiter) = delimiter else { return self.fail("unterminated address regex") };
                let Some(pattern) = text::delimited(self.source, delimiter, Quoted::Pattern) else {
                    return self.fail("unterminated address regex");
                };
                let mut syntax = self.syntax();
                loop {
                    self.source.skip_blanks();
                    match self.source.peek() {
                        Some(b'I') => syntax.icase = true,
                        Some(b'M') => syntax.multiline = self.lines,
                        _ => break,
                    }
                    self.source.next();
                }
                Address::Pattern(self.pattern(&pattern, syntax)?)
            }
            _ => return Ok(None),
        }))
    }

    fn syntax(&self) -> Syntax {
        Syntax { extended: self.extended, ..Syntax::basic(Dialect::Sed) }
    }

    fn pattern(&self, pattern: &[u8], syntax: Syntax) -> Result<Pattern, Fault> {
        if pattern.is_empty() {
            if syntax.icase || syntax.multiline {
                return self.fail("cannot specify modifiers on empty regexp");
            }
            return Ok(None);
        }
        match Regex::new(&text::unescape_pattern(pattern), syntax) {
            Ok(regex) => Ok(Some(Rc::new(regex))),
            Err(RegexError::ClassSyntax) => Err(Fault { code: 4, message: RegexError::ClassSyntax.to_string() }),
            Err(error) => self.fail(error.to_string()),
        }
    }

    fn action(&mut self, letter: u8, addresses: usize, index: usize) -> Result<Action, Fault> {
        match letter {
            b'#' if addresses > 0 => return self.fail("comments don't accept any addresses"),
            b':' if addresses > 0 => return self.fail(": doesn't want any addresses"),
            b'q' | b'Q' if addresses > 1 => return self.fail("command only uses one address"),
            _ => {}
        }
        let action = match letter {
            b'#' => {
                while self.source.next().is_some_and(|byte| byte != b'\n') {}
                return Ok(Action::Nothing);
            }
            b':' => {
                self.source.skip_blanks();
                let label = self.label();
                if label.is_empty() {
                    return self.fail("\":\" lacks a label");
                }
                self.labels.insert(label, index);
                return Ok(Action::Nothing);
            }
            b'{' => {
                self.blocks.push(index);
                return Ok(Action::Block(0));
            }
            b'}' => {
                let Some(open) = self.blocks.pop() else { return self.fail("unexpected `}'") };
                if addresses > 0 {
                    return self.fail("} doesn't want any addresses");
                }
                if let Some(command) = self.script.commands.get_mut(open) {
                    command.action = Action::Block(index + 1);
                }
                Action::Nothing
            }
            b'a' | b'i' | b'c' => return self.text_command(letter),
            b'b' | b't' | b'T' => {
                self.source.skip_blanks();
                let label = self.label();
                self.jumps.push((index, label));
                return Ok(match letter {
                    b'b' => Action::Branch(0),
                    letter => Action::BranchIf { to: 0, replaced: letter == b't' },
                });
            }
            b'r' => return Ok(Action::ReadFile(self.file_name()?)),
            b'R' => return Ok(Action::ReadLine(self.file_name()?)),
            b'w' => {
                let name = self.file_name()?;
                return Ok(Action::Write(self.target(name)));
            }
            b'W' => {
                let name = self.file_name()?;
                return Ok(Action::WriteFirst(self.target(name)));
            }
            b's' => return self.substitution(),
            b'y' => self.translation()?,
            b'q' | b'Q' => {
                self.source.skip_blanks();
                let code = (self.number() & 0xff) as i32;
                if letter == b'q' { Action::Quit(code) } else { Action::QuitSilently(code) }
            }
            b'l' => {
                self.source.skip_blanks();
                let given = self.source.peek().is_some_and(|byte| byte.is_ascii_digit());
                let width = usize::try_from(self.number()).unwrap_or(usize::MAX);
                Action::List(given.then_some(width))
            }
            b'v' => {
                self.label();
                Action::Nothing
            }
            b'=' => Action::LineNumber,
            b'd' => Action::Delete,
            b'D' => Action::DeleteFirst,
            b'F' => Action::FileName,
            b'g' => Action::GetHold,
            b'G' => Action::AppendHold,
            b'h' => Action::Hold,
            b'H' => Action::HoldAppend,
            b'n' => Action::Next,
            b'N' => Action::NextAppend,
            b'p' => Action::Print,
            b'P' => Action::PrintFirst,
            b'x' => Action::Exchange,
            b'z' => Action::Zap,
            b'e' => return self.fail("command `e' is not supported by the simulated guest"),
            other => {
                return self.fail(format!("unknown command: `{}'", String::from_utf8_lossy(&[other])));
            }
        };
        self.end_of_command()?;
        Ok(action)
    }

    fn end_of_command(&mut self) -> Result<(), Fault> {
        self.source.skip_blanks();
        match self.source.next() {
            None | Some(b'\n' | b';') => Ok(()),
            Some(b'}' | b'#') => {
                self.source.back();
                Ok(())
            }
            Some(_) => self.fail("extra characters after command"),
        }
    }

    /// A label: up to white space or a semicolon.
    fn label(&mut self) -> Vec<u8> {
        let mut label = Vec::new();
        while let Some(byte) = self.source.peek() {
            if byte.is_ascii_whitespace() || byte == b';' {
                break;
            }
            self.source.next();
            label.push(byte);
        }
        label
    }

    fn file_name(&mut self) -> Result<Vec<u8>, Fault> {
        self.source.skip_blanks();
        let mut name = Vec::new();
        while let Some(byte) = self.source.peek() {
            if byte == b'\n' {
                break;
            }
            self.source.next();
            name.push(byte);
        }
        if name.is_empty() { self.fail("missing filename in r/R/w/W commands") } else { Ok(name) }
    }

    fn target(&mut self, name: Vec<u8>) -> Target {
        match name.as_slice() {
            b"/dev/stdout" => Target::Stdout,
            b"/dev/stderr" => Target::Stderr,
            _ => {
                let known = self.script.files.iter().position(|known| *known == name);
                Target::File(known.unwrap_or_else(|| {
                    self.script.files.push(name);
                    self.script.files.len() - 1
                }))
            }
        }
    }

    fn text_command(&mut self, letter: u8) -> Result<Action, Fault> {
        let Some(text) = text::inserted(self.source) else {
            return self.fail("expected \\ after `a', `c' or `i'");
        };
        Ok(match letter {
            b'a' => Action::Append(text),
            b'i' => Action::Insert(text),
            _ => Action::Change(text),
        })
    }

    fn translation(&mut self) -> Result<Action, Fault> {
        let unterminated = "unterminated `y' command";
        let Some(delimiter) = self.source.next() else { return self.fail(unterminated) };
        let Some(from) = text::delimited(self.source, delimiter, Quoted::Bytes) else {
            return self.fail(unterminated);
        };
        let Some(to) = text::delimited(self.source, delimiter, Quoted::Bytes) else { return self.fail(unterminated) };
        let (from, to) = (text::unescape_bytes(&from), text::unescape_bytes(&to));
        if from.len() != to.len() {
            return self.fail("strings for `y' command are different lengths");
        }
        let mut map: Box<[u8; 256]> = Box::new(std::array::from_fn(|byte| byte as u8));
        for (from, to) in from.iter().zip(&to) {
            map[usize::from(*from)] = *to;
        }
        Ok(Action::Translate(map))
    }

    fn substitution(&mut self) -> Result<Action, Fault> {
        let unterminated = "unterminated `s' command";
        let Some(delimiter) = self.source.next() else { return self.fail(unterminated) };
        let Some(pattern) = text::delimited(self.source, delimiter, Quoted::Pattern) else {
            return self.fail(unterminated);
        };
        let Some(replacement) = text::delimited(self.source, delimiter, Quoted::Replacement) else {
            return self.fail(unterminated);
        };
        let mut substitution = Substitution {
            pattern: None,
            pieces: text::pieces(&replacement),
            global: false,
            print: false,
            number: 0,
            write: None,
        };
        let mut syntax = self.syntax();
        self.flags(&mut substitution, &mut syntax)?;
        substitution.pattern = self.pattern(&pattern, syntax)?;
        if let Some(regex) = &substitution.pattern {
            let highest = text::highest_group(&substitution.pieces);
            if highest > regex.groups() {
                return self.fail(format!("invalid reference \\{highest} on `s' command's RHS"));
            }
        }
        substitution.number = substitution.number.max(1);
        Ok(Action::Substitute(Box::new(substitution)))
    }

    fn flags(&mut self, substitution: &mut Substitution, syntax: &mut Syntax) -> Result<(), Fault> {
        loop {
            match self.source.next() {
                None | Some(b'\n' | b';') => return Ok(()),
                Some(b'}' | b'#') => {
                    self.source.back();
                    return Ok(());
                }
                Some(b' ' | b'\t' | b'\r') => {}
                Some(b'i' | b'I') => syntax.icase = true,
                Some(b'm' | b'M') => syntax.multiline = self.lines,
                Some(b'e') => return self.fail("flag `e' of `s' is not supported by the simulated guest"),
                Some(b'g') if substitution.global => {
                    return self.fail("multiple `g' options to `s' command");
                }
                Some(b'g') => substitution.global = true,
                Some(b'p') if substitution.print => {
                    return self.fail("multiple `p' options to `s' command");
                }
                Some(b'p') => substitution.print = true,
                Some(b'w') => {
                    let name = self.file_name()?;
                    substitution.write = Some(self.target(name));
                    return Ok(());
                }
                Some(b'0'..=b'9') => {
                    if substitution.number > 0 {
                        return self.fail("multiple number options to `s' command");
                    }
                    self.source.back();
                    substitution.number = self.number();
                    if substitution.number == 0 {
                        return self.fail("number option to `s' command may not be zero");
                    }
                }
                Some(_) => return self.fail("unknown option to `s'"),
            }
        }
    }
}
