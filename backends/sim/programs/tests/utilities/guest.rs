//! Runs utilities in a fresh simulated guest, one after the other, each by its words.

use std::cell::RefCell;
use std::rc::Rc;

use provium_kernel::flags::{O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY};
use provium_kernel::vfs::root::RootTree;
use provium_kernel::{Machine, MachineConfig, ProgramTable, Sys, WaitFor, WaitOptions, WaitStatus, World};
use provium_protocol::choice::Fixed;
use provium_protocol::{Choices, Idle};

/// What a command came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// Exit code, or 128 and the signal.
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// Steps before a test counts as hanging.
const MAX_STEPS: u64 = 5_000_000;

/// Runs commands in `/tmp/work`, each a line of words (quotes keep blanks; `<FILE` is standard input),
/// with the first-in-first-out schedule.
pub fn run(lines: &[&str]) -> Vec<Ran> {
    run_with(Rc::new(Fixed::default()), lines)
}

fn run_with(choices: Rc<dyn Choices>, lines: &[&str]) -> Vec<Ran> {
    let world = World::new(choices);
    let mut programs = ProgramTable::new();
    provium_programs::install(&mut programs);
    let config = MachineConfig::default();
    let tree = RootTree::new(&programs, config.memory / 2, config.boot_time);
    let machine = Machine::boot(&world, config, programs, tree, "init").unwrap();
    let results = Rc::new(RefCell::new(Vec::new()));
    let done = Rc::new(RefCell::new(false));
    let (sink, finished) = (results.clone(), done.clone());
    let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    machine
        .spawn_thread(1, move |sys| {
            Box::pin(async move {
                sys.mkdir("/tmp/work", 0o755).await.unwrap();
                sys.chdir("/tmp/work").await.unwrap();
                for line in lines {
                    let ran = command(&sys, &line).await;
                    sink.borrow_mut().push(ran);
                }
                *finished.borrow_mut() = true;
                sys.pause().await;
                0
            })
        })
        .unwrap();
    let mut steps = 0;
    while !*done.borrow() {
        steps += 1;
        assert!(steps < MAX_STEPS, "too many steps; so far: {:?}", results.borrow());
        if world.has_step() {
            world.step();
        } else {
            assert_eq!(world.idle(None), Idle::Woken, "deadlock; so far: {:?}", results.borrow());
        }
    }
    world.clear();
    results.take()
}

/// Runs one command; its outputs go through files outside of its directory.
async fn command(sys: &Sys, line: &str) -> Ran {
    let mut words = split(line);
    let mut input = "/dev/null".to_owned();
    words.retain(|word| match word.strip_prefix('<') {
        Some(file) => {
            input = file.to_owned();
            false
        }
        None => true,
    });
    let program = words.first().cloned().unwrap_or_default();
    let argv: Vec<Vec<u8>> = words.into_iter().map(String::into_bytes).collect();
    let env = [b"PATH=/usr/bin:/bin:/usr/sbin:/sbin".to_vec(), b"HOME=/root".to_vec()].to_vec();
    let child = sys
        .fork(move |sys| {
            Box::pin(async move {
                for (fd, path, flags) in [
                    (0, input.as_str(), O_RDONLY),
                    (1, "/run/out", O_WRONLY | O_CREAT | O_TRUNC),
                    (2, "/run/err", O_WRONLY | O_CREAT | O_TRUNC),
                ] {
                    let opened = sys.open(path, flags, 0o600).await.unwrap();
                    if opened != fd {
                        sys.dup2(opened, fd).await.unwrap();
                        sys.close(opened).await.unwrap();
                    }
                }
                let errno = provium_programs::shared::exec::exec_path(&sys, argv, env).await;
                sys.write_all(2, format!("{program}: {}\n", errno.text()).as_bytes()).await.unwrap();
                127
            })
        })
        .await
        .unwrap();
    let status = loop {
        if let Ok(Some((_, status))) = sys.wait(WaitFor::Pid(child), WaitOptions::default()).await {
            break status;
        }
    };
    let code = match status {
        WaitStatus::Exited(code) => code,
        WaitStatus::Signalled(signal, _) => 128 + signal.0,
        other => panic!("{other:?}"),
    };
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ran {
        code,
        stdout: text(sys.read_file("/run/out").await.unwrap()),
        stderr: text(sys.read_file("/run/err").await.unwrap()),
    }
}

/// Words of a line; single quotes keep what is in them together.
fn split(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted, mut started) = (Vec::new(), String::new(), false, false);
    for symbol in line.chars() {
        match symbol {
            '\'' => (quoted, started) = (!quoted, true),
            ' ' if !quoted => {
                if started {
                    words.push(std::mem::take(&mut word));
                }
                started = false;
            }
            other => {
                word.push(other);
                started = true;
            }
        }
    }
    if started {
        words.push(word);
    }
    words
}
