//! Where commands come from: a string, a file, standard input; parsed a line at a time, as what one line
//! does may change what the next one means.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use provium_kernel::flags::{O_RDONLY, SEEK_CUR};
use provium_kernel::{Errno, Fd};

use super::exec::{FIRST_PRIVATE_FD, Mode};
use super::flow::{Apart, Eval, Flow};
use super::options::Opt;
use super::state::{ERROR, Shell};
use super::syntax::ast::{Node, Text};
use super::syntax::{Aliases, Failure, Line, Parser};

/// Scripts whose tree is kept: the same ones run again and again in a test.
const MAX_CACHED: usize = 256;

/// The longest script whose tree is kept, in bytes.
const MAX_CACHED_LENGTH: usize = 256 << 10;

/// The longest line of commands, in bytes: a script without end must not fill the memory.
pub const MAX_SCRIPT: usize = 16 << 20;

/// Bytes asked for in one read of a file.
const CHUNK: usize = 8 << 10;

/// A script and the trees of the lines of it that were parsed.
#[derive(Debug)]
pub struct Script {
    text: Text,
    lines: RefCell<Vec<Result<Rc<Line>, Rc<Failure>>>>,
}

thread_local! {
    static CACHE: RefCell<BTreeMap<Text, Rc<Script>>> = const { RefCell::new(BTreeMap::new()) };
}

impl Script {
    /// The script with this text.
    #[must_use]
    pub fn of(text: &Text) -> Rc<Script> {
        let new = || Rc::new(Script { text: Rc::clone(text), lines: RefCell::default() });
        if text.len() > MAX_CACHED_LENGTH {
            return new();
        }
        CACHE.with_borrow_mut(|cache| {
            if let Some(script) = cache.get(text) {
                return Rc::clone(script);
            }
            if cache.len() >= MAX_CACHED {
                cache.clear();
            }
            let script = new();
            cache.insert(Rc::clone(text), Rc::clone(&script));
            script
        })
    }

    /// Line number `index`, which starts at `place` unless aliases changed what came before.
    fn line(&self, index: usize, place: Place, aliases: &Aliases) -> Result<Rc<Line>, Rc<Failure>> {
        let parse = || Parser::new(&self.text, place.at, place.line, aliases).line().map(Rc::new).map_err(Rc::new);
        if !aliases.is_empty() || place.strayed {
            return parse();
        }
        if let Some(known) = self.lines.borrow().get(index) {
            return known.clone();
        }
        let line = parse();
        let mut lines = self.lines.borrow_mut();
        if lines.len() == index {
            lines.push(line.clone());
        }
        line
    }
}

/// Where in a script the next line starts.
#[derive(Clone, Copy, Debug)]
struct Place {
    at: usize,
    line: usize,
    /// Whether aliases were there, so that lines may not be those that are kept.
    strayed: bool,
}

impl Shell {
    /// Runs the commands of a string.
    pub(super) async fn run_text(&mut self, text: Text, mode: Mode) -> Eval {
        self.run_lines(text, mode, false).await
    }

    /// [`Shell::run_text`] within another command.
    pub(super) fn run_text_apart(&mut self, text: Text, mode: Mode) -> Apart<'_, Eval> {
        self.apart(async move |shell: &mut Shell| shell.run_text(text, mode).await)
    }

    async fn run_lines(&mut self, text: Text, mode: Mode, is_file: bool) -> Eval {
        let script = Script::of(&text);
        let mut place = Place { at: 0, line: 1, strayed: false };
        let mut index = 0;
        let mut status = 0;
        loop {
            place.strayed |= !self.aliases.is_empty();
            let line = match script.line(index, place, &self.aliases) {
                Ok(line) => line,
                Err(failure) => return Err(self.syntax_error(&failure).await),
            };
            if line.is_end {
                return Ok(status);
            }
            self.parsed_line = line.end_line;
            if is_file && self.has(Opt::Verbose) {
                self.write_error(&text[place.at..line.end]).await;
            }
            if let Some(command) = &line.command {
                let mode = Mode { last: mode.last && line.ends_text, ..mode };
                status = self.run_line(command, mode).await?;
            }
            index += 1;
            (place.at, place.line) = (line.end, line.end_line);
        }
    }

    async fn run_line(&mut self, command: &Rc<Node>, mode: Mode) -> Eval {
        let status = self.eval(command, mode).await?;
        self.status = status;
        Ok(status)
    }

    pub(super) async fn syntax_error(&mut self, failure: &Failure) -> Flow {
        self.line = failure.line;
        self.status = ERROR;
        self.error(format!("Syntax error: {}", failure.message)).await
    }

    /// Runs a file in this shell: a script, or that of `.`.
    pub(super) async fn run_file(&mut self, fd: Fd) -> Eval {
        let text = self.read_script(fd).await?;
        self.run_lines(text, Mode::default(), true).await
    }

    async fn read_script(&mut self, fd: Fd) -> Result<Text, Flow> {
        let mut text = Vec::new();
        loop {
            match self.sys.read(fd, CHUNK).await {
                Ok(part) if part.is_empty() => break,
                Ok(part) => text.extend_from_slice(&part),
                Err(Errno::EINTR) => self.note_signals(),
                Err(_) => break,
            }
            if text.len() > MAX_SCRIPT {
                return Err(self.error(format!("script of more than {MAX_SCRIPT} bytes")).await);
            }
        }
        let _only_the_script = self.sys.close(fd).await;
        Ok(text.into())
    }

    /// Opens a script; its descriptor is out of the way of those that scripts use.
    pub(super) async fn open_script(&mut self, path: &[u8]) -> Result<Fd, Errno> {
        let fd = self.sys.open(path, O_RDONLY, 0).await?;
        let moved = self.sys.fcntl_dupfd(fd, FIRST_PRIVATE_FD, true).await;
        let _only_the_copy = self.sys.close(fd).await;
        moved
    }

    /// Runs the commands on standard input. No more is read of it than the line of a command, so that the
    /// command finds what follows.
    pub(super) async fn run_input(&mut self) -> Eval {
        let mut status = 0;
        let mut line = 1;
        loop {
            let (parsed, text) = self.read_command(line).await?;
            let ran = match parsed {
                Ok(parsed) if parsed.is_end && text.is_empty() => {
                    if self.has(Opt::Interactive) {
                        self.write_error(b"\n").await;
                    }
                    return Ok(status);
                }
                Ok(parsed) => {
                    self.parsed_line = parsed.end_line;
                    line = parsed.end_line;
                    match &parsed.command {
                        Some(command) => self.run_line(command, Mode::default()).await,
                        None => Ok(status),
                    }
                }
                Err(failure) => {
                    line += text.iter().filter(|byte| **byte == b'\n').count();
                    Err(self.syntax_error(&failure).await)
                }
            };
            status = match ran {
                // Who types gets to type on.
                Err(Flow::Error(failed)) if self.has(Opt::Interactive) => {
                    self.status = failed;
                    failed
                }
                ran => ran?,
            };
        }
    }

    /// Asks for a line.
    async fn prompt(&mut self, variable: &[u8]) -> Result<(), Flow> {
        if self.has(Opt::Interactive) {
            let prompt = self.expand_prompt(variable).await?;
            self.write_error(&prompt).await;
        }
        Ok(())
    }

    /// Reads lines until they make a complete command.
    async fn read_command(&mut self, line: usize) -> Result<(Result<Line, Failure>, Vec<u8>), Flow> {
        let mut text = Vec::new();
        loop {
            self.prompt(if text.is_empty() { b"PS1" } else { b"PS2" }).await?;
            let more = self.read_line(&mut text).await;
            if self.has(Opt::Verbose) {
                let start = text.len() - more;
                self.write_error(&text[start..]).await;
            }
            if text.len() > MAX_SCRIPT {
                return Err(self.error(format!("command of more than {MAX_SCRIPT} bytes")).await);
            }
            let parsed = Parser::new(&text, 0, line, &self.aliases).line();
            let incomplete = match &parsed {
                Ok(parsed) => parsed.incomplete,
                Err(failure) => failure.incomplete,
            };
            if more == 0 || !incomplete {
                return Ok((parsed, text));
            }
        }
    }

    /// Reads one line and its end from standard input: how many bytes there were. What can be put back is
    /// read in larger pieces.
    async fn read_line(&mut self, text: &mut Vec<u8>) -> usize {
        let before = text.len();
        let seekable = self.sys.lseek(0, 0, SEEK_CUR).await.is_ok();
        loop {
            match self.sys.read(0, if seekable { CHUNK } else { 1 }).await {
                Ok(part) if part.is_empty() => break,
                Ok(part) => match part.iter().position(|&byte| byte == b'\n') {
                    Some(end) => {
                        text.extend_from_slice(&part[..=end]);
                        let surplus = i64::try_from(part.len() - end - 1).unwrap_or_default();
                        if surplus > 0 {
                            let _it_was_seekable = self.sys.lseek(0, -surplus, SEEK_CUR).await;
                        }
                        break;
                    }
                    None => text.extend_from_slice(&part),
                },
                Err(Errno::EINTR) => self.note_signals(),
                Err(_) => break,
            }
            if text.len() > MAX_SCRIPT {
                break;
            }
        }
        text.len() - before
    }
}
