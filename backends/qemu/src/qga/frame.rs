//! Answers as they come: a line of JSON each, and a byte that no JSON holds before some.

use std::collections::VecDeque;

use serde_json::Value;

use super::errors::Said;

/// What stands before the answer to a `guest-sync-delimited`, and before the question: whatever came before it is over.
pub const DELIMITER: u8 = 0xff;

/// The longest answer that is read: both outputs of a command, of which QGA keeps 16 MiB each, in base64, and some more.
const LONGEST: usize = 64 << 20;

/// One answer.
#[derive(Debug, PartialEq)]
pub struct Answer {
    /// The delimiter stood before it.
    pub delimited: bool,
    /// What it says.
    pub said: Result<Value, Unreadable>,
}

/// Why an answer has no value.
#[derive(Debug, PartialEq)]
pub enum Unreadable {
    /// It says that something went wrong.
    Error(Said),
    /// It is none.
    Garbage,
}

/// Bytes on their way to becoming answers.
#[derive(Default)]
pub struct Frames {
    line: Vec<u8>,
    delimited: bool,
    too_long: bool,
    answers: VecDeque<Answer>,
}

impl Frames {
    /// Takes bytes as they came.
    pub fn feed(&mut self, mut bytes: &[u8]) {
        while let Some(at) = bytes.iter().position(|byte| matches!(*byte, b'\n' | DELIMITER)) {
            self.put(&bytes[..at]);
            if bytes[at] == DELIMITER {
                // What was before it was cut off.
                self.line.clear();
                self.too_long = false;
                self.delimited = true;
            } else {
                self.end_line();
            }
            bytes = &bytes[at + 1..];
        }
        self.put(bytes);
    }

    /// The next whole answer.
    pub fn next(&mut self) -> Option<Answer> {
        self.answers.pop_front()
    }

    /// Whether no part of an answer has come.
    pub fn is_empty(&self) -> bool {
        self.line.is_empty() && !self.too_long && self.answers.is_empty()
    }

    fn put(&mut self, bytes: &[u8]) {
        self.too_long |= self.line.len() + bytes.len() > LONGEST;
        if self.too_long {
            self.line.clear();
        } else {
            self.line.extend_from_slice(bytes);
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let too_long = std::mem::take(&mut self.too_long);
        let delimited = std::mem::take(&mut self.delimited);
        if !too_long && line.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        let said = if too_long { Err(Unreadable::Garbage) } else { read(&line) };
        self.answers.push_back(Answer { delimited, said });
    }
}

fn read(line: &[u8]) -> Result<Value, Unreadable> {
    let Ok(Value::Object(mut message)) = serde_json::from_slice(line) else { return Err(Unreadable::Garbage) };
    if let Some(value) = message.remove("return") {
        return Ok(value);
    }
    let error = message.remove("error").ok_or(Unreadable::Garbage)?;
    let text = |key: &str| error.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    Err(Unreadable::Error(Said { class: text("class"), desc: text("desc") }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fed(pieces: &[&[u8]]) -> Vec<Answer> {
        let mut frames = Frames::default();
        pieces.iter().for_each(|piece| frames.feed(piece));
        std::iter::from_fn(|| frames.next()).collect()
    }

    fn value(value: Value) -> Answer {
        Answer { delimited: false, said: Ok(value) }
    }

    #[test]
    fn answers_come_in_any_pieces() {
        assert_eq!(fed(&[b"{\"ret", b"urn\": 1}\n{\"return\": {}}", b"\r\n\n"]), [value(json!(1)), value(json!({}))]);
        assert_eq!(fed(&[b"{\"return\": 1}"]), []);
    }

    #[test]
    fn what_the_delimiter_cuts_off_is_forgotten() {
        let answers = fed(&[b"{\"return\": 1}\n{\"retu\xff{\"return\": 7}\n{\"return\": 2}\n"]);
        let sync = Answer { delimited: true, said: Ok(json!(7)) };
        assert_eq!(answers, [value(json!(1)), sync, value(json!(2))]);
    }

    #[test]
    fn what_cannot_be_read_is_garbage_and_what_follows_is_read() {
        for garbage in [&b"login: "[..], b"[1]", b"{}", b"{\"return\": ", b"\x00\x80"] {
            let mut bytes = garbage.to_vec();
            bytes.extend(b"\n{\"return\": 1}\n");
            let garbage = Answer { delimited: false, said: Err(Unreadable::Garbage) };
            assert_eq!(fed(&[&bytes]), [garbage, value(json!(1))]);
        }
    }

    #[test]
    fn an_answer_that_never_ends_takes_no_more_memory_than_the_longest() {
        let mut frames = Frames::default();
        let piece = vec![b'x'; 16 << 20];
        for _ in 0..6 {
            frames.feed(&piece);
            assert!(frames.line.len() <= LONGEST);
        }
        frames.feed(b"\n{\"return\": 1}\n");
        assert_eq!(frames.next(), Some(Answer { delimited: false, said: Err(Unreadable::Garbage) }));
        assert_eq!(frames.next(), Some(value(json!(1))));
    }

    #[test]
    fn errors_keep_their_class_and_text() {
        let answers = fed(&[b"{\"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}}\n"]);
        let said = Said { class: "GenericError".to_owned(), desc: "no".to_owned() };
        assert_eq!(answers, [Answer { delimited: false, said: Err(Unreadable::Error(said)) }]);
    }
}
