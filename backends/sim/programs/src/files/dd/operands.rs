//! The operands of dd: `if=x bs=1M`.

use provium_kernel::flags::{O_APPEND, O_DIRECTORY, O_DSYNC, O_NOATIME, O_NOCTTY, O_NOFOLLOW, O_NONBLOCK, O_SYNC};

use crate::shared::human::{BadSize, parse_size};
use crate::shared::{Exit, Tool, quote};

/// Bytes of a block unless said otherwise.
const BLOCK: u64 = 512;

/// The largest block: it is held in memory twice.
const MAX_BLOCK: u64 = 256 << 20;

/// What is said at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// Records, bytes and time.
    All,
    /// Records only.
    NoTransfer,
    /// Errors only.
    None,
}

/// What `conv=` asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Conversions {
    lower: bool,
    upper: bool,
    swab: bool,
    pub(super) noerror: bool,
    pub(super) nocreat: bool,
    pub(super) excl: bool,
    pub(super) notrunc: bool,
    pub(super) sync: bool,
    pub(super) fsync: bool,
    pub(super) fdatasync: bool,
    pub(super) sparse: bool,
}

impl Conversions {
    /// Changes the bytes of a block.
    pub(super) fn apply(self, data: &mut [u8]) {
        if self.lower {
            data.make_ascii_lowercase();
        }
        if self.upper {
            data.make_ascii_uppercase();
        }
        if self.swab {
            for pair in data.chunks_exact_mut(2) {
                pair.swap(0, 1);
            }
        }
    }
}

/// All operands.
#[derive(Clone, Debug)]
pub(super) struct Operands {
    pub(super) input: Option<Vec<u8>>,
    pub(super) output: Option<Vec<u8>>,
    pub(super) input_block: usize,
    pub(super) output_block: usize,
    /// Blocks of the output are put together from what was read (no `bs=`, or bytes are converted).
    pub(super) recombine: bool,
    pub(super) count: Option<u64>,
    pub(super) count_bytes: Option<u64>,
    pub(super) skip_bytes: u64,
    pub(super) seek_bytes: u64,
    pub(super) conversions: Conversions,
    pub(super) input_flags: i32,
    pub(super) output_flags: i32,
    pub(super) full_blocks: bool,
    pub(super) status: Status,
}

/// A number of blocks or, with `B` after it, of bytes.
#[derive(Clone, Copy, Default)]
struct Amount {
    number: u64,
    bytes: bool,
}

impl Amount {
    fn in_bytes(self, flag: bool, block: u64) -> u64 {
        if self.bytes || flag { self.number } else { self.number.saturating_mul(block) }
    }
}

/// Reads the operands; a wrong one is reported.
pub(super) async fn read(tool: &Tool) -> Result<Operands, Exit> {
    if let Some(option) = tool.args.iter().find(|arg| arg.starts_with(b"-") && arg.len() > 1 && *arg != b"--") {
        let answer = match option.as_slice() {
            b"--help" => Some("Usage: dd [OPERAND]...\n"),
            b"--version" => Some(concat!("dd (provium simulated guest) ", env!("CARGO_PKG_VERSION"), "\n")),
            _ => None,
        };
        if let Some(answer) = answer {
            tool.out.write(answer).await?;
            return Err(Exit(0));
        }
        let message = match option.strip_prefix(b"--") {
            Some(_) => format!("unrecognized option {}", quote(option)),
            None => format!("invalid option -- {}", quote(&option[1..2])),
        };
        return Err(tool.usage_error(1, message).await);
    }
    let (mut input, mut output) = (None, None);
    let (mut both, mut input_block, mut output_block) = (None, BLOCK, BLOCK);
    let (mut count, mut skip, mut seek) = (None, Amount::default(), Amount::default());
    let mut conversions = Conversions::default();
    let (mut input_words, mut output_words) = (Words::default(), Words::default());
    let mut status = Status::All;
    for arg in tool.args.iter().filter(|arg| *arg != b"--") {
        let Some(equals) = arg.iter().position(|&byte| byte == b'=') else {
            return Err(tool.usage_error(1, format!("unrecognized operand {}", quote(arg))).await);
        };
        let (name, value) = (&arg[..equals], &arg[equals + 1..]);
        match name {
            b"if" => input = Some(value.to_vec()),
            b"of" => output = Some(value.to_vec()),
            b"bs" => both = Some(block_size(tool, value).await?),
            b"ibs" => input_block = block_size(tool, value).await?,
            b"obs" => output_block = block_size(tool, value).await?,
            b"count" => count = Some(amount(tool, value).await?),
            b"skip" | b"iseek" => skip = amount(tool, value).await?,
            b"seek" | b"oseek" => seek = amount(tool, value).await?,
            b"conv" => convert(tool, value, &mut conversions).await?,
            b"iflag" => flags(tool, value, &mut input_words, "input").await?,
            b"oflag" => flags(tool, value, &mut output_words, "output").await?,
            b"status" => {
                status = match value {
                    b"none" => Status::None,
                    b"noxfer" => Status::NoTransfer,
                    // Nobody watches the progress of a simulated copy.
                    b"progress" => Status::All,
                    other => {
                        return Err(tool.usage_error(1, format!("invalid status level: {}", quote(other))).await);
                    }
                };
            }
            b"cbs" => {
                return Err(tool.fail(1, "option 'cbs=' is not supported by the simulated guest").await);
            }
            _ => return Err(tool.usage_error(1, format!("unrecognized operand {}", quote(arg))).await),
        }
    }
    if let Some(block) = both {
        (input_block, output_block) = (block, block);
    }
    if conversions.lower && conversions.upper {
        return Err(tool.fail(1, "cannot combine lcase and ucase").await);
    }
    if conversions.excl && conversions.nocreat {
        return Err(tool.fail(1, "cannot combine excl and nocreat").await);
    }
    let count_in_bytes = count.filter(|count| count.bytes || input_words.count_bytes);
    Ok(Operands {
        input,
        output,
        input_block: usize::try_from(input_block).unwrap_or(usize::MAX),
        output_block: usize::try_from(output_block).unwrap_or(usize::MAX),
        recombine: both.is_none() || conversions.swab || conversions.lower || conversions.upper,
        count: count.filter(|_| count_in_bytes.is_none()).map(|count| count.number),
        count_bytes: count_in_bytes.map(|count| count.number),
        skip_bytes: skip.in_bytes(input_words.skip_bytes, input_block),
        seek_bytes: seek.in_bytes(output_words.seek_bytes, output_block),
        conversions,
        input_flags: input_words.flags,
        output_flags: output_words.flags,
        full_blocks: input_words.full_blocks,
        status,
    })
}

/// A number with a suffix; numbers may be multiplied with `x`.
fn number(text: &[u8]) -> Result<u64, BadSize> {
    let mut product = 1u64;
    for factor in text.split(|&byte| byte == b'x') {
        // A bare suffix is a number elsewhere, not here.
        if !factor.first().is_some_and(u8::is_ascii_digit) {
            return Err(BadSize::Invalid);
        }
        product = product.checked_mul(parse_size(factor)?).ok_or(BadSize::Overflow)?;
    }
    Ok(product)
}

async fn invalid_number(tool: &Tool, text: &[u8], why: BadSize) -> Exit {
    let message = format!("invalid number: {}", quote(text));
    match why {
        BadSize::Invalid => tool.fail(1, message).await,
        BadSize::Overflow => tool.fail_errno(1, message, provium_kernel::Errno::EOVERFLOW).await,
    }
}

async fn amount(tool: &Tool, text: &[u8]) -> Result<Amount, Exit> {
    let (digits, bytes) = match text.strip_suffix(b"B") {
        Some(rest) if rest.last().is_some_and(u8::is_ascii_digit) => (rest, true),
        _ => (text, false),
    };
    match number(digits) {
        Ok(number) => Ok(Amount { number, bytes }),
        Err(why) => Err(invalid_number(tool, text, why).await),
    }
}

async fn block_size(tool: &Tool, text: &[u8]) -> Result<u64, Exit> {
    match number(text) {
        Ok(0) => Err(invalid_number(tool, text, BadSize::Invalid).await),
        Ok(size @ 1..=MAX_BLOCK) => Ok(size),
        Ok(size) => {
            let text = format!("blocks of {size} bytes are above the limit of the simulated guest ({MAX_BLOCK} bytes)");
            Err(tool.fail(1, text).await)
        }
        Err(why) => Err(invalid_number(tool, text, why).await),
    }
}

async fn convert(tool: &Tool, list: &[u8], conversions: &mut Conversions) -> Result<(), Exit> {
    for word in list.split(|&byte| byte == b',') {
        match word {
            b"lcase" => conversions.lower = true,
            b"ucase" => conversions.upper = true,
            b"swab" => conversions.swab = true,
            b"noerror" => conversions.noerror = true,
            b"nocreat" => conversions.nocreat = true,
            b"excl" => conversions.excl = true,
            b"notrunc" => conversions.notrunc = true,
            b"sync" => conversions.sync = true,
            b"fsync" => conversions.fsync = true,
            b"fdatasync" => conversions.fdatasync = true,
            b"sparse" => conversions.sparse = true,
            b"ascii" | b"ebcdic" | b"ibm" | b"block" | b"unblock" => {
                let word = String::from_utf8_lossy(word);
                let text = format!("option 'conv={word}' is not supported by the simulated guest");
                return Err(tool.fail(1, text).await);
            }
            other => return Err(tool.usage_error(1, format!("invalid conversion: {}", quote(other))).await),
        }
    }
    Ok(())
}

/// What `iflag=` and `oflag=` ask for.
#[derive(Default)]
struct Words {
    flags: i32,
    full_blocks: bool,
    count_bytes: bool,
    skip_bytes: bool,
    seek_bytes: bool,
}

async fn flags(tool: &Tool, list: &[u8], words: &mut Words, side: &str) -> Result<(), Exit> {
    let input = side == "input";
    for word in list.split(|&byte| byte == b',') {
        match word {
            b"append" => words.flags |= O_APPEND,
            // There is no cache to go round.
            b"direct" | b"nocache" | b"binary" | b"text" | b"cio" | b"nolinks" => {}
            b"directory" => words.flags |= O_DIRECTORY,
            b"dsync" => words.flags |= O_DSYNC,
            b"sync" => words.flags |= O_SYNC,
            b"nonblock" => words.flags |= O_NONBLOCK,
            b"noatime" => words.flags |= O_NOATIME,
            b"noctty" => words.flags |= O_NOCTTY,
            b"nofollow" => words.flags |= O_NOFOLLOW,
            b"fullblock" if input => words.full_blocks = true,
            b"count_bytes" if input => words.count_bytes = true,
            b"skip_bytes" if input => words.skip_bytes = true,
            b"seek_bytes" if !input => words.seek_bytes = true,
            other => return Err(tool.usage_error(1, format!("invalid {side} flag: {}", quote(other))).await),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{BadSize, number};

    #[test]
    fn numbers_multiply() {
        assert_eq!(number(b"2x3"), Ok(6));
        assert_eq!(number(b"1kx2"), Ok(2048));
        assert_eq!(number(b"4b"), Ok(2048));
        assert_eq!(number(b"x"), Err(BadSize::Invalid));
        assert_eq!(number(b"k"), Err(BadSize::Invalid));
    }
}
