//! A guest for tests of the machine alone: a shell that reads commands from the agent's port.

use std::path::PathBuf;
use std::time::Duration;

use provium_qemu::machine::{Accel, LaunchSpec, Machine, Qemu};
use provium_qemu::testing;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

/// Far beyond what a boot takes on the slowest machine that tests run on: it only keeps a broken test from hanging.
pub const PATIENCE: Duration = Duration::from_secs(240);

pub struct Host {
    pub qemu: Qemu,
    pub kernel: PathBuf,
    pub initrd: PathBuf,
}

/// QEMU and something to boot, or `None` when this host has not got them.
pub async fn host() -> Option<Host> {
    let qemu = testing::qemu().await?;
    let folder = testing::available("guest", std::env::var("PROVIUM_TEST_GUEST").map(PathBuf::from))?;
    Some(Host { qemu, kernel: folder.join("vmlinux"), initrd: folder.join("initrd.cpio") })
}

impl Host {
    pub fn spec(&self, name: &str) -> LaunchSpec {
        let mut spec = LaunchSpec::new(name, &self.kernel, Some(self.initrd.clone()));
        spec.cmdline = "quiet cryptomgr.notests".to_owned();
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
        self.until("done\n").await
    }
}
