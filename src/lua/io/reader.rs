//! How Lua reads from a file, on bytes that are all there: the formats of `f:read`.

/// One format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `"n"`: a numeral.
    Number,
    /// `"l"`, `"L"`: a line, without or with its end.
    Line {
        /// Whether the line's end is kept.
        keep_end: bool,
    },
    /// `"a"`: everything that is left.
    All,
    /// A number: so many bytes, or fewer at the end.
    Count(usize),
}

impl Format {
    /// A format by its name, which may begin with an asterisk, as it had to in the past. As in Lua, only the first
    /// letter counts.
    pub fn named(name: &[u8]) -> Option<Format> {
        match name.strip_prefix(b"*").unwrap_or(name).first()? {
            b'n' => Some(Format::Number),
            b'l' => Some(Format::Line { keep_end: false }),
            b'L' => Some(Format::Line { keep_end: true }),
            b'a' => Some(Format::All),
            _ => None,
        }
    }
}

/// What was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Bytes.
    Bytes(&'a [u8]),
    /// What looks like a numeral; Lua knows whether it is one.
    Numeral(&'a [u8]),
    /// Nothing: the end, or no numeral.
    Nothing,
}

/// The longest numeral that `"n"` reads, in bytes; as in Lua.
const MAX_NUMERAL: usize = 200;

/// A place in bytes.
pub struct Reader<'a> {
    content: &'a [u8],
    /// May be behind the end.
    pub position: usize,
}

impl<'a> Reader<'a> {
    /// At this place, which may be behind the end.
    pub fn at(content: &'a [u8], position: usize) -> Reader<'a> {
        Reader { content, position }
    }

    fn left(&self) -> &'a [u8] {
        self.content.get(self.position..).unwrap_or_default()
    }

    fn take(&mut self, count: usize) -> &'a [u8] {
        let left = self.left();
        let taken = &left[..count.min(left.len())];
        self.position += taken.len();
        taken
    }

    /// Reads one piece.
    pub fn read(&mut self, format: Format) -> Piece<'a> {
        let left = self.left();
        match format {
            Format::Number => self.numeral(),
            Format::All => Piece::Bytes(self.take(left.len())),
            // Even none of the bytes are there at the end.
            _ if left.is_empty() => Piece::Nothing,
            Format::Count(count) => Piece::Bytes(self.take(count)),
            Format::Line { keep_end } => {
                let length = left.iter().position(|byte| *byte == b'\n').map_or(left.len(), |end| end + 1);
                let line = self.take(length);
                Piece::Bytes(if keep_end { line } else { line.strip_suffix(b"\n").unwrap_or(line) })
            }
        }
    }

    /// Takes as much as can be the beginning of a numeral, like a scanner that looks one byte ahead: what turns out to
    /// be none is gone all the same.
    fn numeral(&mut self) -> Piece<'a> {
        // `\v` (11) is white space for C.
        let blank = |byte: &u8| byte.is_ascii_whitespace() || *byte == 11;
        let blanks = self.left().iter().take_while(|byte| blank(byte)).count();
        self.take(blanks);
        let mut scan = Scan { bytes: self.left(), length: 0, too_long: false };
        scan.one_of(b"+-");
        let (mut digits, mut hexadecimal) = (0, false);
        if scan.one_of(b"0") {
            if scan.one_of(b"xX") {
                hexadecimal = true;
            } else {
                digits = 1;
            }
        }
        digits += scan.digits(hexadecimal);
        if scan.one_of(b".") {
            digits += scan.digits(hexadecimal);
        }
        if digits > 0 && scan.one_of(if hexadecimal { b"pP" } else { b"eE" }) {
            scan.one_of(b"+-");
            scan.digits(false);
        }
        let (length, too_long) = (scan.length, scan.too_long);
        let text = self.take(length);
        if too_long { Piece::Nothing } else { Piece::Numeral(text) }
    }
}

struct Scan<'a> {
    bytes: &'a [u8],
    length: usize,
    too_long: bool,
}

impl Scan<'_> {
    fn next_if(&mut self, wanted: impl Fn(u8) -> bool) -> bool {
        match self.bytes.get(self.length) {
            Some(byte) if wanted(*byte) => {
                self.too_long |= self.length == MAX_NUMERAL;
                self.length += usize::from(!self.too_long);
                !self.too_long
            }
            _ => false,
        }
    }

    fn one_of(&mut self, set: &[u8]) -> bool {
        self.next_if(|byte| set.contains(&byte))
    }

    fn digits(&mut self, hexadecimal: bool) -> usize {
        let digit = |byte: u8| if hexadecimal { byte.is_ascii_hexdigit() } else { byte.is_ascii_digit() };
        let before = self.length;
        while self.next_if(digit) {}
        self.length - before
    }
}
