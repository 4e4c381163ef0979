//! How xargs takes its input apart.

use provium_kernel::{Errno, Fd, Sys};

/// Bytes that stdio asks for in one read.
const BLOCK: usize = 4096;

/// The longest single argument, in bytes (`MAX_ARG_STRLEN` of Linux).
const MAX_ARGUMENT: usize = 128 << 10;

/// How arguments are separated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Separator {
    /// By blanks and ends of lines; quotes and backslashes protect.
    Blanks,
    /// By ends of lines; quotes and backslashes protect, blanks before are dropped (`-I`).
    Lines,
    /// By this byte alone (`-0`, `-d`).
    Byte(u8),
}

/// An argument, or what else the input holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Argument {
    pub(super) text: Vec<u8>,
    /// A line of input ends after it, and does not go on (`-L`).
    pub(super) ends_line: bool,
}

/// Why no argument could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    Read(Errno),
    SingleQuote,
    DoubleQuote,
    TooLong,
}

/// Reads arguments, no further ahead than a block.
pub(super) struct Arguments {
    sys: Sys,
    fd: Fd,
    separator: Separator,
    /// The argument that ends the input (`-E`).
    end: Option<Vec<u8>>,
    held: Vec<u8>,
    at: usize,
    ended: bool,
    /// A zero byte was seen where it cannot be part of an argument.
    pub(super) saw_nul: bool,
}

impl Arguments {
    pub(super) fn new(sys: Sys, fd: Fd, separator: Separator, end: Option<Vec<u8>>) -> Arguments {
        Arguments { sys, fd, separator, end, held: Vec::new(), at: 0, ended: false, saw_nul: false }
    }

    async fn byte(&mut self) -> Result<Option<u8>, Trouble> {
        if self.at == self.held.len() && !self.ended {
            self.held = self.sys.read(self.fd, BLOCK).await.map_err(Trouble::Read)?;
            self.at = 0;
            self.ended = self.held.is_empty();
        }
        let byte = self.held.get(self.at).copied();
        self.at += usize::from(byte.is_some());
        Ok(byte)
    }

    /// The next argument; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Argument>, Trouble> {
        let argument = match self.separator {
            Separator::Byte(separator) => self.until(separator).await?,
            separator => self.word(separator == Separator::Lines).await?,
        };
        let Some(mut argument) = argument else { return Ok(None) };
        if self.end.as_ref() == Some(&argument.text) {
            self.ended = true;
            self.at = self.held.len();
            return Ok(None);
        }
        if !matches!(self.separator, Separator::Byte(_))
            && let Some(nul) = argument.text.iter().position(|&byte| byte == 0)
        {
            self.saw_nul = true;
            argument.text.truncate(nul);
        }
        Ok(Some(argument))
    }

    async fn until(&mut self, separator: u8) -> Result<Option<Argument>, Trouble> {
        let mut text = Vec::new();
        loop {
            match self.byte().await? {
                None if text.is_empty() => return Ok(None),
                Some(byte) if byte != separator => {
                    text.push(byte);
                    if text.len() > MAX_ARGUMENT {
                        return Err(Trouble::TooLong);
                    }
                }
                _ => return Ok(Some(Argument { text, ends_line: true })),
            }
        }
    }

    async fn word(&mut self, whole_lines: bool) -> Result<Option<Argument>, Trouble> {
        let mut text = Vec::new();
        let (mut started, mut quote, mut escaped) = (false, None, false);
        loop {
            let Some(byte) = self.byte().await? else {
                return match quote {
                    Some(b'"') => Err(Trouble::DoubleQuote),
                    Some(_) => Err(Trouble::SingleQuote),
                    None => Ok(started.then_some(Argument { text, ends_line: true })),
                };
            };
            match (byte, quote) {
                _ if escaped => {
                    text.push(byte);
                    escaped = false;
                }
                (b'\n', Some(mark)) => {
                    return Err(if mark == b'"' { Trouble::DoubleQuote } else { Trouble::SingleQuote });
                }
                (byte, Some(mark)) if byte == mark => quote = None,
                (byte, Some(_)) => text.push(byte),
                (b'\'' | b'"', None) => (quote, started) = (Some(byte), true),
                (b'\\', None) => (escaped, started) = (true, true),
                (b'\n', None) if started => return Ok(Some(Argument { text, ends_line: true })),
                (b'\n', None) => {}
                (b' ' | b'\t', None) if !started => {}
                // More words follow, or the line goes on: a blank before its end joins it with the next.
                (b' ' | b'\t', None) if !whole_lines => return Ok(Some(Argument { text, ends_line: false })),
                (byte, None) => {
                    text.push(byte);
                    started = true;
                }
            }
            if text.len() > MAX_ARGUMENT {
                return Err(Trouble::TooLong);
            }
        }
    }
}
