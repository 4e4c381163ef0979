//! Builds the guest agent, which every `provium` carries in itself: static, so that it runs in any guest.
//!
//! It is another build than the one that this script belongs to (other flags, another profile, always for guests), so Cargo
//! is called once more, with a target directory of its own that all profiles of this build share.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What guests run.
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Variables by which the outer Cargo tells its compilers what is not true of the inner build.
const NOT_INHERITED: &[&str] = &[
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_TARGET_DIR",
    "CARGO_MAKEFLAGS",
    "MAKEFLAGS",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTFLAGS",
    "RUSTDOCFLAGS",
    "CFLAGS",
];

/// One file that needs no other, at a fixed place: otherwise it has a table of what is to be moved when it starts, of more than
/// 70 KB.
const AGENT_FLAGS: &str = "-C target-feature=+crt-static -C relocation-model=static";

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("Cargo sets {name}"))
}

fn main() {
    let here = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
    let workspace = here.join("../..");
    for input in [
        "Cargo.lock",
        "Cargo.toml",
        "backends/protocol/Cargo.toml",
        "backends/protocol/src",
        "backends/agent/Cargo.toml",
        "backends/agent/src",
        "backends/agent/linux/Cargo.toml",
        "backends/agent/linux/src",
    ] {
        println!("cargo::rerun-if-changed={}", workspace.join(input).display());
    }
    println!("cargo::rustc-check-cfg=cfg(agent)");
    // Elsewhere there are no guests for it: the crate builds, and says so when it is asked for one.
    if variable("TARGET") != TARGET {
        return;
    }
    let out = PathBuf::from(variable("OUT_DIR"));
    let target_dir = shared_target_dir(&out);
    let mut cargo = Command::new(variable("CARGO"));
    cargo
        .current_dir(&workspace)
        .args(["build", "--locked", "--quiet", "--package", "provium-agent-linux", "--bin", "provium-agent"])
        .args(["--profile", "agent", "--target", TARGET, "--target-dir"])
        .arg(&target_dir);
    for name in NOT_INHERITED {
        cargo.env_remove(name);
    }
    // With an explicit target these do not reach procedural macros, which must not be static.
    cargo.env("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS", AGENT_FLAGS);
    match cargo.status() {
        Ok(status) if status.success() => {}
        Ok(status) => panic!("the guest agent does not build ({status}); its messages are above"),
        Err(error) => panic!("Cargo cannot be called to build the guest agent: {error}"),
    }
    let agent = target_dir.join(TARGET).join("agent/provium-agent");
    let embedded = out.join("provium-agent");
    std::fs::copy(&agent, &embedded).unwrap_or_else(|error| panic!("{}: {error}", agent.display()));
    println!("cargo::rustc-cfg=agent");
}

/// A folder beside the profiles of the outer build: `target/debug/build/CRATE/out` leads to `target/guest-agent`.
fn shared_target_dir(out: &Path) -> PathBuf {
    match out.ancestors().nth(4) {
        Some(target) if out.ancestors().nth(2).is_some_and(|build| build.ends_with("build")) => {
            target.join("guest-agent")
        }
        _ => out.join("guest-agent"),
    }
}
