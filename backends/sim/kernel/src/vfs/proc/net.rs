//! `/proc/PID/net`: unix sockets, and the headers of what else there could be.

use provium_protocol::Errno;

use super::node::NET_FILES;
use crate::kernel::Kernel;

pub(super) fn content(kernel: &Kernel, at: u32) -> Result<Vec<u8>, Errno> {
    let name = NET_FILES.get(at as usize).ok_or(Errno::ENOENT)?;
    Ok(match *name {
        "unix" => kernel.sockets_text(),
        "dev" => b"Inter-|   Receive                                                |  Transmit\n face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n    lo:       0       0    0    0    0     0          0         0        0       0    0    0    0     0       0          0\n".to_vec(),
        "udp" => b"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n".to_vec(),
        _ => b"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n".to_vec(),
    })
}
