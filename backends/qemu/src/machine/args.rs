//! The command line of QEMU.

use std::ffi::OsString;
use std::os::fd::RawFd;

use super::date::rtc_base;
use super::qemu::Qemu;
use super::spec::{Accel, AgentChannel, LaunchSpec, VIRTUAL_TIME_START};

/// Names the agent's port, so that QEMU tells when the guest opens it.
pub(crate) const AGENT_DEVICE: &str = "agentport";
/// All that TCG can do, but for fast string instructions: the kernel copies by bytes when it sees them, and TCG takes bytes
/// one by one. Without them copying takes half the time.
const TCG_MODEL: &str = "max,erms=off,fsrm=off";

/// The numbers that QEMU's ends of the sockets have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ends {
    pub(crate) qmp: RawFd,
    pub(crate) console: RawFd,
    pub(crate) agent: Option<RawFd>,
    /// The guest's context number, and the descriptor on which it was claimed.
    pub(crate) vsock: Option<(u32, RawFd)>,
}

/// Where the guest's memory is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Memory {
    /// QEMU's own.
    Own,
    /// An anonymous file that others see the guest's writes in: a machine that may be saved.
    Shared(RawFd),
    /// A saved machine's memory; what the guest writes is its own.
    Private(RawFd),
}

/// How a machine begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// It boots.
    Boot {
        /// The rate of its time-stamp counter, if it is known.
        tsc_khz: Option<u32>,
    },
    /// It goes on from a saved one.
    Restore,
}

/// All arguments. A restored machine must get the devices of the saved one, in the same order: both are made here.
pub(crate) fn arguments(spec: &LaunchSpec, ends: Ends, memory: Memory, start: Start) -> Vec<OsString> {
    let mut args: Vec<OsString> = Vec::new();
    let mut push = |words: &[&str]| args.extend(words.iter().map(OsString::from));
    push(&["-nodefaults", "-no-user-config", "-display", "none"]);
    push(&["-name", &format!("guest=provium-{}", spec.name.replace(',', ",,"))]);
    push(&["-accel", spec.accel.as_str()]);
    push(&["-cpu", model(spec)]);
    push(&["-smp", &spec.cpus.to_string(), "-m", &format!("{}M", spec.memory_mib)]);
    let board = spec.board.as_str();
    let backend = |fd: RawFd, share: &str| {
        format!("memory-backend-file,id=ram,size={}M,mem-path=/proc/self/fd/{fd},share={share}", spec.memory_mib)
    };
    match memory {
        Memory::Own => push(&["-machine", board]),
        Memory::Shared(fd) => {
            push(&["-object", &backend(fd, "on"), "-machine", &format!("{board},memory-backend=ram")]);
        }
        Memory::Private(fd) => {
            push(&["-object", &backend(fd, "off"), "-machine", &format!("{board},memory-backend=ram")]);
        }
    }
    // A guest that resets itself has ended: so a panic is never hidden by the boot that follows.
    push(&["-action", "reboot=shutdown,panic=shutdown,shutdown=poweroff"]);
    push(&["-chardev", &format!("socket,id=qmp,fd={}", ends.qmp), "-mon", "chardev=qmp,mode=control"]);
    push(&clock(spec).iter().map(String::as_str).collect::<Vec<_>>());
    push(&["-chardev", &format!("socket,id=console,fd={}", ends.console)]);
    push(&["-serial", "chardev:console"]);
    push(&["-device", "pvpanic-pci"]);
    push(&["-object", "rng-builtin,id=rng", "-device", "virtio-rng-pci,rng=rng"]);
    if let Some(fd) = ends.agent {
        push(&["-chardev", &format!("socket,id=agent,fd={fd}")]);
        match &spec.agent {
            AgentChannel::VirtioSerial(port) => {
                push(&["-device", "virtio-serial-pci,max_ports=2"]);
                push(&["-device", &format!("virtserialport,id={AGENT_DEVICE},chardev=agent,name={port}")]);
            }
            AgentChannel::IsaSerial => push(&["-serial", "chardev:agent"]),
            AgentChannel::Vsock(_) | AgentChannel::None => {}
        }
    }
    if let Some((cid, fd)) = ends.vsock {
        push(&["-device", &format!("vhost-vsock-pci,guest-cid={cid},vhostfd={fd}")]);
    }
    // A restored machine keeps its kernel too: it costs nothing.
    args.push("-kernel".into());
    args.push(spec.kernel.as_os_str().to_owned());
    if let Some(initrd) = &spec.initrd {
        args.push("-initrd".into());
        args.push(initrd.as_os_str().to_owned());
    }
    args.push("-append".into());
    let khz = match start {
        Start::Boot { tsc_khz } => tsc_khz,
        Start::Restore => None,
    };
    args.push(spec.cmdline_with_tsc(khz).into());
    args.extend(spec.extra_args.iter().map(OsString::from));
    if start == Start::Restore {
        args.extend(["-incoming", "defer"].map(OsString::from));
    }
    args
}

pub(crate) fn model(spec: &LaunchSpec) -> &str {
    match (&spec.cpu_model, spec.accel) {
        (Some(model), _) => model,
        (None, Accel::Kvm) => "host",
        (None, Accel::Tcg) => TCG_MODEL,
    }
}

fn clock(spec: &LaunchSpec) -> Vec<String> {
    let mut words = Vec::new();
    let mut push = |flag: &str, value: String| words.extend([flag.to_owned(), value]);
    match (spec.virtual_time, spec.initial_time) {
        (Some(virtual_time), start) => {
            push("-icount", format!("shift={},sleep=off", virtual_time.shift));
            push("-rtc", format!("base={},clock=vm", rtc_base(start.unwrap_or(VIRTUAL_TIME_START))));
        }
        (None, Some(start)) => push("-rtc", format!("base={}", rtc_base(start))),
        (None, None) => push("-rtc", "base=utc".to_owned()),
    }
    // Virtual time without a seed would be virtual time for nothing.
    if let Some(seed) = spec.rng_seed.or(spec.virtual_time.map(|_| 0)) {
        push("-seed", seed.to_string());
    }
    words
}

/// The command as one would type it, for messages.
pub(crate) fn shown(qemu: &Qemu, args: &[OsString]) -> String {
    let mut line = quoted(&qemu.program().to_string_lossy());
    for arg in args {
        line.push(' ');
        line.push_str(&quoted(&arg.to_string_lossy()));
    }
    line
}

fn quoted(word: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_=,./:@%+".contains(&b);
    if !word.is_empty() && word.bytes().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// The arguments that differ with the channel: those that have to do with the agent.
    fn of(agent: AgentChannel, ends: Ends) -> Vec<String> {
        let spec = LaunchSpec { agent, ..LaunchSpec::new("a", Path::new("/kernel"), None) };
        let all = arguments(&spec, ends, Memory::Own, Start::Boot { tsc_khz: None });
        let all: Vec<String> = all.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        let of_agent = |word: &String| ["agent", "vsock", "virtio-serial"].iter().any(|part| word.contains(part));
        all.iter().filter(|word| of_agent(word)).cloned().collect()
    }

    #[test]
    fn a_kernel_that_boots_is_told_the_rate_of_its_counter() {
        let ends = Ends { qmp: 3, console: 4, agent: None, vsock: None };
        let spec = LaunchSpec::new("a", Path::new("/kernel"), None);
        let says = |start| {
            let all = arguments(&spec, ends, Memory::Own, start);
            all.iter().any(|word| word.to_string_lossy().ends_with(" tsc_early_khz=2300000"))
        };
        assert!(says(Start::Boot { tsc_khz: Some(2_300_000) }));
        assert!(!says(Start::Boot { tsc_khz: None }) && !says(Start::Restore));
    }

    #[test]
    fn each_channel_has_its_device() {
        let socket = Ends { qmp: 3, console: 4, agent: Some(5), vsock: None };
        let virtio = of(AgentChannel::default(), socket);
        assert_eq!(
            virtio,
            [
                "socket,id=agent,fd=5",
                "virtio-serial-pci,max_ports=2",
                "virtserialport,id=agentport,chardev=agent,name=provium.agent.0"
            ]
        );
        assert_eq!(of(AgentChannel::IsaSerial, socket), ["socket,id=agent,fd=5", "chardev:agent"]);
        let vsock = Ends { agent: None, vsock: Some((77, 6)), ..socket };
        assert_eq!(of(AgentChannel::Vsock(1024), vsock), ["vhost-vsock-pci,guest-cid=77,vhostfd=6"]);
        let none = Ends { agent: None, ..socket };
        assert!(of(AgentChannel::None, none).is_empty());
    }
}
