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
    let project = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str| std::fs::write(project.path().join(name), text).expect("it can be written");
    write("provium.toml", "roots = ['.']\n[profiles.virtual]\ntime = 'virtual'\n");
    write(
        "real.test.lua",
        r#"
        -- The times in it are those of one boot; they are all 0 before the kernel has a clock.
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
    let run = std::process::Command::new(env!("CARGO_BIN_EXE_provium"))
        .args(["--backend", "qemu", "--record", "never"])
        .current_dir(project.path())
        .output()
        .expect("the command starts");
    let shown = String::from_utf8_lossy(&run.stdout);
    assert!(
        run.status.success() && shown.ends_with("3 passed, 0 failed\n"),
        "{shown}{}",
        String::from_utf8_lossy(&run.stderr)
    );
}
