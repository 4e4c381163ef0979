//! Machines that begin from a saved one.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Instant;

use provium_qemu::machine::{
    AgentChannel, EndCause, LaunchSpec, Machine, MachineError, MachineStatus, TEMPLATES_LIMIT, Template, TemplateKey,
    TemplateStore, VirtualTime,
};

use crate::guest::{Host, Shell, host};

struct Saved {
    store: TemplateStore,
    key: TemplateKey,
    template: Template,
    _folder: tempfile::TempDir,
}

fn savable(host: &Host, name: &str) -> LaunchSpec {
    LaunchSpec { savable: true, ..host.spec(name) }
}

/// A template whose guest has a file `/saved`.
async fn saved(host: &Host) -> (Saved, Machine, Shell) {
    let folder = tempfile::tempdir().unwrap();
    let store = TemplateStore::open(folder.path(), TEMPLATES_LIMIT).unwrap();
    let spec = savable(host, "template");
    let key = TemplateKey::of(&host.qemu, &spec, None).unwrap();
    let lock = store.lock(&key).await.unwrap();
    let (machine, mut shell) = host.booted(spec).await;
    shell.run("echo content > /saved").await;
    let begun = Instant::now();
    let template = store.save(&lock, &machine).await.unwrap();
    eprintln!("saved in {:?}", begun.elapsed());
    (Saved { store, key, template, _folder: folder }, machine, shell)
}

async fn cloned(host: &Host, name: &str, template: &Template) -> (Machine, Shell) {
    let machine = Machine::clone_from(&host.qemu, savable(host, name), template).await.unwrap();
    let shell = Shell::of(&machine);
    (machine, shell)
}

#[tokio::test]
async fn clones_go_on_where_the_template_stood_and_do_not_meet() {
    let Some(host) = host().await else { return };
    let (saved, machine, mut shell) = saved(&host).await;
    // The saved machine itself goes on too.
    assert_eq!(machine.status().await.unwrap(), MachineStatus::Paused);
    machine.resume().await.unwrap();
    shell.run("echo changed > /saved").await;
    let (first, mut first_shell) = cloned(&host, "first", &saved.template).await;
    assert_eq!(first_shell.run("cat /saved").await, "content\n");
    first_shell.run("echo other > /saved; rm /bin/ls").await;
    let (second, mut second_shell) = cloned(&host, "second", &saved.template).await;
    assert_eq!(second_shell.run("cat /saved").await, "content\n");
    assert_eq!(second.status().await.unwrap(), MachineStatus::Running);
    let log = String::from_utf8_lossy(&first.console().log().bytes).into_owned();
    assert!(log.contains("BOOTED"), "a clone has not got the console of its boot: {log:?}");
    // Whoever comes later finds it whole: nobody has written to it.
    let again = TemplateStore::open(saved._folder.path(), TEMPLATES_LIMIT).unwrap();
    assert!(again.find(&saved.key).await.unwrap().is_some());
    assert_eq!(second.quit().await.cause.to_string(), "it was ended in order");
}

#[tokio::test]
async fn eight_clones_at_once() {
    let Some(host) = host().await else { return };
    let (saved, machine, _shell) = saved(&host).await;
    machine.kill().await;
    let host = Arc::new(host);
    let begun = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..8 {
        let (host, template) = (host.clone(), saved.template.clone());
        tasks.spawn(async move {
            let begun = Instant::now();
            let (machine, mut shell) = cloned(&host, &format!("clone{number}"), &template).await;
            shell.send("echo here").await;
            shell.until("echo here\n").await;
            let answered = begun.elapsed();
            assert_eq!(shell.run(&format!("echo {number} > /number; cat /saved")).await, "content\n");
            (answered, number, machine, shell)
        });
    }
    let mut all = tasks.join_all().await;
    let last = all.iter().map(|(answered, ..)| *answered).max().unwrap_or_default();
    eprintln!("eight clones answered after {last:?}, and ran a command after {:?}", begun.elapsed());
    for (_, number, _, shell) in &mut all {
        assert_eq!(shell.run("cat /number").await, format!("{number}\n"));
    }
}

#[tokio::test]
async fn of_many_that_want_a_template_one_makes_it() {
    let Some(host) = host().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let key = TemplateKey::of(&host.qemu, &savable(&host, "one"), None).unwrap();
    let boots = Cell::new(0);
    let wanted = || async {
        // Each with a store of its own, as processes have.
        let store = TemplateStore::open(folder.path(), TEMPLATES_LIMIT).unwrap();
        let make = async || {
            boots.set(boots.get() + 1);
            let (machine, _shell) = host.booted(savable(&host, "one")).await;
            Ok::<_, MachineError>(machine)
        };
        store.find_or_make(&key, make).await.unwrap()
    };
    let (a, b, c) = tokio::join!(wanted(), wanted(), wanted());
    assert_eq!(boots.get(), 1);
    for template in [a, b, c] {
        let (_machine, mut shell) = cloned(&host, "clone", &template).await;
        assert_eq!(shell.run("echo here").await, "here\n");
    }
    TemplateStore::open(folder.path(), TEMPLATES_LIMIT).unwrap().forget(&key).await.unwrap();
    wanted().await;
    assert_eq!(boots.get(), 2);
}

#[tokio::test]
async fn another_machine_is_another_template() {
    let Some(host) = host().await else { return };
    let key = |spec: &LaunchSpec| TemplateKey::of(&host.qemu, spec, None).unwrap();
    let spec = savable(&host, "one");
    let first = key(&spec);
    assert_eq!(first, key(&LaunchSpec { rng_seed: Some(5), ..savable(&host, "two") }));
    let mut others = vec![first];
    for change in [
        |spec: &mut LaunchSpec| spec.memory_mib += 1,
        |spec: &mut LaunchSpec| spec.cpus += 1,
        |spec: &mut LaunchSpec| spec.cmdline.push_str(" more"),
        |spec: &mut LaunchSpec| spec.cpu_model = Some("qemu64".to_owned()),
        |spec: &mut LaunchSpec| spec.initrd = None,
        |spec: &mut LaunchSpec| spec.virtual_time = Some(VirtualTime { shift: 3 }),
        |spec: &mut LaunchSpec| spec.agent = AgentChannel::IsaSerial,
        |spec: &mut LaunchSpec| spec.extra_args.push("-s".to_owned()),
    ] {
        let mut spec = spec.clone();
        change(&mut spec);
        let key = key(&spec);
        assert!(!others.contains(&key), "{}", key.text());
        others.push(key);
    }
    let named = |content| TemplateKey::of(&host.qemu, &spec, Some(content)).unwrap();
    assert_ne!(named("a"), named("b"));
    // The same place with another content.
    let before = key(&spec);
    let date = std::time::SystemTime::UNIX_EPOCH;
    std::fs::File::options().append(true).open(&host.initrd).unwrap().set_modified(date).unwrap();
    assert_ne!(before, key(&spec));
}

#[tokio::test]
async fn what_can_not_be_saved_or_restored_says_why() {
    let Some(host) = host().await else { return };
    let (saved, machine, _shell) = saved(&host).await;
    machine.kill().await;
    let lock = saved.store.lock(&saved.key).await.unwrap();
    let ended = saved.store.save(&lock, &machine).await.unwrap_err();
    assert!(matches!(ended, MachineError::Gone { .. }), "{ended}");
    let plain = host.launch(host.spec("plain")).await;
    let text = saved.store.save(&lock, &plain).await.unwrap_err().to_string();
    assert!(text.contains("it was not made to be saved"), "{text}");

    let other = LaunchSpec { memory_mib: 128, ..savable(&host, "smaller") };
    let text = Machine::clone_from(&host.qemu, other, &saved.template).await.unwrap_err().to_string();
    assert!(text.contains("128 MiB, and the saved machine has 256 MiB"), "{text}");
    // Another device, which a key would tell: QEMU refuses it, and its words are there.
    let other = LaunchSpec { cpus: 2, ..savable(&host, "other") };
    let text = Machine::clone_from(&host.qemu, other, &saved.template).await.unwrap_err().to_string();
    assert!(text.contains("QEMU said: "), "{text}");
}

#[tokio::test]
async fn virtual_time_goes_on_in_a_clone() {
    let Some(host) = host().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let store = TemplateStore::open(folder.path(), TEMPLATES_LIMIT).unwrap();
    let spec = LaunchSpec { virtual_time: Some(VirtualTime::default()), ..savable(&host, "virtual") };
    let key = TemplateKey::of(&host.qemu, &spec, None).unwrap();
    let lock = store.lock(&key).await.unwrap();
    let (machine, _shell) = host.booted(spec.clone()).await;
    let template = store.save(&lock, &machine).await.unwrap();
    assert_eq!(machine.kill().await.cause, EndCause::Killed { signal: 9, by_us: true });
    let machine = Machine::clone_from(&host.qemu, spec, &template).await.unwrap();
    let mut shell = Shell::of(&machine);
    let slept = "a=$(cut -d. -f1 /proc/uptime); sleep 3000; b=$(cut -d. -f1 /proc/uptime); echo $((b - a))";
    let slept: u64 = shell.run(slept).await.trim().parse().unwrap();
    assert!((3000..6000).contains(&slept), "{slept}");
}
