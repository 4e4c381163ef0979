//! What `/proc` says of processes.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::sync::OnceLock;
use std::time::Duration;

use provium_protocol::process::ProcState;
use tokio::io::Interest;

use super::sys::{self, Fd};
use super::timer::Pauses;

/// The first pause between two looks at a process: the kernel tells nobody when one falls asleep or is stopped.
const FIRST_PAUSE: Duration = Duration::from_micros(200);
/// The longest pause: a person does not notice it, and a processor neither.
const LONGEST_PAUSE: Duration = Duration::from_millis(5);

/// Where the address stands at which arguments and environment end, counted from behind the name: what execve(2) sets last.
const ARGUMENTS_END: usize = 48;
/// Fields that are looked at.
const LAST_FIELD: usize = ARGUMENTS_END + 1;

/// Bytes for a line: 52 numbers of 20 digits, and a name of 64 bytes (proc(5)).
const LINE: usize = 2048;

/// How long a program may take to be seen as what it is: longer means that it cannot be seen.
const START_PATIENCE: Duration = Duration::from_millis(200);

/// The first pause between two looks at a program that starts; each is twice as long as the one before.
const START_PAUSE: Duration = Duration::from_micros(50);

/// One line of `/proc/PID/stat`, as far as it is of use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stat {
    pub comm: String,
    /// The letter of the state.
    pub state: u8,
    pub parent: i32,
    pub flags: u64,
    /// Where its arguments and environment end in its memory; 0 before they are there, and for those who may not know.
    pub arguments_end: u64,
}

/// Reads the line of a process, or of a thread when the path is that of one.
pub fn stat(path: &str) -> Option<Stat> {
    parse(&fs::read(path).ok()?)
}

fn parse(line: &[u8]) -> Option<Stat> {
    // A name may hold anything, brackets too.
    let open = line.iter().position(|byte| *byte == b'(')?;
    let close = line.iter().rposition(|byte| *byte == b')')?;
    let comm = String::from_utf8_lossy(line.get(open + 1..close)?).into_owned();
    let rest = std::str::from_utf8(line.get(close + 1..)?).ok()?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().take(LAST_FIELD).collect();
    Some(Stat {
        comm,
        state: *fields.first()?.as_bytes().first()?,
        parent: fields.get(1)?.parse().ok()?,
        flags: fields.get(6)?.parse().ok()?,
        // Kernels before 3.5 do not tell.
        arguments_end: fields.get(ARGUMENTS_END).and_then(|field| field.parse().ok()).unwrap_or(0),
    })
}

/// What the kernel says of a process.
pub fn state(pid: i32) -> ProcState {
    stat(&format!("/proc/{pid}/stat")).map_or(ProcState::Gone, |stat| match stat.state {
        b'R' => ProcState::Running,
        b'T' | b't' => ProcState::Stopped,
        b'Z' => ProcState::Zombie,
        b'X' | b'x' => ProcState::Gone,
        _ => ProcState::Sleeping,
    })
}

/// What an open file of that line says now.
fn look(line: &File) -> Option<Stat> {
    let mut buffer = [0; LINE];
    let length = line.read_at(&mut buffer, 0).ok()?;
    parse(buffer.get(..length)?)
}

/// Where the agent's own arguments end: that does not change, so it is asked until it is told once.
fn own_arguments_end() -> Option<u64> {
    static OWN: OnceLock<u64> = OnceLock::new();
    if let Some(own) = OWN.get() {
        return Some(*own);
    }
    let own = stat("/proc/self/stat").map(|stat| stat.arguments_end).filter(|own| *own != 0)?;
    Some(*OWN.get_or_init(|| own))
}

/// Waits until a process that execve(2) has given a memory of its own is seen as its program: the kernel lets the parent
/// go on a little earlier, when `/proc` still shows the name and the arguments of the agent. For threads that may sleep.
pub fn wait_started(pid: i32) {
    let (Some(own), Ok(line)) = (own_arguments_end(), File::open(format!("/proc/{pid}/stat"))) else { return };
    let is_early = |stat: Stat| stat.state != b'Z' && (stat.arguments_end == 0 || stat.arguments_end == own);
    let begun = std::time::Instant::now();
    let mut pause = START_PAUSE;
    while look(&line).is_some_and(is_early) {
        if begun.elapsed() > START_PATIENCE {
            return;
        }
        std::thread::sleep(pause);
        pause *= 2;
    }
}

/// Ends when a process is in a state.
pub async fn wait_state(pid: i32, wanted: ProcState) {
    if wanted == ProcState::Gone {
        ended(pid).await;
    }
    let mut pauses = Pauses::new(FIRST_PAUSE, LONGEST_PAUSE);
    while state(pid) != wanted {
        pauses.pause().await;
    }
}

/// Ends when a process has ended, reaped or not; at once where the kernel cannot tell.
async fn ended(pid: i32) {
    // SAFETY: it takes numbers.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, libc::PIDFD_NONBLOCK) };
    let Ok(fd) = i32::try_from(fd).map_err(drop).and_then(|fd| Fd::from_call(fd).map_err(drop)) else { return };
    if let Ok(fd) = sys::register(fd, Interest::READABLE) {
        // If that fails, looking again and again does it.
        let _ = fd.readable().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_anything() {
        let line = b"12 (a) b (c)) S 1 12 12 0 -1 4194560 103 0\n";
        let expected = Stat { comm: "a) b (c)".into(), state: b'S', parent: 1, flags: 4_194_560, arguments_end: 0 };
        assert_eq!(parse(line), Some(expected));
        assert_eq!(parse(b""), None);
        assert_eq!(parse(b"12 )a( S 1"), None);
    }

    #[test]
    fn a_line_that_is_looked_at_again_says_what_is_true_now() {
        let mut child = std::process::Command::new("/bin/sleep").arg("60").spawn().expect("it starts");
        wait_started(child.id().cast_signed());
        let line = File::open(format!("/proc/{}/stat", child.id())).expect("it is there");
        let before = look(&line).expect("it lives");
        assert_eq!(before.comm, "sleep");
        assert_ne!(before.state, b'Z');
        child.kill().expect("it is killed");
        while look(&line).expect("it is not reaped").state != b'Z' {
            std::thread::yield_now();
        }
        child.wait().expect("it is reaped");
        assert_eq!(look(&line), None);
    }

    #[test]
    fn a_process_that_is_not_there_is_gone() {
        assert_eq!(state(-1), ProcState::Gone);
        assert_ne!(state(i32::try_from(std::process::id()).unwrap()), ProcState::Gone);
    }
}
