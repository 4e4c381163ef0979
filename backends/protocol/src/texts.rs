//! All texts and bytes that a value holds, one after another: what a recording has to go through to leave secrets out.
//!
//! Every match and every pattern here names all variants and all fields, so that what is added to the protocol cannot be
//! forgotten.

use crate::exec::{ByteString, Command, ExecSpec, RunReply};
use crate::fs::DirEntry;
use crate::inspect::{WaitGraph, Waiting};
use crate::profile::{BootFile, BootOptions, BootSpec, Profile};
use crate::syscall::{SyscallBuf, SyscallReply, SyscallSpec};
use crate::{Frame, Op, OpError, Reply};

/// Is shown each text, and may change its bytes.
pub type See<'a> = dyn FnMut(&mut Vec<u8>) + 'a;

/// Something that holds texts or bytes which came from a test or a guest.
pub trait Texts {
    /// Shows all of them, always in the same order: traces number them by it.
    fn each_text(&mut self, see: &mut See<'_>);
}

impl Texts for Vec<u8> {
    fn each_text(&mut self, see: &mut See<'_>) {
        see(self);
    }
}

impl Texts for ByteString {
    fn each_text(&mut self, see: &mut See<'_>) {
        let ByteString(bytes) = self;
        see(bytes);
    }
}

impl Texts for String {
    fn each_text(&mut self, see: &mut See<'_>) {
        let mut bytes = std::mem::take(self).into_bytes();
        see(&mut bytes);
        *self = String::from_utf8(bytes).unwrap_or_else(|error| {
            // A character was changed in part: what is not ASCII goes, so that the length stays.
            let ascii = |byte: &u8| if byte.is_ascii() { char::from(*byte) } else { '*' };
            error.as_bytes().iter().map(ascii).collect()
        });
    }
}

impl<T: Texts> Texts for Option<T> {
    fn each_text(&mut self, see: &mut See<'_>) {
        if let Some(value) = self {
            value.each_text(see);
        }
    }
}

impl<T: Texts> Texts for Box<T> {
    fn each_text(&mut self, see: &mut See<'_>) {
        (**self).each_text(see);
    }
}

impl<T: Texts, E: Texts> Texts for Result<T, E> {
    fn each_text(&mut self, see: &mut See<'_>) {
        match self {
            Ok(value) => value.each_text(see),
            Err(error) => error.each_text(see),
        }
    }
}

impl Texts for () {
    fn each_text(&mut self, _: &mut See<'_>) {}
}

/// All texts of several things.
pub fn each_text_of<'a, T: Texts + 'a>(values: impl IntoIterator<Item = &'a mut T>, see: &mut See<'_>) {
    for value in values {
        value.each_text(see);
    }
}

/// All texts of variables and their values.
pub fn each_text_of_pairs(pairs: &mut [(ByteString, ByteString)], see: &mut See<'_>) {
    for (name, value) in pairs {
        name.each_text(see);
        value.each_text(see);
    }
}

impl Texts for Op {
    fn each_text(&mut self, see: &mut See<'_>) {
        match self {
            Op::Run { spec, timeout_ns: _ } | Op::Spawn(spec) => spec.each_text(see),
            Op::StdinWrite { proc: _, data } | Op::FileWrite { file: _, data, all: _ } | Op::ConsoleWrite { data } => {
                data.each_text(see);
            }
            Op::ReadFile(path)
            | Op::Stat(path)
            | Op::Lstat(path)
            | Op::ListDir(path)
            | Op::Unlink(path)
            | Op::Readlink(path)
            | Op::Mkdir { path, parents: _, perm: _ }
            | Op::Chmod { path, mode: _ }
            | Op::OpenFile { path, mode: _ }
            | Op::TailFile { path, start: _ } => path.each_text(see),
            Op::WriteFile { path, data, perm: _, append: _ } => {
                path.each_text(see);
                data.each_text(see);
            }
            Op::Rename { from, to } => each_text_of([from, to], see),
            Op::Symlink { target, path } => each_text_of([target, path], see),
            Op::Syscall(SyscallSpec { nr: _, args: _, bufs, ptrs: _ }) => each_text_of(bufs, see),
            Op::Batch(ops) => each_text_of(ops, see),
            Op::SpawnWorker { name } => name.each_text(see),
            Op::ProcWait { proc: _, timeout_ns: _, kill: _ }
            | Op::ProcSignal { proc: _, signal: _, group: _ }
            | Op::ProcStatus(_)
            | Op::ProcState(_)
            | Op::ProcWaitState { proc: _, state: _, timeout_ns: _ }
            | Op::StdinClose(_)
            | Op::ProcStream { proc: _, output: _ }
            | Op::ProcClose(_)
            | Op::FileRead { file: _, len: _ }
            | Op::FileReadAll(_)
            | Op::FileSeek { file: _, offset: _, whence: _ }
            | Op::FileSync(_)
            | Op::FileTruncate { file: _, len: _ }
            | Op::FileLock { file: _, kind: _, block: _ }
            | Op::FileUnlock(_)
            | Op::FileClose(_)
            | Op::FdStream(_)
            | Op::FileTail(_)
            | Op::StreamClose(_)
            | Op::WorkerKill(_)
            | Op::WorkerJoin { timeout_ns: _ }
            | Op::WorkerClose
            | Op::WorkerState
            | Op::WorkerWaitBlocked { timeout_ns: _ }
            | Op::Pause
            | Op::Resume
            | Op::Reset
            | Op::PowerButton
            | Op::Shutdown
            | Op::Inspect
            | Op::ConsoleStream
            | Op::ConsoleLog => {}
        }
    }
}

impl Texts for Reply {
    fn each_text(&mut self, see: &mut See<'_>) {
        match self {
            Reply::Bytes(bytes) => bytes.each_text(see),
            Reply::Run(RunReply { status: _, stdout, stderr, truncated: _, duration_ns: _ }) => {
                each_text_of([stdout, stderr], see);
            }
            Reply::Entries(entries) => each_text_of(entries, see),
            Reply::Syscall(SyscallReply { raw: _, bufs }) => each_text_of(bufs, see),
            Reply::Batch(results) => each_text_of(results, see),
            Reply::WaitGraph(WaitGraph { waiting }) => each_text_of(waiting, see),
            Reply::Unit
            | Reply::Nothing
            | Reply::Bool(_)
            | Reply::Count(_)
            | Reply::Spawned { proc: _, pid: _ }
            | Reply::ProcStatus(_)
            | Reply::ProcState(_)
            | Reply::Stream(_)
            | Reply::Stat(_)
            | Reply::Opened { file: _, fd: _ }
            | Reply::Worker(_)
            | Reply::Joined(_)
            | Reply::WorkerState(_) => {}
        }
    }
}

impl Texts for OpError {
    fn each_text(&mut self, see: &mut See<'_>) {
        let OpError { kind: _, message, errno: _ } = self;
        message.each_text(see);
    }
}

impl Texts for Frame {
    fn each_text(&mut self, see: &mut See<'_>) {
        let Frame { data } = self;
        data.each_text(see);
    }
}

impl Texts for ExecSpec {
    fn each_text(&mut self, see: &mut See<'_>) {
        let ExecSpec { command, env, env_clear: _, cwd, stdin, stdin_open: _, max_output: _ } = self;
        match command {
            Command::Shell(script) => script.each_text(see),
            Command::Direct { program, args } => {
                program.each_text(see);
                each_text_of(args, see);
            }
        }
        each_text_of_pairs(env, see);
        cwd.each_text(see);
        stdin.each_text(see);
    }
}

impl Texts for SyscallBuf {
    fn each_text(&mut self, see: &mut See<'_>) {
        let SyscallBuf(bytes) = self;
        bytes.each_text(see);
    }
}

impl Texts for DirEntry {
    fn each_text(&mut self, see: &mut See<'_>) {
        let DirEntry { name, entry_type: _ } = self;
        name.each_text(see);
    }
}

impl Texts for Waiting {
    fn each_text(&mut self, see: &mut See<'_>) {
        let Waiting { pid: _, comm, on, holders: _ } = self;
        each_text_of([comm, on], see);
    }
}

impl Texts for Profile {
    fn each_text(&mut self, see: &mut See<'_>) {
        let Profile { name, memory: _, cpus: _, kernel_cmdline, hostname } = self;
        name.each_text(see);
        each_text_of([kernel_cmdline, hostname], see);
    }
}

impl Texts for BootFile {
    fn each_text(&mut self, see: &mut See<'_>) {
        let BootFile { path, content, mode: _ } = self;
        path.each_text(see);
        content.each_text(see);
    }
}

impl Texts for BootOptions {
    fn each_text(&mut self, see: &mut See<'_>) {
        let BootOptions {
            memory: _,
            cpus: _,
            kernel_cmdline,
            kernel_cmdline_append,
            rng_seed: _,
            initial_time_ns: _,
            files,
            boot_timeout_ns: _,
        } = self;
        each_text_of([kernel_cmdline, kernel_cmdline_append], see);
        each_text_of(files, see);
    }
}

impl Texts for BootSpec {
    fn each_text(&mut self, see: &mut See<'_>) {
        let BootSpec { vm, profile, options, notes } = self;
        vm.each_text(see);
        profile.each_text(see);
        options.each_text(see);
        // The keys are a backend's own words.
        each_text_of(notes.values_mut(), see);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_stays_text_whatever_is_done_to_its_bytes() {
        let mut text = "grün".to_owned();
        text.each_text(&mut |bytes| bytes[2] = b'*');
        assert_eq!(text, "gr**n");
    }

    #[test]
    fn everything_of_a_command_is_shown() {
        let mut spec = ExecSpec::new(Command::Direct { program: "a".into(), args: vec!["b".into()] });
        spec.env = vec![("c".into(), "d".into())];
        spec.cwd = Some("e".into());
        spec.stdin = b"f".to_vec();
        let mut seen = Vec::new();
        Op::Batch(vec![Op::Spawn(spec), Op::ReadFile("g".into())])
            .each_text(&mut |bytes| seen.extend_from_slice(bytes));
        assert_eq!(seen, b"abcdefg");
    }
}
