//! Any records, written and read.

use proptest::prelude::*;
use provium::trace::format::{End, TraceReader, TraceWriter};
use provium::trace::record::Record;

use crate::make::{Entropy, make};
use crate::sample;

fn records() -> impl Strategy<Value = Vec<Record>> {
    prop::collection::vec(any::<u8>(), 0..4000).prop_map(|bytes| {
        let mut entropy = Entropy::new(bytes);
        let mut records = Vec::new();
        while !entropy.is_used_up() {
            records.extend(make::<Record>(&mut entropy));
        }
        records
    })
}

const PATTERNS: &[&str] = &["[a-z\u{e9}]", "..", "(?-u:\\x00+)", ".*", "(?-u:.)", "(?i)T[0-9]"];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn any_records_are_read_as_they_were_written(records in records(), flush in 1_usize..50) {
        let mut file = Vec::new();
        let mut writer = TraceWriter::new(&mut file, &sample::header()).expect("the header is small");
        for (at, record) in records.iter().enumerate() {
            writer.record(record).expect("memory takes everything");
            if at % flush == 0 {
                writer.flush().expect("memory takes everything");
            }
        }
        let totals = writer.finish().expect("memory takes everything");
        let mut reader = TraceReader::new(&file[..]).expect("the header is whole");
        let read: Vec<Record> = reader.by_ref().map(|record| record.expect("the file is whole")).collect();
        prop_assert_eq!(&read, &records);
        prop_assert_eq!(reader.end(), Some(&End::Complete(totals)));
        prop_assert_eq!(totals.records, records.len() as u64);
    }

    #[test]
    fn any_records_that_are_redacted_match_themselves(records in records(), pattern in prop::sample::select(PATTERNS)) {
        let redactor = provium::trace::format::redact::Redactor::new(&[pattern.to_owned()]).expect("a good pattern");
        for record in records {
            let mut redacted = record.clone();
            redactor.redact(&mut redacted);
            prop_assert!(provium::trace::format::redact::matches_redacted(&redacted, &record));
        }
    }
}
