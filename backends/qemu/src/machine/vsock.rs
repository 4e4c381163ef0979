//! Sockets between host and guest: choosing the guest's address, and connecting to its agent.
//!
//! The kernel knows a guest by its context number (CID), and the first to claim one has it. So it is claimed here, on the
//! descriptor that QEMU then gets (`vhostfd`): another number is tried until one is free, and nobody can take it before QEMU runs.
//! QEMU claims the same number on the same descriptor once more, which the kernel allows.
//!
//! Rejected: giving QEMU any number and looking whether it starts, because its words for a number that is taken are not made
//! to be read by programs.

use std::fs::File;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use tokio_vsock::{VsockAddr, VsockStream};

use super::error::MachineError;

/// What gives guests their sockets: made by the kernel's module `vhost_vsock`.
pub(crate) const DEVICE: &str = "/dev/vhost-vsock";

/// The port that provium's agent listens on: a number that no service is known by.
pub const AGENT_VSOCK_PORT: u32 = 0x7072_6f76;

/// The first CID of guests: those below are the host, the machine itself, and "any".
const FIRST_CID: u32 = 3;

/// How many CIDs there are to choose from. Half of them: what has the highest bit set is shown as negative by many tools.
const CIDS: u32 = (1 << 31) - FIRST_CID;

/// How many CIDs are tried: so many in a row are not taken on a host that has room for one more guest.
const TRIES: u32 = 1000;

/// How long it is until a guest is tried again that does not listen yet. Its driver takes a good part of a boot to be there.
const TRY_AGAIN: Duration = Duration::from_millis(20);

/// `VHOST_VSOCK_SET_GUEST_CID` of linux/vhost.h: `_IOW(0xaf, 0x60, __u64)`.
const SET_GUEST_CID: libc::Ioctl = 0x4008_af60;

/// Where an agent listens that is reached over vsock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VsockAddress {
    /// The guest's context number.
    pub cid: u32,
    /// The agent's port.
    pub port: u32,
}

/// A CID that is a new guest's, for as long as the descriptor is open.
#[derive(Debug)]
pub(crate) struct GuestCid {
    pub(crate) cid: u32,
    pub(crate) device: OwnedFd,
}

/// Opens the device that gives guests their sockets.
pub(crate) fn open_device() -> io::Result<File> {
    File::options().read(true).write(true).open(DEVICE)
}

/// Whether a machine of this name could be reached over vsock.
///
/// # Errors
/// Why not, and what mends it.
pub(crate) fn check(name: &str) -> Result<(), MachineError> {
    open_device().map(drop).map_err(|source| MachineError::NoVsock { name: name.to_owned(), source })
}

/// The command that mends why the device cannot be opened.
pub(crate) fn remedy(why: &io::Error) -> &'static str {
    match why.kind() {
        io::ErrorKind::PermissionDenied => "sudo chmod a+rw /dev/vhost-vsock",
        // It is there as a name only, or not at all: the module makes both.
        _ => "sudo modprobe vhost_vsock",
    }
}

/// Claims a CID that no other guest of this host has, for the machine of this name.
///
/// # Errors
/// Why the device cannot be opened, or gives none.
pub(crate) fn claim(name: &str) -> Result<GuestCid, MachineError> {
    let no_vsock = |source| MachineError::NoVsock { name: name.to_owned(), source };
    let device = OwnedFd::from(open_device().map_err(no_vsock)?);
    // Any number will do; that of another process at the same time should be another.
    let first = RandomState::new().build_hasher().finish() as u32;
    let cid = choose(first, |cid| {
        let wanted = u64::from(cid);
        // SAFETY: the device is open, and there is a number of 64 bits to be read.
        match unsafe { libc::ioctl(device.as_raw_fd(), SET_GUEST_CID, &raw const wanted) } {
            -1 => Err(io::Error::last_os_error()),
            _ => Ok(()),
        }
    });
    let cid = cid.map_err(MachineError::host(format!("a context number (CID) for the machine {name:?}")))?;
    Ok(GuestCid { cid, device })
}

/// The first CID that can be claimed, beginning anywhere.
fn choose(first: u32, mut claim: impl FnMut(u32) -> io::Result<()>) -> io::Result<u32> {
    for nth in 0..TRIES {
        let cid = FIRST_CID + first.wrapping_add(nth) % CIDS;
        match claim(cid) {
            Ok(()) => return Ok(cid),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(io::ErrorKind::AddrInUse, format!("{TRIES} context numbers in a row are taken")))
}

/// Connects to an agent, for as long as the caller wants to wait for it to listen. Tells each time why it does not yet.
///
/// # Errors
/// When this host has no such sockets at all.
pub async fn connect(address: VsockAddress, mut not_yet: impl FnMut(&io::Error)) -> io::Result<VsockStream> {
    loop {
        match VsockStream::connect(VsockAddr::new(address.cid, address.port)).await {
            Ok(stream) => return Ok(stream),
            Err(error) if error.raw_os_error() == Some(libc::EAFNOSUPPORT) => return Err(error),
            // The guest is there and has no driver yet, or has one and nobody listens: kernels have several words for both.
            Err(error) => not_yet(&error),
        }
        tokio::time::sleep(TRY_AGAIN).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken() -> io::Error {
        io::Error::from_raw_os_error(libc::EADDRINUSE)
    }

    #[test]
    fn a_cid_that_is_taken_is_followed_by_another() {
        let mut tried = Vec::new();
        let chosen = choose(40, |cid| {
            tried.push(cid);
            if tried.len() < 3 { Err(taken()) } else { Ok(()) }
        });
        assert_eq!((chosen.ok(), tried), (Some(45), vec![43, 44, 45]));
    }

    #[test]
    fn every_cid_is_one_of_a_guest() {
        for first in [0, CIDS - 1, CIDS, u32::MAX - 1, u32::MAX] {
            let mut left = 3;
            let chosen = choose(first, |cid| {
                assert!((FIRST_CID..1 << 31).contains(&cid), "{cid} of {first}");
                left -= 1;
                if left == 0 { Ok(()) } else { Err(taken()) }
            });
            assert!(chosen.is_ok(), "{first}: {chosen:?}");
        }
    }

    #[test]
    fn what_is_no_matter_of_the_number_ends_the_search() {
        let mut tried = 0;
        let refused = choose(0, |_| {
            tried += 1;
            Err(io::Error::from_raw_os_error(libc::EPERM))
        });
        assert_eq!((refused.map_err(|error| error.raw_os_error()), tried), (Err(Some(libc::EPERM)), 1));
        let mut tried = 0;
        let refused = choose(0, |_| {
            tried += 1;
            Err(taken())
        });
        assert_eq!((refused.map_err(|error| error.kind()), tried), (Err(io::ErrorKind::AddrInUse), TRIES));
    }

    #[test]
    fn what_mends_the_device_depends_on_what_is_wrong() {
        assert!(remedy(&io::Error::from_raw_os_error(libc::EACCES)).starts_with("sudo chmod "));
        for errno in [libc::ENOENT, libc::ENODEV, libc::ENXIO] {
            assert_eq!(remedy(&io::Error::from_raw_os_error(errno)), "sudo modprobe vhost_vsock");
        }
    }
}
