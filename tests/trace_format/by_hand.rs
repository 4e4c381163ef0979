//! Reads traces as `traces/README.md` says, and by nothing else: another reader, made from the page, that shows the page
//! to be right.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use provium::trace::format::context::{DICTIONARY, DICTIONARY_FEATURE};
use provium::trace::format::{block, codec, header, pieces};
use provium::trace::record::Record;
use provium_protocol::exec::ExecSpec;
use provium_protocol::texts::Texts;
use provium_protocol::{Lane, Op};
use serde_json::{Map, Value, json};

use crate::sample;

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("traces/README.md");
    fs::read_to_string(path).expect("the page is there")
}

/// A type, as the page defines it.
enum Type {
    Fields(String),
    /// For each number the name, and what the variant holds.
    Variants(Vec<(String, String)>),
}

/// The types of the page.
fn types() -> BTreeMap<String, Type> {
    let page = page();
    let (_, rest) = page.split_once("```types\n").expect("the page defines types");
    let (text, _) = rest.split_once("```").expect("and ends to");
    let mut types = BTreeMap::new();
    let mut open: Option<String> = None;
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or("").trim_end();
        if let Some(variant) = line.strip_prefix("  ") {
            let mut words = variant.splitn(3, ' ');
            let mut word = || words.next().unwrap_or("").to_owned();
            let (number, name, holds) = (word(), word(), word());
            let Some(Type::Variants(variants)) = open.as_ref().and_then(|name| types.get_mut(name)) else {
                panic!("a variant of nothing: {line}");
            };
            assert_eq!(number, variants.len().to_string(), "{line}");
            variants.push((name, holds));
        } else if let Some(name) = line.strip_suffix(" is one of") {
            types.insert(name.to_owned(), Type::Variants(Vec::new()));
            open = Some(name.to_owned());
        } else if let Some((name, fields)) = line.split_once(" is ") {
            types.insert(name.to_owned(), Type::Fields(fields.to_owned()));
        } else {
            assert_eq!(line, "");
        }
    }
    types
}

/// Splits at commas that stand in no angle brackets.
fn split(list: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, character) in list.char_indices() {
        match character {
            '<' => depth += 1,
            '>' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(list[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(list[start..].trim());
    parts
}

struct Reader<'a> {
    types: &'a BTreeMap<String, Type>,
    bytes: &'a [u8],
    /// The texts of the record so far.
    texts: Vec<Vec<u8>>,
    /// Texts of the record to come.
    pieces: BTreeMap<u32, Vec<u8>>,
}

impl Reader<'_> {
    /// The next record, with its texts in it.
    fn record(&mut self) -> Value {
        self.texts.clear();
        self.pieces.clear();
        while self.bytes[0] == 21 {
            self.byte();
            let number = self.unsigned() as u32;
            let data = self.raw();
            self.pieces.entry(number).or_default().extend(data);
        }
        self.value("Record")
    }

    fn byte(&mut self) -> u8 {
        let (first, rest) = self.bytes.split_first().expect("a byte more");
        self.bytes = rest;
        *first
    }

    fn unsigned(&mut self) -> u128 {
        let width = match self.byte() {
            251 => 2,
            252 => 4,
            253 => 8,
            254 => 16,
            small => return u128::from(small),
        };
        (0..width).fold(0, |number, at| number | u128::from(self.byte()) << (8 * at))
    }

    fn signed(&mut self) -> i128 {
        let number = self.unsigned();
        let half = (number / 2) as i128;
        if number.is_multiple_of(2) { half } else { -half - 1 }
    }

    fn raw(&mut self) -> Vec<u8> {
        let length = self.unsigned() as usize;
        (0..length).map(|_| self.byte()).collect()
    }

    /// A text; if there were pieces of it, these.
    fn text(&mut self) -> Vec<u8> {
        let stored = self.raw();
        let text = self.pieces.remove(&(self.texts.len() as u32)).unwrap_or(stored);
        self.texts.push(text.clone());
        text
    }

    /// A value of the type with this name, as serde_json shows it.
    fn value(&mut self, kind: &str) -> Value {
        if let Some((outer, inner)) = kind.strip_suffix('>').and_then(|kind| kind.split_once('<')) {
            let inner = split(inner);
            return match (outer, &inner[..]) {
                ("option", [inner]) => {
                    if self.byte() == 1 {
                        self.value(inner)
                    } else {
                        Value::Null
                    }
                }
                ("list", [inner]) => (0..self.unsigned()).map(|_| self.value(inner)).collect(),
                ("map", [_, inner]) => {
                    let entry =
                        |reader: &mut Self| (String::from_utf8(reader.raw()).expect("UTF-8"), reader.value(inner));
                    Value::Object((0..self.unsigned()).map(|_| entry(self)).collect())
                }
                ("tuple", parts) => parts.iter().map(|part| self.value(part)).collect(),
                ("result", [ok, _]) if self.unsigned() == 0 => json!({ "Ok": self.value(ok) }),
                ("result", [_, error]) => json!({ "Err": self.value(error) }),
                _ => panic!("the page does not say what {kind} is"),
            };
        }
        match kind {
            "u8" => json!(self.byte()),
            "bool" => json!(self.byte() == 1),
            "u16" | "u32" | "u64" => json!(self.unsigned() as u64),
            "i32" | "i64" | "i128" => json!(self.signed() as i64),
            "string" => json!(String::from_utf8(self.text()).expect("UTF-8")),
            "bytes" => json!(self.text()),
            "unit" => Value::Null,
            name => match self.types.get(name) {
                Some(Type::Fields(fields)) => self.held(fields),
                Some(Type::Variants(variants)) => {
                    let (name, holds) = &variants[self.unsigned() as usize];
                    if holds.is_empty() {
                        json!(name)
                    } else {
                        Map::from_iter([(name.clone(), self.held(holds))]).into()
                    }
                }
                None => panic!("the page does not say what {name} is"),
            },
        }
    }

    /// What stands in braces or parentheses.
    fn held(&mut self, text: &str) -> Value {
        if let Some(kind) = text.strip_prefix("( ").and_then(|text| text.strip_suffix(" )")) {
            return self.value(kind);
        }
        let fields = text.strip_prefix("{ ").and_then(|text| text.strip_suffix(" }")).expect("fields in braces");
        let field = |field: &str| {
            let (name, kind) = field.split_once(": ").expect("a name and a type");
            (name.to_owned(), self.value(kind))
        };
        Value::Object(split(fields).into_iter().map(field).collect())
    }
}

#[test]
fn every_record_is_what_the_page_says() {
    let types = types();
    for (shows, record) in sample::every() {
        let mut bytes = Vec::new();
        codec::encode(&record, &mut bytes).expect("it is small");
        let mut reader = Reader { types: &types, bytes: &bytes, texts: Vec::new(), pieces: BTreeMap::new() };
        let read = reader.record();
        assert_eq!(read, serde_json::to_value(&record).expect("records are data"), "{shows}");
        assert_eq!(reader.bytes, b"", "{shows}");
        let mut texts = Vec::new();
        record.clone().each_text(&mut |text| texts.push(text.clone()));
        assert_eq!(reader.texts, texts, "{shows}: texts are numbered in the order in which they stand");
    }
}

#[test]
fn the_page_has_no_more_variants_than_there_are() {
    let shown: Vec<String> = sample::every()
        .iter()
        .flat_map(|(shows, _)| shows.split(", ").map(str::to_owned).collect::<Vec<_>>())
        .collect();
    for (name, kind) in types() {
        let Type::Variants(variants) = kind else { continue };
        // The type's name in the sources, where the page has a shorter one.
        let name = if name == "Verdict" { "RecordedVerdict" } else { &name };
        for (variant, _) in variants {
            let variant = format!("{name}::{variant}");
            assert!(shown.contains(&variant), "{variant} is on the page only");
        }
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

#[test]
fn a_whole_file_is_what_the_page_says() {
    let mut records = sample::run();
    let spec = ExecSpec { stdin: vec![7; 5_000], max_output: 1, ..ExecSpec::shell("x".repeat(1 << 20)) };
    let op = Op::Run { spec, timeout_ns: None };
    records.push(Record::Begun { guest: 0, lane: Lane::Main, worker: Some("w".repeat(5_000)), at: None, op });
    let (file, totals) = sample::file(&records);
    assert_eq!(&file[..8], b"\x89PVT\r\n\x1a\n");
    assert_eq!(u16::from_le_bytes([file[8], file[9]]), 3);
    let text = &file[14..14 + word(&file, 10) as usize];
    let value: Value = serde_json::from_slice(text).expect("JSON");
    assert_eq!(value["required"], json!([DICTIONARY_FEATURE]));
    assert_eq!(value["writer"], "provium 0.1.0");
    let page = page();
    for key in value.as_object().expect("an object").keys() {
        assert!(page.contains(&format!("`{key}`")), "the page does not mention {key}");
    }
    let mut at = 14 + text.len();
    assert_eq!(word(&file, at), crc32c::crc32c(&file[..at]));
    at += 4;

    let (mut number, mut frame, mut sizes) = (0, Vec::new(), 0);
    loop {
        let head = &file[at..at + 21];
        let payload = &file[at + 21..at + 21 + word(head, 5) as usize];
        assert_eq!(word(head, 1), number);
        assert_eq!(word(head, 13), crc32c::crc32c(payload));
        assert_eq!(word(head, 17), crc32c::crc32c(&head[..17]));
        at += 21 + payload.len();
        number += 1;
        if head[0] == 2 {
            let numbers: Vec<u64> =
                payload.chunks(8).map(|bytes| u64::from_le_bytes(bytes.try_into().expect("eight bytes"))).collect();
            assert_eq!(numbers, [totals.records, totals.exchanges, totals.raw]);
            break;
        }
        assert_eq!(head[0], 1);
        frame.extend_from_slice(payload);
        sizes += word(head, 9);
    }
    assert_eq!(at, file.len());

    let mut stream = zstd::stream::read::Decoder::with_dictionary(&frame[..], DICTIONARY).expect("zstd works");
    let mut raw = vec![0; sizes as usize];
    std::io::Read::read_exact(&mut stream, &mut raw).expect("the frame holds so much");
    let types = types();
    let mut reader = Reader { types: &types, bytes: &raw, texts: Vec::new(), pieces: BTreeMap::new() };
    for record in &records {
        assert_eq!(reader.record(), serde_json::to_value(record).expect("records are data"));
    }
    assert_eq!(reader.bytes, b"");
    assert_eq!(std::io::Read::read(&mut stream, &mut [0]).map_err(|error| error.kind()).unwrap_or(0), 0);
}

#[test]
fn the_limits_are_those_of_the_page() {
    let page = page();
    for (name, limit) in [
        ("MAX_HEADER", header::MAX_HEADER),
        ("MAX_BLOCK", block::MAX_BLOCK),
        ("MAX_PAYLOAD", block::MAX_PAYLOAD),
        ("MAX_RECORD", codec::MAX_RECORD),
        ("MAX_PIECE", pieces::MAX_PIECE),
        ("MAX_TEXTS", pieces::MAX_TEXTS),
    ] {
        assert!(page.contains(&format!("| `{name}` | {limit} |")), "{name} is {limit}");
    }
}
