//! Guests that have only `qemu-guest-agent`: `tests/lua-qga` on real ones, recorded, and replayed without them.
//!
//! Without QEMU, or without the packages that a guest is made of, this says that it did not run; `PROVIUM_REQUIRE_QEMU=1` makes
//! that a failure.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use provium_qemu::backend::Host;
use provium_qemu::machine::PROGRAM_VARIABLE;
use provium_qemu::profile::{AgentKind, QemuProfile};
use provium_qemu::{image, testing};

/// Runs the command in the folder of the tests; what it showed, if all went well.
fn provium(args: &[&str], qemu: Option<&str>) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_provium"));
    command.args(args).current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lua-qga"));
    if let Some(qemu) = qemu {
        command.env(PROGRAM_VARIABLE, qemu);
    }
    let run = command.output().expect("the command starts");
    let shown = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(run.status.success(), "{args:?}: {shown}{}", String::from_utf8_lossy(&run.stderr));
    shown
}

#[test]
fn guests_with_only_qemu_guest_agent_pass_and_replay_without_it() {
    let host = Host::new(BTreeMap::new(), false, Box::new(|line| eprintln!("{line}"))).expect("a thread");
    if testing::available("QEMU", host.find_qemu()).is_none() {
        return;
    }
    let profile = QemuProfile { agent: AgentKind::Qga, ..QemuProfile::named("stock") };
    let made = image::ensure(&profile, &mut |line| eprintln!("{line}"));
    if testing::available("image with qemu-guest-agent", made).is_none() {
        return;
    }
    let traces = tempfile::tempdir().expect("a directory");
    let folder = traces.path().to_str().expect("a plain name");
    let shown = provium(&["--backend", "qemu", "--record", "always", "--traces", folder], None);
    assert!(shown.ends_with("15 passed, 0 failed\n"), "{shown}");
    let traces = ["commands", "files"].map(|name| format!("{folder}/{name}.test.lua/fifo-1.trace"));
    let shown = provium(&["replay", &traces[0], &traces[1]], Some("/nowhere/qemu"));
    assert!(shown.ends_with("15 passed, 0 failed\n"), "{shown}");
}
