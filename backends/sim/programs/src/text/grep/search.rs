//! One file: finding lines and showing them.

use std::collections::VecDeque;

use provium_kernel::{Errno, Fd};

use super::State;
use super::options::{Binary, Job, Listing};
use crate::shared::input::MAX_LINE;
use crate::shared::tool::STDIN;
use crate::shared::{Exit, Tool};

use super::super::common::is_fifo;

/// Bytes of one read, as in the real tool.
const BLOCK: usize = 96 << 10;

/// A line that may become context.
struct Held {
    number: u64,
    offset: u64,
    text: Vec<u8>,
}

struct Search<'a> {
    tool: &'a Tool,
    job: &'a Job,
    label: &'a [u8],
    state: &'a mut State,
    /// Nothing is shown any more, and the first match ends the search.
    silent: bool,
    /// NUL bytes were seen.
    binary: bool,
    count: u64,
    /// Selected lines found after the file turned out to be binary.
    hidden: u64,
    number: u64,
    offset: u64,
    /// Where the line after the last selected one begins.
    after_match: u64,
    before: VecDeque<Held>,
    pending: u64,
    /// The number of the last line shown.
    last_shown: u64,
    width: usize,
}

/// Searches an open file; returns the number of selected lines.
pub(super) async fn file(
    tool: &Tool,
    job: &Job,
    state: &mut State,
    fd: Fd,
    label: &[u8],
) -> Result<Result<u64, Errno>, Exit> {
    let stat = tool.sys.fstat(fd).await;
    let piped = stat.as_ref().is_ok_and(is_fifo);
    let start = if fd == STDIN { tool.sys.lseek(fd, 0, 1).await.ok() } else { None };
    let width = if job.initial_tab {
        let size = stat.as_ref().ok().filter(|stat| stat.is_file()).map_or(u64::MAX, |stat| stat.size);
        size.saturating_add(u64::from(job.line_numbers)).to_string().len()
    } else {
        0
    };
    let first_only = job.quiet() || matches!(job.listing, Listing::Matching | Listing::NotMatching);
    let mut search = Search {
        tool,
        job,
        label,
        state,
        silent: first_only || job.listing != Listing::Lines,
        binary: false,
        count: 0,
        hidden: 0,
        number: 0,
        offset: 0,
        after_match: 0,
        before: VecDeque::new(),
        pending: 0,
        last_shown: 0,
        width,
    };
    let mut most = if first_only { job.max_count.min(1) } else { job.max_count };
    let mut rest: Vec<u8> = Vec::new();
    let mut ended = most == 0;
    while !ended {
        let data = match tool.sys.read(fd, BLOCK).await {
            Ok(data) => data,
            Err(errno) => return Ok(Err(errno)),
        };
        ended = data.is_empty();
        if job.line_end != 0 && job.binary != Binary::Text && !search.binary && data.contains(&0) {
            if job.binary == Binary::WithoutMatch {
                return Ok(Ok(0));
            }
            search.binary = true;
            if job.listing != Listing::Count {
                most = most.min(search.count.saturating_add(1));
                search.silent = true;
            }
        }
        rest.extend_from_slice(&data);
        if search.binary {
            // What stands between NUL bytes counts as a line of its own.
            rest.iter_mut().filter(|byte| **byte == 0).for_each(|byte| *byte = b'\n');
        }
        if ended && !rest.is_empty() && rest.last() != Some(&job.line_end) {
            rest.push(job.line_end);
        }
        let whole = rest.iter().rposition(|byte| *byte == job.line_end).map_or(0, |at| at + 1);
        if whole == 0 && rest.len() > MAX_LINE {
            return Err(tool.fail(2, "memory exhausted").await);
        }
        for line in rest[..whole].split_inclusive(|byte| *byte == job.line_end) {
            if search.count >= most {
                search.trail(line).await?;
                if search.pending == 0 {
                    ended = true;
                    break;
                }
                continue;
            }
            search.line(line).await?;
        }
        rest.drain(..whole);
        if search.count >= most && (search.pending == 0 || search.silent) {
            ended = true;
        }
    }
    let (count, hidden, after_match) = (search.count, search.hidden, search.after_match);
    if hidden > 0 && job.listing == Listing::Lines && !job.quiet() {
        let name = String::from_utf8_lossy(label).into_owned();
        tool.error(format!("{name}: binary file matches")).await;
    }
    if fd == STDIN && count >= most {
        if let Some(start) = start {
            // The next reader of a file goes on after the last selected line.
            let _no_matter = tool.sys.lseek(fd, start.saturating_add(after_match).cast_signed(), 0).await;
        } else if piped && job.quiet_at_first && !job.quiet && job.listing == Listing::Lines {
            // With nobody to see the output the real tool still takes what the writer has to say.
            while tool.sys.read(fd, BLOCK).await.is_ok_and(|data| !data.is_empty()) {}
        }
    }
    Ok(Ok(count))
}

impl Search<'_> {
    async fn matched(&self, text: &[u8]) -> Result<bool, Exit> {
        let Some(regex) = &self.job.regex else { return Ok(self.job.invert) };
        match regex.is_match(text) {
            Ok(found) => Ok(found != self.job.invert),
            Err(error) => Err(self.tool.fail(2, error.to_string()).await),
        }
    }

    /// Looks at a line, its end included.
    async fn line(&mut self, line: &[u8]) -> Result<(), Exit> {
        self.number += 1;
        let offset = self.offset;
        self.offset += line.len() as u64;
        let text = &line[..line.len() - 1];
        if self.matched(text).await? {
            self.count += 1;
            self.hidden += u64::from(self.binary);
            self.after_match = self.offset;
            if self.silent {
                return Ok(());
            }
            self.separate().await?;
            for held in std::mem::take(&mut self.before) {
                self.show(held.number, held.offset, &held.text, b'-').await?;
            }
            self.pending = self.job.after.unwrap_or(0);
            return self.selected(offset, text).await;
        }
        if self.silent {
            return Ok(());
        }
        if self.pending > 0 {
            self.pending -= 1;
            let number = self.number;
            return self.show(number, offset, text, b'-').await;
        }
        let keep = self.job.before.unwrap_or(0);
        if keep > 0 {
            if self.before.len() as u64 >= keep {
                self.before.pop_front();
            }
            self.before.push_back(Held { number: self.number, offset, text: text.to_vec() });
        }
        Ok(())
    }

    /// Context after the last line that may be selected.
    async fn trail(&mut self, line: &[u8]) -> Result<(), Exit> {
        self.number += 1;
        let offset = self.offset;
        self.offset += line.len() as u64;
        if self.silent || self.pending == 0 {
            self.pending = 0;
            return Ok(());
        }
        self.pending -= 1;
        let number = self.number;
        self.show(number, offset, &line[..line.len() - 1], b'-').await
    }

    /// The line between groups, if there is a gap before what comes now.
    async fn separate(&mut self) -> Result<(), Exit> {
        if self.job.before.is_none() && self.job.after.is_none() {
            return Ok(());
        }
        let first = self.before.front().map_or(self.number, |held| held.number);
        let gap = self.last_shown == 0 || first > self.last_shown + 1;
        if gap
            && self.state.any_output
            && let Some(separator) = &self.job.group_separator
        {
            self.tool.out.write([separator, &b"\n"[..]].concat()).await?;
        }
        Ok(())
    }

    async fn selected(&mut self, offset: u64, text: &[u8]) -> Result<(), Exit> {
        let number = self.number;
        if !self.job.only_matching {
            return self.show(number, offset, text, b':').await;
        }
        self.last_shown = number;
        self.state.any_output = true;
        let Some(regex) = self.job.regex.as_ref().filter(|_| !self.job.invert) else { return Ok(()) };
        let mut from = 0;
        loop {
            let found = match regex.find_at(text, from) {
                Ok(found) => found,
                Err(error) => return Err(self.tool.fail(2, error.to_string()).await),
            };
            let Some((low, high)) = found else { return Ok(()) };
            if low == high {
                from = high + 1;
                continue;
            }
            self.write(number, offset + low as u64, &text[low..high], b':').await?;
            from = high;
        }
    }

    async fn show(&mut self, number: u64, offset: u64, text: &[u8], separator: u8) -> Result<(), Exit> {
        self.last_shown = number;
        self.state.any_output = true;
        if self.job.only_matching {
            return Ok(());
        }
        self.write(number, offset, text, separator).await
    }

    async fn write(&self, number: u64, offset: u64, text: &[u8], separator: u8) -> Result<(), Exit> {
        let job = self.job;
        let width = self.width;
        let mut row = Vec::with_capacity(text.len() + 32);
        if job.with_name {
            row.extend_from_slice(self.label);
            row.push(if job.nul_after_name { 0 } else { separator });
        }
        if job.line_numbers {
            row.extend_from_slice(format!("{number:>width$}").as_bytes());
            row.push(separator);
        }
        if job.byte_offsets {
            row.extend_from_slice(format!("{offset:>width$}").as_bytes());
            row.push(separator);
        }
        if job.initial_tab && !row.is_empty() && !text.is_empty() {
            row.push(b'\t');
        }
        row.extend_from_slice(text);
        row.push(if job.only_matching { b'\n' } else { job.line_end });
        self.tool.out.write(row).await
    }
}
