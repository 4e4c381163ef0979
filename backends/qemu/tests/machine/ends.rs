//! All the ways in which a machine ends, told apart.

use std::sync::Arc;

use provium_qemu::machine::{EndCause, Ended, ExitedBy, Machine, MachineError};

use crate::guest::{PATIENCE, host};

async fn ended(machine: &Machine) -> Arc<Ended> {
    tokio::time::timeout(PATIENCE, machine.ended()).await.unwrap()
}

fn signal(machine: &Machine, signal: rustix::process::Signal) {
    let pid = i32::try_from(machine.pid().unwrap()).unwrap();
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), signal).unwrap();
}

#[tokio::test]
async fn a_panic_has_its_message_and_the_console() {
    let Some(host) = host().await else { return };
    for (name, before) in [("pvpanic", ""), ("no pvpanic", "rmmod pvpanic-pci; ")] {
        let (machine, mut shell) = host.booted(host.spec(name)).await;
        shell.send(&format!("sh {before}echo c > /proc/sysrq-trigger")).await;
        let ended = ended(&machine).await;
        assert_eq!(ended.cause, EndCause::Panicked { message: Some("sysrq triggered crash".to_owned()) });
        assert!(ended.console_tail.contains("RIP: "), "{}", ended.console_tail);
        let log = machine.console().log().bytes;
        assert!(String::from_utf8_lossy(&log).contains("sysrq_handle_crash"));
    }
}

#[tokio::test]
async fn a_guest_that_switches_itself_off_has_exited() {
    let Some(host) = host().await else { return };
    let (machine, mut shell) = host.booted(host.spec("poweroff")).await;
    shell.send("poweroff").await;
    let ended = ended(&machine).await;
    assert_eq!(ended.cause, EndCause::Exited { status: 0, by: ExitedBy::GuestShutdown });
    let error = machine.pause().await.unwrap_err();
    assert!(matches!(error, MachineError::Gone { .. }));
    assert!(error.to_string().contains("the guest switched itself off"), "{error}");
}

#[tokio::test]
async fn a_killed_qemu_is_told_from_one_that_was_asked_to_exit() {
    let Some(host) = host().await else { return };
    let machine = host.launch(host.spec("killed")).await;
    signal(&machine, rustix::process::Signal::KILL);
    // A command at the moment of the end has the end as its error.
    let error = machine.pause().await.err().map(|error| error.to_string());
    assert!(error.is_none_or(|text| text.contains("killed by signal 9")));
    assert_eq!(ended(&machine).await.cause, EndCause::Killed { signal: 9, by_us: false });

    let machine = host.launch(host.spec("terminated")).await;
    signal(&machine, rustix::process::Signal::TERM);
    assert_eq!(ended(&machine).await.cause, EndCause::Exited { status: 0, by: ExitedBy::HostSignal });

    let machine = host.launch(host.spec("quit")).await;
    assert_eq!(machine.quit().await.cause, EndCause::Exited { status: 0, by: ExitedBy::Quit });
    assert_eq!(machine.quit().await.cause, EndCause::Exited { status: 0, by: ExitedBy::Quit });

    let machine = host.launch(host.spec("killed by us")).await;
    assert_eq!(machine.kill().await.cause, EndCause::Killed { signal: 9, by_us: true });
}

#[tokio::test]
async fn a_dropped_machine_is_killed() {
    let Some(host) = host().await else { return };
    let machine = host.launch(host.spec("dropped")).await;
    let mut end = machine.end_watch();
    drop(machine);
    assert_eq!(end.wait().await.cause, EndCause::Killed { signal: 9, by_us: true });
}

#[tokio::test]
async fn a_qemu_that_can_not_be_driven_is_killed() {
    let Some(host) = host().await else { return };
    let (machine, mut shell) = host.booted(host.spec("monitor")).await;
    machine.disconnect().unwrap();
    // The guest has not noticed.
    shell.send("echo here").await;
    shell.until("echo here\n").await;
    assert_eq!(ended(&machine).await.cause, EndCause::QmpClosed);
    let text = machine.pause().await.unwrap_err().to_string();
    assert!(text.contains("QEMU closed its monitor"), "{text}");
}

#[tokio::test]
async fn a_machine_ends_with_its_runtime() {
    let Some(host) = host().await else { return };
    let other = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let machine = runtime.block_on(host.launch(host.spec("runtime")));
        runtime.shutdown_background();
        (machine.pid().unwrap(), machine)
    });
    let (pid, machine) = other.join().unwrap();
    // Nobody is left who could report the end; the process is gone all the same.
    let begun = std::time::Instant::now();
    while crate::left_behind::lives(&pid.to_string()) {
        assert!(begun.elapsed() < PATIENCE, "QEMU outlives its runtime");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert!(matches!(machine.ended().await.cause, EndCause::Killed { by_us: true, .. }));
}
