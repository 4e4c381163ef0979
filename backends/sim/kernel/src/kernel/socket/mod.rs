//! Unix sockets, see unix(7): streams, datagrams and sequenced packets, with path and abstract names,
//! passed descriptors and credentials.

mod connect;
mod name;
mod options;
mod receive;
mod send;

use std::collections::VecDeque;

use provium_protocol::{Errno, Nanos};

use super::Kernel;
use super::file::{Attributes, FileKind, OpenFile};
use super::wait::{Channel, object};
use crate::flags::{O_CLOEXEC, O_NONBLOCK, O_RDWR, POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDHUP};
use crate::types::{Fd, Pid};
use crate::vfs::NodeId;
pub use name::Address;
pub(crate) use options::SocketOption;
pub(crate) use receive::{Received, RecvArgs};
pub(crate) use send::SendArgs;

/// Bytes that wait for a socket at most (`net.core.wmem_default`), as on Linux.
pub const SOCKET_BUFFER: usize = 212_992;

/// Datagrams that wait for a socket at most: one more than `net.unix.max_dgram_qlen`, as Linux counts.
const DATAGRAMS: usize = 11;

/// Connections that wait for accept(2) at most (`net.core.somaxconn`), as on Linux.
pub const SOMAXCONN: usize = 4_096;

/// send(2): answer `EAGAIN` instead of waiting.
pub const MSG_DONTWAIT: i32 = 0x40;
/// send(2): no `SIGPIPE`.
pub const MSG_NOSIGNAL: i32 = 0x4000;
/// recv(2): leave what was read.
pub const MSG_PEEK: i32 = 2;
/// recv(2): say how long the datagram was.
pub const MSG_TRUNC: i32 = 0x20;
/// recv(2): the control data did not fit.
pub const MSG_CTRUNC: i32 = 8;
/// recv(2): passed descriptors are close-on-exec.
pub const MSG_CMSG_CLOEXEC: i32 = 0x4000_0000;

/// What a socket carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketType {
    /// `SOCK_STREAM`
    Stream,
    /// `SOCK_DGRAM`
    Datagram,
    /// `SOCK_SEQPACKET`
    SeqPacket,
}

impl SocketType {
    /// By number; `SOCK_RAW` is a datagram socket, as on Linux.
    #[must_use]
    pub fn from_number(number: i32) -> Option<SocketType> {
        match number {
            1 => Some(SocketType::Stream),
            2 | 3 => Some(SocketType::Datagram),
            5 => Some(SocketType::SeqPacket),
            _ => None,
        }
    }

    /// Its number.
    #[must_use]
    pub fn number(self) -> i32 {
        match self {
            SocketType::Stream => 1,
            SocketType::Datagram => 2,
            SocketType::SeqPacket => 5,
        }
    }
}

/// `struct ucred`: who was at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ucred {
    /// Process.
    pub pid: Pid,
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

impl Ucred {
    /// Nobody: what a socket says that never had another end.
    pub const NOBODY: Ucred = Ucred { pid: 0, uid: u32::MAX, gid: u32::MAX };
}

/// Something sent.
struct Message {
    data: Vec<u8>,
    /// How much of it was read already.
    read: usize,
    from: Option<Address>,
    /// Open files that it carries; each counts as a reference.
    files: Vec<usize>,
    creds: Ucred,
}

/// How far a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Unconnected,
    Listening { backlog: usize },
    Connected,
}

/// One socket.
pub struct Socket {
    kind: SocketType,
    pub(crate) ino: u64,
    /// Permissions and owner of the socket itself, not of the name that it is bound to.
    pub(crate) attributes: Attributes,
    state: State,
    /// The other end, or where datagrams go.
    peer: Option<usize>,
    name: Option<Address>,
    /// The inode that it is bound to.
    node: Option<NodeId>,
    inbox: VecDeque<Message>,
    /// Bytes in the inbox.
    queued: usize,
    /// Connections that nobody accepted yet.
    waiting: VecDeque<usize>,
    /// It will not be read, or written, any more.
    shut_read: bool,
    shut_write: bool,
    /// Its file was not made yet: it waits in a listener's queue.
    embryo: bool,
    peer_creds: Ucred,
    pass_creds: bool,
    error: Option<Errno>,
    send_buffer: usize,
    receive_buffer: usize,
    send_timeout: Option<Nanos>,
    receive_timeout: Option<Nanos>,
    /// Counts changes, for edge-triggered waits.
    pub(crate) activity: u64,
}

impl Socket {
    fn new(kind: SocketType, ino: u64, attributes: Attributes) -> Socket {
        Socket {
            kind,
            ino,
            attributes,
            state: State::Unconnected,
            peer: None,
            name: None,
            node: None,
            inbox: VecDeque::new(),
            queued: 0,
            waiting: VecDeque::new(),
            shut_read: false,
            shut_write: false,
            embryo: false,
            peer_creds: Ucred::NOBODY,
            pass_creds: false,
            error: None,
            send_buffer: SOCKET_BUFFER,
            receive_buffer: SOCKET_BUFFER,
            send_timeout: None,
            receive_timeout: None,
            activity: 0,
        }
    }

    /// What it carries.
    pub(crate) fn kind(&self) -> SocketType {
        self.kind
    }

    /// Whether it works by connections.
    fn connects(&self) -> bool {
        self.kind != SocketType::Datagram
    }

    /// Bytes that wait in it.
    pub(crate) fn queued(&self) -> usize {
        match self.kind {
            SocketType::Stream => self.queued,
            // FIONREAD tells the size of the next datagram.
            _ => self.inbox.front().map_or(0, |message| message.data.len()),
        }
    }
}

impl Kernel {
    pub(crate) fn socket_ref(&self, id: usize) -> Result<&Socket, Errno> {
        self.sockets.get(id).ok_or(Errno::EBADF)
    }

    fn socket_mut(&mut self, id: usize) -> Result<&mut Socket, Errno> {
        self.sockets.get_mut(id).ok_or(Errno::EBADF)
    }

    fn new_socket(&mut self, pid: Pid, kind: SocketType) -> Result<usize, Errno> {
        let ino = self.new_object_ino();
        let creds = &self.proc(pid)?.creds;
        let attributes = Attributes { perm: 0o777, uid: creds.euid, gid: creds.egid };
        Ok(self.sockets.insert(Socket::new(kind, ino, attributes)))
    }

    fn ucred(&self, pid: Pid) -> Result<Ucred, Errno> {
        let creds = &self.proc(pid)?.creds;
        Ok(Ucred { pid, uid: creds.euid, gid: creds.egid })
    }

    fn install_socket(&mut self, pid: Pid, id: usize, flags: i32) -> Result<Fd, Errno> {
        let file = OpenFile::new(FileKind::Socket(id), O_RDWR | (flags & O_NONBLOCK), None, None);
        self.install(pid, file, flags & O_CLOEXEC != 0, 0)
    }

    /// socket(2) of `AF_UNIX`; `flags` are `O_NONBLOCK` and `O_CLOEXEC`.
    pub fn socket(&mut self, pid: Pid, kind: SocketType, flags: i32) -> Result<Fd, Errno> {
        self.check_fd_free(pid)?;
        let id = self.new_socket(pid, kind)?;
        self.install_socket(pid, id, flags)
    }

    /// socketpair(2).
    pub fn socketpair(&mut self, pid: Pid, kind: SocketType, flags: i32) -> Result<(Fd, Fd), Errno> {
        let creds = self.ucred(pid)?;
        let (a, b) = (self.new_socket(pid, kind)?, self.new_socket(pid, kind)?);
        for (id, peer) in [(a, b), (b, a)] {
            let socket = self.socket_mut(id)?;
            socket.state = State::Connected;
            socket.peer = Some(peer);
            socket.peer_creds = creds;
        }
        let first = match self.install_socket(pid, a, flags) {
            Ok(fd) => fd,
            Err(errno) => {
                self.close_socket(b);
                return Err(errno);
            }
        };
        match self.install_socket(pid, b, flags) {
            Ok(second) => Ok((first, second)),
            Err(errno) => {
                self.close(pid, first)?;
                Err(errno)
            }
        }
    }

    /// The socket behind a descriptor.
    pub(crate) fn socket_of(&self, pid: Pid, fd: Fd) -> Result<usize, Errno> {
        match self.file(self.file_id(pid, fd)?)?.kind {
            FileKind::Socket(id) => Ok(id),
            FileKind::Path => Err(Errno::EBADF),
            _ => Err(Errno::ENOTSOCK),
        }
    }

    /// Something about a socket changed: those who wait to read from it, or to write to it, look again.
    fn socket_changed(&mut self, id: usize) {
        if let Some(socket) = self.sockets.get_mut(id) {
            socket.activity += 1;
        }
        self.wake(Channel::Object(object::SOCKET, id));
    }

    /// shutdown(2): 0 reading, 1 writing, 2 both.
    pub(crate) fn shutdown(&mut self, pid: Pid, fd: Fd, how: i32) -> Result<(), Errno> {
        let id = self.socket_of(pid, fd)?;
        let (read, write) = match how {
            0 => (true, false),
            1 => (false, true),
            2 => (true, true),
            _ => return Err(Errno::EINVAL),
        };
        let socket = self.socket_mut(id)?;
        socket.shut_read |= read;
        socket.shut_write |= write;
        let peer = socket.peer.filter(|_| socket.connects());
        if let Some(peer) = peer {
            let other = self.socket_mut(peer)?;
            other.shut_read |= write;
            other.shut_write |= read;
            self.socket_changed(peer);
        }
        self.socket_changed(id);
        Ok(())
    }

    /// The last descriptor of a socket is gone.
    pub(crate) fn close_socket(&mut self, id: usize) {
        let Some(socket) = self.sockets.try_remove(id) else { return };
        self.unbind(&socket, id);
        match socket.kind {
            SocketType::Datagram => {
                for (_, other) in &mut self.sockets {
                    if other.peer == Some(id) {
                        other.peer = None;
                        other.state = State::Unconnected;
                        // It learns of it when it next sends.
                        other.error = Some(Errno::ECONNREFUSED);
                    }
                }
            }
            _ => {
                if let Some(other) = socket.peer.and_then(|peer| self.sockets.get_mut(peer)) {
                    other.peer = None;
                    other.shut_read = true;
                    other.shut_write = true;
                    if !socket.inbox.is_empty() || socket.embryo {
                        other.error = Some(Errno::ECONNRESET);
                    }
                }
            }
        }
        for waiting in socket.waiting {
            self.close_socket(waiting);
        }
        for message in socket.inbox {
            self.doomed.extend(message.files);
        }
        if let Some(peer) = socket.peer {
            self.socket_changed(peer);
        }
        self.wake(Channel::Object(object::SOCKET, id));
        self.wake(Channel::Object(object::SOCKET_ROOM, id));
        self.release_doomed();
    }

    /// What poll(2) says of a socket; `channels` gets what to wait for.
    pub(crate) fn socket_poll(&self, id: usize, channels: &mut Vec<Channel>) -> i16 {
        let Some(socket) = self.sockets.get(id) else { return POLLERR };
        channels.push(Channel::Object(object::SOCKET, id));
        let mut events = 0;
        if socket.error.is_some() && socket.connects() {
            events |= POLLERR;
        }
        if socket.shut_read && socket.shut_write {
            events |= POLLHUP;
        }
        if socket.shut_read {
            events |= POLLIN | POLLRDHUP;
        }
        if !socket.inbox.is_empty() || !socket.waiting.is_empty() {
            events |= POLLIN;
        }
        if socket.connects() && socket.state == State::Unconnected {
            events |= POLLHUP;
        }
        if !matches!(socket.state, State::Listening { .. }) {
            let room = match socket.peer.and_then(|peer| self.sockets.get(peer).map(|other| (peer, other))) {
                None => true,
                Some((peer, other)) => {
                    channels.push(Channel::Object(object::SOCKET_ROOM, peer));
                    // Linux calls a socket writable while three quarters of its buffer are free.
                    other.queued * 4 <= socket.send_buffer && (socket.connects() || other.inbox.len() < DATAGRAMS)
                }
            };
            if room {
                events |= POLLOUT;
            }
        }
        events
    }

    /// Processes that hold a socket that could wake whoever waits for this one.
    pub(crate) fn socket_holders(&self, id: usize) -> Vec<Pid> {
        let peers = |other: usize| {
            self.sockets.get(other).is_some_and(|socket| socket.peer == Some(id))
                || self.sockets.get(id).is_some_and(|socket| socket.peer == Some(other))
        };
        let holds = |file: usize| matches!(self.files.get(file).map(|file| &file.kind), Some(FileKind::Socket(other)) if peers(*other));
        self.procs.values().filter(|process| process.fds.files().any(holds)).map(|process| process.pid).collect()
    }

    /// A socket for people.
    pub(crate) fn socket_name(&self, id: usize) -> String {
        let Some(socket) = self.sockets.get(id) else { return "a socket".to_owned() };
        match &socket.name {
            Some(Address::Path(path)) => format!("socket {}", String::from_utf8_lossy(path)),
            Some(Address::Abstract(name)) => format!("socket @{}", String::from_utf8_lossy(name)),
            None => format!("socket:[{}]", socket.ino),
        }
    }

    /// `/proc/net/unix`
    pub(crate) fn sockets_text(&self) -> Vec<u8> {
        let mut text = b"Num       RefCount Protocol Flags    Type St Inode Path\n".to_vec();
        for (_, socket) in &self.sockets {
            let (flags, state) = match socket.state {
                State::Listening { .. } => (0x10000, 1),
                State::Connected => (0, 3),
                State::Unconnected => (0, 1),
            };
            let (kind, ino) = (socket.kind.number(), socket.ino);
            text.extend_from_slice(
                format!("0000000000000000: 00000002 00000000 {flags:08X} {kind:04} {state:02} {ino:5}").as_bytes(),
            );
            match &socket.name {
                Some(Address::Path(path)) => text.extend_from_slice(&[b" ", &path[..]].concat()),
                Some(Address::Abstract(name)) => text.extend_from_slice(&[b" @", &name[..]].concat()),
                None => {}
            }
            text.push(b'\n');
        }
        text
    }
}

/// A deadline for waits that a socket option limits.
fn limit(now: Nanos, timeout: Option<Nanos>) -> Option<Nanos> {
    timeout.map(|timeout| now.saturating_add(timeout))
}
