//! A guest for tests of the machine alone: a shell that reads commands from the agent's port.

use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::time::Duration;

use provium_protocol::exec::ByteString;
use provium_protocol::profile::BootFile;
use provium_qemu::image::{self, Image, MODULES, MODULES_LATER};
use provium_qemu::machine::{Accel, LaunchSpec, Machine, Qemu};
use provium_qemu::profile::QemuProfile;
use provium_qemu::testing;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

/// Far beyond what a boot takes on the slowest machine that tests run on: it only keeps a broken test from hanging.
pub const PATIENCE: Duration = Duration::from_secs(240);
/// The guest's first process.
const INIT: &str = "/test-init";

pub struct Host {
    pub qemu: Qemu,
    pub kernel: PathBuf,
    pub initrd: PathBuf,
    /// Without a name, so that a test that is killed leaves nothing either.
    _initrd: std::fs::File,
}

fn init() -> String {
    format!(
        r#"#!/bin/sh
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
cat {MODULES} {MODULES_LATER} | while read -r module; do insmod "$module" 2>/dev/null; done
head -c16 /dev/urandom | md5sum > /boot_random
echo BOOTED on the console
for p in /sys/class/virtio-ports/*; do [ "$(cat $p/name)" = provium.agent.0 ] && port=/dev/${{p##*/}}; done
[ "$port" ] || {{ port=/dev/ttyS1; stty -F $port raw -echo; }}
while :; do
  exec 3<>$port
  echo ready >&3
  while read -r line <&3; do
    case "$line" in
      echo*) echo "$line" >&3;;
      poweroff) poweroff -f;;
      reboot) reboot -f;;
      sh*) eval "${{line#sh }}" >&3 2>&3; echo done >&3;;
    esac
  done
  exec 3>&-
  usleep 10000
done
"#
    )
}

/// QEMU and something to boot, or `None` when this host has not got them.
pub async fn host() -> Option<Host> {
    let qemu = testing::qemu().await?;
    let ensured = tokio::task::spawn_blocking(|| image::ensure(&QemuProfile::named("linux"), &mut |_| {}));
    let image: Image = testing::available("image", ensured.await.unwrap())?;
    let file = tempfile::tempfile().unwrap();
    let initrd = PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd()));
    let path = ByteString(INIT.as_bytes().to_vec());
    let files = [BootFile { path, content: init().into_bytes(), mode: Some(0o755) }];
    image::initrd_with(&image, None, &files, &initrd).unwrap();
    Some(Host { qemu, kernel: image.kernel, initrd, _initrd: file })
}

impl Host {
    pub fn spec(&self, name: &str) -> LaunchSpec {
        let mut spec = LaunchSpec::new(name, &self.kernel, Some(self.initrd.clone()));
        spec.cmdline = format!("quiet cryptomgr.notests rdinit={INIT}");
        spec.accel = Accel::Tcg;
        spec
    }

    pub async fn launch(&self, spec: LaunchSpec) -> Machine {
        Machine::launch(&self.qemu, spec).await.unwrap()
    }

    /// A machine whose shell answers.
    pub async fn booted(&self, spec: LaunchSpec) -> (Machine, Shell) {
        let machine = self.launch(spec).await;
        let mut shell = Shell::of(&machine);
        shell.until("ready\n").await;
        (machine, shell)
    }
}

/// The shell in the guest.
pub struct Shell {
    link: UnixStream,
    seen: String,
}

impl Shell {
    pub fn of(machine: &Machine) -> Self {
        Self { link: machine.take_agent_link().unwrap(), seen: String::new() }
    }

    /// Reads until this was said, and gives what came before it.
    pub async fn until(&mut self, mark: &str) -> String {
        let reading = async {
            loop {
                if let Some(at) = self.seen.find(mark) {
                    let rest = self.seen.split_off(at + mark.len());
                    let mut said = std::mem::replace(&mut self.seen, rest);
                    said.truncate(at);
                    return said;
                }
                let mut buffer = [0; 4096];
                let read = self.link.read(&mut buffer).await.unwrap();
                assert!(read > 0, "the link ended before {mark:?}; it said {:?}", self.seen);
                self.seen.push_str(&String::from_utf8_lossy(&buffer[..read]));
            }
        };
        tokio::time::timeout(PATIENCE, reading).await.unwrap_or_else(|_| panic!("the guest never said {mark:?}"))
    }

    pub async fn send(&mut self, line: &str) {
        self.link.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }

    /// What a command prints.
    pub async fn run(&mut self, command: &str) -> String {
        self.send(&format!("sh {command}")).await;
        let mut said = self.until("done\n").await;
        // A guest that was saved while nobody held the host's end finds it closed, and begins anew.
        while let Some(rest) = said.strip_prefix("ready\n") {
            said = rest.to_owned();
        }
        said
    }
}
