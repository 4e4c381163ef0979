//! Machines without provium's agent: one whose port is served by `echo.rs`, and one with `qemu-guest-agent`.
//!
//! They are machines of their own, with the same kernel, tools, processor, memory and devices as provium's guests: a second
//! port on the guest that is measured would share its agent's processor time.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Command;

use provium_protocol::exec::ByteString;
use provium_protocol::profile::BootFile;
use provium_qemu::image::{self, Image, MODULES};
use provium_qemu::machine::{AgentChannel, LaunchSpec, Machine, QGA_PORT, Qemu, probe_accel};
use provium_qemu::profile::{AgentKind, QemuProfile};
use tokio::runtime::Runtime;

use super::echo::{MESSAGE, SEND};

/// The first process of the machine that echoes.
const INIT: &str = r#"#!/bin/sh
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
while read -r module; do insmod "$module"; done < MODULES
for port in /sys/class/virtio-ports/*; do
    [ "$(cat "$port/name")" = provium.agent.0 ] && exec /echo "/dev/${port##*/}"
done
"#;

/// A machine that runs, and the other end of its port.
pub struct Raw {
    pub port: UnixStream,
    _machine: Machine,
    /// Drives the machine.
    _runtime: Runtime,
}

impl Raw {
    /// The machine whose port is served by the program that echoes.
    pub fn echo() -> Raw {
        let image = image::ensure(&QemuProfile::named("linux"), &mut |line| eprintln!("{line}")).expect("an image");
        let file = |path: &str, content: Vec<u8>| BootFile { path: ByteString::from(path), content, mode: Some(0o755) };
        let init = INIT.replace("MODULES", MODULES).into_bytes();
        let files = [file("/bench-init", init), file("/echo", echo_program())];
        let mut raw = Raw::start(&image, &files, "rdinit=/bench-init", AgentChannel::default());
        let mut answer = [0; MESSAGE];
        raw.port.write_all(&[1; MESSAGE]).expect("the machine is there");
        raw.port.read_exact(&mut answer).expect("the machine answers");
        raw
    }

    /// The machine with `qemu-guest-agent`.
    pub fn qga() -> Raw {
        let profile = QemuProfile { agent: AgentKind::Qga, ..QemuProfile::named("linux-qga") };
        let image = image::ensure(&profile, &mut |line| eprintln!("{line}")).expect("an image");
        Raw::start(&image, &[], "", AgentChannel::VirtioSerial(QGA_PORT.to_owned()))
    }

    fn start(image: &Image, files: &[BootFile], words: &str, agent: AgentChannel) -> Raw {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a thread");
        let initrd = tempfile::tempfile().expect("a file");
        let path = path_of(&initrd);
        image::initrd_with(image, None, files, &path).expect("an initramfs");
        let mut spec = LaunchSpec::new("raw", &image.kernel, Some(path));
        spec.cmdline = format!("{} quiet {words}", image.cmdline);
        spec.agent = agent;
        let (machine, port) = runtime.block_on(async {
            let qemu = Qemu::find().await.expect("QEMU is there");
            spec.accel = probe_accel(&qemu, None).await.accel;
            let machine = Machine::launch(&qemu, spec).await.expect("the machine starts");
            let port = machine.take_agent_link().expect("it has a port");
            (machine, port.into_std().expect("a socket"))
        });
        port.set_nonblocking(false).expect("a socket");
        Raw { port, _machine: machine, _runtime: runtime }
    }

    /// One message there and back.
    pub fn round_trip(&mut self) {
        let mut message = [7; MESSAGE];
        self.port.write_all(&message).expect("the machine is there");
        self.port.read_exact(&mut message).expect("the machine answers");
    }

    /// Has the guest send so many bytes.
    pub fn receive(&mut self, bytes: usize, buffer: &mut [u8]) {
        let mut message = [0; MESSAGE];
        message[..4].copy_from_slice(SEND);
        message[4..12].copy_from_slice(&(bytes as u64).to_le_bytes());
        self.port.write_all(&message).expect("the machine is there");
        let mut left = bytes;
        while left > 0 {
            let read = self.port.read(buffer).expect("the machine sends");
            assert!(read > 0, "the machine has ended");
            left -= read;
        }
    }
}

fn path_of(file: &File) -> PathBuf {
    PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd()))
}

/// Compiles the program that echoes.
fn echo_program() -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a directory");
    let program = folder.path().join("echo");
    let source = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("benches/real_guests/echo.rs");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let compiled = Command::new(rustc)
        .args([
            "--edition=2024",
            "-O",
            "-C",
            "target-feature=+crt-static",
            "--target",
            "x86_64-unknown-linux-gnu",
            "-o",
        ])
        .args([&program, &source])
        .status()
        .expect("rustc can be started");
    assert!(compiled.success(), "the program that echoes does not compile");
    std::fs::read(program).expect("it was just made")
}
