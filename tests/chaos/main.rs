//! Trouble in the whole chain: Lua, the waist, the link, QEMU, the agent. Each kind of it ends what is under way with an error that
//! says what happened, and leaves the next machine alone; what was recorded of it replays without QEMU.
//!
//! Without QEMU, or without the packages that a guest is made of, these tests say that they did not run;
//! `PROVIUM_REQUIRE_QEMU=1` makes that a failure.

#[path = "../common/describe.rs"]
mod describe;
#[path = "../common/library.rs"]
mod library;
#[path = "../common/no_host.rs"]
mod no_host;
#[path = "../common/real_host.rs"]
mod real_host;
#[path = "../common/recorded.rs"]
mod recorded;
#[path = "../common/replayed.rs"]
mod replayed;
#[path = "../common/simulated.rs"]
mod simulated;

mod killed;
mod plenty;
mod real;
mod trouble;

/// A guest that only says nothing is lost after ten seconds, so this one is mostly waited for.
#[test]
fn silent_guests() {
    real::passes("silent.test.lua");
}

#[test]
fn processes_that_multiply() {
    real::passes("bomb.test.lua");
}

#[test]
fn lost_guests() {
    real::passes("lost.test.lua");
}

#[test]
fn garbage_on_the_link() {
    real::passes("garbage.test.lua");
}

#[test]
fn memory_that_runs_out() {
    real::passes("memory.test.lua");
}
