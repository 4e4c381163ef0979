//! Runs a machine: makes the system calls that it asks for, and reads the input.

use std::rc::Rc;

use provium_kernel::flags::{O_CLOEXEC, O_RDONLY};

use super::code::{From, Place, Variable, special};
use super::machine::{Machine, Pause};
use super::options::assignment;
use super::reader::{RecordReader, Separator};
use super::regex::Fault;
use super::streams::{FAILURE, Streams, cannot_open};
use super::value::{Text, Value};
use crate::shared::tool::{STDIN, text_of};
use crate::shared::{Exit, Outcome, Tool};

/// Time that an instruction takes, in nanoseconds: about what mawk needs for one of its own.
const NANOSECONDS: u64 = 20;

/// Why the program ends early.
pub(super) enum Stop {
    Fault(Fault),
    /// It was reported already.
    Exit(Exit),
}

impl std::convert::From<Fault> for Stop {
    fn from(fault: Fault) -> Stop {
        Stop::Fault(fault)
    }
}

impl std::convert::From<Exit> for Stop {
    fn from(exit: Exit) -> Stop {
        Stop::Exit(exit)
    }
}

/// How a part of the program ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    End,
    NextFile,
    Exit,
}

pub(super) struct Interpreter {
    tool: Tool,
    machine: Machine,
    streams: Streams,
    /// The file of the command line that is being read.
    input: Option<RecordReader>,
    /// The number of the next operand.
    operand: f64,
    /// Whether an operand was a file.
    had_file: bool,
    ended: bool,
}

impl Interpreter {
    pub(super) fn new(tool: Tool, machine: Machine) -> Interpreter {
        let streams = Streams::default();
        Interpreter { tool, machine, streams, input: None, operand: 1.0, had_file: false, ended: false }
    }

    /// Sets up the variables that the command line and the environment give.
    pub(super) fn prepare(
        &mut self,
        separator: Option<Vec<u8>>,
        assignments: Vec<(String, Vec<u8>)>,
        operands: Vec<Vec<u8>>,
    ) -> Result<(), Fault> {
        let machine = &mut self.machine;
        for entry in &self.tool.env {
            let Some(at) = entry.iter().position(|&byte| byte == b'=') else { continue };
            let (name, value) = (entry[..at].into(), Value::Input(entry[at + 1..].into()));
            machine.array(Variable::Global(special::ENVIRON))?.borrow_mut().set(&name, value);
        }
        let argv = machine.array(Variable::Global(special::ARGV))?;
        machine.set_variable(Variable::Global(special::ARGC), Value::Number((operands.len() + 1) as f64))?;
        let words = std::iter::once(b"awk".to_vec()).chain(operands);
        for (number, word) in words.enumerate() {
            argv.borrow_mut().set(&number.to_string().into_bytes().into(), Value::Input(word.into()));
        }
        if let Some(separator) = separator {
            machine.set_variable(Variable::Global(special::FS), Value::Input(separator.into()))?;
        }
        assignments.into_iter().try_for_each(|(name, value)| self.assign(&name, value))
    }

    /// Sets a variable by its name; one that the program does not use does not matter.
    fn assign(&mut self, name: &str, value: Vec<u8>) -> Result<(), Fault> {
        let code = Rc::clone(&self.machine.code);
        if code.functions.iter().any(|function| function.name == name) {
            return Err(format!("cannot command line assign to {name}: it is a function"));
        }
        match code.globals.iter().position(|(known, _)| known == name) {
            Some(number) => self
                .machine
                .set_variable(Variable::Global(number), Value::Input(value.into()))
                .map_err(|_| format!("cannot command line assign to {name}: it is an array")),
            None => Ok(()),
        }
    }

    /// Runs the program to its end; returns the exit code.
    pub(super) async fn run(mut self) -> Outcome {
        let mut code = match self.program().await {
            Ok(()) => self.machine.exit_code,
            Err(Stop::Exit(Exit(code))) => code,
            Err(Stop::Fault(fault)) => {
                self.report(&fault).await;
                FAILURE
            }
        };
        if let Err(Exit(failure)) = self.streams.end(&self.tool).await {
            code = failure;
        }
        Ok(code)
    }

    /// Ends before the program began.
    pub(super) async fn fail(&self, fault: &str) -> Exit {
        self.tool.fail(FAILURE, fault).await
    }

    async fn report(&self, fault: &str) {
        let machine = &self.machine;
        let shown = |number| String::from_utf8_lossy(&machine.special(number)).into_owned();
        let place = format!(
            "\tFILENAME=\"{}\" FNR={} NR={}",
            shown(special::FILENAME),
            shown(special::FNR),
            shown(special::NR)
        );
        self.tool.error(format!("run time error: {fault}\n{place}")).await;
    }

    async fn program(&mut self) -> Result<(), Stop> {
        let code = Rc::clone(&self.machine.code);
        let mut flow = self.execute(code.begin).await?;
        if flow != Flow::Exit && (code.main.is_some() || code.end.is_some()) {
            flow = self.records(code.main).await?;
        }
        // After `exit` the END actions still run; an `exit` in them is the end.
        let _end_either_way = flow;
        if let Some(end) = code.end {
            self.execute(end).await?;
        }
        Ok(())
    }

    async fn records(&mut self, main: Option<usize>) -> Result<Flow, Stop> {
        while let Some(record) = self.next_record().await? {
            let Some(main) = main else {
                self.machine.set_record(Value::Input(record.into()))?;
                continue;
            };
            self.machine.charge(record.len());
            self.machine.set_record(Value::Input(record.into()))?;
            match self.execute(main).await? {
                Flow::End => {}
                Flow::NextFile => self.close_input().await,
                Flow::Exit => return Ok(Flow::Exit),
            }
        }
        Ok(Flow::End)
    }

    /// Runs one part of the program.
    async fn execute(&mut self, start: usize) -> Result<Flow, Stop> {
        self.machine.start(start);
        loop {
            match self.machine.run()? {
                Pause::Tired(steps) => self.tool.sys.compute(steps * NANOSECONDS).await,
                Pause::Print { to: None, data } => self.tool.out.write(data).await?,
                Pause::Print { to: Some((kind, name)), data } => {
                    let out = self.streams.writer(&self.tool, kind, &name).await?;
                    out.write(data).await?;
                    if name.as_ref() == b"/dev/stderr" {
                        out.flush().await?;
                    }
                }
                Pause::Getline { from, name, into } => self.getline(from, &name, into).await?,
                Pause::Close(name) => {
                    let result = self.streams.close(&self.tool, &name).await?;
                    self.machine.push(Value::Number(result));
                }
                Pause::System(command) => {
                    let result = self.streams.system(&self.tool, &command).await?;
                    self.machine.push(Value::Number(result));
                }
                Pause::Flush(None) => {
                    self.streams.flush(&self.tool).await?;
                    self.machine.push(Value::Number(0.0));
                }
                Pause::Flush(Some(name)) => {
                    let result = self.streams.flush_named(&self.tool, &name).await?;
                    self.machine.push(Value::Number(result));
                }
                Pause::SeedByClock => {
                    let now = self.tool.sys.clock_realtime().await;
                    let old = self.machine.random.seed(now.sec as f64);
                    self.machine.push(Value::Number(old));
                }
                Pause::Next | Pause::End => return Ok(Flow::End),
                Pause::NextFile => return Ok(Flow::NextFile),
                Pause::Exit => return Ok(Flow::Exit),
            }
        }
    }

    fn record_separator(&mut self) -> Result<Separator, Fault> {
        let text = self.machine.special(special::RS);
        Separator::new(&text, &mut self.machine.patterns)
    }

    async fn getline(&mut self, from: From, name: &Text, into: Option<Place>) -> Result<(), Stop> {
        let separator = self.record_separator()?;
        let sys = self.tool.sys.clone();
        let record = match from {
            From::Main => Ok(self.next_record().await?),
            From::File => match self.streams.file(&self.tool, name).await {
                Ok(reader) => reader.next(&sys, &separator).await,
                Err(errno) => Err(errno),
            },
            From::Command => match self.streams.command(&self.tool, name).await? {
                Some(reader) => reader.next(&sys, &separator).await,
                None => Ok(None),
            },
        };
        match record {
            Ok(Some(record)) => {
                if from == From::Command {
                    self.machine.count(special::NR);
                }
                self.machine.got_record(record, into)?;
            }
            Ok(None) => self.machine.got_none(0.0, into),
            Err(_) => self.machine.got_none(-1.0, into),
        }
        Ok(())
    }

    /// The next record of the files of the command line.
    async fn next_record(&mut self) -> Result<Option<Vec<u8>>, Stop> {
        loop {
            if self.input.is_none() && !self.open_next().await? {
                return Ok(None);
            }
            let separator = self.record_separator()?;
            let Some(input) = &mut self.input else { continue };
            match input.next(&self.tool.sys, &separator).await {
                Ok(Some(record)) => {
                    self.machine.count(special::NR);
                    self.machine.count(special::FNR);
                    return Ok(Some(record));
                }
                Ok(None) => self.close_input().await,
                Err(errno) => {
                    let name = self.machine.special(special::FILENAME);
                    let name = String::from_utf8_lossy(&name).into_owned();
                    let message = format!("read failure on \"{name}\" ({})", text_of(errno));
                    return Err(self.tool.fail(FAILURE, message).await.into());
                }
            }
        }
    }

    async fn close_input(&mut self) {
        if let Some(input) = self.input.take()
            && input.fd != STDIN
        {
            let _closed_either_way = self.tool.sys.close(input.fd).await;
        }
    }

    /// Goes on to the next file; assignments on the way are made. False after the last one.
    async fn open_next(&mut self) -> Result<bool, Stop> {
        if self.ended {
            return Ok(false);
        }
        let argv = self.machine.array(Variable::Global(special::ARGV))?;
        loop {
            let last = self.machine.globals.get(special::ARGC).map_or(0.0, Value::number);
            if self.operand >= last {
                break;
            }
            let key = super::number::text(self.operand, b"");
            self.operand += 1.0;
            // What was deleted or made empty is passed over.
            let Some(word) = argv.borrow().peek(&key).cloned() else { continue };
            let word = self.machine.text(&word);
            if word.is_empty() {
                continue;
            }
            if let Some((name, value)) = assignment(&word) {
                self.assign(&name, value)?;
                continue;
            }
            let fd = match word.as_ref() {
                b"-" | b"/dev/stdin" => STDIN,
                path => match self.tool.sys.open(path, O_RDONLY | O_CLOEXEC, 0).await {
                    Ok(fd) => fd,
                    Err(errno) => return Err(cannot_open(&self.tool, path, "", errno).await.into()),
                },
            };
            self.opened(fd, Value::Input(word))?;
            return Ok(true);
        }
        self.ended = true;
        if self.had_file {
            return Ok(false);
        }
        self.opened(STDIN, Value::Unset)?;
        Ok(true)
    }

    fn opened(&mut self, fd: i32, name: Value) -> Result<(), Fault> {
        self.had_file = true;
        self.input = Some(RecordReader::new(fd));
        self.machine.set_variable(Variable::Global(special::FILENAME), name)?;
        self.machine.set_variable(Variable::Global(special::FNR), Value::Number(0.0))
    }
}
