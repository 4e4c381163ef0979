//! listen(2), connect(2), accept(2).

use provium_protocol::{Errno, Nanos};

use super::{Address, SOMAXCONN, SocketType, State, Ucred, limit};
use crate::flags::O_NONBLOCK;
use crate::kernel::Kernel;
use crate::kernel::wait::{Block, Channel, Stop, object};
use crate::types::{Fd, Pid};

impl Kernel {
    /// listen(2).
    pub fn listen(&mut self, pid: Pid, fd: Fd, backlog: i32) -> Result<(), Errno> {
        let id = self.socket_of(pid, fd)?;
        let creds = self.ucred(pid)?;
        let socket = self.socket_mut(id)?;
        if !socket.connects() {
            return Err(Errno::EOPNOTSUPP);
        }
        if socket.name.is_none() || socket.state == State::Connected {
            return Err(Errno::EINVAL);
        }
        // A negative number is a very large one.
        let backlog = (backlog as u32 as usize).min(SOMAXCONN);
        socket.state = State::Listening { backlog };
        socket.peer_creds = creds;
        self.wake(Channel::Object(object::SOCKET_ROOM, id));
        Ok(())
    }

    /// connect(2); no address takes a datagram socket's destination away.
    pub fn connect(&mut self, pid: Pid, fd: Fd, address: Option<&Address>, began: Nanos) -> Result<(), Stop> {
        let id = self.socket_of(pid, fd)?;
        let nonblock = self.file(self.file_id(pid, fd)?)?.flags & O_NONBLOCK != 0;
        let socket = self.socket_ref(id)?;
        let (kind, state) = (socket.kind, socket.state);
        if kind == SocketType::Datagram {
            return Ok(self.connect_datagram(pid, id, address)?);
        }
        let address = address.ok_or(Errno::EINVAL)?;
        let server = self.find_socket(pid, address, kind)?;
        let (client, listener) = (self.socket_ref(id)?, self.socket_ref(server)?);
        let State::Listening { backlog } = listener.state else { return Err(Errno::ECONNREFUSED.into()) };
        if listener.shut_read {
            return Err(Errno::ECONNREFUSED.into());
        }
        // As on Linux, one more waits than was asked for.
        if listener.waiting.len() > backlog {
            let deadline = limit(began, client.send_timeout);
            if nonblock || deadline.is_some_and(|deadline| self.world.now() >= deadline) {
                return Err(Errno::EAGAIN.into());
            }
            let channels = vec![Channel::Object(object::SOCKET_ROOM, server)];
            return Err(Stop::Block(Block { channels, deadline }));
        }
        match state {
            State::Unconnected => {}
            State::Connected => return Err(Errno::EISCONN.into()),
            State::Listening { .. } => return Err(Errno::EINVAL.into()),
        }
        if client.shut_read && client.shut_write {
            return Err(Errno::EISCONN.into());
        }
        let (name, server_creds) = (listener.name.clone(), listener.peer_creds);
        let own = self.ucred(pid)?;
        let made = self.new_socket(pid, kind)?;
        let embryo = self.socket_mut(made)?;
        embryo.state = State::Connected;
        embryo.peer = Some(id);
        embryo.name = name;
        embryo.embryo = true;
        embryo.peer_creds = own;
        let client = self.socket_mut(id)?;
        client.state = State::Connected;
        client.peer = Some(made);
        client.peer_creds = server_creds;
        self.socket_mut(server)?.waiting.push_back(made);
        self.socket_changed(server);
        self.socket_changed(id);
        Ok(())
    }

    fn connect_datagram(&mut self, pid: Pid, id: usize, address: Option<&Address>) -> Result<(), Errno> {
        let peer = match address {
            None => None,
            Some(address) => {
                let other = self.find_socket(pid, address, SocketType::Datagram)?;
                self.check_accepts(other, id)?;
                Some(other)
            }
        };
        let socket = self.socket_mut(id)?;
        socket.peer = peer;
        socket.state = if peer.is_some() { State::Connected } else { State::Unconnected };
        socket.error = None;
        self.socket_changed(id);
        Ok(())
    }

    /// `EPERM` if a datagram socket takes messages from another one only.
    pub(super) fn check_accepts(&self, to: usize, from: usize) -> Result<(), Errno> {
        match self.socket_ref(to)?.peer {
            Some(peer) if peer != from => Err(Errno::EPERM),
            _ => Ok(()),
        }
    }

    /// accept4(2): the connection, and the name of its other end.
    pub fn accept(&mut self, pid: Pid, fd: Fd, flags: i32, began: Nanos) -> Result<(Fd, Option<Address>), Stop> {
        let id = self.socket_of(pid, fd)?;
        let nonblock = self.file(self.file_id(pid, fd)?)?.flags & O_NONBLOCK != 0;
        let socket = self.socket_ref(id)?;
        if !socket.connects() {
            return Err(Errno::EOPNOTSUPP.into());
        }
        if !matches!(socket.state, State::Listening { .. }) {
            return Err(Errno::EINVAL.into());
        }
        if socket.waiting.is_empty() {
            if socket.shut_read {
                return Err(Errno::EINVAL.into());
            }
            let deadline = limit(began, socket.receive_timeout);
            if nonblock || deadline.is_some_and(|deadline| self.world.now() >= deadline) {
                return Err(Errno::EAGAIN.into());
            }
            return Err(Stop::Block(Block { channels: vec![Channel::Object(object::SOCKET, id)], deadline }));
        }
        self.check_fd_free(pid)?;
        let Some(made) = self.socket_mut(id)?.waiting.pop_front() else { return Err(Errno::EAGAIN.into()) };
        let socket = self.socket_mut(made)?;
        socket.embryo = false;
        let peer = socket.peer;
        let from = peer.and_then(|peer| self.sockets.get(peer)).and_then(|peer| peer.name.clone());
        self.wake(Channel::Object(object::SOCKET_ROOM, id));
        let fd = self.install_socket(pid, made, flags)?;
        Ok((fd, from))
    }

    /// Who is at the other end (`SO_PEERCRED`).
    pub(super) fn peer_credentials(&self, id: usize) -> Result<Ucred, Errno> {
        Ok(self.socket_ref(id)?.peer_creds)
    }
}
