//! Memory for the buffers of a raw system call.
//!
//! Each buffer ends where a page begins that nobody may touch: a call that is told a length beyond its buffer answers
//! `EFAULT`, as in the simulator, instead of writing over the agent.

use std::ptr;

use provium_protocol::Errno;
use provium_protocol::syscall::{PtrTarget, SyscallBuf};

use super::sys;

/// Bytes of a page on x86-64.
const PAGE: usize = 4096;

/// One mapping with all buffers of one call.
pub struct Memory {
    base: *mut u8,
    bytes: usize,
    /// Where each buffer begins, and its length.
    places: Vec<(usize, usize)>,
}

impl Memory {
    /// Copies buffers in.
    pub fn new(bufs: &[SyscallBuf]) -> Result<Memory, Errno> {
        let mut places = Vec::with_capacity(bufs.len());
        let mut guards = Vec::with_capacity(bufs.len());
        let mut bytes = 0usize;
        for buf in bufs {
            let end = bytes + buf.0.len().next_multiple_of(PAGE);
            places.push((end - buf.0.len(), buf.0.len()));
            guards.push(end);
            bytes = end + PAGE;
        }
        if bytes == 0 {
            return Ok(Memory { base: ptr::null_mut(), bytes, places });
        }
        let (rights, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: it makes a mapping of its own.
        let base = unsafe { libc::mmap(ptr::null_mut(), bytes, rights, flags, -1, 0) };
        if base == libc::MAP_FAILED {
            return Err(sys::errno());
        }
        let memory = Memory { base: base.cast(), bytes, places };
        for guard in guards {
            // SAFETY: the page lies in the mapping, and no buffer does in the page.
            sys::check(unsafe { libc::mprotect(memory.base.add(guard).cast(), PAGE, libc::PROT_NONE) })?;
        }
        for (buf, (at, len)) in bufs.iter().zip(&memory.places) {
            // SAFETY: the place lies in the mapping and has the length of the buffer.
            unsafe { ptr::copy_nonoverlapping(buf.0.as_ptr(), memory.base.add(*at), *len) };
        }
        Ok(memory)
    }

    /// The address of a buffer.
    fn address(&self, buf: usize) -> Option<u64> {
        let (at, _) = self.places.get(buf)?;
        Some(self.base as u64 + *at as u64)
    }

    /// Writes the addresses of buffers where they belong.
    pub fn connect(&self, args: &mut [i64; 6], ptrs: &[PtrTarget]) -> Result<(), Errno> {
        for (buf, target) in ptrs.iter().enumerate() {
            let address = self.address(buf).ok_or(Errno::EFAULT)?;
            match *target {
                PtrTarget::Arg(slot) => {
                    *args.get_mut(usize::from(slot)).ok_or(Errno::EFAULT)? = address.cast_signed();
                }
                PtrTarget::Buf { buf, offset } => {
                    let place = self.address(buf as usize).ok_or(Errno::EFAULT)? + u64::from(offset);
                    self.with_u64(place, |word| *word = address).ok_or(Errno::EFAULT)?;
                }
            }
        }
        Ok(())
    }

    /// Changes the eight bytes at an address; `None` if they do not lie in one buffer.
    pub fn with_u64<T>(&self, address: u64, change: impl FnOnce(&mut u64) -> T) -> Option<T> {
        let offset = usize::try_from(address.checked_sub(self.base as u64)?).ok()?;
        let holds = |(at, len): &(usize, usize)| {
            offset >= *at && offset.checked_add(size_of::<u64>()).is_some_and(|end| end <= at + len)
        };
        self.places.iter().any(holds).then(|| {
            // SAFETY: the eight bytes lie in a buffer of the mapping; they need not be aligned.
            unsafe {
                let place = self.base.add(offset).cast::<u64>();
                let mut word = place.read_unaligned();
                let value = change(&mut word);
                place.write_unaligned(word);
                value
            }
        })
    }

    /// The buffers as the call left them.
    pub fn into_bufs(self) -> Vec<SyscallBuf> {
        let buf = |(at, len): &(usize, usize)| {
            let mut copy = vec![0; *len];
            // SAFETY: the place lies in the mapping and has this length.
            unsafe { ptr::copy_nonoverlapping(self.base.add(*at), copy.as_mut_ptr(), *len) };
            SyscallBuf(copy)
        };
        self.places.iter().map(buf).collect()
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        if self.bytes > 0 {
            // SAFETY: it is this value's own mapping.
            unsafe { libc::munmap(self.base.cast(), self.bytes) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_end_at_guards_and_come_back() {
        let bufs = [SyscallBuf(b"abc".to_vec()), SyscallBuf(vec![]), SyscallBuf(vec![7; 2 * PAGE])];
        let memory = Memory::new(&bufs).unwrap();
        let mut args = [0; 6];
        memory
            .connect(&mut args, &[PtrTarget::Arg(0), PtrTarget::Arg(1), PtrTarget::Buf { buf: 2, offset: 8 }])
            .unwrap();
        assert_eq!(args[0] as usize % PAGE, PAGE - 3);
        let back = memory.into_bufs();
        assert_eq!(back[0], bufs[0]);
        assert_eq!(back[1], bufs[1]);
        assert_eq!(back[2].0[..8], [7; 8]);
        assert_ne!(back[2].0[8..16], [7; 8]);
    }

    #[test]
    fn places_outside_of_buffers_are_refused() {
        let memory = Memory::new(&[SyscallBuf(vec![0; 8])]).unwrap();
        let mut args = [0; 6];
        let place = |offset| [PtrTarget::Buf { buf: 0, offset }];
        assert_eq!(memory.connect(&mut args, &place(0)), Ok(()));
        assert_eq!(memory.connect(&mut args, &place(1)), Err(Errno::EFAULT));
        assert_eq!(memory.connect(&mut args, &[PtrTarget::Arg(6)]), Err(Errno::EFAULT));
        assert_eq!(memory.connect(&mut args, &[PtrTarget::Arg(0), PtrTarget::Arg(1)]), Err(Errno::EFAULT));
        assert_eq!(memory.with_u64(0, |word| *word), None);
        assert!(Memory::new(&[]).unwrap().into_bufs().is_empty());
    }
}
