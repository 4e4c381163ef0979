//! Beginnings: what a guest finds, and what is said when there is none.

use std::path::Path;

use provium_qemu::machine::{
    AGENT_PORT, AgentChannel, Board, LaunchSpec, Machine, MachineError, MachineStatus, Qemu, VirtualTime,
};

use crate::guest::{PATIENCE, Shell, host};

#[tokio::test]
async fn a_guest_boots_and_is_reached() {
    let Some(host) = host().await else { return };
    let mut spec = host.spec("boots");
    spec.cpus = 2;
    spec.memory_mib = 192;
    // A day in 2033.
    spec.initial_time = Some(2_000_000_000);
    let (machine, mut shell) = host.booted(spec).await;
    assert_eq!(machine.status().await.unwrap(), MachineStatus::Running);
    assert_eq!(shell.run("grep -c ^processor /proc/cpuinfo").await.trim(), "2");
    let total: u64 = shell.run("awk '/MemTotal/{print $2}' /proc/meminfo").await.trim().parse().unwrap();
    assert!((120 << 10..192 << 10).contains(&total), "{total} KiB");
    let now: i64 = shell.run("date +%s").await.trim().parse().unwrap();
    assert!((2_000_000_000..2_000_000_000 + 600).contains(&now), "{now}");
    assert!(shell.run("cat /proc/cmdline").await.contains("console=ttyS0"));
}

#[tokio::test]
async fn the_console_is_read_from_its_first_byte_and_typed_at() {
    let Some(host) = host().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut spec = host.spec("console");
    spec.cmdline = spec.cmdline.replace("quiet", "loglevel=7");
    spec.console_log = Some(folder.path().join("console"));
    let (machine, mut shell) = host.booted(spec).await;
    let mut reader = machine.console().subscribe();
    let first = reader.next().await.unwrap();
    assert_eq!(first.offset, 0);
    let log = String::from_utf8_lossy(&machine.console().log().bytes).into_owned();
    assert!(log.contains("Linux version"), "{log}");
    shell.send("sh head -n1 /dev/console > /typed").await;
    machine.console().write(b"typed text\n").await.unwrap();
    shell.until("done\n").await;
    assert_eq!(shell.run("cat /typed").await.trim(), "typed text");
    machine.kill().await;
    let mut all = first.bytes;
    while let Some(chunk) = reader.next().await {
        assert_eq!(chunk.offset, all.len() as u64);
        all.extend(chunk.bytes);
    }
    assert!(all == machine.console().log().bytes, "the log is not what was read");
    assert!(all == std::fs::read(folder.path().join("console")).unwrap(), "the file is not what was read");
}

#[tokio::test]
async fn a_launch_that_fails_says_what_qemu_said() {
    let Some(host) = host().await else { return };
    let mut spec = host.spec("bad");
    spec.extra_args = vec!["-device".to_owned(), "no-such-thing".to_owned()];
    let error = Machine::launch(&host.qemu, spec).await.unwrap_err();
    assert!(matches!(error, MachineError::Launch { .. }), "{error}");
    let text = error.to_string();
    for part in
        ["\"bad\"", "status 1", "QEMU said: ", "no-such-thing' is not a valid device model", "the command was: "]
    {
        assert!(text.contains(part), "{part:?} is missing: {text}");
    }

    let mut spec = host.spec("missing");
    spec.kernel = "/no/such/kernel".into();
    let text = Machine::launch(&host.qemu, spec).await.unwrap_err().to_string();
    assert!(text.contains("the kernel /no/such/kernel"), "{text}");

    let mut spec = host.spec("not a kernel");
    spec.kernel.clone_from(&host.initrd);
    let text = Machine::launch(&host.qemu, spec).await.unwrap_err().to_string();
    assert!(text.contains("QEMU said: "), "{text}");

    let mut spec = host.spec("contradiction");
    spec.virtual_time = Some(VirtualTime::default());
    spec.cpus = 2;
    let text = Machine::launch(&host.qemu, spec).await.unwrap_err().to_string();
    assert!(text.contains("cpus = 2"), "{text}");
}

#[tokio::test]
async fn what_is_no_qemu_is_named() {
    let text = Qemu::at(Path::new("/bin/true")).await.unwrap_err().to_string();
    assert!(text.contains("/bin/true does not tell its version"), "{text}");
    assert!(Qemu::at(Path::new("/no/such/qemu")).await.is_err());
}

#[tokio::test]
async fn virtual_time_passes_while_the_guest_sleeps() {
    let Some(host) = host().await else { return };
    let mut answers = Vec::new();
    for _ in 0..2 {
        let mut spec = host.spec("virtual");
        spec.virtual_time = Some(VirtualTime::default());
        spec.rng_seed = Some(7);
        let (machine, mut shell) = host.booted(spec).await;
        // The kernel was told the rate of its counter: by itself it finds 999.966.
        let detected = shell.run("dmesg | grep tsc:").await;
        assert!(detected.contains("Detected 1000.000 MHz "), "{detected}");
        let begun = std::time::Instant::now();
        let slept: u64 = shell
            .run("a=$(cut -d. -f1 /proc/uptime); sleep 5000; b=$(cut -d. -f1 /proc/uptime); echo $((b - a))")
            .await
            .trim()
            .parse()
            .unwrap();
        assert!(slept >= 5000, "{slept}");
        assert!(begun.elapsed() < PATIENCE, "the guest's sleep took as long as the host's");
        answers.push(shell.run("cat /boot_random").await);
        machine.kill().await;
    }
    assert_eq!(answers[0], answers[1], "the seed decides");
    assert!(!answers[0].trim().is_empty());
}

#[tokio::test]
async fn other_boards_and_ports() {
    let Some(host) = host().await else { return };
    let serial = LaunchSpec { agent: AgentChannel::IsaSerial, ..host.spec("serial") };
    let (machine, mut shell) = host.booted(serial).await;
    assert_eq!(shell.run("echo $port").await, "/dev/ttyS1\n");
    machine.kill().await;
    let pc =
        LaunchSpec { board: Board::Pc, agent: AgentChannel::VirtioSerial(AGENT_PORT.to_owned()), ..host.spec("pc") };
    let (machine, mut shell) = host.booted(pc).await;
    assert!(shell.run("dmesg | grep DMI:").await.contains("i440FX"));
    machine.kill().await;
    let alone = host.launch(LaunchSpec { agent: AgentChannel::None, ..host.spec("alone") }).await;
    assert!(alone.take_agent_link().is_none());
    assert_eq!(alone.status().await.unwrap(), MachineStatus::Running);
}

#[tokio::test]
async fn a_port_and_a_link_are_given_once() {
    let Some(host) = host().await else { return };
    let machine = host.launch(host.spec("once")).await;
    let _shell = Shell::of(&machine);
    assert!(machine.take_agent_link().is_none());
}
