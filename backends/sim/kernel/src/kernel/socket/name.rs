//! Names of sockets: bind(2), getsockname(2), getpeername(2).

use provium_protocol::Errno;

use super::{Socket, SocketType};
use crate::flags::{AT_FDCWD, S_IFSOCK};
use crate::kernel::Kernel;
use crate::types::{Fd, Pid};
use crate::vfs::inode::InodeKind;
use crate::vfs::perm::MAY_WRITE;

/// What a socket is called.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Address {
    /// By a path.
    Path(Vec<u8>),
    /// By a name that has nothing to do with files.
    Abstract(Vec<u8>),
}

impl Kernel {
    /// bind(2); without an address the kernel chooses an abstract one.
    pub fn bind(&mut self, pid: Pid, fd: Fd, address: Option<Address>) -> Result<(), Errno> {
        let id = self.socket_of(pid, fd)?;
        if self.socket_ref(id)?.name.is_some() {
            // Linux says nothing when a name is already there and none is asked for.
            return if address.is_none() { Ok(()) } else { Err(Errno::EINVAL) };
        }
        match address {
            None => self.autobind(id),
            Some(Address::Abstract(name)) => {
                if self.abstract_names.contains_key(&name) {
                    return Err(Errno::EADDRINUSE);
                }
                self.abstract_names.insert(name.clone(), id);
                self.socket_mut(id)?.name = Some(Address::Abstract(name));
                Ok(())
            }
            Some(Address::Path(path)) => {
                let umasked = S_IFSOCK | 0o777;
                let made = self.mknod(pid, AT_FDCWD, &path, umasked, 0);
                made.map_err(|errno| if errno == Errno::EEXIST { Errno::EADDRINUSE } else { errno })?;
                let node = self.walk(pid, AT_FDCWD, &path, false)?.found()?.node;
                if let InodeKind::Socket(bound) = &mut self.inode_mut(node)?.kind {
                    *bound = Some(id);
                }
                let socket = self.socket_mut(id)?;
                socket.node = Some(node);
                socket.name = Some(Address::Path(path));
                Ok(())
            }
        }
    }

    /// Gives a socket the first free abstract name of five hexadecimal digits.
    pub(super) fn autobind(&mut self, id: usize) -> Result<(), Errno> {
        if self.socket_ref(id)?.name.is_some() {
            return Ok(());
        }
        let free = |number: &u32| !self.abstract_names.contains_key(format!("{number:05x}").as_bytes());
        let number = (0..1u32 << 20).find(free).ok_or(Errno::ENOSPC)?;
        let name = format!("{number:05x}").into_bytes();
        self.abstract_names.insert(name.clone(), id);
        self.socket_mut(id)?.name = Some(Address::Abstract(name));
        Ok(())
    }

    /// Takes the name of a socket back. Its inode stays, and leads nowhere.
    pub(super) fn unbind(&mut self, socket: &Socket, id: usize) {
        // A connection bears its listener's name without owning it.
        if let Some(Address::Abstract(name)) = &socket.name
            && self.abstract_names.get(name) == Some(&id)
        {
            self.abstract_names.remove(name);
        }
        if let Some(node) = socket.node
            && let Ok(inode) = self.inode_mut(node)
            && let InodeKind::Socket(bound) = &mut inode.kind
        {
            *bound = None;
        }
    }

    /// The socket that an address leads to.
    pub(super) fn find_socket(&self, pid: Pid, address: &Address, kind: SocketType) -> Result<usize, Errno> {
        let id = match address {
            Address::Abstract(name) => *self.abstract_names.get(name).ok_or(Errno::ECONNREFUSED)?,
            Address::Path(path) => {
                let loc = self.walk_found(pid, AT_FDCWD, path, true)?;
                self.check(pid, loc.node, MAY_WRITE)?;
                match self.inode(loc.node).map(|inode| &inode.kind) {
                    Some(InodeKind::Socket(Some(id))) => *id,
                    _ => return Err(Errno::ECONNREFUSED),
                }
            }
        };
        match self.sockets.get(id) {
            Some(socket) if socket.kind == kind => Ok(id),
            Some(_) => Err(Errno::EPROTOTYPE),
            None => Err(Errno::ECONNREFUSED),
        }
    }

    /// getsockname(2): none if it has no name.
    pub fn socket_address(&self, pid: Pid, fd: Fd) -> Result<Option<Address>, Errno> {
        Ok(self.socket_ref(self.socket_of(pid, fd)?)?.name.clone())
    }

    /// getpeername(2): none if the other end has no name.
    pub fn peer_address(&self, pid: Pid, fd: Fd) -> Result<Option<Address>, Errno> {
        let socket = self.socket_ref(self.socket_of(pid, fd)?)?;
        let peer = socket.peer.and_then(|peer| self.sockets.get(peer)).ok_or(Errno::ENOTCONN)?;
        Ok(peer.name.clone())
    }
}
