//! Descriptors that bytes come and go through, whatever they are.
//!
//! A virtio port whose host has gone reports `EPOLLHUP` for as long as nobody has come back, which the runtime never forgets
//! of a descriptor: it would ask again and again. So the runtime is asked about the port itself only while the host is there,
//! which is the shortest way for what it says. In all other cases readiness is had from an epoll instance of the port's own,
//! which is itself listened to edge-triggered: it reports each change once, the host's return too. What the changes were is
//! never asked of it: whoever learns of one looks at the descriptors.

use std::cell::{Cell, RefCell};
use std::os::fd::{AsRawFd, RawFd};
use std::rc::Rc;
use std::time::Duration;

use provium_protocol::Errno;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::os::sys::{self, Fd, check};

/// How often a port without a host is looked at all the same.
const SLOW_LOOK: Duration = Duration::from_secs(1);

/// Something to read from and write to, without waiting.
pub struct Port {
    /// The input as the runtime listens to it; before it, so that it goes first.
    direct: RefCell<Option<Rc<AsyncFd<Number>>>>,
    /// The runtime has told of an end, and nothing has come since.
    ended: Cell<bool>,
    /// The epoll instance.
    events: AsyncFd<Fd>,
    /// What that listens to.
    watch: Cell<Watch>,
    input: Fd,
    /// Where it is not the same.
    output: Option<Fd>,
}

/// A descriptor that somebody else keeps open.
struct Number(RawFd);

impl AsRawFd for Number {
    fn as_raw_fd(&self) -> RawFd {
        self.0
    }
}

/// What the epoll instance listens to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Watch {
    Nothing,
    Input,
    /// The input, and room to write.
    InputAndRoom,
}

/// What one read came to.
pub enum Read {
    /// So many bytes.
    Bytes(usize),
    /// None yet.
    Nothing,
    /// There is nobody at the other end.
    End,
}

impl Port {
    /// Takes descriptors over; `output` where it is another than the input.
    pub fn new(input: Fd, output: Option<Fd>) -> Result<Port, Errno> {
        // SAFETY: it takes a number.
        let epoll = Fd::from_call(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        for fd in [Some(&input), output.as_ref()].into_iter().flatten() {
            sys::set_nonblocking(fd)?;
        }
        let events = sys::register(epoll, Interest::READABLE)?;
        Ok(Port {
            direct: RefCell::default(),
            ended: Cell::default(),
            events,
            watch: Cell::new(Watch::Nothing),
            input,
            output,
        })
    }

    fn writes_to(&self) -> &Fd {
        self.output.as_ref().unwrap_or(&self.input)
    }

    /// Has the epoll instance listen to this. What is there already is told, too.
    fn watch(&self, wanted: Watch) -> Result<(), Errno> {
        let old = self.watch.replace(wanted);
        if old == wanted {
            return Ok(());
        }
        if old != Watch::Nothing {
            self.control(libc::EPOLL_CTL_DEL, &self.input, 0)?;
        }
        if let (Watch::InputAndRoom, Some(output)) = (old, &self.output) {
            self.control(libc::EPOLL_CTL_DEL, output, 0)?;
        }
        match (wanted, &self.output) {
            (Watch::Nothing, _) => Ok(()),
            (Watch::Input, _) => self.control(libc::EPOLL_CTL_ADD, &self.input, libc::EPOLLIN),
            (Watch::InputAndRoom, None) => {
                self.control(libc::EPOLL_CTL_ADD, &self.input, libc::EPOLLIN | libc::EPOLLOUT)
            }
            (Watch::InputAndRoom, Some(output)) => {
                self.control(libc::EPOLL_CTL_ADD, &self.input, libc::EPOLLIN)?;
                self.control(libc::EPOLL_CTL_ADD, output, libc::EPOLLOUT)
            }
        }
    }

    fn control(&self, operation: libc::c_int, fd: &Fd, events: libc::c_int) -> Result<(), Errno> {
        let events = events | libc::EPOLLRDHUP | libc::EPOLLET;
        let mut event = libc::epoll_event { events: events.cast_unsigned(), u64: 0 };
        let epoll = self.events.get_ref();
        // SAFETY: `event` is there to be read.
        check(unsafe { libc::epoll_ctl(epoll.raw(), operation, fd.raw(), &raw mut event) }).map(drop)
    }

    /// Reads what is there.
    pub fn read(&self, buffer: &mut [u8]) -> Result<Read, Errno> {
        match sys::read_into(self.input.raw(), buffer) {
            Ok(0) => Ok(Read::End),
            Ok(moved) => {
                self.ended.set(false);
                Ok(Read::Bytes(moved))
            }
            Err(Errno::EAGAIN | Errno::EINTR) => Ok(Read::Nothing),
            Err(errno) => Err(errno),
        }
    }

    /// Writes what there is room for.
    pub fn write(&self, data: &[u8]) -> Result<usize, Errno> {
        match sys::write(self.writes_to().raw(), data) {
            Err(Errno::EAGAIN | Errno::EINTR) => Ok(0),
            other => other,
        }
    }

    /// Ends when something to read has come since it ended the last time, or the host has gone.
    pub async fn input(&self) -> Result<(), Errno> {
        if self.ended.get() {
            return self.host().await;
        }
        // A port that told of room would tell after each write that the host has taken it, when nobody wants to know.
        self.watch(Watch::Nothing)?;
        let known = self.direct.borrow().clone();
        let direct = match known {
            Some(direct) => direct,
            None => self.direct.borrow_mut().insert(Rc::new(listen(&self.input)?)).clone(),
        };
        let ended = match direct.readable().await {
            Ok(mut changed) => {
                // Before it is cleared: after that it tells nothing.
                let ended = changed.ready().is_read_closed();
                changed.clear_ready();
                ended
            }
            Err(_) => true,
        };
        if ended {
            // It would be told for ever, though the host may be back: so it is listened for anew once it has said something.
            self.ended.set(true);
            self.direct.take();
        }
        Ok(())
    }

    /// As [`Port::input`], and ends when there is room to write.
    pub async fn input_or_room(&self) -> Result<(), Errno> {
        self.watch(Watch::InputAndRoom)?;
        self.changed().await;
        Ok(())
    }

    /// Ends when the host may have come back.
    pub async fn host(&self) -> Result<(), Errno> {
        self.direct.take();
        self.watch(Watch::Input)?;
        // Either is a reason to look.
        let _ = tokio::time::timeout(SLOW_LOOK, self.changed()).await;
        Ok(())
    }

    /// Ends when the epoll instance has seen something.
    async fn changed(&self) {
        match self.events.readable().await {
            Ok(mut changed) => changed.clear_ready(),
            Err(_) => tokio::time::sleep(SLOW_LOOK).await,
        }
    }
}

fn listen(fd: &Fd) -> Result<AsyncFd<Number>, Errno> {
    // SAFETY: the port keeps the descriptor open, and the same, for longer than it is listened to.
    unsafe { AsyncFd::register_with_interest(Number(fd.raw()), Interest::READABLE) }
        .map_err(|error| sys::errno_of(&error.into()))
}

#[cfg(test)]
mod tests {
    use std::fs::{File, OpenOptions};
    use std::io::Write;
    use std::os::fd::IntoRawFd;
    use std::os::unix::fs::OpenOptionsExt;
    use std::path::Path;

    use super::*;

    fn writer(path: &Path) -> File {
        OpenOptions::new().write(true).open(path).unwrap()
    }

    /// Waits until there are bytes; each wait that ends without any is counted.
    async fn bytes(port: &Port) -> usize {
        let mut looks = 0;
        while !matches!(port.read(&mut [0; 8]).unwrap(), Read::Bytes(_)) {
            port.input().await.unwrap();
            looks += 1;
        }
        looks
    }

    #[test]
    fn a_host_that_has_gone_is_not_asked_for_again_and_again_and_is_heard_when_it_is_back() {
        // Time passes only while all wait for it.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
        runtime.unwrap().block_on(hosts_come_and_go());
    }

    async fn hosts_come_and_go() {
        let path = std::env::temp_dir().join(format!("provium-port-{}", std::process::id()));
        let name = sys::c_string(path.as_os_str().as_encoded_bytes()).unwrap();
        // SAFETY: the path ends in a NUL.
        assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
        let input = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(&path).unwrap();
        let port = Port::new(Fd::new(input.into_raw_fd()), None).unwrap();
        for round in 0..3 {
            let mut host = writer(&path);
            host.write_all(b"x").unwrap();
            assert!(bytes(&port).await <= 3, "round {round}");
            assert!(port.read(&mut [0; 8]).is_ok_and(|read| matches!(read, Read::Nothing)));
            drop(host);
            port.input().await.unwrap();
            assert!(matches!(port.read(&mut [0; 8]).unwrap(), Read::End));
            // The end is told at most once more; then only time ends a wait.
            let begun = tokio::time::Instant::now();
            for _ in 0..5 {
                port.input().await.unwrap();
            }
            assert!(begun.elapsed() >= 3 * SLOW_LOOK, "round {round}: {:?}", begun.elapsed());
        }
        std::fs::remove_file(&path).unwrap();
    }
}
