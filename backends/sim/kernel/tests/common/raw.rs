//! Raw system calls as tests make them.

use provium_kernel::{Errno, Sys};
use provium_protocol::syscall::PtrTarget;

/// A call whose buffers' addresses go to the arguments named beside them; the result and the buffers
/// afterwards.
pub async fn call(sys: &Sys, nr: u64, args: &[i64], bufs: &[(usize, &[u8])]) -> (i64, Vec<Vec<u8>>) {
    let mut all = [0; 6];
    all[..args.len()].copy_from_slice(args);
    let ptrs: Vec<PtrTarget> = bufs.iter().map(|(at, _)| PtrTarget::Arg(*at as u8)).collect();
    let mut bufs: Vec<Vec<u8>> = bufs.iter().map(|(_, bytes)| bytes.to_vec()).collect();
    let result = sys.raw_syscall(nr, all, &mut bufs, &ptrs).await;
    (result, bufs)
}

/// What a call returns that fails like this.
pub fn errno(errno: Errno) -> i64 {
    -i64::from(errno.0)
}
