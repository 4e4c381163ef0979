//! What a trace amounts to: how many of everything, and what it takes.

use std::collections::BTreeMap;

use provium_protocol::ChoicePoint;

use super::check::MAX_PENDING;
use super::record::{Boundary, Record, RecordedVerdict, Seq};

/// How many, and how many bytes before compression.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// How many.
    pub count: u64,
    /// Bytes before compression.
    pub raw: u64,
}

impl Amount {
    fn add(&mut self, raw: u64) {
        self.count += 1;
        self.raw += raw;
    }
}

/// The exchanges of one operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Operation {
    /// Begun.
    pub count: u64,
    /// Answered with an error.
    pub failed: u64,
    /// Never answered.
    pub unanswered: u64,
    /// Bytes of questions and answers before compression.
    pub raw: u64,
}

/// Counts the records of one trace.
#[derive(Debug, Default)]
pub struct Stat {
    /// By kind of record.
    pub kinds: BTreeMap<&'static str, Amount>,
    /// By operation; booting is `boot`.
    pub operations: BTreeMap<&'static str, Operation>,
    /// Choices by what was chosen.
    pub choices: BTreeMap<ChoicePoint, u64>,
    /// Tests and their verdicts.
    pub passed: u64,
    /// Tests that failed.
    pub failed: u64,
    /// Tests that were not run.
    pub skipped: u64,
    /// Tests that began.
    pub begun: u64,
    exchanges: Seq,
    pending: BTreeMap<Seq, &'static str>,
}

impl Stat {
    /// Counts a record that takes `raw` bytes before compression.
    pub fn record(&mut self, record: &Record, raw: u64) {
        self.kinds.entry(record.kind()).or_default().add(raw);
        match record {
            Record::Begun { op, .. } => self.begin(op.name(), raw),
            Record::Boot { .. } => self.begin("boot", raw),
            Record::Ended { back, result } => self.answer(*back, result.is_err(), raw),
            Record::Booted { back, result } => self.answer(*back, result.is_err(), raw),
            Record::Choices(choices) => {
                for choice in choices {
                    *self.choices.entry(choice.point).or_default() += 1;
                }
            }
            Record::Boundary { what: Boundary::TestBegins { .. }, .. } => self.begun += 1,
            Record::Boundary { what: Boundary::TestEnds { verdict, .. }, .. } => match verdict {
                RecordedVerdict::Passed => self.passed += 1,
                RecordedVerdict::Failed { .. } => self.failed += 1,
                RecordedVerdict::Skipped { .. } => self.skipped += 1,
            },
            _ => {}
        }
    }

    fn begin(&mut self, name: &'static str, raw: u64) {
        let operation = self.operations.entry(name).or_default();
        operation.count += 1;
        operation.unanswered += 1;
        operation.raw += raw;
        // Answers to more than this at once are counted with nothing; `check` complains of such a trace.
        if self.pending.len() < MAX_PENDING {
            self.pending.insert(self.exchanges, name);
        }
        self.exchanges += 1;
    }

    fn answer(&mut self, back: u64, failed: bool, raw: u64) {
        let seq = self.exchanges.checked_sub(1).and_then(|last| last.checked_sub(back));
        let Some(name) = seq.and_then(|seq| self.pending.remove(&seq)) else { return };
        let operation = self.operations.entry(name).or_default();
        operation.unanswered -= 1;
        operation.failed += u64::from(failed);
        operation.raw += raw;
    }
}

#[cfg(test)]
mod tests {
    use super::super::timeline::samples;
    use super::*;

    #[test]
    fn everything_is_counted_once() {
        let mut stat = Stat::default();
        let records = samples::records();
        for record in &records {
            stat.record(record, 10);
        }
        assert_eq!(stat.kinds.values().map(|amount| amount.count).sum::<u64>(), records.len() as u64);
        assert_eq!((stat.begun, stat.passed, stat.failed, stat.skipped), (2, 1, 1, 0));
        assert_eq!(stat.choices, BTreeMap::from([(ChoicePoint::Thread, 3)]));
        let read = stat.operations["read_file"];
        assert_eq!(read, Operation { count: 1, failed: 1, unanswered: 0, raw: 20 });
        let abandoned = stat.operations["write_file"];
        assert_eq!(abandoned, Operation { count: 1, failed: 0, unanswered: 1, raw: 10 });
    }

    #[test]
    fn answers_to_nothing_are_no_trouble() {
        let mut stat = Stat::default();
        for back in [0, 7, u64::MAX] {
            stat.record(&Record::Booted { back, result: Ok(()) }, 3);
        }
        assert!(stat.operations.is_empty());
    }
}
