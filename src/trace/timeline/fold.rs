//! Takes records in, one after another.

use std::collections::BTreeMap;

use provium_protocol::{Lane, Nanos, OpError, Reply, StreamId};

use super::{Ask, Event, Exchange, Guest, Happening, Program, SenselessRecord, Source, Task, Test, Timeline};
use crate::trace::record::{At, Boundary, GuestNo, Header, ProgramAnswer, ProgramNo, Record, Seq, SourceNo, TaskNo};

/// Takes records in, one after another, where a reader gives them so.
pub struct Builder {
    line: Timeline,
    now: Nanos,
    /// The task that has the floor.
    task: Option<TaskNo>,
    /// The program that has the floor.
    program: Option<ProgramNo>,
    /// The test that runs.
    test: Option<usize>,
    /// Who opened a stream.
    streams: BTreeMap<(GuestNo, StreamId), Seq>,
    /// How many exchanges were begun by nobody.
    closing: usize,
}

/// How many of something there are, as the trace numbers them.
fn number<T: TryFrom<usize>>(count: usize) -> Result<T, String> {
    T::try_from(count).map_err(|_| "there are more of these than a trace can number".to_owned())
}

impl Builder {
    /// Nothing yet.
    #[must_use]
    pub fn new(header: Header) -> Builder {
        let line = Timeline { header, ..Timeline::default() };
        Builder { line, now: 0, task: None, program: None, test: None, streams: BTreeMap::new(), closing: 0 }
    }

    /// What the records tell.
    #[must_use]
    pub fn finish(mut self) -> Timeline {
        self.line.end = self.now;
        self.line
    }

    /// Takes the next record in.
    ///
    /// # Errors
    /// When it makes no sense after those before it. What it says is left out then.
    pub fn record(&mut self, record: Record) -> Result<(), SenselessRecord> {
        let name = name(&record);
        let taken = self.take(record);
        let at = self.line.records;
        self.line.records += 1;
        taken.map_err(|why| SenselessRecord { record: at, name, why })
    }

    fn take(&mut self, record: Record) -> Result<(), String> {
        match record {
            Record::Poll { task, dt } => {
                self.pass(dt);
                self.known(task, self.line.tasks.len(), "task")?;
                (self.task, self.program) = (Some(task), None);
            }
            Record::Begun { guest, lane, worker, at, op } => {
                self.known(guest, self.line.guests.len(), "guest")?;
                self.begin(guest, (lane, worker), at, Ask::Op(op))?;
            }
            Record::Boot { at, spec } => {
                let guest = number(self.line.guests.len())?;
                let boot = number(self.line.exchanges.len())?;
                let vm = spec.vm.clone();
                self.begin(guest, (Lane::Main, None), at, Ask::Boot(spec))?;
                self.line.guests.push(Guest { vm, boot });
            }
            Record::Ended { back, result } => self.end(back, false, result)?,
            Record::Booted { back, result } => self.end(back, true, result.map(|()| Reply::Unit))?,
            Record::Abandoned { back } => {
                let (now, record) = (self.now, self.line.records);
                let exchange = self.exchange(back)?;
                if exchange.over().is_some() {
                    return Err(format!("exchange {} is over already", exchange.seq));
                }
                (exchange.abandoned, exchange.over_record) = (Some(now), Some(record));
            }
            Record::Frame { guest, stream, frame } => {
                self.known(guest, self.line.guests.len(), "guest")?;
                let opened = self.streams.get(&(guest, stream)).copied();
                self.happen(Happening::Frame { guest, stream, opened, frame });
            }
            Record::Draw(_) | Record::GuestDraw(_) => self.line.draws += 1,
            Record::HostFile { path, content, executable: _ } => self.happen(Happening::HostFile { path, content }),
            Record::Interrupt { .. } => self.happen(Happening::Interrupt),
            Record::Choices(choices) => self.line.choices += choices.len() as u64,
            Record::ProgramStart { name, pid, args, env } => {
                let began = self.now;
                let program = number(self.line.programs.len())?;
                let run = Program { name, pid, args, env, began, gone: None, answers: 0, caught: Vec::new() };
                self.line.programs.push(run);
                self.happen(Happening::ProgramStart(program));
            }
            Record::ProgramPoll { program, dt } => {
                self.pass(dt);
                self.known(program, self.line.programs.len(), "run of a program")?;
                self.program = Some(program);
            }
            Record::ProgramAnswer(answer) => self.answer(answer)?,
            Record::ProgramGone { program } => {
                let now = self.now;
                let run = self.program(program)?;
                if run.gone.is_some() {
                    return Err(format!("run {program} of a program is over already"));
                }
                run.gone = Some(now);
                self.happen(Happening::ProgramGone(program));
            }
            Record::Task { path, at } => {
                self.place(at)?;
                let (test, began) = (self.test, self.now);
                self.line.tasks.push(Task { path, at, test, began, exchanges: Vec::new() });
            }
            Record::Source { name, module, text } => self.line.sources.push(Source::new(name, module, &text)),
            Record::Boundary { dt, what } => {
                self.pass(dt);
                self.boundary(what)?;
            }
            Record::Halt { dt, why } => {
                self.pass(dt);
                (self.task, self.program) = (None, None);
                self.happen(Happening::Halt(why));
            }
            Record::Log(text) => self.happen(Happening::Log(text)),
        }
        Ok(())
    }

    fn pass(&mut self, dt: Nanos) {
        self.now = self.now.saturating_add(dt);
    }

    fn known(&self, number: u32, count: usize, what: &str) -> Result<(), String> {
        match usize::try_from(number) {
            Ok(number) if number < count => Ok(()),
            _ => Err(format!("there is no {what} {number}, there are {count} so far")),
        }
    }

    fn place(&self, at: Option<At>) -> Result<(), String> {
        at.map_or(Ok(()), |At { source, .. }: At| self.known_source(source))
    }

    fn known_source(&self, source: SourceNo) -> Result<(), String> {
        self.known(source, self.line.sources.len(), "source")
    }

    fn begin(
        &mut self,
        guest: GuestNo,
        (lane, worker): (Lane, Option<String>),
        at: Option<At>,
        ask: Ask,
    ) -> Result<(), String> {
        self.place(at)?;
        let seq = number(self.line.exchanges.len())?;
        let task = self.task.and_then(|task| self.line.tasks.get_mut(usize::try_from(task).ok()?));
        let index = match task {
            Some(task) => {
                task.exchanges.push(seq);
                task.exchanges.len() - 1
            }
            None => {
                self.closing += 1;
                self.closing - 1
            }
        };
        self.line.exchanges.push(Exchange {
            seq,
            record: self.line.records,
            task: self.task,
            index,
            test: self.test,
            guest,
            lane,
            worker,
            ask,
            at,
            began: self.now,
            ended: None,
            abandoned: None,
            over_record: None,
        });
        Ok(())
    }

    fn exchange(&mut self, back: u64) -> Result<&mut Exchange, String> {
        let begun = self.line.exchanges.len();
        usize::try_from(back)
            .ok()
            .and_then(|back| begun.checked_sub(1)?.checked_sub(back))
            .and_then(|at| self.line.exchanges.get_mut(at))
            .ok_or_else(|| format!("{begun} exchanges have begun, it means the one {back} before the last"))
    }

    fn end(&mut self, back: u64, boot: bool, result: Result<Reply, OpError>) -> Result<(), String> {
        let (now, record) = (self.now, self.line.records);
        let exchange = self.exchange(back)?;
        let seq = exchange.seq;
        if matches!(exchange.ask, Ask::Boot(_)) != boot {
            return Err(format!("exchange {seq} is {}a boot", if boot { "not " } else { "" }));
        }
        if exchange.over().is_some() {
            return Err(format!("exchange {seq} is over already"));
        }
        let opened = match &result {
            Ok(Reply::Stream(stream)) => Some((exchange.guest, *stream)),
            _ => None,
        };
        (exchange.ended, exchange.over_record) = (Some((now, result)), Some(record));
        if let Some(stream) = opened {
            self.streams.insert(stream, seq);
        }
        Ok(())
    }

    fn program(&mut self, number: ProgramNo) -> Result<&mut Program, String> {
        self.known(number, self.line.programs.len(), "run of a program")?;
        usize::try_from(number)
            .ok()
            .and_then(|at| self.line.programs.get_mut(at))
            .ok_or_else(|| format!("there is no run {number} of a program"))
    }

    fn answer(&mut self, answer: ProgramAnswer) -> Result<(), String> {
        let number = self.program.ok_or("no program has the floor")?;
        let run = self.program(number)?;
        run.answers += 1;
        if let ProgramAnswer::Caught(signals) = answer {
            run.caught.extend(signals);
        }
        Ok(())
    }

    fn boundary(&mut self, what: Boundary) -> Result<(), String> {
        let now = self.now;
        (self.task, self.program) = (None, None);
        let running = self.test.and_then(|test| self.line.tests.get_mut(test));
        let mut left = false;
        match (&what, running) {
            (Boundary::TestBegins { .. }, Some(test)) => {
                return Err(format!("test `{}` has not ended yet", test.name));
            }
            (Boundary::TestBegins { name }, None) => {
                self.test = Some(self.line.tests.len());
                self.line.tests.push(Test { name: name.clone(), began: now, closes: None, ended: None });
            }
            (Boundary::TestCloses, Some(test)) => test.closes = Some(now),
            (Boundary::TestCloses, None) => return Err("no test runs".to_owned()),
            (Boundary::TestEnds { verdict, .. }, Some(test)) => {
                test.ended = Some((now, verdict.clone()));
                left = true;
            }
            // A test that is skipped before it begins only ends.
            (Boundary::TestEnds { name, verdict }, None) => {
                let ended = Some((now, verdict.clone()));
                self.line.tests.push(Test { name: name.clone(), began: now, closes: None, ended });
            }
            // After a file that could not be loaded there is nothing more to say.
            (Boundary::FileEnds | Boundary::FileLoaded { failure: Some(_) }, _) => self.line.complete = true,
            (Boundary::FileBegins | Boundary::FileLoaded { failure: None } | Boundary::FileCloses, _) => {}
        }
        self.happen(Happening::Boundary(what));
        if left {
            self.test = None;
        }
        Ok(())
    }

    fn happen(&mut self, what: Happening) {
        self.line.events.push(Event {
            record: self.line.records,
            when: self.now,
            test: self.test,
            task: self.task,
            after: self.line.exchanges.len() as Seq,
            what,
        });
    }
}

/// A record's name in messages.
fn name(record: &Record) -> &'static str {
    match record {
        Record::Poll { .. } => "Poll",
        Record::Begun { .. } => "Begun",
        Record::Ended { .. } => "Ended",
        Record::Abandoned { .. } => "Abandoned",
        Record::Frame { .. } => "Frame",
        Record::Boot { .. } => "Boot",
        Record::Booted { .. } => "Booted",
        Record::Draw(_) => "Draw",
        Record::HostFile { .. } => "HostFile",
        Record::Interrupt { .. } => "Interrupt",
        Record::Choices(_) => "Choices",
        Record::GuestDraw(_) => "GuestDraw",
        Record::ProgramStart { .. } => "ProgramStart",
        Record::ProgramPoll { .. } => "ProgramPoll",
        Record::ProgramAnswer(_) => "ProgramAnswer",
        Record::ProgramGone { .. } => "ProgramGone",
        Record::Task { .. } => "Task",
        Record::Source { .. } => "Source",
        Record::Boundary { .. } => "Boundary",
        Record::Halt { .. } => "Halt",
        Record::Log(_) => "Log",
    }
}
