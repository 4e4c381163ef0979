//! Operations and what came of them in a few words, for reports and tables.

use std::fmt::Write as _;

use provium_protocol::exec::{Command, ExecSpec, ExitStatus};
use provium_protocol::fs::{LockKind, TailStart, Whence};
use provium_protocol::process::ProcStatus;
use provium_protocol::{Op, OpError, Reply};

/// Bytes of an argument that are shown.
const MAX_ARGUMENT: usize = 48;

/// Bytes as a short quoted text.
#[must_use]
pub fn quoted(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().min(MAX_ARGUMENT) + 8);
    text.push('"');
    let shown = beginning(bytes);
    for chunk in shown.utf8_chunks() {
        for c in chunk.valid().chars() {
            // In double quotes a single one needs no escape, and shell scripts are full of them.
            if c == '\'' { text.push(c) } else { text.extend(c.escape_debug()) }
        }
        for byte in chunk.invalid() {
            // Writing to a string cannot fail.
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text.push('"');
    if bytes.len() > MAX_ARGUMENT {
        let _ = write!(text, "… {} bytes", bytes.len());
    }
    text
}

/// What is shown of it: not the first bytes of a character whose last ones are cut off.
fn beginning(bytes: &[u8]) -> &[u8] {
    let continues = |at: usize| bytes.get(at).is_some_and(|byte| byte & 0xc0 == 0x80);
    // No character of UTF-8 has more than four bytes; what goes on longer is none.
    let end = (0..4).map(|back| MAX_ARGUMENT - back).find(|end| !continues(*end)).unwrap_or(MAX_ARGUMENT);
    bytes.get(..end).unwrap_or(bytes)
}

/// The operation with its arguments.
#[must_use]
pub fn operation(op: &Op) -> String {
    let name = op.name();
    match op {
        Op::Run { spec, .. } | Op::Spawn(spec) => format!("{name}({})", command(spec)),
        Op::ProcWait { proc, .. }
        | Op::ProcStatus(proc)
        | Op::ProcState(proc)
        | Op::StdinClose(proc)
        | Op::ProcStream { proc, .. }
        | Op::ProcClose(proc) => format!("{name}(process {proc})"),
        Op::ProcSignal { proc, signal, group } => {
            let whom = if *group { "group of process" } else { "process" };
            format!("{name}({whom} {proc}, {signal})")
        }
        Op::ProcWaitState { proc, state, .. } => format!("{name}(process {proc}, {})", state.name()),
        Op::StdinWrite { proc, data } => format!("{name}(process {proc}, {})", quoted(data)),
        Op::ReadFile(path)
        | Op::Stat(path)
        | Op::Lstat(path)
        | Op::ListDir(path)
        | Op::Unlink(path)
        | Op::Readlink(path) => format!("{name}({})", quoted(&path.0)),
        Op::WriteFile { path, data, append, .. } => {
            let how = if *append { ", append" } else { "" };
            format!("{name}({}, {}{how})", quoted(&path.0), quoted(data))
        }
        Op::Mkdir { path, .. } => format!("{name}({})", quoted(&path.0)),
        Op::Rename { from, to } => format!("{name}({}, {})", quoted(&from.0), quoted(&to.0)),
        Op::Symlink { target, path } => format!("{name}({}, {})", quoted(&target.0), quoted(&path.0)),
        Op::Chmod { path, mode } => format!("{name}({}, 0o{mode:o})", quoted(&path.0)),
        Op::OpenFile { path, .. } => format!("{name}({})", quoted(&path.0)),
        Op::FileRead { file, len } => format!("{name}(file {file}, {len})"),
        Op::FileReadAll(file)
        | Op::FileSync(file)
        | Op::FileUnlock(file)
        | Op::FileClose(file)
        | Op::FdStream(file)
        | Op::FileTail(file) => format!("{name}(file {file})"),
        Op::FileWrite { file, data, .. } => format!("{name}(file {file}, {})", quoted(data)),
        Op::FileSeek { file, offset, whence } => {
            let whence = match whence {
                Whence::Set => "set",
                Whence::Current => "cur",
                Whence::End => "end",
            };
            format!("{name}(file {file}, {offset}, {whence})")
        }
        Op::FileTruncate { file, len } => format!("{name}(file {file}, {len})"),
        Op::FileLock { file, kind, block } => {
            let kind = match kind {
                LockKind::Shared => "shared",
                LockKind::Exclusive => "exclusive",
            };
            let how = if *block { "" } else { ", without waiting" };
            format!("{name}(file {file}, {kind}{how})")
        }
        Op::TailFile { path, start } => {
            let start = match start {
                TailStart::End => "end".to_owned(),
                TailStart::Beginning => "beginning".to_owned(),
                TailStart::Offset(offset) => offset.to_string(),
            };
            format!("{name}({}, {start})", quoted(&path.0))
        }
        Op::StreamClose(stream) => format!("{name}({stream})"),
        Op::Syscall(spec) => {
            let args: Vec<String> = spec.args.iter().map(i64::to_string).collect();
            let call =
                provium_protocol::syscall_names::name(spec.nr).map_or_else(|| spec.nr.to_string(), str::to_owned);
            format!("{name}({call}, {})", args.join(", "))
        }
        Op::Batch(ops) => format!("{name}({} operations)", ops.len()),
        Op::SpawnWorker { name: worker } => format!("{name}({worker})"),
        Op::WorkerKill(signal) => format!("{name}({signal})"),
        Op::WorkerJoin { .. }
        | Op::WorkerClose
        | Op::WorkerState
        | Op::WorkerWaitBlocked { .. }
        | Op::Pause
        | Op::Resume
        | Op::Reset
        | Op::PowerButton
        | Op::Shutdown
        | Op::Inspect
        | Op::ConsoleStream
        | Op::ConsoleLog => format!("{name}()"),
        Op::ConsoleWrite { data } => format!("{name}({})", quoted(data)),
    }
}

fn command(spec: &ExecSpec) -> String {
    match &spec.command {
        Command::Shell(script) => quoted(script.as_bytes()),
        Command::Direct { program, args } => {
            let mut line = program.as_bytes().to_vec();
            for arg in args {
                line.push(b' ');
                line.extend_from_slice(&arg.0);
                if line.len() > MAX_ARGUMENT {
                    break;
                }
            }
            quoted(&line)
        }
    }
}

/// How a command ended: `exit 0`, `SIGKILL`, `timed out`.
#[must_use]
pub fn exit_status(status: ExitStatus) -> String {
    match status {
        ExitStatus::Exited(code) => format!("exit {code}"),
        ExitStatus::Signalled(signal) => signal.name(),
        ExitStatus::TimedOut => "timed out".to_owned(),
    }
}

/// What came of an operation.
#[must_use]
pub fn outcome(result: &Result<Reply, OpError>) -> String {
    match result {
        Ok(reply) => self::reply(reply),
        Err(error) => match error.errno.and_then(|errno| errno.name()) {
            Some(name) => name.to_owned(),
            None => format!("{}: {}", error.kind.name(), quoted(error.message.as_bytes())),
        },
    }
}

fn reply(reply: &Reply) -> String {
    match reply {
        Reply::Unit => "done".to_owned(),
        Reply::Nothing => "nothing".to_owned(),
        Reply::Bool(value) => value.to_string(),
        Reply::Count(count) => count.to_string(),
        Reply::Bytes(bytes) => quoted(bytes),
        Reply::Run(run) => {
            let output = if run.stdout.is_empty() { String::new() } else { format!(", {}", quoted(&run.stdout)) };
            format!("{}{output}", exit_status(run.status))
        }
        Reply::Spawned { proc, pid } => format!("process {proc}, pid {pid}"),
        Reply::ProcStatus(ProcStatus::Running) => "running".to_owned(),
        Reply::ProcStatus(ProcStatus::Ended(status)) => exit_status(*status),
        Reply::ProcState(state) => state.name().to_owned(),
        Reply::Stream(stream) => stream.to_string(),
        Reply::Stat(stat) => format!("{} bytes, mode 0o{:o}", stat.size, stat.mode),
        Reply::Entries(entries) => format!("{} entries", entries.len()),
        Reply::Opened { file, fd } => format!("file {file}, descriptor {fd}"),
        Reply::Syscall(reply) => match provium_protocol::Errno(reply.raw.checked_neg().unwrap_or(0) as i32).name() {
            Some(name) if reply.raw < 0 => name.to_owned(),
            _ => reply.raw.to_string(),
        },
        Reply::Batch(results) => {
            let failed = results.iter().filter(|result| result.is_err()).count();
            format!("{} done, {failed} failed", results.len() - failed)
        }
        Reply::Worker(handle) => format!("worker {handle}"),
        Reply::Joined(summary) => format!("{} joined", summary.children.len()),
        Reply::WorkerState(state) => state.name().to_owned(),
        Reply::WaitGraph(graph) => format!("{} waiting", graph.waiting.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters() {
        for shift in 0..4 {
            let text = format!("{}{}", "a".repeat(shift), "漢字é".repeat(40));
            let shown = quoted(text.as_bytes());
            assert!(!shown.contains("\\x"), "{shown}");
            assert!(shown.ends_with(&format!("… {} bytes", text.len())), "{shown}");
        }
        assert!(quoted(&[0x80; 300]).starts_with("\"\\x80"), "bytes that are no text are shown all the same");
        assert_eq!(quoted("é".as_bytes()), "\"é\"");
    }
}
