//! getsockopt(2) and setsockopt(2).

use provium_protocol::{Errno, Nanos};

use super::{State, Ucred};
use crate::kernel::Kernel;
use crate::types::{Fd, Pid};

/// Smallest and largest buffer that a socket can be given, as on Linux (`net.core.wmem_max` doubled).
const BUFFER: std::ops::RangeInclusive<usize> = 4_608..=425_984;

/// An option of a socket with its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SocketOption {
    /// `SO_TYPE`
    Type(i32),
    /// `SO_ERROR`: asking takes it away.
    Error(i32),
    /// `SO_SNDBUF`
    SendBuffer(i32),
    /// `SO_RCVBUF`
    ReceiveBuffer(i32),
    /// `SO_PASSCRED`
    PassCred(bool),
    /// `SO_PEERCRED`
    PeerCred(Ucred),
    /// `SO_RCVTIMEO`
    ReceiveTimeout(Option<Nanos>),
    /// `SO_SNDTIMEO`
    SendTimeout(Option<Nanos>),
    /// `SO_ACCEPTCONN`
    AcceptConn(bool),
}

impl Kernel {
    /// getsockopt(2): the option named by `which`, whose own value does not count.
    pub(crate) fn socket_option(&mut self, pid: Pid, fd: Fd, which: SocketOption) -> Result<SocketOption, Errno> {
        let id = self.socket_of(pid, fd)?;
        let creds = self.peer_credentials(id)?;
        let socket = self.socket_mut(id)?;
        Ok(match which {
            SocketOption::Type(_) => SocketOption::Type(socket.kind.number()),
            SocketOption::Error(_) => SocketOption::Error(socket.error.take().map_or(0, |errno| errno.0)),
            SocketOption::SendBuffer(_) => SocketOption::SendBuffer(socket.send_buffer as i32),
            SocketOption::ReceiveBuffer(_) => SocketOption::ReceiveBuffer(socket.receive_buffer as i32),
            SocketOption::PassCred(_) => SocketOption::PassCred(socket.pass_creds),
            SocketOption::PeerCred(_) => SocketOption::PeerCred(creds),
            SocketOption::ReceiveTimeout(_) => SocketOption::ReceiveTimeout(socket.receive_timeout),
            SocketOption::SendTimeout(_) => SocketOption::SendTimeout(socket.send_timeout),
            SocketOption::AcceptConn(_) => SocketOption::AcceptConn(matches!(socket.state, State::Listening { .. })),
        })
    }

    /// setsockopt(2).
    pub(crate) fn set_socket_option(&mut self, pid: Pid, fd: Fd, option: SocketOption) -> Result<(), Errno> {
        let id = self.socket_of(pid, fd)?;
        let socket = self.socket_mut(id)?;
        // Linux takes what is asked for twice, for its own bookkeeping.
        let doubled = |size: i32| (size.max(0) as usize * 2).clamp(*BUFFER.start(), *BUFFER.end());
        match option {
            SocketOption::SendBuffer(size) => socket.send_buffer = doubled(size),
            SocketOption::ReceiveBuffer(size) => socket.receive_buffer = doubled(size),
            SocketOption::PassCred(on) => socket.pass_creds = on,
            SocketOption::ReceiveTimeout(timeout) => socket.receive_timeout = timeout,
            SocketOption::SendTimeout(timeout) => socket.send_timeout = timeout,
            _ => return Err(Errno::ENOPROTOOPT),
        }
        self.socket_changed(id);
        Ok(())
    }
}
