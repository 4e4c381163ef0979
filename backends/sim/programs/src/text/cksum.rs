//! cksum: the CRC of POSIX and the size.

use crc::{CRC_32_CKSUM, Crc, Table};
use provium_kernel::{Errno, Fd};

use super::common::{close, open};
use crate::shared::{Opt, Outcome, Spec, Tool, quotef};

/// Bytes of one read, as in the real tool.
const BLOCK: usize = 64 << 10;

const SPEC: Spec = Spec::new(
    "[FILE]...",
    &[
        Opt::unsupported("a", "algorithm"),
        Opt::unsupported("c", "check"),
        Opt::unsupported("l", "length"),
        Opt::unsupported("", "untagged"),
        Opt::unsupported("z", "zero"),
    ],
);

const CRC: Crc<u32, Table<1>> = Crc::<u32, Table<1>>::new(&CRC_32_CKSUM);

pub(super) async fn run(tool: Tool) -> Outcome {
    let parsed = tool.parse(&SPEC).await?;
    let from_stdin = parsed.operands.is_empty();
    let mut code = 0;
    for name in super::common::or_stdin(parsed.operands) {
        let summed = match open(&tool, &name).await {
            Ok(fd) => {
                let summed = sum(&tool, fd).await;
                close(&tool, fd).await;
                summed
            }
            Err(errno) => Err(errno),
        };
        match summed {
            Ok((crc, size)) => {
                let label = if from_stdin { Vec::new() } else { [b" ", name.as_slice()].concat() };
                tool.out.write([format!("{crc} {size}").as_bytes(), &label, b"\n"].concat()).await?;
            }
            Err(errno) => {
                tool.error_errno(quotef(&name), errno).await;
                code = 1;
            }
        }
    }
    Ok(code)
}

async fn sum(tool: &Tool, fd: Fd) -> Result<(u32, u64), Errno> {
    let mut digest = CRC.digest();
    let mut size: u64 = 0;
    loop {
        let data = tool.sys.read(fd, BLOCK).await?;
        if data.is_empty() {
            break;
        }
        digest.update(&data);
        size += data.len() as u64;
    }
    // POSIX appends the size, its lowest byte first, without leading zeros.
    let mut rest = size;
    while rest > 0 {
        digest.update(&[(rest & 0xff) as u8]);
        rest >>= 8;
    }
    Ok((digest.finalize(), size))
}
