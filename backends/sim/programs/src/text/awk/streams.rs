//! Files and commands that a program reads and writes, each by its name and each open until it is
//! closed or the program ends.

use std::rc::Rc;

use provium_kernel::flags::{O_APPEND, O_CLOEXEC, O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY};
use provium_kernel::{Errno, Fd, Pid, Sys, WaitFor, WaitOptions, WaitStatus};

use super::ast::Redirect;
use super::reader::RecordReader;
use super::value::Text;
use crate::shared::tool::{STDERR, STDIN, STDOUT, text_of};
use crate::shared::{Exit, Out, Tool};

/// The exit code of a program that failed.
pub(super) const FAILURE: i32 = 2;

/// What `close` and `system` give for a command that a signal ended: this and the signal.
const SIGNALLED: i32 = 256;

struct Writer {
    name: Text,
    out: Out,
    /// Not for standard output, which is the tool's own.
    fd: Option<Fd>,
    child: Option<Pid>,
    is_pipe: bool,
}

struct Reader {
    name: Text,
    reader: RecordReader,
    child: Option<Pid>,
    is_command: bool,
}

#[derive(Default)]
pub(super) struct Streams {
    writers: Vec<Writer>,
    readers: Vec<Reader>,
}

/// Which end of a pipe the command gets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Stdin,
    Stdout,
}

impl Streams {
    /// The writer of that name, opened if it is not.
    pub(super) async fn writer(&mut self, tool: &Tool, kind: Redirect, name: &Text) -> Result<Out, Exit> {
        let is_pipe = kind == Redirect::Pipe;
        if let Some(open) = self.writers.iter().find(|open| open.is_pipe == is_pipe && open.name == *name) {
            return Ok(open.out.clone());
        }
        if !is_pipe && matches!(name.as_ref(), b"-" | b"/dev/stdout") {
            return Ok(tool.out.clone());
        }
        let (fd, child) = if is_pipe {
            let (fd, child) = self.spawn(tool, name, End::Stdin).await?;
            (fd, Some(child))
        } else if name.as_ref() == b"/dev/stderr" {
            (STDERR, None)
        } else {
            let how = if kind == Redirect::Append { O_APPEND } else { O_TRUNC };
            match tool.sys.open(name, O_WRONLY | O_CREAT | O_CLOEXEC | how, 0o666).await {
                Ok(fd) => (fd, None),
                Err(errno) => return Err(cannot_open(tool, name, " for output", errno).await),
            }
        };
        let out = Out::new(tool.sys.clone(), fd, tool.name().into());
        out.set_failure(FAILURE);
        if fd == STDERR {
            out.set_line_buffered(true);
        }
        let fd = if fd == STDERR { None } else { Some(fd) };
        self.writers.push(Writer { name: Rc::clone(name), out: out.clone(), fd, child, is_pipe });
        Ok(out)
    }

    /// The reader of a file; the error if it cannot be opened.
    pub(super) async fn file(&mut self, tool: &Tool, name: &Text) -> Result<&mut RecordReader, Errno> {
        let known = self.readers.iter().position(|open| !open.is_command && open.name == *name);
        let index = match known {
            Some(index) => index,
            None => {
                let fd = match name.as_ref() {
                    b"-" | b"/dev/stdin" => STDIN,
                    path => tool.sys.open(path, O_RDONLY | O_CLOEXEC, 0).await?,
                };
                self.add_reader(name, fd, None)
            }
        };
        self.readers.get_mut(index).map(|open| &mut open.reader).ok_or(Errno::EBADF)
    }

    /// The reader of a command's output.
    pub(super) async fn command(&mut self, tool: &Tool, name: &Text) -> Result<Option<&mut RecordReader>, Exit> {
        let known = self.readers.iter().position(|open| open.is_command && open.name == *name);
        let index = match known {
            Some(index) => index,
            None => {
                let (fd, child) = self.spawn(tool, name, End::Stdout).await?;
                self.add_reader(name, fd, Some(child))
            }
        };
        Ok(self.readers.get_mut(index).map(|open| &mut open.reader))
    }

    fn add_reader(&mut self, name: &Text, fd: Fd, child: Option<Pid>) -> usize {
        let reader = RecordReader::new(fd);
        self.readers.push(Reader { name: Rc::clone(name), reader, child, is_command: child.is_some() });
        self.readers.len() - 1
    }

    /// Writes out what all writers hold: before a command runs, so that its output comes after.
    pub(super) async fn flush(&self, tool: &Tool) -> Result<(), Exit> {
        tool.out.flush().await?;
        for open in &self.writers {
            open.out.flush().await?;
        }
        Ok(())
    }

    /// `fflush(name)`: 0, or -1 if nothing of that name is open for output.
    pub(super) async fn flush_named(&self, tool: &Tool, name: &Text) -> Result<f64, Exit> {
        if matches!(name.as_ref(), b"" | b"-" | b"/dev/stdout") {
            tool.out.flush().await?;
            return Ok(0.0);
        }
        let mut result = -1.0;
        for open in self.writers.iter().filter(|open| open.name == *name) {
            open.out.flush().await?;
            result = 0.0;
        }
        Ok(result)
    }

    /// `close(name)`: the status of a command, 0 for a file, -1 if nothing of that name is open.
    pub(super) async fn close(&mut self, tool: &Tool, name: &Text) -> Result<f64, Exit> {
        let mut result = -1.0;
        while let Some(index) = self.writers.iter().position(|open| open.name == *name) {
            let closed = self.writers.remove(index);
            result = end_writer(tool, closed).await?;
        }
        while let Some(index) = self.readers.iter().position(|open| open.name == *name) {
            let closed = self.readers.remove(index);
            result = end_reader(tool, closed).await;
        }
        Ok(result)
    }

    /// The end of the program: all output is written, and commands that get it are waited for. Their
    /// readers are closed first, so that none of them waits for a reader that never reads.
    pub(super) async fn end(&mut self, tool: &Tool) -> Result<(), Exit> {
        tool.out.flush().await?;
        for open in &self.readers {
            let _closed_either_way = tool.sys.close(open.reader.fd).await;
        }
        let mut failure = Ok(());
        for open in self.writers.drain(..) {
            if let Err(exit) = end_writer(tool, open).await {
                failure = Err(exit);
            }
        }
        for open in self.readers.drain(..) {
            if let Some(child) = open.child {
                wait(&tool.sys, child).await;
            }
        }
        failure
    }

    /// `system(command)`: its status.
    pub(super) async fn system(&mut self, tool: &Tool, command: &Text) -> Result<f64, Exit> {
        self.flush(tool).await?;
        let child = fork(tool, command, None).await?;
        Ok(f64::from(wait(&tool.sys, child).await))
    }

    /// Starts a command with a pipe; returns our end.
    async fn spawn(&mut self, tool: &Tool, command: &Text, end: End) -> Result<(Fd, Pid), Exit> {
        self.flush(tool).await?;
        let (reading, writing) = match tool.sys.pipe(O_CLOEXEC).await {
            Ok(pipe) => pipe,
            Err(errno) => return Err(tool.fail_errno(FAILURE, "cannot create a pipe", errno).await),
        };
        let (theirs, ours) = if end == End::Stdin { (reading, writing) } else { (writing, reading) };
        let child = fork(tool, command, Some((theirs, end))).await?;
        let _closed_either_way = tool.sys.close(theirs).await;
        Ok((ours, child))
    }
}

/// Reports that a file cannot be opened, which ends the program.
pub(super) async fn cannot_open(tool: &Tool, name: &[u8], what: &str, errno: Errno) -> Exit {
    let message = format!("cannot open \"{}\"{what} ({})", String::from_utf8_lossy(name), text_of(errno));
    tool.fail(FAILURE, message).await
}

async fn end_writer(tool: &Tool, writer: Writer) -> Result<f64, Exit> {
    let flushed = writer.out.flush().await;
    if let Some(fd) = writer.fd {
        let _closed_either_way = tool.sys.close(fd).await;
    }
    let status = match writer.child {
        Some(child) => wait(&tool.sys, child).await,
        None => 0,
    };
    flushed?;
    Ok(f64::from(status))
}

async fn end_reader(tool: &Tool, reader: Reader) -> f64 {
    if reader.reader.fd != STDIN {
        let _closed_either_way = tool.sys.close(reader.reader.fd).await;
    }
    match reader.child {
        Some(child) => f64::from(wait(&tool.sys, child).await),
        None => 0.0,
    }
}

async fn fork(tool: &Tool, command: &Text, pipe: Option<(Fd, End)>) -> Result<Pid, Exit> {
    let env = tool.env.clone();
    let argv = vec![b"sh".to_vec(), b"-c".to_vec(), command.to_vec()];
    let name = tool.name().to_vec();
    let forked = tool.sys.fork(move |sys| {
        Box::pin(async move {
            if let Some((fd, end)) = pipe {
                let onto = if end == End::Stdin { STDIN } else { STDOUT };
                if let Err(errno) = sys.dup2(fd, onto).await {
                    return no_shell(&sys, &name, errno).await;
                }
            }
            let errno = sys.exec("/bin/sh", argv, env).await;
            no_shell(&sys, &name, errno).await
        })
    });
    match forked.await {
        Ok(child) => Ok(child),
        Err(errno) => Err(tool.fail_errno(FAILURE, "cannot fork", errno).await),
    }
}

async fn no_shell(sys: &Sys, name: &[u8], errno: Errno) -> i32 {
    let text = format!("{}: cannot run /bin/sh: {}\n", String::from_utf8_lossy(name), text_of(errno));
    let _lost = sys.write_all(STDERR, text.as_bytes()).await;
    crate::shared::exec::cannot_run(errno)
}

async fn wait(sys: &Sys, child: Pid) -> i32 {
    loop {
        match sys.wait(WaitFor::Pid(child), WaitOptions::default()).await {
            Ok(Some((_, WaitStatus::Exited(code)))) => return code,
            Ok(Some((_, WaitStatus::Signalled(signal, _)))) => return SIGNALLED + signal.0,
            Ok(_) | Err(Errno::EINTR) => {}
            // With SIGCHLD ignored there is no status to be had.
            Err(_) => return -1,
        }
    }
}
