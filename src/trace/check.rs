//! Whether the records of a trace make sense together: what a file that is whole can still have wrong.
//!
//! Every number names something that was there before, answers belong to questions that wait for one, and the places of
//! the run nest. It works record by record, in memory that grows with what is pending and not with the trace.

use std::collections::BTreeSet;

use super::format::TraceReader;
use super::format::block::HEAD;
use super::record::{At, Boundary, GuestNo, ProgramNo, Record, Seq, SourceNo, TaskNo};

/// The most exchanges that may wait for their answer at once: far above what tests do, and a bound for hostile files.
pub const MAX_PENDING: usize = 1 << 20;

/// Looks at the records of one trace in order.
#[derive(Debug, Default)]
pub struct Checker {
    begun: Seq,
    exchanges: BTreeSet<Seq>,
    boots: BTreeSet<Seq>,
    guests: GuestNo,
    tasks: TaskNo,
    sources: SourceNo,
    programs: ProgramNo,
    running: BTreeSet<ProgramNo>,
    /// The program that has the floor.
    program: Option<ProgramNo>,
    place: Place,
}

/// Where the run stands.
#[derive(Debug, Default)]
enum Place {
    #[default]
    Before,
    Loading,
    BetweenTests,
    InTest(String),
    ClosingTest(String),
    ClosingFile,
    After,
}

impl Place {
    fn describe(&self) -> String {
        match self {
            Place::Before => "before the file begins".to_owned(),
            Place::Loading => "while the file is loaded".to_owned(),
            Place::BetweenTests => "between tests".to_owned(),
            Place::InTest(name) => format!("in the test {name:?}"),
            Place::ClosingTest(name) => format!("while the test {name:?} is closed"),
            Place::ClosingFile => "while the file is closed".to_owned(),
            Place::After => "after the end of the file".to_owned(),
        }
    }
}

impl Checker {
    /// Looks at the next record.
    ///
    /// # Errors
    /// What makes no sense about it, in words.
    pub fn record(&mut self, record: &Record) -> Result<(), String> {
        match record {
            Record::Poll { task, .. } => {
                self.program = None;
                below("task", *task, self.tasks)
            }
            Record::Begun { guest, at, .. } => {
                let seq = self.begin()?;
                self.exchanges.insert(seq);
                below("guest", *guest, self.guests)?;
                self.place_in_source(at.as_ref())
            }
            Record::Boot { at, .. } => {
                let seq = self.begin()?;
                self.boots.insert(seq);
                self.guests = self.guests.checked_add(1).ok_or("there are too many guests")?;
                self.place_in_source(at.as_ref())
            }
            Record::Ended { back, .. } => {
                let seq = self.named(*back)?;
                if self.exchanges.remove(&seq) { Ok(()) } else { Err(waits_not(seq, "answer")) }
            }
            Record::Abandoned { back } => {
                let seq = self.named(*back)?;
                let waits = self.exchanges.remove(&seq) || self.boots.remove(&seq);
                if waits { Ok(()) } else { Err(waits_not(seq, "answer")) }
            }
            Record::Booted { back, .. } => {
                let seq = self.named(*back)?;
                if self.boots.remove(&seq) { Ok(()) } else { Err(waits_not(seq, "boot")) }
            }
            Record::Frame { guest, .. } => below("guest", *guest, self.guests),
            Record::Choices(choices) => {
                let wrong = choices.iter().find(|choice| choice.of < 2 || choice.picked >= choice.of);
                wrong.map_or(Ok(()), |choice| Err(format!("a choice picks {} of {}", choice.picked, choice.of)))
            }
            Record::ProgramStart { .. } => {
                self.running.insert(self.programs);
                self.programs = self.programs.checked_add(1).ok_or("there are too many programs")?;
                self.bounded(self.running.len())
            }
            Record::ProgramPoll { program, .. } => {
                self.program = Some(*program);
                self.runs(*program)
            }
            Record::ProgramAnswer(_) => match self.program {
                Some(program) => self.runs(program),
                None => Err("no program has the floor to get an answer".to_owned()),
            },
            Record::ProgramGone { program } => {
                self.runs(*program)?;
                self.running.remove(program);
                Ok(())
            }
            Record::Task { at, .. } => {
                self.tasks = self.tasks.checked_add(1).ok_or("there are too many tasks")?;
                self.place_in_source(at.as_ref())
            }
            Record::Source { .. } => {
                self.sources = self.sources.checked_add(1).ok_or("there are too many sources")?;
                Ok(())
            }
            Record::Boundary { what, .. } => self.boundary(what),
            Record::Draw(_)
            | Record::HostFile { .. }
            | Record::Interrupt { .. }
            | Record::GuestDraw(_)
            | Record::Halt { .. }
            | Record::Log(_) => Ok(()),
        }
    }

    /// Whether the run came to its end, as its boundaries say.
    #[must_use]
    pub fn ended(&self) -> bool {
        matches!(self.place, Place::After)
    }

    /// Where the run stands after the last record, in words.
    #[must_use]
    pub fn place(&self) -> String {
        self.place.describe()
    }

    fn begin(&mut self) -> Result<Seq, String> {
        let seq = self.begun;
        self.begun += 1;
        self.bounded(self.exchanges.len() + self.boots.len())?;
        Ok(seq)
    }

    fn bounded(&self, pending: usize) -> Result<(), String> {
        if pending < MAX_PENDING { Ok(()) } else { Err(format!("more than {MAX_PENDING} are pending (MAX_PENDING)")) }
    }

    fn named(&self, back: u64) -> Result<Seq, String> {
        let last = self.begun.checked_sub(1);
        last.and_then(|last| last.checked_sub(back))
            .ok_or_else(|| format!("it counts {back} back from the youngest of {} exchanges", self.begun))
    }

    fn runs(&self, program: ProgramNo) -> Result<(), String> {
        below("program", program, self.programs)?;
        if self.running.contains(&program) { Ok(()) } else { Err(format!("program {program} is gone")) }
    }

    fn place_in_source(&self, at: Option<&At>) -> Result<(), String> {
        match at {
            None => Ok(()),
            Some(at) if at.line == 0 => Err("lines are counted from 1".to_owned()),
            Some(at) => below("source", at.source, self.sources),
        }
    }

    fn boundary(&mut self, what: &Boundary) -> Result<(), String> {
        let place = std::mem::take(&mut self.place);
        let next = match (place, what) {
            (Place::Before, Boundary::FileBegins) => Ok(Place::Loading),
            (Place::Loading, Boundary::FileLoaded { .. }) => Ok(Place::BetweenTests),
            (Place::BetweenTests, Boundary::TestBegins { name }) => Ok(Place::InTest(name.clone())),
            (Place::InTest(name), Boundary::TestCloses) => Ok(Place::ClosingTest(name)),
            // A test that is skipped has nothing to close.
            (Place::InTest(begun) | Place::ClosingTest(begun), Boundary::TestEnds { name, .. }) if begun == *name => {
                Ok(Place::BetweenTests)
            }
            // A file that could not be loaded is closed at once.
            (Place::Loading | Place::BetweenTests, Boundary::FileCloses) => Ok(Place::ClosingFile),
            (Place::ClosingFile, Boundary::FileEnds) => Ok(Place::After),
            (place, _) => Err(place),
        };
        match next {
            Ok(place) => {
                self.place = place;
                Ok(())
            }
            Err(place) => {
                let why = format!("{} cannot come {}", name(what), place.describe());
                self.place = place;
                Err(why)
            }
        }
    }
}

fn below<N: PartialOrd + std::fmt::Display>(what: &str, number: N, count: N) -> Result<(), String> {
    if number < count { Ok(()) } else { Err(format!("there is no {what} {number}, only {count} so far")) }
}

fn waits_not(seq: Seq, what: &str) -> String {
    format!("exchange {seq} does not wait for its {what}")
}

fn name(what: &Boundary) -> String {
    match what {
        Boundary::FileBegins => "the beginning of the file".to_owned(),
        Boundary::FileLoaded { .. } => "the end of loading".to_owned(),
        Boundary::TestBegins { name } => format!("the beginning of the test {name:?}"),
        Boundary::TestCloses => "the closing of a test".to_owned(),
        Boundary::TestEnds { name, .. } => format!("the end of the test {name:?}"),
        Boundary::FileCloses => "the closing of the file".to_owned(),
        Boundary::FileEnds => "the end of the file".to_owned(),
    }
}

/// Reads whatever the bytes are as a trace, as far as they are one, and checks it: for fuzzing, which looks for bytes that
/// panic or take too much. Blocks are tried a second time with their checksums made right, because bytes that change by
/// chance hardly ever get past those.
pub fn exhaust(bytes: &[u8]) {
    read_through(bytes);
    read_through(&repaired(bytes));
}

fn read_through(bytes: &[u8]) {
    let Ok(mut reader) = TraceReader::new(bytes) else { return };
    let mut checker = Checker::default();
    while let Ok(Some(record)) = reader.next_record() {
        // What makes no sense is a finding of the checker, not of the fuzzer.
        let _ = checker.record(&record);
    }
}

/// The same bytes with checksums and numbers of blocks that fit.
fn repaired(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let word =
        |bytes: &[u8], at: usize| bytes.get(at..at + 4).and_then(|word| word.try_into().ok()).map(u32::from_le_bytes);
    let Some(length) = word(&bytes, 10) else { return bytes };
    let mut at = (length as usize).saturating_add(14);
    if let Some(content) = bytes.get(..at) {
        let checksum = crc32c::crc32c(content);
        if let Some(place) = bytes.get_mut(at..at.saturating_add(4)) {
            place.copy_from_slice(&checksum.to_le_bytes());
        }
    }
    at = at.saturating_add(4);
    for number in 0_u32.. {
        let Some(length) = at.checked_add(5).and_then(|at| word(&bytes, at)) else { break };
        let Some(rest) = bytes.get_mut(at..) else { break };
        let Some((head, payload)) = rest.split_at_mut_checked(HEAD) else { break };
        let Some(payload) = payload.get(..length as usize) else { break };
        head[1..5].copy_from_slice(&number.to_le_bytes());
        head[13..17].copy_from_slice(&crc32c::crc32c(payload).to_le_bytes());
        let checksum = crc32c::crc32c(&head[..17]);
        head[17..].copy_from_slice(&checksum.to_le_bytes());
        at += HEAD + length as usize;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use provium_protocol::{ChoicePoint, Reply};

    use super::super::record::{Choice, ProgramAnswer};
    use super::super::timeline::samples;
    use super::*;

    fn faults(records: &[Record]) -> Vec<String> {
        let mut checker = Checker::default();
        records.iter().filter_map(|record| checker.record(record).err()).collect()
    }

    #[test]
    fn a_sound_trace_has_no_faults() {
        assert_eq!(faults(&samples::records()), Vec::<String>::new());
    }

    #[test]
    fn leaving_any_name_or_question_out_is_noticed() {
        let sound = samples::records();
        for left_out in 0..sound.len() {
            let needed = match &sound[left_out] {
                Record::Source { .. } | Record::Boot { .. } | Record::ProgramStart { .. } | Record::Task { .. } => true,
                Record::Boundary { what, .. } => *what != Boundary::TestCloses && *what != Boundary::FileEnds,
                _ => false,
            };
            let mut records = sound.clone();
            records.remove(left_out);
            assert!(!needed || !faults(&records).is_empty(), "without {:?}", sound[left_out]);
        }
    }

    #[test]
    fn each_fault_is_said() {
        let unit = || Ok(Reply::Unit);
        let cases = [
            (vec![Record::Poll { task: 0, dt: 0 }], "there is no task 0, only 0 so far"),
            (vec![Record::Ended { back: 0, result: unit() }], "it counts 0 back from the youngest of 0 exchanges"),
            (vec![Record::Ended { back: u64::MAX, result: unit() }], "it counts 18446744073709551615 back"),
            (
                vec![Record::Choices(vec![Choice { point: ChoicePoint::Turn, of: 2, picked: 2 }])],
                "a choice picks 2 of 2",
            ),
            (vec![Record::ProgramAnswer(ProgramAnswer::Computed)], "no program has the floor"),
            (vec![Record::ProgramGone { program: 3 }], "there is no program 3"),
            (
                vec![Record::Task { path: "main".into(), at: Some(At { source: 0, line: 0 }) }],
                "lines are counted from 1",
            ),
            (
                vec![Record::Boundary { dt: 0, what: Boundary::TestCloses }],
                "the closing of a test cannot come before the file begins",
            ),
        ];
        for (records, says) in cases {
            let faults = faults(&records);
            assert!(faults.len() == 1 && faults[0].starts_with(says), "{faults:?} instead of {says}");
        }
    }

    #[test]
    fn an_answer_comes_once() {
        let mut records = samples::records();
        let answer = records.iter().position(|record| matches!(record, Record::Ended { .. })).unwrap();
        records.insert(answer, records[answer].clone());
        assert_eq!(faults(&records), ["exchange 1 does not wait for its answer"]);
    }
}
