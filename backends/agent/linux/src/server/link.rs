//! Where the host is, and moving bytes between it and a conversation.

use std::ffi::CStr;
use std::fs;
use std::os::fd::IntoRawFd;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use provium_agent::Agent;
use provium_agent::sync::{First, race};
use provium_protocol::Errno;
use provium_protocol::wire::Sending;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::conversation::Conversation;
use super::port::{Port, Read};
use super::settle::Power;
use crate::os::LinuxOs;
use crate::os::sys::{self, Fd, check};

/// Bytes read and written at once: what the host's side writes at once.
const PIECE: usize = 64 << 10;

/// Bytes that a virtio port gives at a time: fewer are the end of what was there.
const PAGE: usize = 4096;

/// How often a port is looked for that is not there yet: its driver may still be starting.
const LOOK_FOR_PORT: Duration = Duration::from_millis(2);

/// How long a virtio port may take to appear before a serial port is taken: drivers take milliseconds.
const PORT_PATIENCE: Duration = Duration::from_secs(1);

/// The name of the virtio port that the host gives a guest for its agent.
const PORT: &str = "provium.agent.0";

/// The serial port of guests without virtio; the first one is the console.
const SERIAL: &str = "/dev/ttyS1";

/// Where the kernel lists virtio ports.
const PORTS: &str = "/sys/class/virtio-ports";

/// Where the host is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// The virtio port of provium's name, or else the second serial port.
    Auto,
    /// The virtio port of this name.
    VirtioPort(String),
    /// A port, terminal or FIFO at a path.
    Device(PathBuf),
    /// A unix socket that the agent makes; one host after another.
    Unix(PathBuf),
    /// A vsock port that the agent listens on; one host after another.
    Vsock(u32),
    /// Standard input and output; the agent ends with them.
    Stdio,
}

/// Serves hosts for ever, or until standard input ends.
///
/// # Errors
/// When there is no such endpoint, or its descriptor fails.
pub async fn serve(agent: Agent<LinuxOs>, power: Rc<Power>, endpoint: &Endpoint) -> Result<(), Errno> {
    let conversation = Conversation::new(agent, power);
    match endpoint {
        Endpoint::VirtioPort(name) => {
            let path = find_port(name, false).await;
            speak(&conversation, &device(&path)?, true).await
        }
        Endpoint::Auto => {
            let path = find_port(PORT, true).await;
            speak(&conversation, &device(&path)?, true).await
        }
        Endpoint::Device(path) => speak(&conversation, &device(path)?, true).await,
        Endpoint::Unix(path) => {
            // One that an earlier agent has left.
            let _ = fs::remove_file(path);
            let listener = UnixListener::bind(path).map_err(|error| sys::errno_of(&error))?;
            accept(&conversation, Fd::new(listener.into_raw_fd())).await
        }
        Endpoint::Vsock(port) => accept(&conversation, vsock(*port)?).await,
        Endpoint::Stdio => {
            let duplicate = |fd| {
                // SAFETY: it takes numbers.
                Fd::from_call(unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 3) })
            };
            let port = Port::new(duplicate(0)?, Some(duplicate(1)?))?;
            speak(&conversation, &port, false).await
        }
    }
}

/// Speaks with hosts, one after another: a newcomer takes the place of who is there.
async fn accept(conversation: &Rc<Conversation>, listener: Fd) -> Result<(), Errno> {
    sys::set_nonblocking(&listener)?;
    let listener = sys::register(listener, Interest::READABLE)?;
    let mut next = connection(&listener).await?;
    loop {
        let port = Port::new(next, None)?;
        let spoken = async {
            // A connection that fails is over, as one that ends.
            let _ = speak(conversation, &port, false).await;
            std::future::pending::<()>().await;
        };
        let newcomer = connection(&listener);
        next = match race(newcomer, spoken).await {
            First::A(newcomer) => newcomer?,
            First::B(()) => return Ok(()),
        };
        conversation.disconnected();
    }
}

async fn connection(listener: &AsyncFd<Fd>) -> Result<Fd, Errno> {
    let accepted = listener.async_io(Interest::READABLE, |listener| {
        // SAFETY: nobody wants the address.
        let fd =
            unsafe { libc::accept4(listener.raw(), std::ptr::null_mut(), std::ptr::null_mut(), libc::SOCK_CLOEXEC) };
        if fd < 0 { Err(std::io::Error::last_os_error()) } else { Ok(Fd::new(fd)) }
    });
    accepted.await.map_err(|error| sys::errno_of(&error))
}

/// Moves bytes. An end is the end, unless `returns`: then the host may come back.
async fn speak(conversation: &Rc<Conversation>, port: &Port, returns: bool) -> Result<(), Errno> {
    let mut buffer = vec![0; PIECE];
    let mut sending = Sending::default();
    let mut present = true;
    loop {
        let mut moved = false;
        let (bytes, end) = fill(port, &mut buffer)?;
        if bytes > 0 {
            (moved, present) = (true, true);
            let waits = conversation.take(buffer.get(..bytes).unwrap_or_default()).await;
            if waits {
                // What was asked for goes on before more is read.
                tokio::task::yield_now().await;
            }
        } else if end {
            if present {
                conversation.disconnected();
                sending = Sending::default();
            }
            present = false;
            if !returns {
                return Ok(());
            }
        } else {
            present = true;
        }
        if sending.rest().is_empty() {
            conversation.outgoing.take(&mut sending, PIECE);
        }
        if present && !sending.rest().is_empty() {
            let written = port.write(sending.rest())?;
            sending.advance(written);
            moved |= written > 0;
        }
        if moved {
            continue;
        }
        if !present {
            port.host().await?;
        } else if !sending.rest().is_empty() {
            port.input_or_room().await?;
        } else if conversation.outgoing.is_empty() {
            match race(port.input(), conversation.outgoing.filled()).await {
                First::A(heard) => heard?,
                First::B(()) => {}
            }
        }
    }
}

/// Reads what is there, up to a buffer full: how much, and whether the end came then. A virtio port gives a page at a time.
fn fill(port: &Port, buffer: &mut [u8]) -> Result<(usize, bool), Errno> {
    let mut filled = 0;
    while let Some(room) = buffer.get_mut(filled..).filter(|room| !room.is_empty()) {
        match port.read(room)? {
            // The rest may have come meanwhile: whoever has taken this in looks again before it waits.
            Read::Bytes(bytes) if bytes < PAGE => return Ok((filled + bytes, false)),
            Read::Bytes(bytes) => filled += bytes,
            Read::Nothing => break,
            Read::End => return Ok((filled, true)),
        }
    }
    Ok((filled, false))
}

/// Waits for the virtio port of this name; `or_serial` says whether the second serial port will do if none comes.
async fn find_port(name: &str, or_serial: bool) -> PathBuf {
    let begun = tokio::time::Instant::now();
    loop {
        for entry in fs::read_dir(PORTS).into_iter().flatten().flatten() {
            let found = fs::read_to_string(entry.path().join("name")).unwrap_or_default();
            if found.trim_end() == name {
                return PathBuf::from("/dev").join(entry.file_name());
            }
        }
        if or_serial && begun.elapsed() > PORT_PATIENCE && is_serial(SERIAL) {
            return PathBuf::from(SERIAL);
        }
        tokio::time::sleep(LOOK_FOR_PORT).await;
    }
}

/// Opens a device; a terminal is made to pass bytes as they are.
fn device(path: &std::path::Path) -> Result<Port, Errno> {
    use std::os::unix::ffi::OsStrExt;
    let path = sys::c_string(path.as_os_str().as_bytes())?;
    let fd = open(&path)?;
    // SAFETY: it takes a number.
    if unsafe { libc::isatty(fd.raw()) } == 1 {
        make_raw(&fd)?;
    }
    Port::new(fd, None)
}

/// Whether there is a serial port behind a device: the kernel has devices for more than there are.
fn is_serial(path: &str) -> bool {
    /// The beginning of `struct serial_struct`: the type of the chip, 0 for none.
    #[repr(C)]
    struct SerialInfo {
        kind: libc::c_int,
        rest: [u64; 16],
    }
    let Ok(fd) = sys::c_string(path.as_bytes()).and_then(|path| open(&path)) else { return false };
    let mut info = SerialInfo { kind: 0, rest: [0; 16] };
    // SAFETY: `info` is there to be written to, and larger than the structure.
    unsafe { libc::ioctl(fd.raw(), libc::TIOCGSERIAL, &raw mut info) == 0 && info.kind != 0 }
}

fn open(path: &CStr) -> Result<Fd, Errno> {
    let flags = libc::O_RDWR | libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_CLOEXEC;
    // SAFETY: `path` ends in a NUL.
    Fd::from_call(unsafe { libc::open(path.as_ptr(), flags) })
}

fn make_raw(fd: &Fd) -> Result<(), Errno> {
    // SAFETY: all zeros are a valid `termios`, and it is there to be written to and read.
    unsafe {
        let mut settings: libc::termios = std::mem::zeroed();
        check(libc::tcgetattr(fd.raw(), &raw mut settings))?;
        libc::cfmakeraw(&raw mut settings);
        settings.c_cflag = settings.c_cflag & !libc::CBAUD | libc::CLOCAL | libc::CREAD | libc::B115200;
        check(libc::tcsetattr(fd.raw(), libc::TCSANOW, &raw const settings))?;
    }
    Ok(())
}

fn vsock(port: u32) -> Result<Fd, Errno> {
    // SAFETY: these take numbers, and an address of the size that is said.
    unsafe {
        let fd = Fd::from_call(libc::socket(libc::AF_VSOCK, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0))?;
        let mut address: libc::sockaddr_vm = std::mem::zeroed();
        address.svm_family = libc::AF_VSOCK as libc::sa_family_t;
        address.svm_port = port;
        address.svm_cid = libc::VMADDR_CID_ANY;
        let size = size_of::<libc::sockaddr_vm>() as libc::socklen_t;
        check(libc::bind(fd.raw(), (&raw const address).cast(), size))?;
        check(libc::listen(fd.raw(), 1))?;
        Ok(fd)
    }
}
