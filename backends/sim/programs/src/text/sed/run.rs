//! Running a script.

use std::collections::BTreeMap;
use std::rc::Rc;

use provium_kernel::flags::{O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY};

use super::Job;
use super::input::Input;
use super::output::Output;
use super::replace::substitute;
use super::script::{Action, Address, Command, Pattern, Script, Target};
use crate::shared::posix_regex::Regex;
use crate::shared::tool::STDERR;
use crate::shared::{Exit, LineReader, Outcome, Tool};

/// Bytes of the pattern or hold space: what a script doubles in a loop must not fill the host.
const MAX_SPACE: usize = 64 << 20;

/// Commands between two payments for their time.
const COMMANDS_PER_CHARGE: u32 = 64;

/// Virtual time that one command costs, in nanoseconds.
const COMMAND_NS: u64 = 50;

/// Bytes of one read of an `r` file.
const BLOCK: usize = 4096;

/// What is to be written at the end of the cycle.
enum Queued {
    Text(Vec<u8>),
    File(Vec<u8>),
}

/// What a command leads to.
enum Flow {
    Go(usize),
    /// The cycle ends with the automatic print.
    EndCycle,
    /// The cycle ends without it.
    Drop,
    /// A new cycle begins without reading.
    Restart,
    /// No line is left for `n` or `N`: the end, with the automatic print.
    NoInput,
    Quit {
        code: i32,
        print: bool,
    },
}

struct Machine<'a> {
    tool: &'a Tool,
    script: &'a Script,
    job: &'a Job,
    input: Input<'a>,
    stdout: Output,
    stderr: Output,
    files: Vec<Output>,
    line_files: BTreeMap<Vec<u8>, Option<LineReader>>,
    pattern: Vec<u8>,
    /// The line had its end.
    ended: bool,
    hold: Vec<u8>,
    queue: Vec<Queued>,
    replaced: bool,
    last: Pattern,
    /// For each command with two addresses: the line at which its range ends, if it is active.
    ranges: Vec<Range>,
    charge: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Range {
    Inactive,
    Active(Option<u64>),
}

pub(super) async fn run(tool: &Tool, script: &Script, job: &Job, names: Vec<Vec<u8>>) -> Outcome {
    let mut files = Vec::new();
    for name in &script.files {
        match tool.sys.open(name, O_WRONLY | O_CREAT | O_TRUNC, 0o666).await {
            Ok(fd) => files.push(Output::file(tool, fd)),
            Err(errno) => {
                let shown = String::from_utf8_lossy(name).into_owned();
                return Err(tool.fail_errno(4, format!("couldn't open file {shown}"), errno).await);
            }
        }
    }
    let ranges = script.commands.iter().map(|command| match command.from {
        Some(Address::Line(0)) => Range::Active(None),
        _ => Range::Inactive,
    });
    let input = Input::new(tool, names, job.line_end, job.separate, job.in_place.clone(), job.unbuffered);
    let mut machine = Machine {
        tool,
        script,
        job,
        input,
        stdout: Output::stdout(tool, job.unbuffered),
        stderr: Output::file(tool, STDERR),
        files,
        line_files: BTreeMap::new(),
        pattern: Vec::new(),
        ended: true,
        hold: Vec::new(),
        queue: Vec::new(),
        replaced: false,
        last: None,
        ranges: ranges.collect(),
        charge: 0,
    };
    machine.run().await
}

impl Machine<'_> {
    async fn run(&mut self) -> Outcome {
        let mut read = true;
        loop {
            if read && !self.read(false).await? {
                return Ok(self.input.code);
            }
            read = true;
            match self.cycle().await? {
                Flow::Go(_) | Flow::EndCycle => self.auto_print().await?,
                Flow::Drop => {}
                Flow::Restart => read = false,
                Flow::NoInput => {
                    self.auto_print().await?;
                    self.flush_queue().await?;
                    // With files treated one by one the next file goes on.
                    continue;
                }
                Flow::Quit { code, print } => {
                    if print {
                        self.auto_print().await?;
                        self.flush_queue().await?;
                    }
                    self.input.quit().await?;
                    return Ok(if code == 0 { self.input.code } else { code });
                }
            }
            self.flush_queue().await?;
        }
    }

    /// Where commands print to: standard output, or the file that is edited in place.
    fn main_output(&mut self) -> &mut Output {
        match self.input.edit_output() {
            Some(output) => output,
            None => &mut self.stdout,
        }
    }

    async fn read(&mut self, append: bool) -> Result<bool, Exit> {
        self.flush_queue().await?;
        let Some(line) = self.input.next().await? else { return Ok(false) };
        if line.new_file && self.job.separate {
            self.hold_ranges_for_new_file();
        }
        self.replaced = false;
        self.ended = line.ended;
        if append {
            self.pattern.push(self.job.line_end);
            self.pattern.extend_from_slice(&line.text);
        } else {
            self.pattern = line.text;
        }
        self.check_space(self.pattern.len()).await?;
        Ok(true)
    }

    /// `0,/re/` begins anew in each file that is treated by itself.
    fn hold_ranges_for_new_file(&mut self) {
        for (range, command) in self.ranges.iter_mut().zip(&self.script.commands) {
            if matches!(command.from, Some(Address::Line(0))) {
                *range = Range::Active(None);
            }
        }
    }

    async fn check_space(&self, bytes: usize) -> Result<(), Exit> {
        if bytes > MAX_SPACE { Err(self.tool.fail(4, "memory exhausted").await) } else { Ok(()) }
    }

    async fn auto_print(&mut self) -> Result<(), Exit> {
        if self.job.quiet { Ok(()) } else { self.print().await }
    }

    async fn print(&mut self) -> Result<(), Exit> {
        let pattern = std::mem::take(&mut self.pattern);
        let (ended, end) = (self.ended, self.job.line_end);
        let printed = self.main_output().line(&pattern, ended, end).await;
        self.pattern = pattern;
        printed
    }

    async fn flush_queue(&mut self) -> Result<(), Exit> {
        let end = self.job.line_end;
        for queued in std::mem::take(&mut self.queue) {
            match queued {
                Queued::Text(text) => self.main_output().text(&text, end).await?,
                Queued::File(name) => self.copy_file(&name).await?,
            }
        }
        Ok(())
    }

    /// A file that cannot be read counts as empty.
    async fn copy_file(&mut self, name: &[u8]) -> Result<(), Exit> {
        let fd = if name == b"/dev/stdin" { Ok(0) } else { self.tool.sys.open(name, O_RDONLY, 0).await };
        let Ok(fd) = fd else { return Ok(()) };
        let end = self.job.line_end;
        while let Ok(data) = self.tool.sys.read(fd, BLOCK).await {
            if data.is_empty() {
                break;
            }
            self.main_output().text(&data, end).await?;
        }
        super::super::common::close(self.tool, fd).await;
        Ok(())
    }

    async fn cycle(&mut self) -> Result<Flow, Exit> {
        let mut at = 0;
        while let Some(command) = self.script.commands.get(at) {
            self.charge += 1;
            if self.charge >= COMMANDS_PER_CHARGE {
                self.tool.sys.compute(u64::from(self.charge) * COMMAND_NS).await;
                self.charge = 0;
            }
            if self.applies(at, command).await? == command.negated {
                at = if let Action::Block(after) = command.action { after } else { at + 1 };
                continue;
            }
            match self.execute(at, command).await? {
                Flow::Go(next) => at = next,
                other => return Ok(other),
            }
        }
        Ok(Flow::EndCycle)
    }

    async fn applies(&mut self, at: usize, command: &Command) -> Result<bool, Exit> {
        let Some(from) = &command.from else { return Ok(true) };
        let Some(to) = &command.to else { return self.matches(from).await };
        let line = self.input.number;
        match self.ranges[at] {
            Range::Inactive => {
                if !self.matches(from).await? {
                    return Ok(false);
                }
                let end = match to {
                    Address::Line(end) => Some(*end),
                    Address::Plus(count) => Some(line.saturating_add(*count)),
                    Address::Multiple(0) => Some(line),
                    Address::Multiple(size) => Some(line.div_ceil(*size).saturating_mul(*size)),
                    _ => None,
                };
                if end.is_none_or(|end| end > line) {
                    self.ranges[at] = Range::Active(end);
                }
                Ok(true)
            }
            Range::Active(Some(end)) => {
                if line >= end {
                    self.ranges[at] = Range::Inactive;
                }
                Ok(line <= end || self.matches(from).await?)
            }
            Range::Active(None) => {
                if self.matches(to).await? {
                    self.ranges[at] = Range::Inactive;
                }
                Ok(true)
            }
        }
    }

    async fn matches(&mut self, address: &Address) -> Result<bool, Exit> {
        let line = self.input.number;
        match address {
            Address::Line(number) => Ok(*number == line),
            Address::Step(first, 0) => Ok(*first == line),
            Address::Step(first, step) => Ok(line >= *first && (line - first).is_multiple_of(*step)),
            Address::Last => self.input.at_end().await,
            Address::Pattern(pattern) => {
                let regex = self.regex(pattern).await?;
                match regex.is_match(&self.pattern) {
                    Ok(found) => Ok(found),
                    Err(error) => Err(self.tool.fail(4, error.to_string()).await),
                }
            }
            Address::Plus(_) | Address::Multiple(_) => Ok(false),
        }
    }

    async fn regex(&mut self, pattern: &Pattern) -> Result<Rc<Regex>, Exit> {
        if pattern.is_some() {
            self.last.clone_from(pattern);
        }
        match &self.last {
            Some(regex) => Ok(Rc::clone(regex)),
            None => {
                let message = format!("{}no previous regular expression", self.script.place);
                Err(self.tool.fail(1, message).await)
            }
        }
    }

    async fn execute(&mut self, at: usize, command: &Command) -> Result<Flow, Exit> {
        let end = self.job.line_end;
        match &command.action {
            Action::Block(_) | Action::Nothing => {}
            Action::LineNumber => {
                let number = format!("{}\n", self.input.number);
                self.main_output().text(number.as_bytes(), end).await?;
            }
            Action::Append(text) => self.queue.push(Queued::Text(text.clone())),
            Action::Insert(text) => self.main_output().text(text, end).await?,
            Action::Change(text) => {
                // A range is changed as a whole, at its end.
                let inside = command.to.is_some() && self.ranges[at] != Range::Inactive && !command.negated;
                if !inside {
                    self.main_output().text(text, end).await?;
                }
                return Ok(Flow::Drop);
            }
            Action::Branch(to) => return Ok(Flow::Go(*to)),
            Action::BranchIf { to, replaced } => {
                if std::mem::take(&mut self.replaced) == *replaced {
                    return Ok(Flow::Go(*to));
                }
            }
            Action::Delete => return Ok(Flow::Drop),
            Action::DeleteFirst => match self.pattern.iter().position(|byte| *byte == end) {
                None => return Ok(Flow::Drop),
                Some(newline) => {
                    self.pattern.drain(..=newline);
                    return Ok(Flow::Restart);
                }
            },
            Action::FileName => {
                let name = [self.input.name(), b"\n"].concat();
                self.main_output().text(&name, end).await?;
            }
            Action::GetHold => self.pattern = self.hold.clone(),
            Action::AppendHold => {
                self.pattern.push(end);
                self.pattern.extend_from_slice(&self.hold);
                self.check_space(self.pattern.len()).await?;
            }
            Action::Hold => self.hold = self.pattern.clone(),
            Action::HoldAppend => {
                self.hold.push(end);
                self.hold.extend_from_slice(&self.pattern);
                self.check_space(self.hold.len()).await?;
            }
            Action::List(width) => {
                let listed = list(&self.pattern, width.unwrap_or(self.job.width));
                self.main_output().text(&listed, end).await?;
            }
            Action::Next | Action::NextAppend => return self.next_line(at, &command.action).await,
            Action::Print => self.print().await?,
            Action::PrintFirst => {
                let first = self.pattern.split(|byte| *byte == end).next().unwrap_or_default().to_vec();
                self.main_output().line(&first, true, end).await?;
            }
            Action::Quit(code) => return Ok(Flow::Quit { code: *code, print: true }),
            Action::QuitSilently(code) => return Ok(Flow::Quit { code: *code, print: false }),
            Action::ReadFile(name) => self.queue.push(Queued::File(name.clone())),
            Action::ReadLine(name) => self.queue_line(name).await,
            Action::Substitute(job) => {
                let regex = self.regex(&job.pattern).await?;
                match substitute(&self.pattern, job, &regex) {
                    Err(error) => return Err(self.tool.fail(4, error.to_string()).await),
                    Ok(None) => {}
                    Ok(Some(changed)) => {
                        self.check_space(changed.len()).await?;
                        self.pattern = changed;
                        self.replaced = true;
                        if job.print {
                            self.print().await?;
                        }
                        if let Some(target) = &job.write {
                            self.write(target, false).await?;
                        }
                    }
                }
            }
            Action::Write(target) => self.write(target, false).await?,
            Action::WriteFirst(target) => self.write(target, true).await?,
            Action::Exchange => std::mem::swap(&mut self.pattern, &mut self.hold),
            Action::Translate(map) => self.pattern.iter_mut().for_each(|byte| *byte = map[usize::from(*byte)]),
            Action::Zap => self.pattern.clear(),
        }
        Ok(Flow::Go(at + 1))
    }

    async fn next_line(&mut self, at: usize, action: &Action) -> Result<Flow, Exit> {
        let append = matches!(action, Action::NextAppend);
        if self.input.exhausted().await? {
            return Ok(Flow::NoInput);
        }
        if !append {
            self.auto_print().await?;
        }
        let replaced = self.replaced;
        let read = self.read(append).await?;
        // Only a new cycle forgets that something was replaced.
        self.replaced = replaced;
        Ok(if read { Flow::Go(at + 1) } else { Flow::NoInput })
    }

    async fn queue_line(&mut self, name: &[u8]) {
        if !self.line_files.contains_key(name) {
            let opened = self.tool.sys.open(name, O_RDONLY, 0).await.ok();
            let reader = opened.map(|fd| LineReader::new(self.tool.sys.clone(), fd));
            self.line_files.insert(name.to_vec(), reader);
        }
        if let Some(Some(reader)) = self.line_files.get_mut(name)
            && let Ok(Some(mut line)) = reader.until(self.job.line_end).await
        {
            if line.last() != Some(&self.job.line_end) {
                line.push(self.job.line_end);
            }
            self.queue.push(Queued::Text(line));
        }
    }

    async fn write(&mut self, target: &Target, first: bool) -> Result<(), Exit> {
        let end = self.job.line_end;
        let (text, ended) = if first {
            (self.pattern.split(|byte| *byte == end).next().unwrap_or_default().to_vec(), true)
        } else {
            (self.pattern.clone(), self.ended)
        };
        let output = match target {
            Target::Stdout => &mut self.stdout,
            Target::Stderr => &mut self.stderr,
            Target::File(index) => match self.files.get_mut(*index) {
                Some(output) => output,
                None => return Ok(()),
            },
        };
        output.line(&text, ended, end).await
    }
}

/// The unambiguous form of `l`.
fn list(text: &[u8], width: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut column = 0;
    for &byte in text {
        let shown = match byte {
            b'\\' => "\\\\".to_owned(),
            7 => "\\a".to_owned(),
            8 => "\\b".to_owned(),
            12 => "\\f".to_owned(),
            b'\n' => "\\n".to_owned(),
            b'\r' => "\\r".to_owned(),
            b'\t' => "\\t".to_owned(),
            11 => "\\v".to_owned(),
            b' '..=b'~' => char::from(byte).to_string(),
            other => format!("\\{other:03o}"),
        };
        if width > 1 && column + shown.len() > width - 1 {
            out.extend_from_slice(b"\\\n");
            column = 0;
        }
        column += shown.len();
        out.extend_from_slice(shown.as_bytes());
    }
    out.extend_from_slice(b"$\n");
    out
}
