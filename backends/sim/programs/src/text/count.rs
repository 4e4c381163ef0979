//! The number arguments of `head` and `tail`.

use crate::shared::human::{BadSize, parse_size};
use crate::shared::{Exit, Tool, quote};

/// Whether lines or bytes are counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Unit {
    Lines,
    Bytes,
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Unit::Lines => "lines",
            Unit::Bytes => "bytes",
        }
    }
}

/// Reads a count with its suffix; `whole` is the argument as typed, for the message.
pub(super) async fn parse(tool: &Tool, unit: Unit, digits: &[u8], whole: &[u8]) -> Result<u64, Exit> {
    let is_number = digits.first().is_some_and(u8::is_ascii_digit);
    match parse_size(digits) {
        Ok(count) if is_number => Ok(count),
        Err(BadSize::Overflow) => {
            let text = "Value too large for defined data type";
            Err(tool.fail(1, format!("invalid number of {}: {}: {text}", unit.name(), quote(whole))).await)
        }
        _ => Err(tool.fail(1, format!("invalid number of {}: {}", unit.name(), quote(whole))).await),
    }
}
