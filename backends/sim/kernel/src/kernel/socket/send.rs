//! send(2) and its kin.

use provium_protocol::{Errno, Nanos, Signal};

use super::{Address, DATAGRAMS, MSG_DONTWAIT, MSG_NOSIGNAL, Message, SocketType, State, Ucred, limit};
use crate::kernel::Kernel;
use crate::kernel::wait::{Block, Channel, Stop, object};
use crate::types::Pid;

/// What goes with the bytes.
#[derive(Default)]
pub(crate) struct SendArgs {
    /// `MSG_*`
    pub(crate) flags: i32,
    /// To whom.
    pub(crate) to: Option<Address>,
    /// Open files to pass; they get a reference when the message is sent.
    pub(crate) files: Vec<usize>,
    /// Who the sender says it is.
    pub(crate) creds: Option<Ucred>,
    /// The file is non-blocking.
    pub(crate) nonblock: bool,
    /// When the call began.
    pub(crate) began: Nanos,
}

impl Kernel {
    /// Sends once: a stream may take a part.
    pub(crate) fn socket_send(&mut self, pid: Pid, id: usize, data: &[u8], args: &SendArgs) -> Result<usize, Stop> {
        let creds = match args.creds {
            Some(creds) => self.check_claim(pid, creds)?,
            None => self.ucred(pid)?,
        };
        let socket = self.socket_ref(id)?;
        match socket.kind {
            SocketType::Stream => self.send_stream(pid, id, data, args, creds),
            SocketType::SeqPacket if socket.state != State::Connected => Err(Errno::ENOTCONN.into()),
            SocketType::SeqPacket => self.send_packet(pid, id, data, args, creds),
            SocketType::Datagram => self.send_datagram(pid, id, data, args, creds),
        }
    }

    /// `EPERM` unless a process may claim to be this.
    fn check_claim(&self, pid: Pid, claim: Ucred) -> Result<Ucred, Errno> {
        let creds = &self.proc(pid)?.creds;
        let own_user = [creds.uid, creds.euid, creds.suid].contains(&claim.uid);
        let own_group = [creds.gid, creds.egid, creds.sgid].contains(&claim.gid);
        if creds.is_root() || (claim.pid == pid && own_user && own_group) { Ok(claim) } else { Err(Errno::EPERM) }
    }

    fn broken(&mut self, pid: Pid, args: &SendArgs) -> Stop {
        if args.flags & MSG_NOSIGNAL == 0 {
            self.send(pid, Signal::SIGPIPE);
        }
        Errno::EPIPE.into()
    }

    fn no_room(&self, sender: usize, to: usize, args: &SendArgs) -> Stop {
        let timeout = self.sockets.get(sender).and_then(|socket| socket.send_timeout);
        let deadline = limit(args.began, timeout);
        if args.nonblock || args.flags & MSG_DONTWAIT != 0 || deadline.is_some_and(|at| self.world.now() >= at) {
            return Errno::EAGAIN.into();
        }
        let channels = vec![Channel::Object(object::SOCKET_ROOM, to), Channel::Object(object::SOCKET, sender)];
        Stop::Block(Block { channels, deadline })
    }

    fn deliver(&mut self, from: usize, to: usize, data: &[u8], args: &SendArgs, creds: Ucred) -> Result<(), Errno> {
        let name = self.socket_ref(from)?.name.clone();
        for file in &args.files {
            if let Some(file) = self.files.get_mut(*file) {
                file.refs += 1;
            }
        }
        let message = Message { data: data.to_vec(), read: 0, from: name, files: args.files.clone(), creds };
        let other = self.socket_mut(to)?;
        other.queued += data.len();
        other.inbox.push_back(message);
        self.socket_changed(to);
        Ok(())
    }

    fn send_stream(&mut self, pid: Pid, id: usize, data: &[u8], args: &SendArgs, creds: Ucred) -> Result<usize, Stop> {
        let socket = self.socket_ref(id)?;
        if args.to.is_some() {
            let connected = socket.state == State::Connected;
            return Err(if connected { Errno::EISCONN } else { Errno::EOPNOTSUPP }.into());
        }
        if socket.state != State::Connected {
            return Err(Errno::ENOTCONN.into());
        }
        if socket.shut_write {
            return Err(self.broken(pid, args));
        }
        let Some(peer) = socket.peer else { return Err(self.broken(pid, args)) };
        let limit = socket.send_buffer;
        if data.is_empty() {
            return Ok(0);
        }
        let room = limit.saturating_sub(self.socket_ref(peer)?.queued);
        if room == 0 {
            return Err(self.no_room(id, peer, args));
        }
        let amount = room.min(data.len());
        self.deliver(id, peer, &data[..amount], args, creds)?;
        Ok(amount)
    }

    fn send_packet(&mut self, pid: Pid, id: usize, data: &[u8], args: &SendArgs, creds: Ucred) -> Result<usize, Stop> {
        // That the peer went away without reading everything is told once, before anything else.
        if let Some(error) = self.socket_mut(id)?.error.take() {
            return Err(error.into());
        }
        let socket = self.socket_ref(id)?;
        let (limit, peer) = (socket.send_buffer, socket.peer.filter(|_| !socket.shut_write));
        if data.len() > limit {
            return Err(Errno::EMSGSIZE.into());
        }
        let Some(peer) = peer else { return Err(self.broken(pid, args)) };
        let other = self.socket_ref(peer)?;
        if other.queued > 0 && other.queued + data.len() > limit || other.inbox.len() >= DATAGRAMS {
            return Err(self.no_room(id, peer, args));
        }
        self.deliver(id, peer, data, args, creds)?;
        Ok(data.len())
    }

    fn send_datagram(
        &mut self,
        pid: Pid,
        id: usize,
        data: &[u8],
        args: &SendArgs,
        creds: Ucred,
    ) -> Result<usize, Stop> {
        let socket = self.socket_ref(id)?;
        let (limit, shut) = (socket.send_buffer, socket.shut_write);
        let to = match (&args.to, socket.peer) {
            (Some(address), _) => self.find_socket(pid, address, SocketType::Datagram)?,
            (None, Some(peer)) => peer,
            // The peer went away since the last call: this is told once.
            (None, None) => return Err(self.socket_mut(id)?.error.take().unwrap_or(Errno::ENOTCONN).into()),
        };
        if data.len() > limit {
            return Err(Errno::EMSGSIZE.into());
        }
        self.check_accepts(to, id)?;
        let other = self.socket_ref(to)?;
        if shut || other.shut_read {
            return Err(Errno::EPIPE.into());
        }
        let full = other.inbox.len() >= DATAGRAMS || (other.queued > 0 && other.queued + data.len() > limit);
        if full {
            return Err(self.no_room(id, to, args));
        }
        self.deliver(id, to, data, args, creds)?;
        Ok(data.len())
    }
}
