//! Sockets of the family `AF_UNIX`.

use provium_protocol::Errno;

use super::call::{Call, SECOND, done};
use super::descriptors::put_fds;
use super::layout::{self, Layout};
use super::messages;
use super::table::nr;
use crate::flags::{O_CLOEXEC, O_NONBLOCK};
use crate::kernel::socket::{Address, SocketOption, SocketType, Ucred};
use crate::types::{Fd, TimeSpec};

const AF_UNSPEC: u16 = 0;
const AF_UNIX: i32 = 1;

/// Bytes of `sun_family`, and of the whole `struct sockaddr_un`.
const FAMILY: usize = 2;
const SOCKADDR_UN: usize = 110;

const SOL_SOCKET: i32 = 1;
const SO_TYPE: i32 = 3;
const SO_ERROR: i32 = 4;
const SO_SNDBUF: i32 = 7;
const SO_RCVBUF: i32 = 8;
const SO_PASSCRED: i32 = 16;
const SO_PEERCRED: i32 = 17;
const SO_RCVTIMEO: i32 = 20;
const SO_SNDTIMEO: i32 = 21;
const SO_ACCEPTCONN: i32 = 30;
const SO_PROTOCOL: i32 = 38;
const SO_DOMAIN: i32 = 39;

pub(super) async fn call(c: &mut Call<'_>) -> Result<i64, Errno> {
    let (pid, fd) = (c.pid(), c.fd(0));
    if !matches!(c.nr, nr::SOCKET | nr::SOCKETPAIR) {
        // Whether it is a socket at all is told before anything else.
        c.kernel(|kernel| kernel.socket_of(pid, fd))?;
    }
    match c.nr {
        nr::SOCKET => {
            let (kind, flags) = kind(c)?;
            c.kernel(|kernel| kernel.socket(pid, kind, flags)).map(i64::from)
        }
        nr::SOCKETPAIR => {
            let (kind, flags) = kind(c)?;
            c.mem.bytes(c.addr(3), 8)?;
            let (first, second) = c.kernel(|kernel| kernel.socketpair(pid, kind, flags))?;
            put_fds(c, c.addr(3), first, second)
        }
        nr::BIND => {
            let (addr, len) = (c.addr(1), c.int(2));
            let name = if len == FAMILY as i32 {
                let family = c.mem.i16(addr)?;
                if i32::from(family) != AF_UNIX {
                    return Err(Errno::EINVAL);
                }
                None
            } else {
                Some(address(c, addr, len)?)
            };
            done(c.kernel(|kernel| kernel.bind(pid, fd, name)))
        }
        nr::LISTEN => done(c.kernel(|kernel| kernel.listen(pid, fd, c.int(1)))),
        nr::CONNECT => connect(c).await,
        nr::ACCEPT => accept(c, 0).await,
        nr::ACCEPT4 => {
            let flags = c.int(3);
            if flags & !(O_NONBLOCK | O_CLOEXEC) != 0 {
                return Err(Errno::EINVAL);
            }
            accept(c, flags).await
        }
        nr::GETSOCKNAME => {
            let name = c.kernel(|kernel| kernel.socket_address(pid, fd))?;
            put_address(c, c.addr(1), c.addr(2), &encode(name.as_ref()))
        }
        nr::GETPEERNAME => {
            let name = c.kernel(|kernel| kernel.peer_address(pid, fd))?;
            put_address(c, c.addr(1), c.addr(2), &encode(name.as_ref()))
        }
        nr::SHUTDOWN => done(c.kernel(|kernel| kernel.shutdown(pid, fd, c.int(1)))),
        nr::GETSOCKOPT => getsockopt(c, fd),
        nr::SETSOCKOPT => setsockopt(c, fd),
        _ => messages::call(c).await,
    }
}

fn kind(c: &Call<'_>) -> Result<(SocketType, i32), Errno> {
    let flags = c.int(1) & !0xf;
    if flags & !(O_NONBLOCK | O_CLOEXEC) != 0 {
        return Err(Errno::EINVAL);
    }
    if c.int(0) != AF_UNIX {
        return Err(Errno::EAFNOSUPPORT);
    }
    if !matches!(c.int(2), 0 | AF_UNIX) {
        return Err(Errno::EPROTONOSUPPORT);
    }
    let kind = SocketType::from_number(c.int(1) & 0xf).ok_or(Errno::ESOCKTNOSUPPORT)?;
    Ok((kind, flags))
}

/// A `struct sockaddr_un` that names something.
pub(super) fn address(c: &Call<'_>, addr: u64, len: i32) -> Result<Address, Errno> {
    let len = usize::try_from(len).map_err(|_| Errno::EINVAL)?;
    if len <= FAMILY || len > SOCKADDR_UN {
        return Err(Errno::EINVAL);
    }
    let bytes = c.mem.bytes(addr, len)?;
    if bytes[..FAMILY] != (AF_UNIX as u16).to_le_bytes() {
        return Err(Errno::EINVAL);
    }
    Ok(match &bytes[FAMILY..] {
        [0, name @ ..] => Address::Abstract(name.to_vec()),
        path => Address::Path(path.split(|byte| *byte == 0).next().unwrap_or(path).to_vec()),
    })
}

/// A `struct sockaddr_un`.
pub(super) fn encode(address: Option<&Address>) -> Vec<u8> {
    let mut bytes = (AF_UNIX as u16).to_le_bytes().to_vec();
    match address {
        None => {}
        Some(Address::Path(path)) => bytes.extend(path.iter().chain(&[0])),
        Some(Address::Abstract(name)) => bytes.extend([0].iter().chain(name)),
    }
    bytes
}

/// Writes as much of an address as there is room for, and how long it really is.
pub(super) fn put_address(c: &mut Call<'_>, addr: u64, len: u64, bytes: &[u8]) -> Result<i64, Errno> {
    if addr == 0 {
        return Ok(0);
    }
    let room = usize::try_from(c.mem.i32(len)?).map_err(|_| Errno::EINVAL)?;
    c.mem.put(addr, &bytes[..bytes.len().min(room)])?;
    done(c.mem.put(len, &(bytes.len() as i32).to_le_bytes()))
}

async fn connect(c: &Call<'_>) -> Result<i64, Errno> {
    let (pid, fd, addr, len) = (c.pid(), c.fd(0), c.addr(1), c.int(2));
    if len < FAMILY as i32 {
        return Err(Errno::EINVAL);
    }
    let to = match c.mem.i16(addr)? as u16 {
        AF_UNSPEC => None,
        _ => Some(address(c, addr, len)?),
    };
    let began = c.sys.now();
    done(c.wait(|kernel| kernel.connect(pid, fd, to.as_ref(), began)).await)
}

async fn accept(c: &mut Call<'_>, flags: i32) -> Result<i64, Errno> {
    let (pid, fd, began) = (c.pid(), c.fd(0), c.sys.now());
    let (made, from) = c.wait(|kernel| kernel.accept(pid, fd, flags, began)).await?;
    if let Err(errno) = put_address(c, c.addr(1), c.addr(2), &encode(from.as_ref())) {
        // A connection that cannot be told of is closed again.
        c.kernel(|kernel| kernel.close(pid, made))?;
        return Err(errno);
    }
    Ok(i64::from(made))
}

fn option(name: i32) -> Result<SocketOption, Errno> {
    Ok(match name {
        SO_TYPE => SocketOption::Type(0),
        SO_ERROR => SocketOption::Error(0),
        SO_SNDBUF => SocketOption::SendBuffer(0),
        SO_RCVBUF => SocketOption::ReceiveBuffer(0),
        SO_PASSCRED => SocketOption::PassCred(false),
        SO_PEERCRED => SocketOption::PeerCred(Ucred::NOBODY),
        SO_RCVTIMEO => SocketOption::ReceiveTimeout(None),
        SO_SNDTIMEO => SocketOption::SendTimeout(None),
        SO_ACCEPTCONN => SocketOption::AcceptConn(false),
        _ => return Err(Errno::ENOPROTOOPT),
    })
}

fn getsockopt(c: &mut Call<'_>, fd: Fd) -> Result<i64, Errno> {
    let (level, name, value, len) = (c.int(1), c.int(2), c.addr(3), c.addr(4));
    let room = usize::try_from(c.mem.i32(len)?).map_err(|_| Errno::EINVAL)?;
    if level != SOL_SOCKET {
        return Err(Errno::EOPNOTSUPP);
    }
    let bytes = match name {
        SO_DOMAIN => AF_UNIX.to_le_bytes().to_vec(),
        SO_PROTOCOL => vec![0; 4],
        _ => {
            let which = option(name)?;
            match c.kernel(|kernel| kernel.socket_option(c.pid(), fd, which))? {
                SocketOption::Type(number)
                | SocketOption::Error(number)
                | SocketOption::SendBuffer(number)
                | SocketOption::ReceiveBuffer(number) => number.to_le_bytes().to_vec(),
                SocketOption::PassCred(on) | SocketOption::AcceptConn(on) => i32::from(on).to_le_bytes().to_vec(),
                SocketOption::PeerCred(creds) => ucred(creds).to_vec(),
                SocketOption::ReceiveTimeout(timeout) | SocketOption::SendTimeout(timeout) => {
                    let ns = timeout.unwrap_or(0);
                    let sec = i64::try_from(ns / SECOND).unwrap_or(i64::MAX);
                    layout::timeval(TimeSpec { sec, nsec: (ns % SECOND) as u32 }).to_vec()
                }
            }
        }
    };
    let part = &bytes[..bytes.len().min(room)];
    c.mem.put(value, part)?;
    done(c.mem.put(len, &(part.len() as i32).to_le_bytes()))
}

fn setsockopt(c: &mut Call<'_>, fd: Fd) -> Result<i64, Errno> {
    let (level, name, value, len) = (c.int(1), c.int(2), c.addr(3), c.int(4));
    if level != SOL_SOCKET {
        return Err(Errno::EOPNOTSUPP);
    }
    if len < 4 {
        return Err(Errno::EINVAL);
    }
    let option = match option(name)? {
        SocketOption::SendBuffer(_) => SocketOption::SendBuffer(c.mem.i32(value)?),
        SocketOption::ReceiveBuffer(_) => SocketOption::ReceiveBuffer(c.mem.i32(value)?),
        SocketOption::PassCred(_) => SocketOption::PassCred(c.mem.i32(value)? != 0),
        SocketOption::ReceiveTimeout(_) => SocketOption::ReceiveTimeout(timeout(c, value, len)?),
        SocketOption::SendTimeout(_) => SocketOption::SendTimeout(timeout(c, value, len)?),
        other => other,
    };
    done(c.kernel(|kernel| kernel.set_socket_option(c.pid(), fd, option)))
}

/// A timeout; none at all is for ever.
fn timeout(c: &Call<'_>, addr: u64, len: i32) -> Result<Option<u64>, Errno> {
    if len < 16 {
        return Err(Errno::EINVAL);
    }
    let time = c.timeval(addr).map_err(|errno| if errno == Errno::EINVAL { Errno::EDOM } else { errno })?;
    // One that lies before the call runs out at once; the shortest that there is does that too.
    Ok(match time.as_nanos() {
        0 => None,
        ns => Some(u64::try_from(ns).unwrap_or(1)),
    })
}

/// `struct ucred`
pub(super) fn ucred(creds: Ucred) -> [u8; 12] {
    Layout::new().i32(0, creds.pid).u32(4, creds.uid).u32(8, creds.gid).0
}
