//! What a machine is made of: plain data, checked before anything is started.

use std::fmt;
use std::path::PathBuf;

use super::error::MachineError;

/// Below this no Linux kernel with an initramfs gets to user space.
pub const MEMORY_MIN_MIB: u64 = 32;
/// More is a typing error rather than a wish: bytes given as mebibytes.
pub const MEMORY_MAX_MIB: u64 = 1 << 20;
/// As many processors as QEMU's q35 takes.
pub const CPUS_MAX: u32 = 255;
/// QEMU takes shifts of instruction counting up to this.
pub const ICOUNT_SHIFT_MAX: u8 = 10;
/// The date that a machine with virtual time starts at when none is given: it must be a constant, because QEMU's real-time
/// clock decides what such a machine does. 2026-01-01T00:00:00Z.
pub const VIRTUAL_TIME_START: i64 = 1_767_225_600;

/// What runs the guest's instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Accel {
    /// The host's processor.
    Kvm,
    /// QEMU's translator: works everywhere, about ten times slower.
    Tcg,
}

impl Accel {
    /// QEMU's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kvm => "kvm",
            Self::Tcg => "tcg",
        }
    }
}

impl fmt::Display for Accel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kvm => "KVM",
            Self::Tcg => "TCG",
        })
    }
}

/// Which board the guest finds itself on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Board {
    /// PCI Express, ICH9. The default: it boots as fast as `pc` does, and is what kernels are tested on today.
    #[default]
    Q35,
    /// PCI, PIIX: for kernels without PCI Express.
    Pc,
}

impl Board {
    /// QEMU's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Q35 => "q35",
            Self::Pc => "pc",
        }
    }
}

/// How the host's end of the agent link reaches the guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgentChannel {
    /// A port of a virtio serial controller, under this name in the guest.
    VirtioSerial(String),
    /// The second serial port (`ttyS1`): for guests without virtio, and slow, because it is emulated byte
    /// by byte.
    IsaSerial,
    /// A socket between host and guest; the agent listens on this port. QEMU cannot save such a machine as a template.
    Vsock(u32),
    /// No channel: a machine that only has its console.
    None,
}

/// The port name that provium's own agent looks for.
pub const AGENT_PORT: &str = "provium.agent.0";
/// The port name that `qemu-guest-agent` looks for.
pub const QGA_PORT: &str = "org.qemu.guest_agent.0";

impl Default for AgentChannel {
    fn default() -> Self {
        Self::VirtioSerial(AGENT_PORT.to_owned())
    }
}

/// Time that follows the guest's instructions instead of the host's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VirtualTime {
    /// An instruction takes 2^shift nanoseconds. 5 is as fast as without counting.
    pub shift: u8,
}

impl Default for VirtualTime {
    fn default() -> Self {
        Self { shift: 5 }
    }
}

/// One machine to be started.
#[derive(Debug, Clone)]
pub struct LaunchSpec {
    /// Whose machine it is, for messages and for the name of the process.
    pub name: String,
    /// The kernel: bzImage or uncompressed.
    pub kernel: PathBuf,
    /// Its initramfs.
    pub initrd: Option<PathBuf>,
    /// The command line. `console=ttyS0` and `panic=-1` are added when it says nothing of consoles and panics:
    /// without them there is no console log, and a guest without a pvpanic driver hangs in its panic for ever. So is
    /// `no_timer_check`, and under TCG `noreplace-smp`, `tsc_early_khz=` and `norandmaps`, because it translates a program's code for the addresses at which it finds it, so that
    /// programs at addresses that are new in each process are translated anew in each, and start four times as slowly. Who
    /// wants them says `sysctl.kernel.randomize_va_space=2`.
    pub cmdline: String,
    /// Memory in mebibytes.
    pub memory_mib: u64,
    /// How many processors.
    pub cpus: u32,
    /// What runs the instructions. [`super::probe_accel`] says what works here.
    pub accel: Accel,
    /// Processor model by QEMU's name. Without one it is `host` under KVM and all but `max` under TCG: with these the guest has an
    /// instruction for random numbers and need not wait for entropy.
    pub cpu_model: Option<String>,
    /// The board.
    pub board: Board,
    /// Makes QEMU's random numbers (virtio-rng, the seed in the boot parameters, RDRAND under TCG) a function of this
    /// number. The guest mixes in its own timing: only with [`LaunchSpec::virtual_time`] its random numbers are the same
    /// from run to run. Under KVM, RDRAND is the host's.
    pub rng_seed: Option<u64>,
    /// What the real-time clock says at the start, in seconds since 1970. Without it: the host's time.
    pub initial_time: Option<i64>,
    /// Runs TCG with instruction counting and sleep off, on one processor.
    pub virtual_time: Option<VirtualTime>,
    /// How the agent is reached.
    pub agent: AgentChannel,
    /// A file that gets all that the console prints. What [`super::Console`] keeps is bounded and ends with the machine.
    /// (QEMU's own log file has bytes twice whenever its reader was busy.)
    pub console_log: Option<PathBuf>,
    /// Whether the machine may be saved as a template: its memory is then a shared, anonymous file.
    pub savable: bool,
    /// More arguments for QEMU, as they are: disks, networks.
    pub extra_args: Vec<String>,
}

impl LaunchSpec {
    /// A machine with one processor, 256 MiB, and nothing special about it.
    #[must_use]
    pub fn new(name: impl Into<String>, kernel: impl Into<PathBuf>, initrd: Option<PathBuf>) -> Self {
        Self {
            name: name.into(),
            kernel: kernel.into(),
            initrd,
            cmdline: String::new(),
            memory_mib: 256,
            cpus: 1,
            accel: Accel::Tcg,
            cpu_model: None,
            board: Board::default(),
            rng_seed: None,
            initial_time: None,
            virtual_time: None,
            agent: AgentChannel::default(),
            console_log: None,
            savable: false,
            extra_args: Vec::new(),
        }
    }

    /// Refuses what QEMU would refuse with less clear words, or would take and do something else.
    pub(crate) fn check(&self) -> Result<(), MachineError> {
        let wrong = |why: String| Err(MachineError::Spec { name: self.name.clone(), why });
        if !(MEMORY_MIN_MIB..=MEMORY_MAX_MIB).contains(&self.memory_mib) {
            return wrong(format!(
                "{} MiB of memory: it must be between {MEMORY_MIN_MIB} and {MEMORY_MAX_MIB} MiB",
                self.memory_mib
            ));
        }
        if self.cpus == 0 || self.cpus > CPUS_MAX {
            return wrong(format!("{} processors: it must be between 1 and {CPUS_MAX}", self.cpus));
        }
        if let Some(virtual_time) = self.virtual_time {
            if self.cpus != 1 {
                return wrong(format!(
                    "virtual time needs one processor, because QEMU counts the instructions of one: cpus = {}",
                    self.cpus
                ));
            }
            if self.accel != Accel::Tcg {
                return wrong("virtual time needs TCG: a real processor's instructions can't be counted".to_owned());
            }
            if virtual_time.shift > ICOUNT_SHIFT_MAX {
                return wrong(format!(
                    "a shift of {} for virtual time: it is at most {ICOUNT_SHIFT_MAX}",
                    virtual_time.shift
                ));
            }
        }
        if let AgentChannel::VirtioSerial(port) = &self.agent
            && (port.is_empty() || !port.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)))
        {
            return wrong(format!("{port:?} is no name of a port: letters, digits, '.', '_' and '-'"));
        }
        if self.savable && matches!(self.agent, AgentChannel::Vsock(_)) {
            return wrong(
                "a machine that is reached over vsock can't be saved: its clones would have its address".to_owned(),
            );
        }
        if let Some(model) = &self.cpu_model
            && model.is_empty()
        {
            return wrong("the processor's model is an empty word".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_over_vsock_cannot_be_saved() {
        let spec =
            |savable| LaunchSpec { savable, agent: AgentChannel::Vsock(1), ..LaunchSpec::new("a", "/kernel", None) };
        assert!(spec(false).check().is_ok());
        let why = spec(true).check().map_err(|error| error.to_string());
        assert!(why.is_err_and(|why| why.contains("vsock can't be saved")));
    }
}
