//! Whole files against a backend that knows three commands: what the runner makes of a file, without a simulator.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use provium_protocol::choice::Fixed;
use provium_protocol::exec::{Command, ExitStatus, RunReply};
use provium_protocol::profile::{BootSpec, Profile};
use provium_protocol::program::Program;
use provium_protocol::{
    Backend, Choices, Errno, Frame, Guest, Idle, Lane, LocalFuture, Nanos, Op, OpError, Reply, StreamId,
};

use super::event::{Event, Failure, Verdict};
use super::file::{FileOptions, FileSummary, FileToRun, run_file};

#[derive(Default)]
struct Clock {
    now: Cell<Nanos>,
    timers: RefCell<BTreeMap<(Nanos, u64), Waker>>,
    count: Cell<u64>,
}

impl Clock {
    fn sleep(self: &Rc<Self>, duration: Nanos) -> LocalFuture<()> {
        let (clock, at) = (Rc::clone(self), self.now.get() + duration);
        let number = self.count.get();
        self.count.set(number + 1);
        Box::pin(poll_fn(move |cx| {
            if clock.now.get() >= at {
                return Poll::Ready(());
            }
            clock.timers.borrow_mut().insert((at, number), cx.waker().clone());
            Poll::Pending
        }))
    }
}

struct Fake {
    clock: Rc<Clock>,
    choices: Rc<dyn Choices>,
}

impl Backend for Fake {
    fn name(&self) -> &'static str {
        "fake"
    }
    fn boot(&self, _: BootSpec) -> LocalFuture<Result<Rc<dyn Guest>, OpError>> {
        let guest: Rc<dyn Guest> = Rc::new(FakeGuest(Rc::clone(&self.clock)));
        Box::pin(std::future::ready(Ok(guest)))
    }
    fn now(&self) -> Nanos {
        self.clock.now.get()
    }
    fn sleep(&self, duration: Nanos) -> LocalFuture<()> {
        self.clock.sleep(duration)
    }
    fn choices(&self) -> Rc<dyn Choices> {
        Rc::clone(&self.choices)
    }
    fn compute(&self, ns: Nanos) {
        self.clock.now.set(self.clock.now.get() + ns);
    }
    fn define_program(&self, _: &str, _: Program) {}
    fn has_step(&self) -> bool {
        false
    }
    fn step(&self) {}
    fn idle(&self, deadline: Option<Nanos>) -> Idle {
        let first = self.clock.timers.borrow_mut().pop_first();
        let Some(((at, _), waker)) = first else { return Idle::Stalled };
        if deadline.is_some_and(|deadline| deadline <= at) {
            return Idle::Deadline;
        }
        self.clock.now.set(at.max(self.clock.now.get()));
        waker.wake();
        Idle::Woken
    }
}

struct FakeGuest(Rc<Clock>);

impl Guest for FakeGuest {
    fn call(&self, _: Lane, op: Op) -> LocalFuture<Result<Reply, OpError>> {
        let clock = Rc::clone(&self.0);
        Box::pin(async move {
            clock.sleep(1_000).await;
            match op {
                Op::Run { spec, .. } => match spec.command {
                    Command::Shell(script) if script == "hang" => {
                        std::future::pending::<()>().await;
                        Ok(Reply::Unit)
                    }
                    Command::Shell(script) if script == "sleep" => {
                        clock.sleep(100_000_000_000).await;
                        Ok(Reply::Unit)
                    }
                    Command::Shell(script) => Ok(Reply::Run(RunReply {
                        status: ExitStatus::Exited(0),
                        stdout: script.into_bytes(),
                        stderr: Vec::new(),
                        truncated: false,
                        duration_ns: 1_000,
                    })),
                    Command::Direct { program, .. } => Err(OpError::os(Errno::ENOENT, format!("start {program}"))),
                },
                Op::Inspect => Ok(Reply::WaitGraph(Default::default())),
                _ => Ok(Reply::Unit),
            }
        })
    }
    fn next_frame(&self, _: StreamId) -> LocalFuture<Result<Option<Frame>, OpError>> {
        Box::pin(std::future::ready(Ok(None)))
    }
}

fn run(source: &str) -> (FileSummary, Vec<Event>) {
    let directory = tempfile::tempdir().expect("a scratch directory");
    let path = directory.path().join("x.test.lua");
    std::fs::write(&path, source).expect("the test file");
    std::fs::write(directory.path().join("helper.lua"), "return {answer = 42}").expect("the helper");
    let file = FileToRun { name: "x.test.lua".into(), path, roots: vec![directory.path().to_path_buf()] };
    let backend = Rc::new(Fake { clock: Rc::default(), choices: Rc::new(Fixed::default()) });
    let profile = Profile { name: "linux".into(), ..Profile::default() };
    let options = FileOptions { profiles: [("linux".to_owned(), profile)].into(), ..FileOptions::default() };
    let mut events = Vec::new();
    let summary = run_file(&file, &options, backend, &mut |event| events.push(event));
    (summary, events)
}

fn failures(events: &[Event]) -> Vec<(String, Failure)> {
    let failed = events.iter().filter_map(|event| match event {
        Event::TestFinished { test, verdict: Verdict::Failed(failure), .. } => Some((test.clone(), failure.clone())),
        Event::FileFailed { file, failure } => Some((file.clone(), failure.clone())),
        _ => None,
    });
    failed.collect()
}

#[track_caller]
fn passes(source: &str) {
    let (summary, events) = run(source);
    assert_eq!(failures(&events), Vec::new());
    assert!(summary.passed > 0 && summary.failed == 0 && !summary.broken, "{summary:?}");
}

#[track_caller]
fn fails(source: &str) -> Failure {
    let (_, events) = run(source);
    failures(&events).first().expect("a failure").1.clone()
}

#[test]
fn tests_of_a_file_run_in_order_and_guests_answer() {
    passes(
        r#"
        local file_vm = provium:vm("f", "linux"):boot()
        test("one", function(t)
            local vm = provium:vm("v", "linux"):boot()
            t:assert_eq(vm:run("hello").stdout, "hello")
            t:assert(vm:run("x"):ok())
            t:assert_eq(provium:vm("f"):state(), "booted")
            t:assert_eq(provium.v:name(), "v")
            t:assert_eq(provium.nobody, nil)
        end)
        test("two", {tags = "a", own = 3}, function(t)
            t:assert_eq(provium.v, nil)
            t:assert_eq(t.meta.own, 3)
            t:assert_eq(t.name, "two")
        end)"#,
    );
}

#[test]
fn a_failed_assertion_shows_both_values_and_stays() {
    let failure = fails(
        "test('a', function(t)\n  pcall(function() t:assert_eq({a = 1, b = {2, 3}}, {a = 1, b = {2, 4}}, 'sums') end)\nend)",
    );
    assert!(failure.message.starts_with("sums: values differ"), "{failure:?}");
    assert!(failure.message.contains("b[2]: 3 against 4"), "{failure:?}");
    assert_eq!(failure.site.map(|site| (site.file, site.line)), Some(("x.test.lua".into(), 2)));
}

#[test]
fn errors_are_values_with_fields() {
    passes(
        r#"
        test("fields", function(t)
            local vm = provium:vm("v", "linux"):boot()
            local e = t:assert_raises(function() vm:run("nothing", {"a"}) end)
            t:assert_eq(e.kind, "os")
            t:assert_eq(e.errname, "ENOENT")
            t:assert_eq(e.errno, provium.errno.ENOENT)
            t:assert_eq(e.op, "run")
            t:assert_eq(e.vm, "v")
            t:assert_eq(tostring(e), "x.test.lua:4: vm:run: start nothing: No such file or directory (ENOENT)")
            local e = t:assert_raises(function() vm:run("x", {tmeout = 3}) end)
            t:assert_contains(tostring(e), "unknown option `tmeout`; valid options: args, env")
            local e = t:assert_raises(function() error({code = 7}) end)
            t:assert_eq(e.code, 7)
            local e = t:assert_raises(function() vm:rnu("x") end)
            t:assert_contains(e.message, "vm has no method `rnu`")
            local e = t:assert_raises(function() vm.run("x") end)
            t:assert_contains(e.message, "with a colon")
        end)"#,
    );
}

#[test]
fn tasks_overlap_and_coroutines_of_the_test_may_wait() {
    passes(
        r#"
        test("tasks", function(t)
            local vm = provium:vm("v", "linux"):boot()
            local order = {}
            local a = t:spawn(function(x)
                provium:barrier("b", 2)
                order[#order + 1] = x
                return x, 2
            end, "a")
            provium:barrier("b", 2)
            local x, two = a:join()
            t:assert_eq({x, two}, {"a", 2})
            local gen = coroutine.wrap(function()
                for i = 1, 3 do coroutine.yield(vm:run("n" .. i).stdout) end
            end)
            t:assert_eq({gen(), gen(), gen()}, {"n1", "n2", "n3"})
            local co2 = coroutine.create(function() error("inside") end)
            local ok, e = coroutine.resume(co2)
            t:assert_eq(ok, false)
            t:assert_match(e, "x.test.lua:%d+: inside")
            local failing = co.wrap(function() vm:run("x", {"y"}) end)()
            t:assert_eq(t:assert_raises(function() failing:join() end).errname, "ENOENT")
            local n = 0
            wait_until(function() n = n + 1; return n == 3 end, {interval = "10ms"})
            local e = t:assert_raises(function() wait_until(function() end, {timeout = 1, desc = "rain"}) end)
            t:assert_contains(tostring(e), "wait_until: rain not met within 1s")
            local e = t:assert_raises(function() provium:barrier("late", 2, 1) end)
            t:assert_eq(e.kind, "timeout")
            t:assert_contains(e.message, "barrier `late` timed out after 1s: 1 of 2 arrived")
            t:assert_eq(require("helper").answer, 42)
            t:assert(require("helper") == require("helper"))
        end)"#,
    );
}

#[test]
fn a_hang_is_a_deadlock_and_a_long_wait_a_timeout() {
    let failure = fails("local v = provium:vm('v', 'linux'):boot()\ntest('a', function(t)\n  v:run('hang')\nend)");
    assert!(failure.message.contains("deadlock"), "{failure:?}");
    assert_eq!(failure.site.map(|site| site.line), Some(3));
    assert_eq!(failure.exchanges.last().map(|note| note.outcome.as_str()), Some("still running"));
    assert!(failure.waits.iter().any(|wait| wait.contains("task main waits in vm:run")), "{:?}", failure.waits);

    let failure = fails("local v = provium:vm('v', 'linux'):boot()\ntest('a', function(t)\n  v:run('sleep')\nend)");
    assert_eq!(failure.message, "the test timed out after 30s");
}

#[test]
fn an_endless_loop_meets_its_deadline_and_the_rest_goes_on() {
    for body in [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "local co = coroutine.wrap(function() while true do end end) co()",
        "table.sort({3, 2, 1}, function() while true do end end)",
        "while true do pcall(string.gsub, 'x', 'x', function() while true do end end) end",
    ] {
        let source = format!(
            "provium.timeout = '500ms'\ntest('a', function(t)\n  {body}\nend)\ntest('b', function(t) t:assert(true) end)"
        );
        let (summary, events) = run(&source);
        let failure = &failures(&events)[0].1;
        assert!(failure.message.starts_with("the test timed out after 500ms"), "{body}: {failure:?}");
        assert_eq!(failure.site.as_ref().map(|site| site.line), Some(3), "{body}: {failure:?}");
        assert_eq!((summary.passed, summary.failed), (1, 1), "{body}");
    }
}

#[test]
fn bad_files_are_named_with_their_place() {
    let failure = fails("test('a', function(t)\n  local x = = 3\nend)");
    assert_eq!(failure.site.map(|site| (site.file, site.line)), Some(("x.test.lua".into(), 2)));
    let failure = fails("local x = nil\nx.y = 3");
    assert!(failure.message.contains("attempt to index a nil value"), "{failure:?}");
    assert_eq!(failure.site.map(|site| site.line), Some(2));
    let failure = fails("test('a', print)\ntest('a', print)");
    assert_eq!(failure.message, "test: duplicate name `a` in this file");
    let failure = fails("provium:vm('v', 'lunix')");
    assert_eq!(failure.message, "lab:vm: unknown profile `lunix`; profiles: linux");
    let failure = fails("while true do end");
    assert!(failure.message.contains("timed out after 30s"), "{failure:?}");
    let failure = fails("test('a', function() return nil .. 'x' end)");
    assert!(failure.message.contains("attempt to concatenate a nil value"), "{failure:?}");
    let failure = fails("test('a', function() local function f() return 1 + f() end f() end)");
    assert!(failure.message.contains("stack overflow"), "{failure:?}");
    let failure =
        fails("test('a', function() local t = {} while true do t[#t + 1] = ('x'):rep(1 << 20) .. #t end end)");
    assert!(failure.message.contains("not enough memory: the Lua of a test file may use 512 MiB"), "{failure:?}");
}

#[test]
fn nothing_of_the_host_leaks_into_lua() {
    let source = r#"
        test("same", function(t)
            print(tostring({}), tostring(print), string.format("%s", {}), math.random(1 << 40), os.time(), os.date())
            t:assert_eq(t:assert_raises(os.getenv).kind, "usage")
            t:assert_eq(load("\27Lua"), nil)
        end)"#;
    let logs = |events: Vec<Event>| -> Vec<String> {
        let logs = events.into_iter().filter_map(|event| match event {
            Event::Log { text, .. } => Some(text),
            _ => None,
        });
        logs.collect()
    };
    let (first, second) = (logs(run(source).1), logs(run(source).1));
    assert_eq!(first, second);
    assert!(first[0].starts_with("table: 1\tfunction: 1\ttable: 2\t"), "{first:?}");
}

#[test]
fn json_keeps_integers_and_shapes() {
    passes(
        r#"
        test("json", function(t)
            t:assert_eq(json.encode({b = 1, a = {1, 2, {}}, c = 9007199254740993, d = 1.5, e = "é\n"}),
                '{"a":[1,2,[]],"b":1,"c":9007199254740993,"d":1.5,"e":"é\\n"}')
            t:assert_eq(json.decode('{"a":[1,{"b":null}],"c":-9223372036854775808}'), {a = {1, {}}, c = math.mininteger})
            t:assert_eq(#json.decode("[null,null]"), 2)
            t:assert_contains(t:assert_raises(function() json.decode("[1,") end).message, "json.decode")
            local loop = {}; loop.loop = loop
            t:assert_contains(t:assert_raises(function() json.encode(loop) end).message, "holds itself")
        end)"#,
    );
}

#[test]
fn what_a_test_leaves_is_cancelled_and_reported() {
    let (summary, events) = run(
        "test('a', function(t) t:spawn(function() co.sleep(100) end) end)\ntest('b', function(t) t:skip('no') end)",
    );
    assert_eq!((summary.passed, summary.skipped), (1, 1));
    let warned = events.iter().any(|event| match event {
        Event::TestFinished { warnings, .. } => {
            warnings.iter().any(|warning| warning.contains("task main/1 (spawned at x.test.lua:1) still ran"))
        }
        _ => false,
    });
    assert!(warned, "{events:?}");
}
