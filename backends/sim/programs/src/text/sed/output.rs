//! Where sed writes.

use std::rc::Rc;

use provium_kernel::Fd;

use crate::shared::{Exit, Out, Tool};

/// A file that is written to.
pub(super) struct Output {
    out: Out,
    fd: Fd,
    /// The last line had no end; it gets one if more follows.
    unended: bool,
    /// Everything is written at once, as sed does for all but standard output.
    eager: bool,
}

impl Output {
    pub(super) fn stdout(tool: &Tool, eager: bool) -> Output {
        Output { out: tool.out.clone(), fd: crate::shared::tool::STDOUT, unended: false, eager }
    }

    pub(super) fn file(tool: &Tool, fd: Fd) -> Output {
        let out = Out::new(tool.sys.clone(), fd, Rc::from(tool.name()));
        out.set_failure(4);
        Output { out, fd, unended: false, eager: true }
    }

    pub(super) fn fd(&self) -> Fd {
        self.fd
    }

    /// Gives the last line its end if it lacks one.
    pub(super) async fn end_line(&mut self, end: u8) -> Result<(), Exit> {
        if std::mem::take(&mut self.unended) {
            self.out.write([end]).await?;
        }
        Ok(())
    }

    /// Writes a line, with its end if it had one.
    pub(super) async fn line(&mut self, text: &[u8], ended: bool, end: u8) -> Result<(), Exit> {
        self.end_line(end).await?;
        self.out.write(text).await?;
        if ended {
            self.out.write([end]).await?;
        } else {
            self.unended = true;
        }
        self.settle().await
    }

    /// Writes bytes as they are, after the end of the last line.
    pub(super) async fn text(&mut self, text: &[u8], end: u8) -> Result<(), Exit> {
        self.end_line(end).await?;
        self.raw(text).await
    }

    /// Writes bytes as they are.
    pub(super) async fn raw(&mut self, text: &[u8]) -> Result<(), Exit> {
        self.out.write(text).await?;
        self.settle().await
    }

    async fn settle(&self) -> Result<(), Exit> {
        if self.eager { self.out.flush().await } else { Ok(()) }
    }

    pub(super) async fn flush(&self) -> Result<(), Exit> {
        self.out.flush().await
    }
}
