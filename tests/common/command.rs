//! Runs the command `provium` as people do.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long one command may take by the host's clock. Everything is virtual time inside, so what takes this long hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// The most memory of one command, in KiB of address space (4 GiB): no test needs a tenth of it, and one that grows
/// without end is found before the machine suffers.
const MEMORY_KIB: u64 = 4 << 20;

/// What the command did.
pub struct Output {
    /// Its exit code; `None` if a signal ended it or it had to be killed.
    pub code: Option<i32>,
    /// What it wrote to both outputs.
    pub text: String,
}

/// Runs `provium` with these arguments in a directory.
pub fn provium(directory: &Path, args: &[&str]) -> Output {
    // What fails here fails on purpose, and nobody wants to replay it.
    let runs = !args.first().is_some_and(|first| ["list", "replay", "trace"].contains(first));
    let record = runs.then_some("--record=never");
    let mut child = Command::new("sh")
        .args(["-c", &format!("ulimit -v {MEMORY_KIB}; exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_provium")])
        .args(args)
        .args(record)
        .current_dir(directory)
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command was built");
    let (mut stdout, mut stderr) = (child.stdout.take(), child.stderr.take());
    let collect = |pipe: Option<Box<dyn Read + Send>>| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            if let Some(mut pipe) = pipe {
                pipe.read_to_end(&mut bytes).expect("the command's output can be read");
            }
            String::from_utf8_lossy(&bytes).into_owned()
        })
    };
    let out = collect(stdout.take().map(|pipe| Box::new(pipe) as Box<dyn Read + Send>));
    let err = collect(stderr.take().map(|pipe| Box::new(pipe) as Box<dyn Read + Send>));
    let started = Instant::now();
    let code = loop {
        if let Some(status) = child.try_wait().expect("the command can be waited for") {
            break status.code();
        }
        if started.elapsed() > PATIENCE {
            child.kill().expect("the command can be killed");
            child.wait().expect("the command can be waited for");
            break None;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let mut text = out.join().expect("the reader does not panic");
    text.push_str(&err.join().expect("the reader does not panic"));
    Output { code, text }
}
