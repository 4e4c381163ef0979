//! The memory that a raw system call sees: the caller's buffers at made-up addresses.

use provium_protocol::Errno;
use provium_protocol::syscall::PtrTarget;

use crate::limits::{PAGE, PATH_MAX};

/// Where the first buffer lies: where Linux maps a program's memory, so that addresses look familiar.
const FIRST: u64 = 0x7f00_0000_0000;

/// Buffers with their addresses. Each begins on a page of its own, and a page that belongs to nobody
/// lies between two, so that a pointer past the end of one never reaches another.
pub(super) struct Memory<'a> {
    bufs: &'a mut [Vec<u8>],
    bases: Vec<u64>,
}

impl<'a> Memory<'a> {
    /// Gives the buffers addresses and writes them where `ptrs` says. `EFAULT` if a place does not exist.
    pub(super) fn new(bufs: &'a mut [Vec<u8>], args: &mut [i64; 6], ptrs: &[PtrTarget]) -> Result<Memory<'a>, Errno> {
        let page = PAGE as u64;
        let mut bases = Vec::with_capacity(bufs.len());
        let mut next = FIRST;
        for buf in bufs.iter() {
            bases.push(next);
            next += (buf.len() as u64).div_ceil(page).max(1) * page + page;
        }
        for (base, target) in bases.iter().zip(ptrs) {
            match *target {
                PtrTarget::Arg(slot) => *args.get_mut(usize::from(slot)).ok_or(Errno::EFAULT)? = *base as i64,
                PtrTarget::Buf { buf, offset } => {
                    let start = offset as usize;
                    let place = bufs.get_mut(buf as usize).and_then(|buf| buf.get_mut(start..start + 8));
                    place.ok_or(Errno::EFAULT)?.copy_from_slice(&base.to_le_bytes());
                }
            }
        }
        Ok(Memory { bufs, bases })
    }

    /// The buffer that holds an address, and where in it.
    fn find(&self, addr: u64) -> Result<(usize, usize), Errno> {
        let at = self.bases.partition_point(|base| *base <= addr).checked_sub(1).ok_or(Errno::EFAULT)?;
        let offset = usize::try_from(addr - self.bases[at]).map_err(|_| Errno::EFAULT)?;
        if offset > self.bufs[at].len() { Err(Errno::EFAULT) } else { Ok((at, offset)) }
    }

    /// `len` bytes at an address. Nothing is ever wrong with no bytes.
    pub(super) fn bytes(&self, addr: u64, len: usize) -> Result<&[u8], Errno> {
        if len == 0 {
            return Ok(&[]);
        }
        let (at, offset) = self.find(addr)?;
        let end = offset.checked_add(len).ok_or(Errno::EFAULT)?;
        self.bufs[at].get(offset..end).ok_or(Errno::EFAULT)
    }

    /// `len` bytes at an address, to be written.
    pub(super) fn bytes_mut(&mut self, addr: u64, len: usize) -> Result<&mut [u8], Errno> {
        if len == 0 {
            return Ok(&mut []);
        }
        let (at, offset) = self.find(addr)?;
        let end = offset.checked_add(len).ok_or(Errno::EFAULT)?;
        self.bufs[at].get_mut(offset..end).ok_or(Errno::EFAULT)
    }

    /// Writes bytes at an address.
    pub(super) fn put(&mut self, addr: u64, bytes: &[u8]) -> Result<(), Errno> {
        self.bytes_mut(addr, bytes.len())?.copy_from_slice(bytes);
        Ok(())
    }

    /// As [`Memory::put`], but a null pointer means that nobody wants to know.
    pub(super) fn put_unless_null(&mut self, addr: u64, bytes: &[u8]) -> Result<(), Errno> {
        if addr == 0 { Ok(()) } else { self.put(addr, bytes) }
    }

    fn array<const N: usize>(&self, addr: u64) -> Result<[u8; N], Errno> {
        self.bytes(addr, N)?.try_into().map_err(|_| Errno::EFAULT)
    }

    /// A signed 32-bit number.
    pub(super) fn i32(&self, addr: u64) -> Result<i32, Errno> {
        Ok(i32::from_le_bytes(self.array(addr)?))
    }

    /// A signed 16-bit number.
    pub(super) fn i16(&self, addr: u64) -> Result<i16, Errno> {
        Ok(i16::from_le_bytes(self.array(addr)?))
    }

    /// A 64-bit number.
    pub(super) fn u64(&self, addr: u64) -> Result<u64, Errno> {
        Ok(u64::from_le_bytes(self.array(addr)?))
    }

    /// A signed 64-bit number.
    pub(super) fn i64(&self, addr: u64) -> Result<i64, Errno> {
        Ok(i64::from_le_bytes(self.array(addr)?))
    }

    /// A string of at most `limit` bytes, its NUL left out. `EFAULT` if the buffer ends before a NUL,
    /// `too_long` if the limit comes first.
    pub(super) fn string(&self, addr: u64, limit: usize, too_long: Errno) -> Result<&[u8], Errno> {
        let (at, offset) = self.find(addr)?;
        let rest = &self.bufs[at][offset..];
        let window = &rest[..rest.len().min(limit + 1)];
        match window.iter().position(|byte| *byte == 0) {
            Some(end) => Ok(&window[..end]),
            None if window.len() > limit => Err(too_long),
            None => Err(Errno::EFAULT),
        }
    }

    /// A path. One that is too long comes without its end: the kernel finds that out when it looks at it,
    /// and other things that are wrong may be found before.
    pub(super) fn path(&self, addr: u64) -> Result<&[u8], Errno> {
        match self.string(addr, PATH_MAX - 1, Errno::ENAMETOOLONG) {
            Err(Errno::ENAMETOOLONG) => self.bytes(addr, PATH_MAX),
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_reaches_its_buffer_and_no_other() {
        let mut bufs = vec![b"abc\0".to_vec(), vec![0; 8], Vec::new()];
        let mut args = [0; 6];
        let ptrs = [PtrTarget::Arg(1), PtrTarget::Arg(3), PtrTarget::Buf { buf: 1, offset: 0 }];
        let memory = Memory::new(&mut bufs, &mut args, &ptrs).unwrap();
        let first = args[1] as u64;
        assert_eq!(first % PAGE as u64, 0);
        assert_eq!(memory.path(first), Ok(&b"abc"[..]));
        assert_eq!(memory.path(first + 1), Ok(&b"bc"[..]));
        assert_eq!(memory.path(first + 4), Err(Errno::EFAULT));
        assert_eq!(memory.bytes(first, 5), Err(Errno::EFAULT));
        assert_eq!(memory.bytes(first + 4096, 1), Err(Errno::EFAULT));
        assert_eq!(memory.bytes(0, 1), Err(Errno::EFAULT));
        assert_eq!(memory.bytes(0, 0), Ok(&b""[..]));
        assert_eq!(memory.u64(args[3] as u64), Ok(FIRST + 4 * PAGE as u64));
        assert_eq!(memory.bytes(u64::MAX, usize::MAX), Err(Errno::EFAULT));
    }

    #[test]
    fn a_pointer_with_nowhere_to_go_is_refused() {
        let mut bufs = vec![vec![0; 7]];
        for target in [PtrTarget::Arg(6), PtrTarget::Buf { buf: 0, offset: 0 }, PtrTarget::Buf { buf: 9, offset: 0 }] {
            assert_eq!(Memory::new(&mut bufs, &mut [0; 6], &[target]).err(), Some(Errno::EFAULT));
        }
    }
}
