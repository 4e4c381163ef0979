//! Gets the kernel itself out of a bzImage: QEMU starts it without the decompressor, which takes the guest most of a second.

use elf::ElfBytes;
use elf::abi::{EM_X86_64, PT_NOTE};
use elf::endian::AnyEndian;
use elf::note::Note;
use thiserror::Error;

use super::unpack::{self, UnpackError};

/// Where the header says how many sectors of set-up code there are.
const SETUP_SECTS: usize = 0x1f1;
/// Where the header's mark is.
const MAGIC: usize = 0x202;
/// Where the version of the boot protocol is.
const VERSION: usize = 0x206;
/// Where the payload is, from the start of the protected-mode code.
const PAYLOAD_OFFSET: usize = 0x248;
/// How long it is.
const PAYLOAD_LENGTH: usize = 0x24c;
/// The first protocol that says where the payload is.
const WITH_PAYLOAD: u16 = 0x0208;
const SECTOR: usize = 512;

/// The note by which a kernel says that it can be started without a boot loader (`XEN_ELFNOTE_PHYS32_ENTRY`).
const DIRECT_START: u64 = 18;

/// Why there is no kernel to be got out. The bzImage itself boots all the same.
#[derive(Debug, Error)]
pub enum KernelError {
    /// Not a bzImage of the last fifteen years.
    #[error("it has no header that says where the kernel is")]
    Header,
    /// The header points out of the file.
    #[error("its header points out of the file")]
    OutOfFile,
    /// The payload cannot be unpacked.
    #[error(transparent)]
    Unpack(#[from] UnpackError),
    /// What came out is not what was put in.
    #[error("it unpacks to {got} bytes and says {expected}")]
    Size {
        /// How many came out.
        got: usize,
        /// How many the file names.
        expected: u32,
    },
    /// QEMU could not start what came out.
    #[error("it holds no kernel that QEMU starts directly: {0}")]
    NotDirect(String),
}

/// The uncompressed kernel in a bzImage, as an ELF file.
pub fn extract(image: &[u8]) -> Result<Vec<u8>, KernelError> {
    let payload = payload(image)?;
    let kernel = unpack::unpack(payload)?;
    // The last four bytes are the size, for the decompressor to check against.
    if let Some(size) = payload.last_chunk::<4>() {
        let expected = u32::from_le_bytes(*size);
        if kernel.len() as u64 != u64::from(expected) {
            return Err(KernelError::Size { got: kernel.len(), expected });
        }
    }
    starts_directly(&kernel)?;
    Ok(kernel)
}

/// The compressed kernel in a bzImage.
fn payload(image: &[u8]) -> Result<&[u8], KernelError> {
    let version = u16_at(image, VERSION).ok_or(KernelError::Header)?;
    if image.get(MAGIC..MAGIC + 4) != Some(b"HdrS") || version < WITH_PAYLOAD {
        return Err(KernelError::Header);
    }
    let sectors = match image.get(SETUP_SECTS) {
        // By the protocol, for the sake of very old kernels.
        Some(0) => 4,
        Some(sectors) => usize::from(*sectors),
        None => return Err(KernelError::Header),
    };
    let (Some(offset), Some(length)) = (u32_at(image, PAYLOAD_OFFSET), u32_at(image, PAYLOAD_LENGTH)) else {
        return Err(KernelError::Header);
    };
    let start = (sectors + 1) * SECTOR;
    image
        .get(start..)
        .and_then(|code| code.get(offset as usize..))
        .and_then(|payload| payload.get(..length as usize))
        .ok_or(KernelError::OutOfFile)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// Whether this is a kernel that QEMU starts without a boot loader.
fn starts_directly(kernel: &[u8]) -> Result<(), KernelError> {
    let not = |why: String| KernelError::NotDirect(why);
    let file = ElfBytes::<AnyEndian>::minimal_parse(kernel).map_err(|error| not(error.to_string()))?;
    if file.ehdr.e_machine != EM_X86_64 {
        return Err(not("it is not for x86-64".to_owned()));
    }
    for segment in
        file.segments().iter().flat_map(|segments| segments.iter()).filter(|segment| segment.p_type == PT_NOTE)
    {
        let notes = file.segment_data_as_notes(&segment).map_err(|error| not(error.to_string()))?;
        for note in notes {
            if let Note::Unknown(note) = note
                && note.n_type == DIRECT_START
                && note.name_str().is_ok_and(|name| name == "Xen")
            {
                return Ok(());
            }
        }
    }
    Err(not("it was built without CONFIG_PVH".to_owned()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A file with a header of this much, and nothing else.
    fn header(sectors: u8, version: u16, offset: u32, length: u32) -> Vec<u8> {
        let mut image = vec![0; 0x300];
        image[SETUP_SECTS] = sectors;
        image[MAGIC..MAGIC + 4].copy_from_slice(b"HdrS");
        image[VERSION..VERSION + 2].copy_from_slice(&version.to_le_bytes());
        image[PAYLOAD_OFFSET..PAYLOAD_OFFSET + 4].copy_from_slice(&offset.to_le_bytes());
        image[PAYLOAD_LENGTH..PAYLOAD_LENGTH + 4].copy_from_slice(&length.to_le_bytes());
        image
    }

    #[test]
    fn the_payload_is_where_the_header_says() {
        let mut image = header(2, 0x20f, 3, 5);
        image.resize(3 * SECTOR, 0);
        image.extend_from_slice(b"...HELLO...");
        assert_eq!(payload(&image).expect("good"), b"HELLO");
        let mut old = header(0, 0x208, 0, 2);
        old.resize(5 * SECTOR, 0);
        old.extend_from_slice(b"xy");
        assert_eq!(payload(&old).expect("good"), b"xy");
    }

    #[test]
    fn what_is_no_such_file_is_told() {
        assert!(matches!(payload(b""), Err(KernelError::Header)));
        assert!(matches!(payload(&header(2, 0x207, 0, 0)), Err(KernelError::Header)));
        assert!(matches!(payload(&header(2, 0x20f, 0, 9)), Err(KernelError::OutOfFile)));
        assert!(matches!(payload(&header(255, 0x20f, u32::MAX, u32::MAX)), Err(KernelError::OutOfFile)));
        let mut image = header(2, 0x20f, 0, 4);
        image.resize(3 * SECTOR + 4, 0xee);
        assert!(matches!(extract(&image), Err(KernelError::Unpack(UnpackError::Format(_)))));
    }

    #[test]
    fn a_payload_that_is_no_kernel_is_told() {
        let data = b"\x7fELF but not really";
        let mut packed = zstd::encode_all(&data[..], 1).expect("memory");
        packed.extend_from_slice(&u32::try_from(data.len()).expect("small").to_le_bytes());
        let mut image = header(2, 0x20f, 0, u32::try_from(packed.len()).expect("small"));
        image.resize(3 * SECTOR, 0);
        image.extend_from_slice(&packed);
        assert!(matches!(extract(&image), Err(KernelError::NotDirect(_))));
        let last = image.len() - 1;
        image[last] ^= 1;
        assert!(matches!(extract(&image), Err(KernelError::Size { got: 19, .. })));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(
            sectors in any::<u8>(), version in any::<u16>(), offset in any::<u32>(), length in any::<u32>(),
            tail in prop::collection::vec(any::<u8>(), 0..4000), cut in 0..5000_usize,
        ) {
            let image = [header(sectors, version, offset, length), tail.clone()].concat();
            let _ = extract(&image);
            let _ = extract(&image[..cut.min(image.len())]);
            // Small numbers, so that payloads inside of the file are met too.
            let near = [header(sectors % 4, 0x20f, offset % 2000, length % 2000), tail.clone()].concat();
            let _ = extract(&near);
            let _ = starts_directly(&tail);
            let _ = starts_directly(&[&b"\x7fELF\x02\x01\x01"[..], &tail].concat());
        }
    }
}
