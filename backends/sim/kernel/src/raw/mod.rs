//! Raw system calls by x86-64 number, on buffers that stand for the caller's memory.
//!
//! Every buffer gets an address of its own; pointers are followed, structures read and written exactly
//! as on Linux. A range that is not wholly inside of one buffer is `EFAULT`, where Linux moves what it
//! can reach first: a test that passes a wrong length is told. What is not in [`table::CALLS`] answers
//! `ENOSYS`.

mod call;
mod descriptors;
mod fcntl;
mod ids;
mod io;
mod layout;
mod memory;
mod messages;
mod names;
mod objects;
pub mod page;
mod paths;
mod polling;
mod processes;
mod signals;
mod sockets;
mod system;
pub mod table;
mod time;

use provium_protocol::Errno;
use provium_protocol::syscall::PtrTarget;

use crate::Sys;
use call::Call;
use memory::Memory;
use table::Family;

impl Sys {
    /// Makes the system call `nr` with `args`, into which the addresses of `bufs` are written first as
    /// `ptrs` says. Returns what the kernel returns: a result, or an errno as a negative number.
    pub async fn raw_syscall(&self, nr: u64, args: [i64; 6], bufs: &mut [Vec<u8>], ptrs: &[PtrTarget]) -> i64 {
        self.step().await;
        self.decode(nr, args, bufs, ptrs).await.unwrap_or_else(|errno| -i64::from(errno.0))
    }

    async fn decode(
        &self,
        nr: u64,
        mut args: [i64; 6],
        bufs: &mut [Vec<u8>],
        ptrs: &[PtrTarget],
    ) -> Result<i64, Errno> {
        let row = table::row(nr).ok_or(Errno::ENOSYS)?;
        let mem = Memory::new(bufs, &mut args, ptrs)?;
        let mut call = Call { sys: self, nr, args, mem };
        match row.family {
            Family::Io => io::call(&mut call).await,
            Family::Paths => paths::call(&mut call).await,
            Family::Names => names::call(&call),
            Family::Descriptors => descriptors::call(&mut call).await,
            Family::Polling => polling::call(&mut call).await,
            Family::Objects => objects::call(&mut call).await,
            Family::Sockets => sockets::call(&mut call).await,
            Family::Ids => ids::call(&mut call),
            Family::Processes => processes::call(&mut call).await,
            Family::Signals => signals::call(&mut call).await,
            Family::Time => time::call(&mut call).await,
            Family::System => system::call(&mut call),
        }
    }
}
