//! What decides whether a saved machine may stand for one that would boot.

use std::fmt::Write;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::machine::args;
use crate::machine::error::MachineError;
use crate::machine::qemu::Qemu;
use crate::machine::spec::{Accel, LaunchSpec};

/// Changes with what is in a template's files, and with what a machine has done when it is saved: older ones are then never
/// found.
const FORMAT: u32 = 2;
/// So many hexadecimal digits of the digest name a template: enough to never meet, and short for people.
const ID_DIGITS: usize = 32;

/// Names a template by all that went into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateKey {
    id: String,
    text: String,
}

impl TemplateKey {
    /// The key of a machine. `content` names what kernel and initramfs hold, and whatever else the guest's state at the
    /// time of saving depends on; without it the two files are taken by place, size and date.
    ///
    /// A machine's name, console log, random seed and clock are no part of it, because a clone gets its own: but for
    /// virtual time, where seed and clock decide all that the guest does.
    pub fn of(qemu: &Qemu, spec: &LaunchSpec, content: Option<&str>) -> Result<Self, MachineError> {
        let mut text = format!("template format {FORMAT}\n");
        let mut line = |name: &str, value: &str| {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{name}: {value:?}");
        };
        line("qemu", qemu.version());
        line("qemu file", &stamp(spec, "program", qemu.program())?);
        match content {
            Some(content) => line("content", content),
            None => {
                line("kernel", &stamp(spec, "kernel", &spec.kernel)?);
                if let Some(initrd) = &spec.initrd {
                    line("initrd", &stamp(spec, "initrd", initrd)?);
                }
            }
        }
        line("command line", &spec.full_cmdline());
        line("memory", &spec.memory_mib.to_string());
        line("processors", &spec.cpus.to_string());
        line("accelerator", spec.accel.as_str());
        line("model", args::model(spec));
        if spec.accel == Accel::Kvm {
            line("host", &host_processor());
        }
        line("board", spec.board.as_str());
        line("agent", &format!("{:?}", spec.agent));
        if let Some(virtual_time) = spec.virtual_time {
            line("virtual", &format!("{} {:?} {:?}", virtual_time.shift, spec.rng_seed, spec.initial_time));
        }
        line("more", &spec.extra_args.join("\0"));
        let mut id = String::new();
        for byte in Sha256::digest(text.as_bytes()) {
            let _ = write!(id, "{byte:02x}");
        }
        id.truncate(ID_DIGITS);
        Ok(Self { id, text })
    }

    /// The name of its folder.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// All that it is made of, a line each.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

fn stamp(spec: &LaunchSpec, what: &'static str, path: &Path) -> Result<String, MachineError> {
    let failed = |source| MachineError::BootFile { name: spec.name.clone(), what, path: path.to_owned(), source };
    let found = std::fs::metadata(path).map_err(failed)?;
    let date = format!("{}.{:09}", found.mtime(), found.mtime_nsec());
    Ok(format!("{} {} {} {} {date}", path.display(), found.dev(), found.ino(), found.len()))
}

/// A guest under KVM has seen what the host's processor can do.
fn host_processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let first = text.split("\n\n").next().unwrap_or_default();
    let says =
        |line: &&str| line.starts_with("model name") || line.starts_with("flags") || line.starts_with("microcode");
    first.lines().filter(says).collect::<Vec<_>>().join("\n")
}
