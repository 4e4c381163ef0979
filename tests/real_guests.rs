//! The conformance suite `tests/lua` on real guests, recorded; and what was recorded, replayed without them.
//!
//! Without QEMU, or without the packages that a guest is made of, these tests say that they did not run;
//! `PROVIUM_REQUIRE_QEMU=1` makes that a failure.

#[path = "common/describe.rs"]
mod describe;
#[path = "common/library.rs"]
mod library;
#[path = "common/no_host.rs"]
mod no_host;
#[path = "common/real_host.rs"]
mod real_host;
#[path = "common/recorded.rs"]
mod recorded;
#[path = "common/replayed.rs"]
mod replayed;

use std::rc::Rc;
use std::sync::Arc;

use describe::describe;
use library::files;
use provium::runner::event::{Event, Verdict};
use provium::runner::file::FileToRun;
use provium::trace::record::{Header, Record};
use provium::trace::replay::Mode;
use provium_qemu::QemuBackend;
use provium_qemu::backend::Host;
use real_host::host;
use recorded::record_on;
use replayed::{differences, replay};

/// Tests that the suite has at least, and that real guests may skip: those that show skipping, and those of programs that only
/// simulated guests have.
const LEAST_TESTS: usize = 440;
const MOST_SKIPPED: usize = 40;

fn record(host: &Arc<Host>, file: &FileToRun) -> (Header, Vec<Record>, Vec<Event>) {
    record_on(file, None, false, &|choices| Rc::new(QemuBackend::new(Arc::clone(host), choices)))
}

#[test]
fn the_conformance_suite_passes_on_real_guests_and_replays_without_them() {
    let Some(host) = host() else { return };
    let (mut passed, mut skipped, mut problems) = (0, 0, Vec::new());
    for file in &files("tests/lua") {
        let (header, records, events) = record(&host, file);
        for event in &events {
            match event {
                Event::TestFinished { verdict: Verdict::Passed, .. } => passed += 1,
                Event::TestFinished { verdict: Verdict::Skipped(_), .. } => skipped += 1,
                Event::TestFinished { test, verdict: Verdict::Failed(failure), .. } => {
                    problems.push(format!("{}: {test}\n{}", file.name, describe(failure)));
                }
                Event::FileFailed { failure, .. } => problems.push(format!("{}: {}", file.name, describe(failure))),
                _ => {}
            }
        }
        let (replayer, replayed) = replay(file, None, Mode::Strict, header, records);
        problems.extend(differences(file, &events, &replayer, &replayed));
    }
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
    assert!(passed >= LEAST_TESTS, "only {passed} tests passed");
    assert!(skipped <= MOST_SKIPPED, "{skipped} tests were skipped");
}

/// The clock of real guests stands still while Lua goes on, so only the recording knows when an endless loop was stopped.
#[test]
fn an_endless_loop_is_stopped_and_replayed() {
    let Some(host) = host() else { return };
    let files = files("tests/lua-failing");
    let file = files.iter().find(|file| file.name.ends_with("endless_loop.test.lua")).expect("the file is there");
    let (header, records, events) = record(&host, file);
    assert!(records.iter().any(|record| matches!(record, Record::Interrupt { .. })));
    let (replayer, replayed) = replay(file, None, Mode::Strict, header, records);
    assert_eq!(differences(file, &events, &replayer, &replayed), None);
}

/// What only real guests have, through the command.
#[test]
fn clones_cold_boots_and_virtual_time() {
    let Some(_) = host() else { return };
    let toml = "roots = ['.']\n[profiles.virtual]\ntime = 'virtual'\n";
    let (shown, passed) = command(
        toml,
        r#"
        -- The times in it are those of one boot; a kernel whose clock starts late writes zeros to its first hundred lines.
        local function boot_log(name, options)
            return provium:vm(name, "linux", options):boot():run("dmesg | head -n 200"):assert_ok().stdout
        end

        test("clones are of one boot, and a cold one is not", function(t)
            local first = boot_log("a")
            t:assert_eq(boot_log("b"), first)
            t:assert_neq(boot_log("c", { cold = true }), first)
        end)

        test("clones draw other random numbers", function(t)
            local function draw(name)
                return provium:vm(name, "linux"):boot():run("head -c 16 /dev/urandom | od -An -tx1"):assert_ok().stdout
            end
            t:assert_neq(draw("a"), draw("b"))
        end)

        test("a clone has nothing left to do of the boot that it is of", function(t)
            local vm = provium:vm("a", "linux"):boot()
            local loaded = "\n" .. vm:read_file("/proc/modules")
            for path in vm:read_file("/etc/provium/modules.later"):gmatch("%S+") do
                local name = path:match("([^/]+)%.ko$"):gsub("-", "_")
                t:assert(loaded:find("\n" .. name .. " ", 1, true), name .. " is not there yet")
            end
        end)

        test("programs do not search for their libraries", function(t)
            local loading = provium:vm("a", "linux"):boot():run("LD_DEBUG=libs /bin/ls -d /"):assert_ok().stderr
            t:assert_contains(loading, "search cache=/etc/ld.so.cache")
            t:assert(not loading:find("search path", 1, true), loading)
        end)

        -- The test has less of the host's time than the guest sleeps.
        test("virtual time jumps over sleeps", { timeout = "300s" }, function(t)
            local vm = provium:vm("v", "virtual"):boot()
            local function seconds() return tonumber(vm:run("date +%s"):assert_ok().stdout) end
            local before = seconds()
            vm:run("sleep 3600"):assert_ok()
            t:assert(seconds() - before >= 3600)
        end)
        "#,
    );
    assert!(passed && shown.contains("\n5 passed, 0 failed\n"), "{shown}");
}

/// What a guest does by whichever link: `link` is the name of its profile, and `port` where its agent then has the host.
const LINKED: &str = r#"
        local function linked(t, vm, port)
            t:assert_match(vm:run("for fd in /proc/1/fd/*; do readlink $fd; done; true"):assert_ok().stdout, "\n" .. port)
            t:assert_eq(vm:run("tr a-z A-Z", { stdin = "hello" }):assert_ok().stdout, "HELLO")
            t:assert_eq(vm:run("hostname"):assert_ok().stdout, vm:name() .. "\n")
            -- Every byte, and more of them than a terminal's buffer holds.
            local bytes = {}
            for byte = 0, 255 do bytes[#bytes + 1] = string.char(byte) end
            local data = table.concat(bytes):rep(32)
            t:assert_eq(vm:write_file("/tmp/data", data), #data)
            t:assert(vm:read_file("/tmp/data") == data)
            local process = vm:run_async("while read -r line; do echo got $line; done; exit 3")
            local stream = process:stdout_stream()
            for _, line in ipairs({ "one", "two" }) do
                process:stdin_write(line .. "\n")
                stream:expect("got " .. line .. "\n")
            end
            process:close_stdin()
            t:assert_eq(process:wait().exit_code, 3)
            local worker = vm:spawn_worker()
            t:assert_eq(worker:run("echo worker"):assert_ok().stdout, "worker\n")
        end
"#;

#[test]
fn agents_are_reached_over_a_serial_port() {
    let Some(_) = host() else { return };
    let test = r#"
        test("a guest from the beginning, and clones", { timeout = "120s" }, function(t)
            local function boot(name, options)
                local vm = provium:vm(name, "old", options):boot()
                linked(t, vm, "/dev/ttyS1\n")
                t:assert_eq(vm:run("ls /sys/class/virtio-ports").stdout, "")
                -- The times in it are those of one boot; a kernel whose clock starts late writes zeros to its first hundred lines.
                return vm:run("dmesg | head -n 200 | sha256sum"):assert_ok().stdout
            end
            local first = boot("a")
            t:assert_eq(boot("b"), first)
            t:assert_neq(boot("c", { cold = true }), first)
        end)
    "#;
    let (shown, passed) = command("roots = ['.']\n[profiles.old]\nlink = 'serial'\n", &format!("{LINKED}{test}"));
    assert!(passed && shown.contains("\n1 passed, 0 failed\n"), "{shown}");
}

/// Hosts without vsock are usual, and CI's are among them: there the error is looked at.
#[test]
fn agents_are_reached_over_vsock() {
    let Some(_) = host() else { return };
    let test = r#"
        test("two guests at once", { timeout = "120s" }, function(t)
            local tasks = {}
            for _, name in ipairs({ "a", "b" }) do
                tasks[#tasks + 1] = t:spawn(function() linked(t, provium:vm(name, "v"):boot(), "socket:") end)
            end
            for _, task in ipairs(tasks) do task:join() end
        end)
    "#;
    let (shown, passed) = command("roots = ['.']\n[profiles.v]\nlink = 'vsock'\n", &format!("{LINKED}{test}"));
    let device = std::fs::File::options().read(true).write(true).open("/dev/vhost-vsock");
    let Err(why) = device else {
        assert!(passed && shown.contains("\n1 passed, 0 failed\n"), "{shown}");
        return;
    };
    eprintln!("NOT RUN: no guest over vsock: /dev/vhost-vsock: {why}");
    for part in ["/dev/vhost-vsock can't be opened: ", "what mends it: `sudo ", "`link = \"virtio\"`"] {
        assert!(!passed && shown.contains(part), "{part:?} is missing: {shown}");
    }
}

/// Runs a file of tests on real guests, by the command: what it showed, and whether all was well.
fn command(toml: &str, lua: &str) -> (String, bool) {
    let project = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str| std::fs::write(project.path().join(name), text).expect("it can be written");
    write("provium.toml", toml);
    // On a loaded machine a boot takes longer than a test usually may.
    write("real.test.lua", &format!("provium.timeout = '200s'\n{lua}"));
    let run = std::process::Command::new(env!("CARGO_BIN_EXE_provium"))
        .args(["--backend", "qemu", "--record", "never"])
        .current_dir(project.path())
        .output()
        .expect("the command starts");
    let shown = [run.stdout, run.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
    (shown, run.status.success())
}
