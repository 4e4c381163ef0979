//! The beginning of the file: what it is, for people and for programs.
//!
//! Magic, format version, length, JSON, checksum. This layout never changes, whatever the version, so that every
//! provium can say by whom a trace that it cannot read was written.

mod lean;

use std::io::{self, Read};

use super::super::record::{FORMAT_VERSION, Header};
use super::context::DICTIONARY_FEATURE;
use super::{TraceError, WriteError};

/// The first bytes of every trace. The first has its high bit set, so that a channel of seven bits shows; carriage
/// return with line feed, and a line feed alone, show a channel that converts the ends of lines; 0x1A ends what a
/// careless `type` prints.
pub const MAGIC: [u8; 8] = *b"\x89PVT\r\n\x1a\n";

/// The longest JSON text of a header, in bytes: profiles are short, and this holds thousands of them.
pub const MAX_HEADER: usize = 1 << 20;

/// Features in [`Header::required`] that this reader understands.
pub const KNOWN_FEATURES: &[&str] = &[DICTIONARY_FEATURE];

/// Bytes before the JSON text: magic, version, length.
const FIXED: usize = MAGIC.len() + 2 + 4;

/// The header as the bytes that begin a file.
///
/// # Errors
/// When it is too large to be read again.
pub fn encode(header: &Header) -> Result<Vec<u8>, WriteError> {
    let json = lean::json(header).map_err(|error| WriteError::Encode(error.to_string()))?;
    let length = u32::try_from(json.len()).ok().filter(|length| *length as usize <= MAX_HEADER);
    let Some(length) = length else { return Err(WriteError::HeaderTooLarge { size: json.len() }) };
    let mut out = Vec::with_capacity(FIXED + json.len() + 4);
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&json);
    let checksum = crc32c::crc32c(&out);
    out.extend_from_slice(&checksum.to_le_bytes());
    Ok(out)
}

/// What the beginning of a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The format's version.
    pub version: u16,
    /// The header.
    pub header: Header,
    /// Where the first block begins, in bytes.
    pub size: u64,
}

/// Reads a header from the beginning of a file.
///
/// # Errors
/// What is wrong with it, and what to do next.
pub fn read(input: &mut impl Read) -> Result<Opened, TraceError> {
    let mut bytes = Vec::with_capacity(FIXED);
    take(input, &mut bytes, FIXED)?;
    judge_magic(&bytes)?;
    let [.., v0, v1, l0, l1, l2, l3] = bytes[..] else {
        return Err(TraceError::HeaderTorn { has: bytes.len() as u64, needs: None });
    };
    if bytes.len() < FIXED {
        return Err(TraceError::HeaderTorn { has: bytes.len() as u64, needs: None });
    }
    let version = u16::from_le_bytes([v0, v1]);
    let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
    if length > MAX_HEADER {
        let why = format!("it claims {length} bytes of text, the limit is {MAX_HEADER} (MAX_HEADER)");
        return Err(TraceError::HeaderDamaged { why });
    }
    let size = FIXED + length + 4;
    take(input, &mut bytes, size)?;
    if bytes.len() < size {
        return Err(TraceError::HeaderTorn { has: bytes.len() as u64, needs: Some(size as u64) });
    }
    let (content, checksum) = bytes.split_at(size - 4);
    if crc32c::crc32c(content).to_le_bytes() != *checksum {
        return Err(TraceError::HeaderDamaged { why: "its checksum does not fit its bytes".to_owned() });
    }
    let json = &content[FIXED..];
    if version == 0 || version > FORMAT_VERSION {
        return Err(TraceError::Newer { version, writer: writer(json) });
    }
    let header: Header = serde_json::from_slice(json)
        .map_err(|error| TraceError::HeaderDamaged { why: format!("its text cannot be understood: {error}") })?;
    if let Some(feature) = header.required.iter().find(|feature| !KNOWN_FEATURES.contains(&feature.as_str())) {
        return Err(TraceError::Needs { feature: shown(feature), writer: shown(&header.writer) });
    }
    Ok(Opened { version, header, size: size as u64 })
}

/// Reads until `bytes` are `len`, or the file ends.
fn take(input: &mut impl Read, bytes: &mut Vec<u8>, len: usize) -> io::Result<()> {
    let missing = len.saturating_sub(bytes.len()) as u64;
    input.take(missing).read_to_end(bytes).map(|_| ())
}

/// Who wrote a header of another version: all that is asked of its JSON is one key.
fn writer(json: &[u8]) -> String {
    let value: Option<serde_json::Value> = serde_json::from_slice(json).ok();
    let named = value.as_ref().and_then(|value| value.get("writer")).and_then(serde_json::Value::as_str);
    named.map_or_else(|| "somebody it does not name".to_owned(), shown)
}

/// A text from a file that may be hostile, for a message.
fn shown(text: &str) -> String {
    text.chars().take(80).flat_map(char::escape_debug).collect()
}

fn judge_magic(bytes: &[u8]) -> Result<(), TraceError> {
    let common = bytes.len().min(MAGIC.len());
    if bytes[..common] == MAGIC[..common] {
        return Ok(());
    }
    /// How a file looks that something treated as text.
    const MANGLED: &[(&[u8], &str)] = &[
        (b"\x09PVT", "the eighth bit of its bytes was cut off"),
        (b"PVT\r\n", "its first byte was taken away"),
        (b"\x89PVT\n\x1a", "its line ends were changed from CR LF to LF"),
        (b"\x89PVT\r\r\n", "its line ends were changed from LF to CR LF"),
        (b"\x89PVT\r\n\x1a\r\n", "its line ends were changed from LF to CR LF"),
        (b"\x89PVT\r\r\x1a", "its line ends were changed from LF to CR"),
        (b"\xc2\x89PVT", "it was converted from Latin-1 to UTF-8"),
        (b"\xef\xbf\xbdPVT", "it was converted to UTF-8, and bytes were lost"),
        (b"?PVT", "bytes that are not ASCII were replaced"),
    ];
    for (begins, how) in MANGLED {
        if bytes.starts_with(begins) {
            return Err(TraceError::Mangled { how });
        }
    }
    let begins = match bytes.first_chunk::<8>() {
        Some(first) => format!("`{}`", first.escape_ascii()),
        None => format!("`{}` and ends there", bytes.escape_ascii()),
    };
    Err(TraceError::NotATrace { begins })
}
