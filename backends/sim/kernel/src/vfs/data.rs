//! Content of a regular file: sparse pages, shared until written.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::limits::{MAX_FILE_SIZE, PAGE};

type Page = Rc<[u8; PAGE]>;

/// Bytes of a file. Pages that were never written are holes and read as zeros; a page without content
/// was allocated, but not written.
#[derive(Clone, Default)]
pub struct FileData {
    pages: BTreeMap<u64, Option<Page>>,
    len: u64,
}

impl FileData {
    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Pages that hold something.
    #[must_use]
    pub fn pages(&self) -> u64 {
        self.pages.len() as u64
    }

    /// Up to `len` bytes from `offset`; fewer at the end.
    #[must_use]
    pub fn read(&self, offset: u64, len: usize) -> Vec<u8> {
        if offset >= self.len {
            return Vec::new();
        }
        let len = usize::try_from(self.len - offset).unwrap_or(usize::MAX).min(len);
        let mut out = Vec::with_capacity(len);
        let mut at = offset;
        while out.len() < len {
            let within = (at % PAGE as u64) as usize;
            let part = (PAGE - within).min(len - out.len());
            match self.pages.get(&(at / PAGE as u64)) {
                Some(Some(page)) => out.extend_from_slice(&page[within..within + part]),
                _ => out.resize(out.len() + part, 0),
            }
            at += part as u64;
        }
        out
    }

    /// How many of the pages that `[offset, offset + len)` touches are holes.
    #[must_use]
    pub fn missing_pages(&self, offset: u64, len: u64) -> u64 {
        if len == 0 {
            return 0;
        }
        let (first, last) = (offset / PAGE as u64, (offset + len - 1) / PAGE as u64);
        (last - first + 1) - self.pages.range(first..=last).count() as u64
    }

    /// Writes all of `bytes` at `offset`.
    pub fn write(&mut self, offset: u64, bytes: &[u8]) {
        let mut at = offset;
        let mut rest = bytes;
        while !rest.is_empty() {
            let within = (at % PAGE as u64) as usize;
            let part = (PAGE - within).min(rest.len());
            let page = self.pages.entry(at / PAGE as u64).or_default().get_or_insert_with(|| Rc::new([0; PAGE]));
            Rc::make_mut(page)[within..within + part].copy_from_slice(&rest[..part]);
            at += part as u64;
            rest = &rest[part..];
        }
        self.len = self.len.max(at);
    }

    /// Makes pages real without changing what they hold, see fallocate(2). Until they are written they
    /// still count as holes for those who look for data.
    pub fn allocate(&mut self, offset: u64, len: u64) {
        if len == 0 {
            return;
        }
        for page in offset / PAGE as u64..=(offset + len - 1) / PAGE as u64 {
            self.pages.entry(page).or_default();
        }
    }

    /// Turns a range into a hole; the length stays.
    pub fn punch(&mut self, offset: u64, len: u64) {
        // Pages behind the end of the file, which fallocate(2) may have made, go too.
        let end = offset.saturating_add(len).min(MAX_FILE_SIZE);
        if offset >= end {
            return;
        }
        let (first, last) = (offset / PAGE as u64, (end - 1) / PAGE as u64);
        for page in [first, last] {
            let (from, to) = (page * PAGE as u64, (page + 1) * PAGE as u64);
            // A page that is cut only in part keeps the rest.
            if let Some(Some(content)) = self.pages.get_mut(&page)
                && (from < offset || end < to)
            {
                let (start, stop) = (offset.max(from) - from, end.min(to) - from);
                Rc::make_mut(content)[start as usize..stop as usize].fill(0);
            }
        }
        let whole = offset.div_ceil(PAGE as u64)..end / PAGE as u64;
        if whole.start < whole.end {
            let mut later = self.pages.split_off(&whole.start);
            self.pages.append(&mut later.split_off(&whole.end));
        }
    }

    /// Sets the length: what is cut off is gone, what is added is a hole.
    pub fn set_len(&mut self, len: u64) {
        // What was allocated behind the end goes even if the end stays.
        if len <= self.len {
            let keep = len.div_ceil(PAGE as u64);
            self.pages.split_off(&keep);
            let within = (len % PAGE as u64) as usize;
            if within > 0
                && let Some(Some(page)) = self.pages.get_mut(&(len / PAGE as u64))
            {
                Rc::make_mut(page)[within..].fill(0);
            }
        }
        self.len = len;
    }

    /// The start of the next data at or after `offset` (`SEEK_DATA`); `None` beyond the last.
    #[must_use]
    pub fn next_data(&self, offset: u64) -> Option<u64> {
        let mut later = self.pages.range(offset / PAGE as u64..);
        let (page, _) = later.find(|(_, content)| content.is_some())?;
        let at = (page * PAGE as u64).max(offset);
        (at < self.len).then_some(at)
    }

    /// The start of the next hole at or after `offset` (`SEEK_HOLE`), the end counting as one.
    #[must_use]
    pub fn next_hole(&self, offset: u64) -> Option<u64> {
        if offset >= self.len {
            return None;
        }
        let mut page = offset / PAGE as u64;
        while self.pages.get(&page).is_some_and(Option::is_some) {
            page += 1;
        }
        Some((page * PAGE as u64).max(offset).min(self.len))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_read_as_zeros_and_cost_nothing() {
        let mut data = FileData::default();
        data.write(10 * PAGE as u64 + 5, b"x");
        assert_eq!(data.len(), 10 * PAGE as u64 + 6);
        assert_eq!(data.pages(), 1);
        assert_eq!(data.read(0, 3), [0, 0, 0]);
        assert_eq!(data.read(10 * PAGE as u64 + 4, 9), [0, b'x']);
        assert_eq!(data.next_data(0), Some(10 * PAGE as u64));
        assert_eq!(data.next_hole(0), Some(0));
        assert_eq!(data.next_hole(10 * PAGE as u64), Some(data.len()));
    }

    #[test]
    fn a_hole_of_any_size_is_made_at_once() {
        let mut data = FileData::default();
        data.write(0, &[1; 3 * PAGE]);
        data.set_len(i64::MAX as u64);
        data.punch(10, PAGE as u64);
        assert_eq!(data.pages(), 3);
        assert_eq!(data.read(9, 3), [1, 0, 0]);
        assert_eq!(data.read(PAGE as u64 + 9, 2), [0, 1]);
        data.punch(5, i64::MAX as u64);
        assert_eq!(data.pages(), 1);
        assert_eq!(data.read(4, 2), [1, 0]);
        assert_eq!(data.len(), i64::MAX as u64);
    }

    #[test]
    fn what_was_cut_off_does_not_come_back() {
        let mut data = FileData::default();
        data.write(0, b"abcdef");
        data.set_len(2);
        data.set_len(4);
        assert_eq!(data.read(0, 10), b"ab\0\0");
    }
}
