//! A trace made by hand, in which something of everything happens.

use provium_protocol::exec::{ExecSpec, ExitStatus, RunReply};
use provium_protocol::process::OutputStream;
use provium_protocol::profile::{BootSpec, Profile};
use provium_protocol::{ChoicePoint, Errno, Frame, Lane, Op, OpError, Reply, Signal, StreamId};

use crate::trace::record::{At, Boundary, Choice, Halt, Header, ProgramAnswer, Record, RecordedVerdict};

/// The test file of the sample.
pub const SCRIPT: &str = "\
local vm = lab:vm('a')
test('writes', function(t)
    vm:run('echo hello </script> \u{2028} <b>')
    local w = vm:worker('w1')
    local p = w:run_async('sleep 1; echo done')
    local s = p:stdout_stream()
    s:next()
    p:wait()
    pcall(vm.read_file, vm, '/nope')
end)
test('fails', function(t)
    local task = t:spawn(function()
        vm:write_file('/tmp/x', '\\xff')
    end)
    vm:run('exit 3')
    t:log('here')
    t:fail('because')
end)
";

/// A header.
#[must_use]
pub fn header() -> Header {
    Header { writer: "provium 0.1.0".into(), file: "a.test.lua".into(), backend: "sim".into(), ..Header::default() }
}

/// A line of the test file.
#[must_use]
pub fn at(line: u32) -> Option<At> {
    Some(At { source: 0, line })
}

/// An exchange that begins on the main line of guest 0.
#[must_use]
pub fn begun(line: u32, op: Op) -> Record {
    Record::Begun { guest: 0, lane: Lane::Main, worker: None, at: at(line), op }
}

/// A command that runs to its end.
#[must_use]
pub fn run(script: &str) -> Op {
    Op::Run { spec: ExecSpec::shell(script), timeout_ns: None }
}

/// How a command ended.
pub fn ran(code: i32, stdout: &str) -> Result<Reply, OpError> {
    let (stdout, stderr) = (stdout.as_bytes().to_vec(), Vec::new());
    Ok(Reply::Run(RunReply { status: ExitStatus::Exited(code), stdout, stderr, truncated: false, duration_ns: 5 }))
}

/// The records.
#[must_use]
pub fn records() -> Vec<Record> {
    let boundary = |dt, what| Record::Boundary { dt, what };
    let worker =
        |line, op| Record::Begun { guest: 0, lane: Lane::Worker(1), worker: Some("w1".into()), at: at(line), op };
    let profile = Profile { name: "debian".into(), ..Profile::default() };
    vec![
        Record::Source { name: "a.test.lua".into(), module: None, text: SCRIPT.into() },
        boundary(0, Boundary::FileBegins),
        Record::Task { path: "main".into(), at: None },
        Record::Poll { task: 0, dt: 0 },
        Record::Boot { at: at(1), spec: Box::new(BootSpec { vm: "a".into(), profile, ..BootSpec::default() }) },
        Record::GuestDraw(7),
        Record::Poll { task: 0, dt: 20_000_000 },
        Record::Booted { back: 0, result: Ok(()) },
        boundary(0, Boundary::FileLoaded { failure: None }),
        boundary(0, Boundary::TestBegins { name: "writes".into() }),
        Record::Task { path: "main".into(), at: at(2) },
        Record::Poll { task: 1, dt: 1_000 },
        begun(3, run("echo hello </script> \u{2028} <b>")),
        Record::Choices(vec![Choice { point: ChoicePoint::Thread, of: 2, picked: 1 }; 3]),
        Record::Poll { task: 1, dt: 2_500_000 },
        Record::Ended { back: 0, result: ran(0, "hello </script> \u{2028} <b>\n") },
        begun(4, Op::SpawnWorker { name: "w1".into() }),
        Record::Ended { back: 0, result: Ok(Reply::Worker(1)) },
        worker(5, Op::Spawn(ExecSpec::shell("sleep 1; echo done"))),
        Record::ProgramStart { name: "sleep".into(), pid: 14, args: vec!["sleep".into()], env: Vec::new() },
        Record::Poll { task: 1, dt: 1_000_000 },
        Record::Ended { back: 0, result: Ok(Reply::Spawned { proc: 4, pid: 12 }) },
        worker(6, Op::ProcStream { proc: 4, output: OutputStream::Stdout }),
        Record::Ended { back: 0, result: Ok(Reply::Stream(StreamId(9))) },
        Record::ProgramPoll { program: 0, dt: 900_000_000 },
        Record::ProgramAnswer(ProgramAnswer::Sleep(Ok(()))),
        Record::ProgramAnswer(ProgramAnswer::Caught(vec![Signal::SIGTERM])),
        Record::ProgramGone { program: 0 },
        Record::Poll { task: 1, dt: 100_000_000 },
        Record::Frame { guest: 0, stream: StreamId(9), frame: Ok(Some(Frame { data: b"done\n".to_vec() })) },
        worker(8, Op::ProcWait { proc: 4, timeout_ns: Some(5_000_000_000), kill: false }),
        Record::Poll { task: 1, dt: 1_000_000 },
        Record::Ended { back: 0, result: ran(0, "done\n") },
        begun(9, Op::ReadFile("/nope".into())),
        Record::Poll { task: 1, dt: 10_000 },
        Record::Ended { back: 0, result: Err(OpError::os(Errno::ENOENT, "open /nope")) },
        boundary(0, Boundary::TestCloses),
        Record::Begun { guest: 0, lane: Lane::Worker(1), worker: Some("w1".into()), at: None, op: Op::WorkerClose },
        Record::Ended { back: 0, result: Ok(Reply::Unit) },
        boundary(500, Boundary::TestEnds { name: "writes".into(), verdict: RecordedVerdict::Passed }),
        boundary(0, Boundary::TestBegins { name: "fails".into() }),
        Record::Task { path: "main".into(), at: at(11) },
        Record::Poll { task: 2, dt: 100 },
        Record::Task { path: "main/1".into(), at: at(12) },
        begun(15, run("exit 3")),
        Record::Poll { task: 3, dt: 100 },
        begun(13, Op::WriteFile { path: "/tmp/x".into(), data: vec![0xff], perm: None, append: false }),
        Record::Poll { task: 2, dt: 1_000_000 },
        Record::Ended { back: 1, result: ran(3, "") },
        Record::Log("here".into()),
        Record::Draw(3),
        boundary(0, Boundary::TestCloses),
        Record::Abandoned { back: 0 },
        boundary(
            10,
            Boundary::TestEnds {
                name: "fails".into(),
                verdict: RecordedVerdict::Failed { message: "because".into(), at: at(17) },
            },
        ),
        Record::Halt { dt: 5, why: Halt::Stalled },
        boundary(0, Boundary::FileCloses),
        begun(1, Op::Shutdown),
        Record::Ended { back: 0, result: Ok(Reply::Unit) },
        boundary(1_000, Boundary::FileEnds),
    ]
}
