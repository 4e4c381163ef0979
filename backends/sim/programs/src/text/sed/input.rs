//! The lines of all input files.

use std::collections::VecDeque;

use provium_kernel::{Errno, Fd, Stat};

use super::super::common::{close, open};
use super::inplace::{Edit, InPlace};
use super::output::Output;
use crate::shared::tool::STDIN;
use crate::shared::{Exit, LineReader, Tool};

/// One file that is being read.
struct Current {
    reader: LineReader,
    fd: Fd,
    name: Vec<u8>,
    /// Where what the script writes goes while it is edited in place.
    edit: Option<Edit>,
}

/// The input.
pub(super) struct Input<'a> {
    tool: &'a Tool,
    names: VecDeque<Vec<u8>>,
    current: Option<Current>,
    /// The file after the current one, opened to see whether it has lines.
    waiting: Option<Current>,
    line_end: u8,
    separate: bool,
    in_place: Option<InPlace>,
    unbuffered: bool,
    /// The number of the line that was read last.
    pub(super) number: u64,
    /// The exit code so far: 2 after a file that could not be opened, 4 after one that could not be read.
    pub(super) code: i32,
}

/// A line, and whether it had its end.
pub(super) struct Line {
    pub(super) text: Vec<u8>,
    pub(super) ended: bool,
    /// It is the first one of its file.
    pub(super) new_file: bool,
}

impl<'a> Input<'a> {
    pub(super) fn new(
        tool: &'a Tool,
        names: Vec<Vec<u8>>,
        line_end: u8,
        separate: bool,
        in_place: Option<InPlace>,
        unbuffered: bool,
    ) -> Input<'a> {
        let names = names.into();
        Input {
            tool,
            names,
            current: None,
            waiting: None,
            line_end,
            separate,
            in_place,
            unbuffered,
            number: 0,
            code: 0,
        }
    }

    /// The name of the current file, `-` for standard input.
    pub(super) fn name(&self) -> &[u8] {
        self.current.as_ref().map_or(b"-", |current| &current.name)
    }

    /// Where the output of an edit in place goes.
    pub(super) fn edit_output(&mut self) -> Option<&mut Output> {
        self.current.as_mut()?.edit.as_mut().map(|edit| &mut edit.output)
    }

    /// The next line; `None` at the end of all input.
    pub(super) async fn next(&mut self) -> Result<Option<Line>, Exit> {
        let mut new_file = false;
        loop {
            if self.current.is_none() {
                self.current = match self.waiting.take() {
                    Some(waiting) => Some(waiting),
                    None => self.open_next().await?,
                };
                new_file = true;
                if self.separate && self.current.is_some() {
                    self.number = 0;
                }
            }
            let Some(current) = &mut self.current else { return Ok(None) };
            let mut text = match current.reader.until(self.line_end).await {
                Ok(Some(text)) => text,
                Ok(None) => {
                    self.close_current().await?;
                    continue;
                }
                Err(errno) => {
                    let name = String::from_utf8_lossy(&current.name).into_owned();
                    self.trouble(&name, errno).await;
                    self.close_current().await?;
                    continue;
                }
            };
            self.number += 1;
            let ended = text.last() == Some(&self.line_end);
            if ended {
                text.pop();
            }
            return Ok(Some(Line { text, ended, new_file }));
        }
    }

    async fn trouble(&mut self, name: &str, errno: Errno) {
        let shown = if name == "-" { "stdin" } else { name };
        let message = format!("read error on {shown}");
        self.tool.error_errno(message, errno).await;
        self.code = 4;
    }

    /// Whether the line that was read last is the last one.
    pub(super) async fn at_end(&mut self) -> Result<bool, Exit> {
        if let Some(current) = &mut self.current
            && current.reader.has_more().await.unwrap_or(false)
        {
            return Ok(false);
        }
        if self.separate {
            // Each file ends for itself; for `n` and `N` too.
            return Ok(true);
        }
        loop {
            if let Some(waiting) = &mut self.waiting {
                if waiting.reader.has_more().await.unwrap_or(false) {
                    return Ok(false);
                }
                if let Some(empty) = self.waiting.take() {
                    close(self.tool, empty.fd).await;
                }
            }
            match self.open_next().await? {
                Some(next) => self.waiting = Some(next),
                None => return Ok(true),
            }
        }
    }

    /// Whether no line follows in any file.
    pub(super) async fn exhausted(&mut self) -> Result<bool, Exit> {
        if !self.separate {
            return self.at_end().await;
        }
        if let Some(current) = &mut self.current
            && current.reader.has_more().await.unwrap_or(false)
        {
            return Ok(false);
        }
        Ok(self.names.is_empty())
    }

    async fn open_next(&mut self) -> Result<Option<Current>, Exit> {
        while let Some(name) = self.names.pop_front() {
            let shown = String::from_utf8_lossy(&name).into_owned();
            let fd = match open(self.tool, &name).await {
                Ok(fd) => fd,
                Err(errno) => {
                    self.tool.error_errno(format!("can't read {shown}"), errno).await;
                    self.code = 2;
                    continue;
                }
            };
            let mut edit = None;
            if let Some(in_place) = self.in_place.as_ref().filter(|_| fd != STDIN) {
                let stat: Option<Stat> = self.tool.sys.fstat(fd).await.ok().filter(Stat::is_file);
                let Some(stat) = stat else {
                    self.tool.error(format!("couldn't edit {shown}: not a regular file")).await;
                    self.code = 4;
                    close(self.tool, fd).await;
                    continue;
                };
                edit = Some(in_place.begin(self.tool, &name, &stat).await?);
            }
            // Unbuffered input is read byte by byte: nothing is taken that is not needed.
            let reader = if self.unbuffered {
                LineReader::with_block(self.tool.sys.clone(), fd, 1)
            } else {
                LineReader::new(self.tool.sys.clone(), fd)
            };
            return Ok(Some(Current { reader, fd, name, edit }));
        }
        Ok(None)
    }

    async fn close_current(&mut self) -> Result<(), Exit> {
        let Some(current) = self.current.take() else { return Ok(()) };
        close(self.tool, current.fd).await;
        match current.edit {
            Some(edit) => edit.finish(self.tool, &current.name).await,
            None => Ok(()),
        }
    }

    /// Ends early: a file that is edited ends here, and standard input goes on where the script stopped
    /// if it can be sought.
    pub(super) async fn quit(&mut self) -> Result<(), Exit> {
        let Some(current) = &self.current else { return Ok(()) };
        if current.fd == STDIN {
            let unread = i64::try_from(current.reader.unread().len()).unwrap_or(0);
            if unread > 0 {
                let _no_matter_for_pipes = self.tool.sys.lseek(STDIN, -unread, 1).await;
            }
        }
        self.close_current().await
    }
}
