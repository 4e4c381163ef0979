//! Redirections: done in the shell itself, and undone after the command.

use provium_kernel::flags::{O_APPEND, O_CREAT, O_EXCL, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY, S_IFMT, S_IFREG};
use provium_kernel::{Errno, Fd, ProgramFuture};

use super::Mode;
use crate::shell::flow::Flow;
use crate::shell::options::Opt;
use crate::shell::state::Shell;
use crate::shell::syntax::ast::{Access, Redirect, Redirected, Target};

/// The shell's own descriptors are this one and above.
pub(in crate::shell) const FIRST_PRIVATE_FD: Fd = 10;

/// The largest here-document that is written to its pipe by the shell itself; a larger one would fill the
/// pipe, and gets a process of its own.
const PIPE_ROOM: usize = 4096;

/// A redirection with its words expanded.
#[derive(Debug)]
pub(super) enum Prepared {
    File(Fd, Access, Vec<u8>),
    Copy(Fd, Fd),
    Close(Fd),
    Here(Fd, Vec<u8>),
}

/// What a descriptor was before: a copy of it, or closed.
#[derive(Debug, Default)]
pub(super) struct Undo(Vec<(Fd, Option<Fd>)>);

impl Undo {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Shell {
    pub(super) async fn prepare_redirects(&mut self, redirects: &[Redirect]) -> Result<Vec<Prepared>, Flow> {
        let mut prepared = Vec::with_capacity(redirects.len());
        for redirect in redirects {
            let fd = redirect.fd;
            prepared.push(match &redirect.target {
                Target::File(access, word) => Prepared::File(fd, *access, self.expand_text(word).await?),
                Target::Copy(from) => Prepared::Copy(fd, *from),
                Target::Close => Prepared::Close(fd),
                Target::CopyWord(word) => match self.expand_text(word).await?.as_slice() {
                    b"-" => Prepared::Close(fd),
                    [digit @ b'0'..=b'9'] => Prepared::Copy(fd, Fd::from(digit - b'0')),
                    _ => {
                        // As in dash, this is an error of the parser, which has read up to here.
                        self.line = self.parsed_line;
                        return Err(self.error("Syntax error: Bad fd number").await);
                    }
                },
                Target::Here(document) => match document.body.get() {
                    Some(body) => Prepared::Here(fd, self.expand_document(body).await?),
                    None => Prepared::Here(fd, Vec::new()),
                },
            });
        }
        Ok(prepared)
    }

    /// Does redirections one after the other. What is needed to undo them is added to `undo`, if there is
    /// any; the error was told.
    pub(super) async fn redirect(&mut self, prepared: &[Prepared], mut undo: Option<&mut Undo>) -> Result<(), Flow> {
        self.made_call |= !prepared.is_empty();
        for redirect in prepared {
            match redirect {
                Prepared::File(fd, access, path) => {
                    let opened = self.open_target(*access, path).await?;
                    self.install(opened, *fd, undo.as_deref_mut()).await?;
                }
                Prepared::Here(fd, text) => {
                    let opened = self.open_document(text).await?;
                    self.install(opened, *fd, undo.as_deref_mut()).await?;
                }
                Prepared::Copy(fd, from) => {
                    self.save(*fd, undo.as_deref_mut()).await?;
                    if fd != from
                        && let Err(errno) = self.sys.dup2(*from, *fd).await
                    {
                        return Err(self.error(format!("{from}: {}", errno.text())).await);
                    }
                }
                Prepared::Close(fd) => {
                    self.save(*fd, undo.as_deref_mut()).await?;
                    let _maybe_closed_already = self.sys.close(*fd).await;
                }
            }
        }
        Ok(())
    }

    /// Moves what was just opened to the descriptor it is for.
    async fn install(&mut self, opened: Fd, fd: Fd, undo: Option<&mut Undo>) -> Result<(), Flow> {
        if opened == fd {
            // The descriptor was closed before, and is to be closed again.
            if let Some(undo) = undo {
                undo.0.push((fd, None));
            }
            return Ok(());
        }
        self.save(fd, undo).await?;
        let moved = self.sys.dup2(opened, fd).await;
        let _just_opened = self.sys.close(opened).await;
        match moved {
            Ok(_) => Ok(()),
            Err(errno) => Err(self.error(format!("{fd}: {}", errno.text())).await),
        }
    }

    async fn save(&mut self, fd: Fd, undo: Option<&mut Undo>) -> Result<(), Flow> {
        let Some(undo) = undo else { return Ok(()) };
        if undo.0.iter().any(|(saved, _)| *saved == fd) {
            return Ok(());
        }
        match self.sys.fcntl_dupfd(fd, FIRST_PRIVATE_FD, true).await {
            Ok(copy) => undo.0.push((fd, Some(copy))),
            Err(Errno::EBADF) => undo.0.push((fd, None)),
            Err(errno) => return Err(self.error(format!("{fd}: {}", errno.text())).await),
        }
        Ok(())
    }

    /// Gives descriptors back what they were.
    pub(super) async fn undo_redirects(&mut self, undo: Undo) {
        for (fd, saved) in undo.0.into_iter().rev() {
            match saved {
                Some(copy) => {
                    let _saved_before = self.sys.dup2(copy, fd).await;
                    let _saved_before = self.sys.close(copy).await;
                }
                None => {
                    let _maybe_closed_by_the_command = self.sys.close(fd).await;
                }
            }
        }
    }

    async fn open_target(&mut self, access: Access, path: &[u8]) -> Result<Fd, Flow> {
        let flags = match access {
            Access::Read => O_RDONLY,
            Access::ReadWrite => O_RDWR | O_CREAT,
            Access::Append => O_WRONLY | O_CREAT | O_APPEND,
            Access::Write if self.has(Opt::NoClobber) => return self.open_new(path).await,
            Access::Write | Access::Clobber => O_WRONLY | O_CREAT | O_TRUNC,
        };
        match self.open_patiently(path, flags).await {
            Ok(fd) => Ok(fd),
            Err(errno) => Err(self.cannot_open(access, path, errno).await),
        }
    }

    /// An open that waits, as that of a FIFO does, goes on after a signal that has no trap.
    async fn open_patiently(&mut self, path: &[u8], flags: i32) -> Result<Fd, Errno> {
        loop {
            match self.sys.open(path, flags, 0o666).await {
                Err(Errno::EINTR) => {
                    self.note_signals();
                    if self.traps.first_pending().is_some() {
                        return Err(Errno::EINTR);
                    }
                }
                opened => return opened,
            }
        }
    }

    /// `>` under `set -C`: what is there and is a regular file stays.
    async fn open_new(&mut self, path: &[u8]) -> Result<Fd, Flow> {
        let opened = match self.sys.stat(path).await {
            Err(_) => self.open_patiently(path, O_WRONLY | O_CREAT | O_EXCL).await,
            Ok(stat) if stat.mode & S_IFMT == S_IFREG => Err(Errno::EEXIST),
            Ok(_) => self.open_patiently(path, O_WRONLY).await,
        };
        match opened {
            Ok(fd) => Ok(fd),
            Err(errno) => Err(self.cannot_open(Access::Write, path, errno).await),
        }
    }

    async fn cannot_open(&mut self, access: Access, path: &[u8], errno: Errno) -> Flow {
        let (verb, reason) = match (access, errno) {
            (Access::Read, errno) => ("open", open_failure(errno)),
            (_, Errno::ENOENT | Errno::ENOTDIR) => ("create", "Directory nonexistent"),
            (_, errno) => ("create", errno.text()),
        };
        self.error([format!("cannot {verb} ").as_bytes(), path, b": ", reason.as_bytes()].concat()).await
    }

    /// The reading end of a pipe that holds a here-document.
    async fn open_document(&mut self, text: &[u8]) -> Result<Fd, Flow> {
        let (reading, writing) = match self.sys.pipe(0).await {
            Ok(ends) => ends,
            Err(_) => return Err(self.error("Pipe call failed").await),
        };
        if text.len() <= PIPE_ROOM {
            let _fits = self.write(writing, text).await;
        } else {
            let text = text.to_vec();
            let writer = self.sys.fork(move |sys| -> ProgramFuture {
                Box::pin(async move {
                    let _own_end_only = sys.close(reading).await;
                    i32::from(sys.write_all(writing, &text).await.is_err())
                })
            });
            if writer.await.is_err() {
                return Err(self.error("Cannot fork").await);
            }
        }
        let _just_opened = self.sys.close(writing).await;
        Ok(reading)
    }

    /// A compound command with redirections; `None` if one of these failed.
    pub(super) async fn redirected(&mut self, command: &Redirected, mode: Mode) -> Result<Option<i32>, Flow> {
        let prepared = self.prepare_redirects(&command.redirects).await?;
        let mut undo = Undo::default();
        let ended = match self.redirect(&prepared, Some(&mut undo)).await {
            Ok(()) => self.eval(&command.body, mode.inner()).await.map(Some),
            Err(_) => Ok(None),
        };
        self.undo_redirects(undo).await;
        ended
    }
}

/// Why a file cannot be opened for reading, in dash's words.
pub(in crate::shell) fn open_failure(errno: Errno) -> &'static str {
    match errno {
        Errno::ENOENT | Errno::ENOTDIR => "No such file",
        errno => errno.text(),
    }
}
