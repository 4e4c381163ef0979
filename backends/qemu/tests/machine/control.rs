//! Pause, resume, reset, the power button.

use std::time::Duration;

use provium_qemu::machine::MachineStatus;

use crate::guest::{PATIENCE, host};

#[tokio::test]
async fn a_paused_guest_stands_still() {
    let Some(host) = host().await else { return };
    let (machine, mut shell) = host.booted(host.spec("pause")).await;
    machine.pause().await.unwrap();
    machine.pause().await.unwrap();
    assert_eq!(machine.status().await.unwrap(), MachineStatus::Paused);
    shell.send("echo still").await;
    let answer = tokio::time::timeout(Duration::from_millis(200), shell.until("echo still\n")).await;
    assert!(answer.is_err(), "a paused guest answered");
    machine.resume().await.unwrap();
    shell.until("echo still\n").await;
    assert_eq!(machine.status().await.unwrap(), MachineStatus::Running);
}

#[tokio::test]
async fn a_guest_is_seen_to_rest_or_not() {
    let Some(host) = host().await else { return };
    let (machine, mut shell) = host.booted(host.spec("rest")).await;
    if std::fs::read_to_string("/proc/self/schedstat").is_err() {
        assert!(!machine.at_rest(PATIENCE).await, "nobody tells, and all the same it is known");
        return;
    }
    assert!(machine.at_rest(PATIENCE).await, "it has nothing to do");
    // Whoever works all the time is not waited for.
    shell.run("while :; do :; done < /dev/null > /dev/null 2>&1 &").await;
    assert!(!machine.at_rest(Duration::from_secs(1)).await, "it is busy");
    shell.run("kill $!").await;
    assert!(machine.at_rest(PATIENCE).await, "it has nothing to do any more");
}

#[tokio::test]
async fn a_guest_that_reboots_has_ended() {
    let Some(host) = host().await else { return };
    let (machine, mut shell) = host.booted(host.spec("reset")).await;
    shell.send("reboot").await;
    let ended = tokio::time::timeout(PATIENCE, machine.ended()).await.unwrap();
    assert!(ended.to_string().starts_with("the guest rebooted"), "{ended}");
}

#[tokio::test]
async fn a_guest_that_does_not_listen_ignores_the_power_button() {
    let Some(host) = host().await else { return };
    let (machine, mut shell) = host.booted(host.spec("button")).await;
    machine.power_button().await.unwrap();
    shell.send("echo here").await;
    shell.until("echo here\n").await;
    assert!(machine.has_ended().is_none());
}

#[tokio::test]
async fn a_command_nobody_waits_for_harms_nothing() {
    let Some(host) = host().await else { return };
    let machine = host.launch(host.spec("dropped")).await;
    for _ in 0..20 {
        // Mostly dropped before its answer came.
        let _ = tokio::time::timeout(Duration::ZERO, machine.status()).await;
    }
    assert_eq!(machine.status().await.unwrap(), MachineStatus::Running);
}
