//! Runs a script in a fresh simulated guest that has all programs.

use std::cell::RefCell;
use std::rc::Rc;

use provium_kernel::flags::{O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY};
use provium_kernel::vfs::root::RootTree;
use provium_kernel::{Machine, MachineConfig, ProgramTable, Sys, WaitFor, WaitOptions, WaitStatus, World};
use provium_protocol::choice::{Fixed, Seeded};
use provium_protocol::{Choices, Idle};

/// What a script wrote and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
    /// The exit status, as a shell shows it.
    pub code: i32,
}

/// The environment that scripts run with, in the guest and on the host.
pub const ENVIRONMENT: [(&str, &str); 4] =
    [("PATH", "/usr/bin:/bin"), ("LC_ALL", "C"), ("TZ", "UTC"), ("HOME", "/root")];

/// Steps after which a script counts as one that never ends.
const MAX_STEPS: u64 = 5_000_000;

/// What a run starts with: how `sh` is called, and its standard input.
#[derive(Clone, Debug)]
pub struct Start {
    /// The arguments of `sh`, its name first.
    pub argv: Vec<Vec<u8>>,
    /// What it reads; through a pipe if `piped`.
    pub stdin: Vec<u8>,
    /// Whether standard input is a pipe rather than a file.
    pub piped: bool,
    /// Files in the working directory.
    pub files: Vec<(String, Vec<u8>)>,
}

impl Start {
    /// `sh -c script name`.
    pub fn command(script: impl AsRef<[u8]>) -> Start {
        let argv = vec![b"sh".to_vec(), b"-c".to_vec(), script.as_ref().to_vec()];
        Start { argv, stdin: Vec::new(), piped: false, files: Vec::new() }
    }

    /// `sh script.sh`.
    pub fn file(script: impl AsRef<[u8]>) -> Start {
        let argv = vec![b"sh".to_vec(), b"script.sh".to_vec()];
        let files = vec![("script.sh".to_owned(), script.as_ref().to_vec())];
        Start { argv, stdin: Vec::new(), piped: false, files }
    }

    /// `sh` with the script on its standard input.
    pub fn input(script: impl AsRef<[u8]>, piped: bool) -> Start {
        Start { argv: vec![b"sh".to_vec()], stdin: script.as_ref().to_vec(), piped, files: Vec::new() }
    }
}

/// Runs a script with `sh -c` and the first-in-first-out schedule.
pub fn run_script(script: impl AsRef<[u8]>) -> Outcome {
    run(Start::command(script), Rc::new(Fixed::default()))
}

/// Runs a script with `sh -c` and a random schedule.
pub fn run_seeded(script: impl AsRef<[u8]>, seed: u64) -> Outcome {
    run(Start::command(script), Rc::new(Seeded::new(seed)))
}

/// Runs a script with `sh -c` for so many steps at most; what came of it if it ended.
pub fn run_for(script: impl AsRef<[u8]>, steps: u64) -> Option<Outcome> {
    run_steps(Start::command(script), Rc::new(Fixed::default()), steps)
}

/// Runs a shell to its end.
pub fn run(start: Start, choices: Rc<dyn Choices>) -> Outcome {
    run_to_end(start, choices).expect("the script ends")
}

/// The same; `None` if it does not end in any reasonable number of steps, or waits for what cannot happen.
pub fn run_to_end(start: Start, choices: Rc<dyn Choices>) -> Option<Outcome> {
    run_steps(start, choices, MAX_STEPS)
}

/// Runs a shell for so many steps at most. `None`: it did not end, or waits for what cannot happen.
fn run_steps(start: Start, choices: Rc<dyn Choices>, steps: u64) -> Option<Outcome> {
    let world = World::new(choices);
    let mut programs = ProgramTable::new();
    provium_programs::install(&mut programs);
    let config = MachineConfig::default();
    let tree = RootTree::new(&programs, config.memory / 2, config.boot_time);
    let machine = Machine::boot(&world, config, programs, tree, "init").unwrap();
    let result = Rc::new(RefCell::new(None));
    let slot = result.clone();
    machine
        .spawn_thread(1, move |init| {
            Box::pin(async move {
                *slot.borrow_mut() = Some(drive(init, start).await);
                0
            })
        })
        .unwrap();
    while result.borrow().is_none() && world.steps() < steps {
        if world.has_step() {
            world.step();
        } else if world.idle(None) != Idle::Woken {
            break;
        }
    }
    world.clear();
    result.borrow_mut().take()
}

async fn drive(init: Sys, start: Start) -> Outcome {
    init.mkdir("/work", 0o755).await.unwrap();
    for (name, content) in &start.files {
        put(&init, &format!("/work/{name}"), content).await;
    }
    put(&init, "/stdin", &start.stdin).await;
    put(&init, "/stdout", b"").await;
    put(&init, "/stderr", b"").await;
    let Start { argv, stdin, piped, .. } = start;
    let pipe = if piped { Some(init.pipe(0).await.unwrap()) } else { None };
    let shell = init
        .fork(move |sys| {
            Box::pin(async move {
                sys.chdir("/work").await.unwrap();
                match pipe {
                    Some((reading, writing)) => {
                        sys.close(writing).await.unwrap();
                        if reading != 0 {
                            sys.dup2(reading, 0).await.unwrap();
                            sys.close(reading).await.unwrap();
                        }
                    }
                    None => onto(&sys, "/stdin", O_RDONLY, 0).await,
                }
                onto(&sys, "/stdout", O_WRONLY, 1).await;
                onto(&sys, "/stderr", O_WRONLY, 2).await;
                let env = ENVIRONMENT.iter().map(|(name, value)| format!("{name}={value}").into_bytes()).collect();
                panic!("no shell: {:?}", sys.exec("/bin/sh", argv, env).await);
            })
        })
        .await
        .unwrap();
    if let Some((reading, writing)) = pipe {
        init.close(reading).await.unwrap();
        let _maybe_nobody_reads = init.write_all(writing, &stdin).await;
        init.close(writing).await.unwrap();
    }
    let code = loop {
        let (pid, status) = init.wait(WaitFor::Any, WaitOptions::default()).await.unwrap().unwrap();
        if pid == shell {
            break match status {
                WaitStatus::Exited(code) => code,
                WaitStatus::Signalled(signal, _) => 128 + signal.0,
                other => panic!("{other:?}"),
            };
        }
    };
    Outcome { stdout: init.read_file("/stdout").await.unwrap(), stderr: init.read_file("/stderr").await.unwrap(), code }
}

async fn put(sys: &Sys, path: &str, content: &[u8]) {
    let fd = sys.open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644).await.unwrap();
    sys.write_all(fd, content).await.unwrap();
    sys.close(fd).await.unwrap();
}

async fn onto(sys: &Sys, path: &str, flags: i32, fd: i32) {
    let opened = sys.open(path, flags | provium_kernel::flags::O_APPEND, 0).await.unwrap();
    if opened != fd {
        sys.dup2(opened, fd).await.unwrap();
        sys.close(opened).await.unwrap();
    }
}
