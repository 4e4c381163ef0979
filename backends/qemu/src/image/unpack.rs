//! Undoes the compressions that kernels and their modules come in.

use std::io::{self, Read};

use thiserror::Error;

/// The most that anything unpacks to: a kernel with all of its drivers built in is a fifth of it.
pub const MAX_UNPACKED: u64 = 512 << 20;

/// A block of the older LZ4 format, which the kernel uses, unpacks to at most this.
const LZ4_BLOCK: usize = 8 << 20;

/// What came before something.
const GZIP: &[u8] = &[0x1f, 0x8b];
const XZ: &[u8] = &[0xfd, b'7', b'z', b'X', b'Z', 0];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
const LZ4_OLD: &[u8] = &[0x02, 0x21, 0x4c, 0x18];

/// Why something cannot be unpacked.
#[derive(Debug, Error)]
pub enum UnpackError {
    /// The first bytes are those of no format known here.
    #[error("unknown compression (it begins with {0:02x?})")]
    Format(Vec<u8>),
    /// The data are damaged.
    #[error("damaged {format} data: {why}")]
    Damaged {
        /// The format.
        format: &'static str,
        /// The decoder's reason.
        why: io::Error,
    },
    /// What comes out has no end.
    #[error("unpacks to more than {MAX_UNPACKED} bytes")]
    TooLarge,
}

/// Unpacks the stream that `data` begins with; what follows the stream is not looked at.
pub fn unpack(data: &[u8]) -> Result<Vec<u8>, UnpackError> {
    if data.starts_with(GZIP) {
        read("gzip", flate2::bufread::GzDecoder::new(data))
    } else if data.starts_with(XZ) {
        read("xz", lzma_rust2::XzReader::new(data, false))
    } else if data.starts_with(ZSTD) {
        let decoder = zstd::Decoder::with_buffer(data).map_err(|why| UnpackError::Damaged { format: "zstd", why })?;
        read("zstd", decoder.single_frame())
    } else if data.starts_with(LZ4_OLD) {
        lz4(&data[LZ4_OLD.len()..])
    } else {
        Err(UnpackError::Format(data.iter().take(6).copied().collect()))
    }
}

fn read(format: &'static str, decoder: impl Read) -> Result<Vec<u8>, UnpackError> {
    let mut out = Vec::new();
    decoder.take(MAX_UNPACKED + 1).read_to_end(&mut out).map_err(|why| UnpackError::Damaged { format, why })?;
    if out.len() as u64 > MAX_UNPACKED { Err(UnpackError::TooLarge) } else { Ok(out) }
}

/// Blocks, each after its length. What is no length and a block any more is the end.
fn lz4(mut data: &[u8]) -> Result<Vec<u8>, UnpackError> {
    let damaged = |why: String| UnpackError::Damaged { format: "lz4", why: io::Error::other(why) };
    let mut out = Vec::new();
    let mut block = vec![0; LZ4_BLOCK];
    while let Some((length, rest)) = data.split_first_chunk::<4>() {
        let length = u32::from_le_bytes(*length) as usize;
        // The kernel's build puts the unpacked size behind the last block: too large for a length, and nothing behind it.
        if rest.is_empty() || length == 0 {
            break;
        }
        let Some((packed, rest)) = rest.split_at_checked(length) else {
            return Err(damaged(format!("a block of {length} bytes, where {} are left", rest.len())));
        };
        let size = lz4_flex::block::decompress_into(packed, &mut block).map_err(|error| damaged(error.to_string()))?;
        if (out.len() + size) as u64 > MAX_UNPACKED {
            return Err(UnpackError::TooLarge);
        }
        out.extend_from_slice(&block[..size]);
        data = rest;
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(data).expect("memory");
        encoder.finish().expect("memory")
    }

    fn lz4_old(data: &[u8]) -> Vec<u8> {
        let mut out = LZ4_OLD.to_vec();
        for chunk in data.chunks(LZ4_BLOCK) {
            let packed = lz4_flex::block::compress(chunk);
            out.extend_from_slice(&u32::try_from(packed.len()).expect("small").to_le_bytes());
            out.extend_from_slice(&packed);
        }
        out
    }

    fn xz(data: &[u8]) -> Vec<u8> {
        let options = lzma_rust2::XzOptions::with_preset(1);
        let mut writer = lzma_rust2::XzWriter::new(Vec::new(), options).expect("memory");
        writer.write_all(data).expect("memory");
        writer.finish().expect("memory")
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn every_format_is_undone(data in prop::collection::vec(any::<u8>(), 0..5000)) {
            let zstd = zstd::encode_all(&data[..], 1).expect("memory");
            for packed in [gzip(&data), lz4_old(&data), xz(&data), zstd] {
                prop_assert_eq!(&unpack(&packed).expect("good"), &data);
                // The kernel's build adds the unpacked size.
                let with_size = [&packed[..], &u32::try_from(data.len()).expect("small").to_le_bytes()].concat();
                prop_assert_eq!(&unpack(&with_size).expect("good"), &data);
            }
        }

        #[test]
        fn no_bytes_panic(which in 0..4_usize, data in prop::collection::vec(any::<u8>(), 0..300), cut in 0..300_usize) {
            let magic = [GZIP, XZ, ZSTD, LZ4_OLD][which];
            let _ = unpack(&[magic, &data].concat());
            let packed = [gzip(&data), xz(&data), zstd::encode_all(&data[..], 1).expect("memory"), lz4_old(&data)];
            let packed = &packed[which];
            let _ = unpack(&packed[..cut.min(packed.len())]);
            let _ = unpack(&data);
        }
    }
}
