//! Input record by record.

use std::rc::Rc;

use provium_kernel::{Errno, Fd, Sys};

use super::record::MAX_STRING;
use super::regex::{Fault, Patterns};
use super::value::Text;
use crate::shared::input::BLOCK;
use crate::shared::posix_regex::Regex;

/// What ends a record.
#[derive(Clone, Debug)]
pub(super) enum Separator {
    Byte(u8),
    /// Empty lines.
    Paragraph,
    Regex(Rc<Regex>),
}

impl Separator {
    /// The meaning of `RS`.
    pub(super) fn new(text: &Text, patterns: &mut Patterns) -> Result<Separator, Fault> {
        Ok(match text.as_ref() {
            b"" => Separator::Paragraph,
            [byte] => Separator::Byte(*byte),
            _ => Separator::Regex(patterns.get(text)?),
        })
    }

    /// The first record in `held`, which goes on behind it unless `ended`: where it ends, and where the
    /// next one starts. `None` if more must be read to know.
    fn find(&self, held: &[u8], searched: usize, ended: bool) -> Option<(usize, usize)> {
        match self {
            Separator::Byte(separator) => {
                let found = held[searched..].iter().position(|byte| byte == separator);
                found.map(|at| (searched + at, searched + at + 1))
            }
            Separator::Paragraph => {
                // The two newlines may lie on both sides of what was searched.
                let from = searched.saturating_sub(1);
                let found = held[from..].windows(2).position(|pair| pair == b"\n\n");
                found.map(|at| (from + at, from + at + 2))
            }
            Separator::Regex(regex) => {
                let mut from = 0;
                while let Ok(Some((low, high))) = regex.find_at(held, from) {
                    if high == low {
                        from = high + 1;
                    } else if high == held.len() && !ended {
                        // More input could make the match longer.
                        return None;
                    } else {
                        return Some((low, high));
                    }
                }
                None
            }
        }
    }
}

/// Reads records from a descriptor, in blocks as stdio does.
pub(super) struct RecordReader {
    pub(super) fd: Fd,
    held: Vec<u8>,
    start: usize,
    ended: bool,
}

impl RecordReader {
    pub(super) fn new(fd: Fd) -> RecordReader {
        RecordReader { fd, held: Vec::new(), start: 0, ended: false }
    }

    /// The next record without its end; `None` at the end of the input.
    pub(super) async fn next(&mut self, sys: &Sys, separator: &Separator) -> Result<Option<Vec<u8>>, Errno> {
        let mut searched = 0;
        loop {
            if matches!(separator, Separator::Paragraph) && searched == 0 {
                self.start += self.held[self.start..].iter().take_while(|byte| **byte == b'\n').count();
            }
            let held = &self.held[self.start..];
            if let Some((end, next)) = separator.find(held, searched, self.ended) {
                let record = held[..end].to_vec();
                self.start += next;
                return Ok(Some(record));
            }
            if self.ended {
                let mut rest = self.held.split_off(self.start);
                self.held.clear();
                self.start = 0;
                if matches!(separator, Separator::Paragraph) && rest.last() == Some(&b'\n') {
                    rest.pop();
                }
                return Ok((!rest.is_empty()).then_some(rest));
            }
            searched = held.len();
            if searched > MAX_STRING {
                return Err(Errno::ENOMEM);
            }
            self.held.drain(..self.start);
            self.start = 0;
            let data = loop {
                match sys.read(self.fd, BLOCK).await {
                    Err(Errno::EINTR) => {}
                    other => break other?,
                }
            };
            self.ended = data.is_empty();
            self.held.extend_from_slice(&data);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Separator;
    use crate::text::awk::regex::Patterns;

    fn records(separator: &[u8], mut text: &[u8]) -> Vec<(Vec<u8>, usize)> {
        let separator = Separator::new(&separator.into(), &mut Patterns::default()).unwrap();
        let mut all = Vec::new();
        while let Some((end, next)) = separator.find(text, 0, true) {
            all.push((text[..end].to_vec(), next));
            text = &text[next..];
        }
        all
    }

    #[test]
    fn records_end_at_a_byte_an_empty_line_or_a_pattern() {
        assert_eq!(records(b"\n", b"a\nb"), [(b"a".to_vec(), 2)]);
        assert_eq!(records(b"", b"a\nb\n\nc"), [(b"a\nb".to_vec(), 5)]);
        assert_eq!(records(b"[0-9]+", b"a12b3"), [(b"a".to_vec(), 3), (b"b".to_vec(), 2)]);
    }

    #[test]
    fn a_pattern_that_could_go_on_waits_for_more() {
        let separator = Separator::new(&b"[0-9]+"[..].into(), &mut Patterns::default()).unwrap();
        assert_eq!(separator.find(b"a12", 0, false), None);
        assert_eq!(separator.find(b"a12b", 0, false), Some((1, 3)));
    }
}
