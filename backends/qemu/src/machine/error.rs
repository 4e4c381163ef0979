//! What can go wrong with a machine as such; what goes wrong inside of the guest is the link's business.

use std::io;
use std::path::PathBuf;

use super::vsock;

/// Why a machine could not be started, driven, or saved.
#[derive(Debug, thiserror::Error)]
pub enum MachineError {
    /// No QEMU on this host.
    #[error(
        "{program} was not found: install QEMU (Debian and Ubuntu: apt-get install qemu-system-x86), or name the program \
         in PROVIUM_QEMU"
    )]
    NoQemu {
        /// What was looked for.
        program: String,
    },
    /// There is a QEMU, and it can't be asked for its version.
    #[error("{program} does not tell its version: {why}")]
    BadQemu {
        /// The program.
        program: String,
        /// What it did instead.
        why: String,
    },
    /// Options that contradict each other: nothing was started.
    #[error("the machine {name:?} can't be made: {why}")]
    Spec {
        /// The machine.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// A file that the machine boots from.
    #[error("the {what} {} of the machine {name:?} can't be read: {source}", path.display())]
    BootFile {
        /// The machine.
        name: String,
        /// Kernel, initrd.
        what: &'static str,
        /// Where it should be.
        path: PathBuf,
        /// What the host says.
        source: io::Error,
    },
    /// A machine that is to be reached over vsock, on a host that gives guests no sockets.
    #[error(
        "the machine {name:?} is to be reached over vsock, and {} can't be opened: {source}; what mends it: `{}`. \
         The link over virtio (`link = \"virtio\"`, the default) needs nothing of the host",
        vsock::DEVICE,
        vsock::remedy(source)
    )]
    NoVsock {
        /// The machine.
        name: String,
        /// What the host says.
        source: io::Error,
    },
    /// QEMU ended before its machine ran.
    #[error("QEMU did not start the machine {name:?} ({how}){}\nthe command was: {command_line}", quote(.said))]
    Launch {
        /// The machine.
        name: String,
        /// What became of the process.
        how: String,
        /// What QEMU wrote on its standard error.
        said: String,
        /// How it was started.
        command_line: String,
    },
    /// A command to QEMU was refused.
    #[error("QEMU refused {command} for the machine {name:?}: {why}")]
    Refused {
        /// The machine.
        name: String,
        /// The QMP command.
        command: &'static str,
        /// QEMU's words.
        why: String,
    },
    /// A command to QEMU got no answer in time.
    #[error("QEMU did not answer {command} for the machine {name:?} within {seconds} s")]
    Silent {
        /// The machine.
        name: String,
        /// The QMP command.
        command: &'static str,
        /// How long it was waited for.
        seconds: u64,
    },
    /// The machine has ended, or is ending.
    #[error("the machine {name:?} is gone: {how}")]
    Gone {
        /// The machine.
        name: String,
        /// Why it ended, or what was noticed first.
        how: String,
    },
    /// The console of a machine that ended takes no input.
    #[error("the console of the machine {name:?} takes no input: {source}")]
    Console {
        /// The machine.
        name: String,
        /// What the host says.
        source: io::Error,
    },
    /// A saved machine can't be written or read.
    #[error("{what}: {source}")]
    Template {
        /// What was tried, with the path.
        what: String,
        /// What the host says.
        source: io::Error,
    },
    /// A machine that can't be saved, or a saved state that QEMU does not take.
    #[error("the machine {name:?} can't be {what}: {why}")]
    State {
        /// The machine.
        name: String,
        /// `saved as a template`, `restored`.
        what: &'static str,
        /// Why not.
        why: String,
    },
    /// The host refused something small that should always work.
    #[error("{what}: {source}")]
    Host {
        /// What was tried.
        what: String,
        /// What the host says.
        source: io::Error,
    },
}

fn quote(text: &str) -> String {
    let text = text.trim();
    if text.is_empty() { String::new() } else { format!("\nQEMU said: {text}") }
}

impl MachineError {
    /// An error of the host, with what was being done.
    pub(crate) fn host(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Host { what, source }
    }

    /// An error of a template's files, with what was being done.
    pub(crate) fn template(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Template { what, source }
    }
}
