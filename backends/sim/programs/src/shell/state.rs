//! A running shell: what it knows, and what all of its parts do with it.

use std::collections::BTreeMap;
use std::rc::Rc;

use provium_kernel::{Errno, Fd, Pid, Sys};

use super::builtins::Place;
use super::flow::{Eval, Flow, Frames};
use super::jobs::Jobs;
use super::options::{Opt, Options};
use super::syntax::Aliases;
use super::syntax::ast::{self, Text};
use super::traps::Traps;
use super::variables::{Refused, Variables};

/// The time that a command takes without any system call, in nanoseconds.
pub(super) const COMMAND_NS: u64 = 1_000;

/// Where commands are looked for if there is no `PATH`.
const DEFAULT_PATH: &[u8] = b"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The status of a shell that an error ended.
pub(super) const ERROR: i32 = 2;

/// Where a command was found: its place in `PATH`, and its file.
pub(super) type FoundFile = (usize, Vec<u8>);

/// A shell.
#[derive(Clone)]
pub struct Shell {
    pub(super) sys: Sys,
    /// What the futures of this process share.
    pub(super) frames: Rc<Frames>,
    /// `$0`.
    pub(super) name: Text,
    /// `$1` and so on.
    pub(super) parameters: Rc<Vec<Vec<u8>>>,
    pub(super) options: Options,
    pub(super) variables: Variables,
    pub(super) functions: Rc<BTreeMap<Text, Rc<ast::Node>>>,
    pub(super) aliases: Rc<Aliases>,
    /// `$?`.
    pub(super) status: i32,
    /// The status of the last command substitution of a command.
    pub(super) substitution_status: i32,
    /// `$?` when the trap began that runs now.
    pub(super) status_before_trap: Option<i32>,
    /// `$!`.
    pub(super) last_background: Option<Pid>,
    /// `$$`.
    pub(super) root_pid: Pid,
    pub(super) traps: Traps,
    pub(super) jobs: Jobs,
    /// The line that errors are told to be on.
    pub(super) line: usize,
    /// The line that was read last.
    pub(super) parsed_line: usize,
    /// The builtin that runs, as errors call it.
    pub(super) command: Option<Text>,
    /// Loops around this command, within the function.
    pub(super) loops: usize,
    /// Functions, `eval`s, files and traps around this command.
    pub(super) depth: usize,
    pub(super) in_function: bool,
    /// Where `getopts` is, in this function's parameters.
    pub(super) getopts: Place,
    /// Where commands were found, by name: the index in `PATH` and the file.
    pub(super) found: Rc<BTreeMap<Vec<u8>, FoundFile>>,
    /// The working directory by the names it was entered by.
    pub(super) directory: Option<Vec<u8>>,
    /// Whether the command that runs made a system call: one that made none takes time another way.
    pub(super) made_call: bool,
}

impl Shell {
    /// A shell that knows nothing, and cannot run commands within others.
    pub(super) fn hollow(sys: Sys) -> Shell {
        Shell {
            sys,
            frames: Rc::default(),
            name: Text::default(),
            parameters: Rc::default(),
            options: Options::default(),
            variables: Variables::default(),
            functions: Rc::default(),
            aliases: Rc::default(),
            status: 0,
            substitution_status: 0,
            status_before_trap: None,
            last_background: None,
            root_pid: 0,
            traps: Traps::default(),
            jobs: Jobs::default(),
            line: 0,
            parsed_line: 0,
            command: None,
            loops: 0,
            depth: 0,
            in_function: false,
            getopts: Place::default(),
            found: Rc::default(),
            directory: None,
            made_call: false,
        }
    }

    /// A shell of a new process.
    pub(super) async fn start(sys: Sys, frames: Rc<Frames>, name: &[u8], environment: &[Vec<u8>]) -> Shell {
        let mut shell = Shell::hollow(sys);
        shell.frames = frames;
        shell.root_pid = shell.sys.pid();
        shell.name = name.into();
        shell.start_variables(environment).await;
        shell
    }

    async fn start_variables(&mut self, environment: &[Vec<u8>]) {
        self.variables.import(environment);
        let is_root = self.sys.credentials().await.is_ok_and(|credentials| credentials.is_root());
        let parent = self.sys.getppid().await.unwrap_or_default().to_string();
        let prompt: &[u8] = if is_root { b"# " } else { b"$ " };
        let fixed: [(&[u8], &[u8]); 3] = [(b"IFS", b" \t\n"), (b"OPTIND", b"1"), (b"PPID", parent.as_bytes())];
        let defaults: [(&[u8], &[u8]); 4] =
            [(b"PATH", DEFAULT_PATH), (b"PS1", prompt), (b"PS2", b"> "), (b"PS4", b"+ ")];
        for (name, value) in fixed {
            let _read_only_never_at_start = self.variables.set(name, value, false);
        }
        for (name, value) in defaults {
            if self.variables.get(name).is_none() {
                let _read_only_never_at_start = self.variables.set(name, value, false);
            }
        }
        // The directory's name in the environment is taken if it is right.
        let inherited = self.variables.get(b"PWD").filter(|path| path.first() == Some(&b'/')).map(|path| path.to_vec());
        let mut directory = None;
        if let Some(path) = inherited
            && let (Ok(there), Ok(here)) = (self.sys.stat(&path).await, self.sys.stat(".").await)
            && (there.dev, there.ino) == (here.dev, here.ino)
        {
            directory = Some(path);
        }
        if directory.is_none() {
            directory = self.sys.getcwd().await.ok();
        }
        if let Some(path) = &directory {
            let _read_only_never_at_start = self.variables.set(b"PWD", path, true);
        }
        self.directory = directory;
    }

    /// Whether an option is on.
    pub(super) fn has(&self, option: Opt) -> bool {
        self.options.has(option)
    }

    /// Writes all of it; what was interrupted goes on.
    pub(super) async fn write(&mut self, fd: Fd, data: &[u8]) -> Result<(), Errno> {
        self.made_call = true;
        let mut rest = data;
        while !rest.is_empty() {
            match self.sys.write(fd, rest).await {
                Ok(written) => rest = &rest[written..],
                Err(Errno::EINTR) => self.note_signals(),
                Err(errno) => return Err(errno),
            }
        }
        Ok(())
    }

    /// Writes to standard error. If that fails there is nobody to tell.
    pub(super) async fn write_error(&mut self, text: &[u8]) {
        let _lost = self.write(2, text).await;
    }

    /// Tells of an error as dash does: in three writes.
    pub(super) async fn complain(&mut self, message: impl AsRef<[u8]>) {
        let mut prefix = [&self.name[..], format!(": {}: ", self.line).as_bytes()].concat();
        if let Some(command) = &self.command {
            prefix.extend_from_slice(command);
            prefix.extend_from_slice(b": ");
        }
        self.write_error(&prefix).await;
        self.write_error(message.as_ref()).await;
        self.write_error(b"\n").await;
    }

    /// Tells of an error that ends the shell, or the builtin.
    pub(super) async fn error(&mut self, message: impl AsRef<[u8]>) -> Flow {
        self.complain(message).await;
        Flow::Error(ERROR)
    }

    /// Sets a variable, as an assignment does.
    pub(super) async fn assign(&mut self, name: &[u8], value: &[u8], export: bool) -> Result<(), Flow> {
        match self.try_assign(name, value, export) {
            Ok(()) => Ok(()),
            Err(refused) => Err(self.error(refusal(name, refused)).await),
        }
    }

    pub(super) fn try_assign(&mut self, name: &[u8], value: &[u8], export: bool) -> Result<(), Refused> {
        let export = export || self.has(Opt::AllExport);
        if name == b"OPTIND" {
            let place = Place::of(value).ok_or_else(|| Refused::IllegalNumber(value.into()))?;
            self.variables.set(name, value, export)?;
            self.getopts = place;
            return Ok(());
        }
        self.variables.set(name, value, export)?;
        if name == b"PATH" {
            self.found = Rc::default();
        }
        Ok(())
    }

    /// The home of whoever is named, for `~name`.
    pub(super) async fn home_of(&mut self, user: &[u8]) -> Option<Vec<u8>> {
        let users = self.sys.read_file("/etc/passwd").await.ok()?;
        users.split(|&byte| byte == b'\n').find_map(|line| {
            let mut fields = line.split(|&byte| byte == b':');
            (fields.next()? == user).then(|| fields.nth(4).map(<[u8]>::to_vec))?
        })
    }

    /// The shell that a child process runs with.
    pub(super) fn for_child(&self) -> Shell {
        let mut child = self.clone();
        child.jobs.clear();
        child.made_call = false;
        child
    }

    /// Makes time pass for a command that made no system call, so that others can go on.
    pub(super) async fn pass_time(&mut self) {
        if !std::mem::take(&mut self.made_call) {
            self.sys.compute(COMMAND_NS).await;
        }
    }

    /// The status of a command that was given or, without one, `$?`.
    pub(super) fn current(&self) -> Eval {
        Ok(self.status)
    }
}

/// Why a variable was not set.
pub(super) fn refusal(name: &[u8], refused: Refused) -> Vec<u8> {
    match refused {
        Refused::ReadOnly => [name, b": is read only"].concat(),
        Refused::OutOfSpace => b"Out of space".to_vec(),
        Refused::IllegalNumber(value) => [b"Illegal number: ", &value[..]].concat(),
    }
}
