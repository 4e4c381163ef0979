//! Runs utilities in a fresh simulated guest, one after the other, each by its words.

use std::cell::{Cell, RefCell};
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

/// Runs commands in `/tmp/work`, each a line of words (single quotes keep blanks; `<FILE` is standard
/// input), with the first-in-first-out schedule.
pub fn run(lines: &[&str]) -> Vec<Ran> {
    let lines = lines.iter().map(|line| split(line)).collect();
    let (results, ended) = drive(Rc::new(Fixed::default()), lines, MAX_STEPS);
    assert!(ended, "nothing more happens after {results:#?}");
    results
}

/// Runs one command by its words for so many steps at most; `None` if it does not end.
pub fn run_words(words: &[Vec<u8>], max_steps: u64) -> Option<Ran> {
    drive(Rc::new(Fixed::default()), vec![words.to_vec()], max_steps).0.pop()
}

fn drive(choices: Rc<dyn Choices>, lines: Vec<Vec<Vec<u8>>>, max_steps: u64) -> (Vec<Ran>, bool) {
    let world = World::new(choices);
    let mut programs = ProgramTable::new();
    provium_programs::install(&mut programs);
    let config = MachineConfig::default();
    let tree = RootTree::new(&programs, config.memory / 2, config.boot_time);
    let machine = Machine::boot(&world, config, programs, tree, "init").unwrap();
    let results = Rc::new(RefCell::new(Vec::new()));
    let done = Rc::new(Cell::new(false));
    let (sink, finished) = (results.clone(), done.clone());
    machine
        .spawn_thread(1, move |sys| {
            Box::pin(async move {
                sys.mkdir("/tmp/work", 0o755).await.unwrap();
                sys.chdir("/tmp/work").await.unwrap();
                for line in lines {
                    let ran = command(&sys, line).await;
                    sink.borrow_mut().push(ran);
                }
                finished.set(true);
                sys.pause().await;
                0
            })
        })
        .unwrap();
    for _ in 0..max_steps {
        if done.get() {
            break;
        }
        if world.has_step() {
            world.step();
        } else if world.idle(None) != Idle::Woken {
            break;
        }
    }
    world.clear();
    (results.take(), done.get())
}

/// Runs one command; its outputs go through files outside of its directory.
async fn command(sys: &Sys, mut words: Vec<Vec<u8>>) -> Ran {
    let mut input = b"/dev/null".to_vec();
    words.retain(|word| match word.strip_prefix(b"<") {
        Some(file) => {
            input = file.to_vec();
            false
        }
        None => true,
    });
    let env = [b"PATH=/usr/bin:/bin:/usr/sbin:/sbin".to_vec(), b"HOME=/root".to_vec()].to_vec();
    let child = sys
        .fork(move |sys| {
            Box::pin(async move {
                for (fd, path, flags) in [
                    (0, input.as_slice(), O_RDONLY),
                    (1, b"/run/out", O_WRONLY | O_CREAT | O_TRUNC),
                    (2, b"/run/err", O_WRONLY | O_CREAT | O_TRUNC),
                ] {
                    let opened = sys.open(path, flags, 0o600).await.unwrap();
                    if opened != fd {
                        sys.dup2(opened, fd).await.unwrap();
                        sys.close(opened).await.unwrap();
                    }
                }
                let errno = provium_programs::shared::exec::exec_path(&sys, words, env).await;
                sys.write_all(2, format!("{}\n", errno.text()).as_bytes()).await.unwrap();
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
        stdout: text(sys.read_file("/run/out").await.unwrap_or_default()),
        stderr: text(sys.read_file("/run/err").await.unwrap_or_default()),
    }
}

/// Words of a line; single quotes keep what is in them together.
fn split(line: &str) -> Vec<Vec<u8>> {
    let (mut words, mut word, mut quoted, mut started) = (Vec::new(), String::new(), false, false);
    for symbol in line.chars() {
        match symbol {
            '\'' => (quoted, started) = (!quoted, true),
            ' ' if !quoted => {
                if started {
                    words.push(std::mem::take(&mut word).into_bytes());
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
        words.push(word.into_bytes());
    }
    words
}
