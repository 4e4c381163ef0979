//! Raw system calls.

use serde::{Deserialize, Serialize};

/// Where the address of a buffer goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PtrTarget {
    /// Into this argument, counted from 0.
    Arg(u8),
    /// Into another buffer, 8 bytes little-endian at this offset: vectors of `readv`, message headers.
    Buf {
        /// Which buffer, counted from 0.
        buf: u32,
        /// Where in it, in bytes.
        offset: u32,
    },
}

/// One raw system call by x86-64 number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyscallSpec {
    /// Its number.
    pub nr: u64,
    /// Its arguments; what a pointer overwrites may be anything.
    pub args: [i64; 6],
    /// Memory that it may read and write.
    pub bufs: Vec<SyscallBuf>,
    /// Where the address of each buffer goes; may be shorter than `bufs`.
    pub ptrs: Vec<PtrTarget>,
}

/// Memory handed to a raw system call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyscallBuf(#[serde(with = "serde_bytes")] pub Vec<u8>);

/// What a raw system call returned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyscallReply {
    /// What the kernel returned: a result, or a negative errno (-4095 to -1).
    pub raw: i64,
    /// The buffers afterwards.
    pub bufs: Vec<SyscallBuf>,
}
