//! recv(2) and its kin.

use provium_protocol::{Errno, Nanos};

use super::{Address, MSG_CTRUNC, MSG_DONTWAIT, MSG_PEEK, MSG_TRUNC, Message, SocketType, State, Ucred, limit};
use crate::kernel::Kernel;
use crate::kernel::wait::{Block, Channel, Stop, object};
use crate::types::{Fd, Pid};

/// How to receive.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RecvArgs {
    /// `MSG_*`
    pub(crate) flags: i32,
    /// How many bytes.
    pub(crate) len: usize,
    /// The file is non-blocking.
    pub(crate) nonblock: bool,
    /// When the call began.
    pub(crate) began: Nanos,
}

/// What was received.
#[derive(Debug, Default)]
pub(crate) struct Received {
    /// The bytes.
    pub(crate) data: Vec<u8>,
    /// How long the datagram was, whatever was read of it.
    pub(crate) full: usize,
    /// From whom.
    pub(crate) from: Option<Address>,
    /// Open files that came along: the receiver owns a reference of each.
    pub(crate) files: Vec<usize>,
    /// Who sent it, if the receiver wants to know (`SO_PASSCRED`).
    pub(crate) creds: Option<Ucred>,
    /// `MSG_*` of the result.
    pub(crate) flags: i32,
}

impl Kernel {
    /// Receives once.
    pub(crate) fn socket_receive(&mut self, id: usize, args: &RecvArgs) -> Result<Received, Stop> {
        let socket = self.socket_ref(id)?;
        match (socket.kind, socket.state) {
            (SocketType::Stream, State::Unconnected | State::Listening { .. }) => return Err(Errno::EINVAL.into()),
            (SocketType::SeqPacket, State::Unconnected | State::Listening { .. }) => {
                return Err(Errno::ENOTCONN.into());
            }
            _ => {}
        }
        if socket.kind == SocketType::Stream && args.len == 0 {
            return Ok(Received::default());
        }
        if socket.inbox.is_empty() {
            return self.nothing_there(id, args);
        }
        let stream = socket.kind == SocketType::Stream;
        let pass_creds = socket.pass_creds;
        let peek = args.flags & MSG_PEEK != 0;
        let mut received = match (stream, peek) {
            (true, true) => self.peek_stream(id, args.len)?,
            (true, false) => self.take_stream(id, args.len)?,
            (false, _) => self.take_message(id, args.len, peek)?,
        };
        if !pass_creds {
            received.creds = None;
        }
        if !peek {
            self.wake(Channel::Object(object::SOCKET_ROOM, id));
        }
        Ok(received)
    }

    fn nothing_there(&mut self, id: usize, args: &RecvArgs) -> Result<Received, Stop> {
        let now = self.world.now();
        let socket = self.socket_mut(id)?;
        if socket.connects()
            && let Some(errno) = socket.error.take()
        {
            return Err(errno.into());
        }
        let deadline = limit(args.began, socket.receive_timeout);
        let nonblock = args.nonblock || args.flags & MSG_DONTWAIT != 0;
        // A datagram socket that was shut down ends a wait; who does not wait is told that nothing came.
        if socket.shut_read && (socket.connects() || !nonblock) {
            return Ok(Received::default());
        }
        if nonblock || deadline.is_some_and(|at| now >= at) {
            return Err(Errno::EAGAIN.into());
        }
        Err(Stop::Block(Block { channels: vec![Channel::Object(object::SOCKET, id)], deadline }))
    }

    /// Bytes up to the next message that carries something else too.
    fn take_stream(&mut self, id: usize, len: usize) -> Result<Received, Errno> {
        let socket = self.socket_mut(id)?;
        let mut received = Received::default();
        while let Some(message) = socket.inbox.front_mut() {
            if received.data.len() == len || !joins(&received, message, socket.pass_creds) {
                break;
            }
            let rest = &message.data[message.read..];
            let part = rest.len().min(len - received.data.len());
            received.data.extend_from_slice(&rest[..part]);
            received.creds = Some(message.creds);
            message.read += part;
            socket.queued -= part;
            let carried = std::mem::take(&mut message.files);
            let stops = !carried.is_empty();
            received.files.extend(carried);
            if message.read == message.data.len() {
                socket.inbox.pop_front();
            }
            if stops {
                break;
            }
        }
        received.full = received.data.len();
        Ok(received)
    }

    fn peek_stream(&mut self, id: usize, len: usize) -> Result<Received, Errno> {
        let socket = self.socket_ref(id)?;
        let mut received = Received::default();
        for message in &socket.inbox {
            if received.data.len() == len || !joins(&received, message, socket.pass_creds) {
                break;
            }
            let rest = &message.data[message.read..];
            received.data.extend_from_slice(&rest[..rest.len().min(len - received.data.len())]);
            received.creds = Some(message.creds);
            if !message.files.is_empty() {
                received.files = message.files.clone();
                break;
            }
        }
        received.full = received.data.len();
        self.share(&received.files);
        Ok(received)
    }

    fn take_message(&mut self, id: usize, len: usize, peek: bool) -> Result<Received, Errno> {
        let socket = self.socket_mut(id)?;
        let Some(message) = socket.inbox.front() else { return Err(Errno::EAGAIN) };
        let full = message.data.len();
        let mut received = Received {
            data: message.data[..full.min(len)].to_vec(),
            full,
            from: message.from.clone(),
            files: message.files.clone(),
            creds: Some(message.creds),
            flags: if full > len { MSG_TRUNC } else { 0 },
        };
        if peek {
            self.share(&received.files);
        } else if let Some(message) = socket.inbox.pop_front() {
            socket.queued -= full;
            // The reference that the message had is the receiver's now.
            received.files = message.files;
        }
        Ok(received)
    }

    fn share(&mut self, files: &[usize]) {
        for file in files {
            if let Some(file) = self.files.get_mut(*file) {
                file.refs += 1;
            }
        }
    }

    /// Drops open files that came along and that nobody takes.
    pub(crate) fn discard_passed(&mut self, files: Vec<usize>) {
        for file in files {
            self.release_file(file);
        }
    }

    /// Gives a process descriptors of open files that came along, as many as it has room for; the flags
    /// say `MSG_CTRUNC` if that was not all.
    pub(crate) fn take_passed(&mut self, pid: Pid, files: Vec<usize>, room: usize, cloexec: bool) -> (Vec<Fd>, i32) {
        let total = files.len();
        let mut fds = Vec::new();
        let mut rest = files.into_iter();
        while fds.len() < room {
            let Some(file) = rest.next() else { break };
            match self.install_existing(pid, file, cloexec) {
                Ok(fd) => fds.push(fd),
                Err(_) => {
                    self.release_file(file);
                    break;
                }
            }
        }
        self.discard_passed(rest.collect());
        let flags = if fds.len() < total { MSG_CTRUNC } else { 0 };
        (fds, flags)
    }
}

/// Whether bytes of a message may follow those already received in one read of a stream.
fn joins(received: &Received, message: &Message, pass_creds: bool) -> bool {
    received.data.is_empty() || (message.files.is_empty() && (!pass_creds || received.creds == Some(message.creds)))
}
