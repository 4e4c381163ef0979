//! The memory of a saved machine as a file: pages of zeros are holes.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;

use rustix::fs::{SeekFrom, seek};
use rustix::io::Errno;

/// A page of the guest.
const PAGE: usize = 4096;
/// Read and written in one piece.
const PIECE: usize = 1 << 20;
static ZEROS: [u8; PAGE] = [0; PAGE];

/// Calls `page` with the place and the bytes of each run of pages that are not zero; gives the checksum over all of them.
fn scan(file: &File, size: u64, mut run: impl FnMut(u64, &[u8]) -> io::Result<()>) -> io::Result<u32> {
    let mut buffer = vec![0; PIECE];
    let mut checksum = 0;
    let mut at = 0;
    while at < size {
        // What was never written is a hole; reading it would cost memory.
        match seek(file, SeekFrom::Data(at)) {
            Ok(data) => at = data - data % PAGE as u64,
            Err(Errno::NXIO) => break,
            // A file system that knows no holes: all is data.
            Err(Errno::INVAL | Errno::OPNOTSUPP) => {}
            Err(error) => return Err(error.into()),
        }
        let length = usize::try_from(size - at).map_or(PIECE, |left| left.min(PIECE));
        let piece = &mut buffer[..length];
        file.read_exact_at(piece, at)?;
        let mut begun = None;
        for offset in (0..=length).step_by(PAGE) {
            let page = piece.get(offset..(offset + PAGE).min(length)).filter(|page| **page != ZEROS[..page.len()]);
            if let Some(page) = page {
                // Page by page: where pieces begin depends on the file system.
                let place = at + offset as u64;
                checksum = crc32c::crc32c_append(crc32c::crc32c_append(checksum, &place.to_le_bytes()), page);
                begun = begun.or(Some(offset));
            } else if let Some(begin) = begun.take() {
                run(at + begin as u64, &piece[begin..offset])?;
            }
        }
        at += length as u64;
    }
    Ok(checksum)
}

/// Copies memory, and gives its checksum.
pub(super) fn copy(from: impl AsFd, to: &File, size: u64) -> io::Result<u32> {
    let from = File::from(from.as_fd().try_clone_to_owned()?);
    if from.metadata()?.len() != size {
        return Err(io::Error::new(ErrorKind::InvalidData, "the machine's memory has another size"));
    }
    to.set_len(size)?;
    scan(&from, size, |place, bytes| to.write_all_at(bytes, place))
}

/// The checksum of memory that was copied.
pub(super) fn checksum(file: &File, size: u64) -> io::Result<u32> {
    scan(file, size, |_, _| Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_stay_holes_and_every_page_counts() {
        let size = 5 * PIECE as u64;
        let from = tempfile::tempfile().unwrap();
        from.set_len(size).unwrap();
        from.write_all_at(b"first", 0).unwrap();
        from.write_all_at(b"across pages", PIECE as u64 * 2 - 3).unwrap();
        from.write_all_at(&[0; 8192], PIECE as u64 * 3).unwrap();
        from.write_all_at(b"last", size - 4).unwrap();
        let to = tempfile::tempfile().unwrap();
        let sum = copy(&from, &to, size).unwrap();
        let (mut a, mut b) = (vec![0; 5 * PIECE], vec![0; 5 * PIECE]);
        from.read_exact_at(&mut a, 0).unwrap();
        to.read_exact_at(&mut b, 0).unwrap();
        assert!(a == b, "a copy differs");
        assert_eq!(checksum(&to, size).unwrap(), sum);
        // Holes at other places, and the same content.
        to.write_all_at(&[0; 3 * 4096], PIECE as u64 - 4096).unwrap();
        assert_eq!(checksum(&to, size).unwrap(), sum);
        to.write_all_at(b"x", PIECE as u64 * 3 + 77).unwrap();
        assert_ne!(checksum(&to, size).unwrap(), sum);
        to.write_all_at(b"\0", PIECE as u64 * 3 + 77).unwrap();
        assert_eq!(checksum(&to, size).unwrap(), sum);
        assert!(copy(&from, &to, size + 1).is_err());
    }
}
