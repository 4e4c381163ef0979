//! Sending and receiving on sockets, control data included.

use provium_protocol::Errno;

use super::call::Call;
use super::io::{gather, iovec, scatter};
use super::layout::Layout;
use super::sockets::{address, encode, put_address, ucred};
use super::table::nr;
use crate::flags::O_NONBLOCK;
use crate::kernel::socket::{
    MSG_CMSG_CLOEXEC, MSG_DONTWAIT, MSG_NOSIGNAL, MSG_PEEK, MSG_TRUNC, Received, RecvArgs, SendArgs, SocketType, Ucred,
};
use crate::limits::MAX_RW;
use crate::types::Fd;

const MSG_OOB: i32 = 1;
const MSG_WAITALL: i32 = 0x100;
/// Flags that change nothing on a unix socket: `MSG_DONTROUTE`, `MSG_EOR`, `MSG_CONFIRM`, `MSG_MORE`.
const MSG_WITHOUT_EFFECT: i32 = 0x4 | 0x80 | 0x800 | 0x8000;

const SOL_SOCKET: i32 = 1;
const SCM_RIGHTS: i32 = 1;
const SCM_CREDENTIALS: i32 = 2;

/// Descriptors in one message, as on Linux (`SCM_MAX_FD`).
const SCM_MAX_FD: usize = 253;

/// Bytes of a `struct cmsghdr`.
const CMSGHDR: usize = 16;

/// Longest control data that is looked at, as on Linux (`net.core.optmem_max`).
const OPTMEM_MAX: usize = 20_480;

pub(super) async fn call(c: &mut Call<'_>) -> Result<i64, Errno> {
    match c.nr {
        nr::SENDTO => {
            let data = c.mem.bytes(c.addr(1), c.len(2).min(MAX_RW))?;
            let to = if c.addr(4) == 0 { None } else { Some(address(c, c.addr(4), c.int(5))?) };
            send(c, data, SendArgs { to, flags: c.int(3), ..SendArgs::default() }).await
        }
        nr::SENDMSG => sendmsg(c).await,
        nr::RECVFROM => {
            let (addr, len) = (c.addr(1), c.len(2).min(MAX_RW));
            c.mem.bytes(addr, len)?;
            let received = receive(c, len, c.int(3)).await?;
            c.kernel(|kernel| kernel.discard_passed(received.files));
            c.mem.put(addr, &received.data)?;
            let from = received.from.map(|from| encode(Some(&from))).unwrap_or_default();
            put_address(c, c.addr(4), c.addr(5), &from)?;
            Ok(if c.int(3) & MSG_TRUNC != 0 { received.full } else { received.data.len() } as i64)
        }
        nr::RECVMSG => recvmsg(c).await,
        _ => Err(Errno::ENOSYS),
    }
}

/// Sends all of it, unless the socket is non-blocking or something goes wrong on the way.
async fn send(c: &Call<'_>, data: &[u8], args: SendArgs) -> Result<i64, Errno> {
    let (pid, fd) = (c.pid(), c.fd(0));
    if args.flags & MSG_OOB != 0
        || args.flags & !(MSG_DONTWAIT | MSG_NOSIGNAL | MSG_WITHOUT_EFFECT | MSG_CMSG_CLOEXEC) != 0
    {
        return Err(Errno::EOPNOTSUPP);
    }
    let (id, nonblock, kind) = socket(c, fd)?;
    let mut args = SendArgs { nonblock, began: c.sys.now(), ..args };
    let mut sent = c.wait(|kernel| kernel.socket_send(pid, id, data, &args)).await?;
    // What was passed went with the first part.
    args.files.clear();
    while sent < data.len() && kind == SocketType::Stream && !nonblock && args.flags & MSG_DONTWAIT == 0 {
        match c.wait(|kernel| kernel.socket_send(pid, id, &data[sent..], &args)).await {
            Ok(more) => sent += more,
            Err(_) => break,
        }
    }
    Ok(sent as i64)
}

fn socket(c: &Call<'_>, fd: Fd) -> Result<(usize, bool, SocketType), Errno> {
    c.kernel(|kernel| {
        let id = kernel.socket_of(c.pid(), fd)?;
        let nonblock = kernel.status_flags(c.pid(), fd)? & O_NONBLOCK != 0;
        Ok((id, nonblock, kernel.socket_ref(id)?.kind()))
    })
}

async fn receive(c: &Call<'_>, len: usize, flags: i32) -> Result<Received, Errno> {
    if flags & MSG_OOB != 0 {
        return Err(Errno::EOPNOTSUPP);
    }
    let (id, nonblock, kind) = socket(c, c.fd(0))?;
    let mut args = RecvArgs { flags, len, nonblock, began: c.sys.now() };
    let mut received = c.wait(|kernel| kernel.socket_receive(id, &args)).await?;
    let all = flags & MSG_WAITALL != 0 && flags & MSG_PEEK == 0 && kind == SocketType::Stream;
    while all && !received.data.is_empty() && received.data.len() < len && received.files.is_empty() {
        args.len = len - received.data.len();
        match c.wait(|kernel| kernel.socket_receive(id, &args)).await {
            Ok(more) if !more.data.is_empty() => {
                received.data.extend(more.data);
                received.files = more.files;
            }
            _ => break,
        }
    }
    Ok(received)
}

/// The parts of a `struct msghdr`.
struct Header {
    addr: u64,
    name: u64,
    name_len: i32,
    parts: Vec<(u64, usize)>,
    control: u64,
    control_len: usize,
}

fn header(c: &Call<'_>) -> Result<Header, Errno> {
    let addr = c.addr(1);
    let (iov, count) = (c.mem.u64(addr + 16)?, c.mem.u64(addr + 24)?);
    let count = usize::try_from(count).map_err(|_| Errno::EMSGSIZE)?;
    Ok(Header {
        addr,
        name: c.mem.u64(addr)?,
        name_len: c.mem.i32(addr + 8)?,
        parts: iovec(c, iov, count).map_err(|errno| if count > 1_024 { Errno::EMSGSIZE } else { errno })?,
        control: c.mem.u64(addr + 32)?,
        control_len: usize::try_from(c.mem.u64(addr + 40)?).map_err(|_| Errno::ENOBUFS)?,
    })
}

async fn sendmsg(c: &Call<'_>) -> Result<i64, Errno> {
    let header = header(c)?;
    let to = match header.name {
        0 => None,
        name if header.name_len != 0 => Some(address(c, name, header.name_len)?),
        _ => None,
    };
    let mut args = SendArgs { to, flags: c.int(2), ..SendArgs::default() };
    if header.control != 0 {
        read_control(c, &header, &mut args)?;
    }
    let data = gather(c, &header.parts)?;
    send(c, &data, args).await
}

fn read_control(c: &Call<'_>, header: &Header, args: &mut SendArgs) -> Result<(), Errno> {
    if header.control_len > OPTMEM_MAX {
        return Err(Errno::ENOBUFS);
    }
    let control = c.mem.bytes(header.control, header.control_len)?;
    let number = |at: usize| match control.get(at..at + 4) {
        Some(bytes) => i32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]),
        None => 0,
    };
    let mut at = 0;
    while at + CMSGHDR <= control.len() {
        // The length is a size_t; only its lower half can be in range.
        let len = number(at) as u32 as usize;
        if len < CMSGHDR || number(at + 4) != 0 || len > control.len() - at {
            return Err(Errno::EINVAL);
        }
        let (level, kind, payload) = (number(at + 8), number(at + 12), at + CMSGHDR..at + len);
        match (level, kind) {
            (SOL_SOCKET, SCM_RIGHTS) => {
                for fd in payload.step_by(4).filter(|fd| fd + 4 <= at + len) {
                    let fd = number(fd);
                    args.files.push(c.kernel(|kernel| kernel.file_id(c.pid(), fd))?);
                }
                if args.files.len() > SCM_MAX_FD {
                    return Err(Errno::EINVAL);
                }
            }
            (SOL_SOCKET, SCM_CREDENTIALS) if payload.len() == 12 => {
                let (pid, uid, gid) = (number(payload.start), number(payload.start + 4), number(payload.start + 8));
                args.creds = Some(Ucred { pid, uid: uid as u32, gid: gid as u32 });
            }
            (SOL_SOCKET, _) => return Err(Errno::EINVAL),
            _ => {}
        }
        at += len.next_multiple_of(8);
    }
    Ok(())
}

async fn recvmsg(c: &mut Call<'_>) -> Result<i64, Errno> {
    let header = header(c)?;
    let flags = c.int(2);
    let total = header.parts.iter().map(|part| part.1).sum();
    let received = receive(c, total, flags).await?;
    let mut out_flags = received.flags | (flags & MSG_CMSG_CLOEXEC);
    let mut control = Vec::new();
    let mut room = if header.control == 0 { 0 } else { header.control_len };
    if let Some(creds) = received.creds {
        out_flags |= add_control(&mut control, &mut room, SCM_CREDENTIALS, &ucred(creds));
    }
    if !received.files.is_empty() {
        let (pid, cloexec) = (c.pid(), flags & MSG_CMSG_CLOEXEC != 0);
        let slots = room.saturating_sub(CMSGHDR) / 4;
        let (fds, cut) = c.kernel(|kernel| kernel.take_passed(pid, received.files, slots, cloexec));
        out_flags |= cut;
        if !fds.is_empty() {
            let bytes: Vec<u8> = fds.iter().flat_map(|fd| fd.to_le_bytes()).collect();
            out_flags |= add_control(&mut control, &mut room, SCM_RIGHTS, &bytes);
        }
    }
    scatter(c, &header.parts, &received.data)?;
    if header.name != 0 {
        let from = received.from.map(|from| encode(Some(&from))).unwrap_or_default();
        put_address(c, header.name, header.addr + 8, &from)?;
    }
    if !control.is_empty() {
        c.mem.put(header.control, &control)?;
    }
    c.mem.put(header.addr + 40, &(control.len() as u64).to_le_bytes())?;
    c.mem.put(header.addr + 48, &out_flags.to_le_bytes())?;
    Ok(if flags & MSG_TRUNC != 0 { received.full } else { received.data.len() } as i64)
}

/// Adds a control message as far as there is room; the flags say whether it was cut.
fn add_control(control: &mut Vec<u8>, room: &mut usize, kind: i32, payload: &[u8]) -> i32 {
    use crate::kernel::socket::MSG_CTRUNC;
    let len = CMSGHDR + payload.len();
    if *room < CMSGHDR {
        return MSG_CTRUNC;
    }
    let kept = len.min(*room);
    let head = Layout::<CMSGHDR>::new().u64(0, kept as u64).i32(8, SOL_SOCKET).i32(12, kind);
    control.extend_from_slice(&head.0);
    control.extend_from_slice(&payload[..kept - CMSGHDR]);
    // What follows is aligned, if there is room for the gap.
    let space = kept.next_multiple_of(8).min(*room);
    control.resize(control.len() + space - kept, 0);
    *room -= space;
    if kept < len { MSG_CTRUNC } else { 0 }
}
