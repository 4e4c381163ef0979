//! od: dumps bytes in many forms.

mod format;

use provium_kernel::{Errno, Fd};

use super::common::{close, open, or_stdin};
use crate::shared::{Exit, Opt, Outcome, Parsed, Spec, Tool, quote, quotef};
use format::Format;

/// Bytes of one read by stdio.
const BLOCK: usize = 4096;

/// Bytes of one line: more would only serve to exhaust memory.
const MAX_LINE: u64 = 1 << 16;

const SPEC: Spec = Spec::new(
    "[OPTION]... [FILE]...",
    &[
        Opt::value("A", "address-radix"),
        Opt::value("j", "skip-bytes"),
        Opt::value("N", "read-bytes"),
        Opt::unsupported("S", "strings"),
        Opt::value("t", "format"),
        Opt::flag("v", "output-duplicates"),
        Opt::optional("w", "width"),
        Opt::flag("a", ""),
        Opt::flag("b", ""),
        Opt::flag("c", ""),
        Opt::flag("d", ""),
        Opt::flag("f", ""),
        Opt::flag("i", ""),
        Opt::flag("l", ""),
        Opt::flag("o", ""),
        Opt::flag("s", ""),
        Opt::flag("x", ""),
        Opt::flag("h", ""),
        Opt::unsupported("", "endian"),
        Opt::unsupported("", "traditional"),
    ],
);

/// What the traditional options stand for.
const TRADITIONAL: &[(&str, &[u8])] = &[
    ("a", b"a"),
    ("b", b"o1"),
    ("c", b"c"),
    ("d", b"u2"),
    ("f", b"fF"),
    ("h", b"x2"),
    ("i", b"dI"),
    ("l", b"dL"),
    ("o", b"o2"),
    ("s", b"d2"),
    ("x", b"x2"),
];

/// All operands as one input.
struct Input<'a> {
    tool: &'a Tool,
    names: std::vec::IntoIter<Vec<u8>>,
    current: Option<(Fd, Vec<u8>)>,
    held: Vec<u8>,
    at: usize,
    left: u64,
    code: i32,
}

impl Input<'_> {
    /// Up to `length` bytes; fewer only at the end.
    async fn take(&mut self, length: usize) -> Vec<u8> {
        let mut block = Vec::with_capacity(length);
        while block.len() < length {
            if self.at == self.held.len() && !self.fill().await {
                break;
            }
            let step = (length - block.len()).min(self.held.len() - self.at);
            block.extend_from_slice(&self.held[self.at..self.at + step]);
            self.at += step;
        }
        block
    }

    async fn fill(&mut self) -> bool {
        loop {
            let wanted = usize::try_from(self.left).unwrap_or(BLOCK).min(BLOCK);
            if wanted == 0 {
                return false;
            }
            let Some((fd, name)) = self.current.take() else {
                if self.open_next().await {
                    continue;
                }
                return false;
            };
            match self.tool.sys.read(fd, wanted).await {
                Ok(data) if !data.is_empty() => {
                    self.left -= data.len() as u64;
                    self.held = data;
                    self.at = 0;
                    self.current = Some((fd, name));
                    return true;
                }
                Ok(_) => close(self.tool, fd).await,
                Err(errno) => {
                    self.trouble(&name, errno).await;
                    close(self.tool, fd).await;
                }
            }
        }
    }

    /// Goes on to the next operand that can be opened; false if there is none.
    async fn open_next(&mut self) -> bool {
        while let Some(name) = self.names.next() {
            match open(self.tool, &name).await {
                Ok(fd) => {
                    self.current = Some((fd, name));
                    return true;
                }
                Err(errno) => self.trouble(&name, errno).await,
            }
        }
        false
    }

    async fn trouble(&mut self, name: &[u8], errno: Errno) {
        self.tool.error_errno(quotef(name), errno).await;
        self.code = 1;
    }
}

pub(super) async fn run(tool: Tool) -> Outcome {
    let parsed = tool.parse(&SPEC).await?;
    let radix = match parsed.value("address-radix") {
        None => b'o',
        Some([radix @ (b'd' | b'o' | b'x' | b'n'), ..]) => *radix,
        Some(other) => {
            let first = String::from_utf8_lossy(&other[..other.len().min(1)]).into_owned();
            let message = format!("invalid output address radix '{first}'; it must be one character from [doxn]");
            return Err(tool.fail(1, message).await);
        }
    };
    let skip = size(&tool, &parsed, "skip-bytes", "-j").await?.unwrap_or(0);
    let limit = size(&tool, &parsed, "read-bytes", "-N").await?;
    let formats = formats(&tool, &parsed).await?;
    let unit = formats.iter().map(Format::size).max().unwrap_or(2);
    let width = width(&tool, &parsed, unit).await?;
    let mut input = Input {
        tool: &tool,
        names: or_stdin(parsed.operands.clone()).into_iter(),
        current: None,
        held: Vec::new(),
        at: 0,
        left: limit.map_or(u64::MAX, |limit| limit.saturating_add(skip)),
        code: 0,
    };
    if !input.open_next().await {
        return Ok(input.code);
    }
    let mut skipped = 0;
    while skipped < skip {
        let piece = input.take(usize::try_from(skip - skipped).unwrap_or(BLOCK).min(BLOCK)).await;
        if piece.is_empty() {
            return Err(tool.fail(1, "cannot skip past end of combined input").await);
        }
        skipped += piece.len() as u64;
    }
    dump(&tool, &mut input, &formats, width, radix, skip, parsed.has("output-duplicates")).await?;
    Ok(input.code)
}

async fn dump(
    tool: &Tool,
    input: &mut Input<'_>,
    formats: &[Format],
    width: usize,
    radix: u8,
    mut offset: u64,
    duplicates: bool,
) -> Result<(), Exit> {
    let column = formats.iter().map(|format| (format.width() + 1) * (width / format.size())).max().unwrap_or(0);
    let mut last: Vec<u8> = Vec::new();
    let mut starred = false;
    loop {
        let block = input.take(width).await;
        if block.is_empty() {
            break;
        }
        if block.len() == width && block == last && !duplicates {
            if !starred {
                tool.out.write("*\n").await?;
                starred = true;
            }
        } else {
            starred = false;
            let mut prefix = address(offset, radix);
            for format in formats {
                tool.out.write(format.line(&prefix, &block, width, column)).await?;
                prefix = " ".repeat(prefix.len());
            }
        }
        offset += block.len() as u64;
        let whole = block.len() == width;
        last = block;
        if !whole {
            break;
        }
    }
    if radix != b'n' {
        tool.out.write(format!("{}\n", address(offset, radix))).await?;
    }
    Ok(())
}

fn address(offset: u64, radix: u8) -> String {
    match radix {
        b'd' => format!("{offset:07}"),
        b'x' => format!("{offset:06x}"),
        b'o' => format!("{offset:07o}"),
        _ => String::new(),
    }
}

/// A size as od reads it: decimal, `0` octal, `0x` hexadecimal, with a suffix.
async fn size(tool: &Tool, parsed: &Parsed, key: &str, letter: &str) -> Result<Option<u64>, Exit> {
    let Some(text) = parsed.value(key) else { return Ok(None) };
    let (radix, start) = match text {
        [b'0', b'x' | b'X', ..] => (16, 2),
        [b'0', _, ..] => (8, 1),
        _ => (10, 0),
    };
    // `0x` without a digit after it is a zero and a suffix.
    let bare = radix == 16 && !text.get(2).is_some_and(u8::is_ascii_hexdigit);
    let (radix, start) = if bare { (8, 0) } else { (radix, start) };
    let digits = text[start..].iter().take_while(|byte| char::from(**byte).is_digit(radix)).count();
    let number = std::str::from_utf8(&text[start..start + digits]).unwrap_or_default();
    if digits == 0 {
        return Err(tool.fail(1, format!("invalid {letter} argument {}", quote(text))).await);
    }
    let suffix = &text[start + digits..];
    let factor = crate::shared::human::parse_size(&[b"1", suffix].concat());
    let number = u64::from_str_radix(number, radix);
    match (number, factor) {
        (Ok(number), Ok(factor)) => match number.checked_mul(factor) {
            Some(size) => Ok(Some(size)),
            None => Err(tool.fail(1, format!("{letter} argument {} too large", quote(text))).await),
        },
        (Err(_), _) => Err(tool.fail(1, format!("{letter} argument {} too large", quote(text))).await),
        (_, Err(_)) => Err(tool.fail(1, format!("invalid suffix in {letter} argument {}", quote(text))).await),
    }
}

async fn formats(tool: &Tool, parsed: &Parsed) -> Result<Vec<Format>, Exit> {
    let mut formats = Vec::new();
    for (key, value) in &parsed.options {
        let text = match TRADITIONAL.iter().find(|(letter, _)| letter == key) {
            Some((_, text)) => *text,
            None if *key == "format" => value.as_deref().unwrap_or_default(),
            None => continue,
        };
        match Format::parse(text) {
            Ok(more) => formats.extend(more),
            Err(message) => return Err(tool.fail(1, message).await),
        }
    }
    if formats.is_empty()
        && let Ok(octal) = Format::parse(b"o2")
    {
        formats = octal;
    }
    Ok(formats)
}

async fn width(tool: &Tool, parsed: &Parsed, unit: usize) -> Result<usize, Exit> {
    if !parsed.has("width") {
        return Ok(16_usize.next_multiple_of(unit).max(unit));
    }
    let wanted = match parsed.value("width") {
        None => Some(32),
        Some(_) => match size(tool, parsed, "width", "-w").await? {
            Some(wanted) if wanted <= MAX_LINE => Some(wanted),
            _ => {
                let text = quote(parsed.value("width").unwrap_or_default());
                return Err(tool.fail(1, format!("-w argument {text} too large")).await);
            }
        },
    };
    let wanted = usize::try_from(wanted.unwrap_or(32)).unwrap_or(32);
    if wanted == 0 || wanted % unit != 0 {
        tool.error(format!("warning: invalid width {wanted}; using {unit} instead")).await;
        return Ok(unit);
    }
    Ok(wanted)
}
