//! Patterns: `*`, `?` and brackets, with quoted characters that stand for themselves.

/// A character of an expanded word: a byte, and what may still be done with it.
pub type Symbol = u16;

/// The character was quoted: no pattern, no field separator.
pub const QUOTED: Symbol = 0x100;
/// The character came from an expansion outside of quotes: fields may be split at it.
pub const SPLITS: Symbol = 0x200;

/// The byte of a symbol.
#[must_use]
pub fn byte_of(symbol: Symbol) -> u8 {
    symbol.to_le_bytes()[0]
}

/// A pattern that was read.
#[derive(Debug, PartialEq, Eq)]
pub struct Pattern(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Byte(u8),
    AnyByte,
    AnyString,
    Bracket(Box<Bracket>),
}

/// The bytes that a bracket expression matches, as a set.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Bracket([u64; 4]);

impl Bracket {
    fn add(&mut self, byte: u8) {
        self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }

    fn has(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] & (1 << (byte & 63)) != 0
    }
}

/// A symbol of a pattern with its backslash resolved.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Unit {
    byte: u8,
    active: bool,
}

/// A backslash that is not quoted itself comes from an expansion; it quotes what follows.
fn units(symbols: &[Symbol]) -> Vec<Unit> {
    let mut units = Vec::with_capacity(symbols.len());
    let mut rest = symbols.iter();
    while let Some(&symbol) = rest.next() {
        let active = symbol & QUOTED == 0;
        if active
            && byte_of(symbol) == b'\\'
            && let Some(&next) = rest.as_slice().first()
        {
            rest.next();
            units.push(Unit { byte: byte_of(next), active: false });
        } else {
            units.push(Unit { byte: byte_of(symbol), active });
        }
    }
    units
}

impl Pattern {
    /// Reads a pattern.
    #[must_use]
    pub fn new(symbols: &[Symbol]) -> Pattern {
        let units = units(symbols);
        let mut pieces = Vec::with_capacity(units.len());
        let mut at = 0;
        while let Some(unit) = units.get(at) {
            at += 1;
            pieces.push(match unit {
                Unit { byte: b'?', active: true } => Piece::AnyByte,
                Unit { byte: b'*', active: true } => match pieces.last() {
                    Some(Piece::AnyString) => continue,
                    _ => Piece::AnyString,
                },
                Unit { byte: b'[', active: true } => match bracket(&units, at) {
                    Some((bracket, end)) => {
                        at = end;
                        Piece::Bracket(Box::new(bracket))
                    }
                    None => Piece::Byte(b'['),
                },
                Unit { byte, .. } => Piece::Byte(*byte),
            });
        }
        Pattern(pieces)
    }

    /// Whether the symbols hold anything but characters that stand for themselves.
    #[must_use]
    pub fn is_pattern(symbols: &[Symbol]) -> bool {
        symbols.iter().any(|symbol| symbol & QUOTED == 0 && matches!(byte_of(*symbol), b'*' | b'?' | b'['))
    }

    /// Whether the pattern matches all of the text.
    #[must_use]
    pub fn matches(&self, text: &[u8]) -> bool {
        let mut length = None;
        run(&mut self.0.iter(), text.iter().copied(), |matched| length = Some(matched));
        length == Some(text.len())
    }

    /// The length of the shortest or longest start of the text that matches.
    #[must_use]
    pub fn prefix(&self, text: &[u8], longest: bool) -> Option<usize> {
        pick(&mut self.0.iter(), text.iter().copied(), longest)
    }

    /// The length of the shortest or longest end of the text that matches.
    #[must_use]
    pub fn suffix(&self, text: &[u8], longest: bool) -> Option<usize> {
        pick(&mut self.0.iter().rev(), text.iter().rev().copied(), longest)
    }

    /// Whether the pattern begins with a dot that stands for itself, as names that begin with one demand.
    #[must_use]
    pub fn begins_with_dot(&self) -> bool {
        self.0.first() == Some(&Piece::Byte(b'.'))
    }
}

fn pick(pieces: &mut dyn Iterator<Item = &Piece>, text: impl Iterator<Item = u8>, longest: bool) -> Option<usize> {
    let mut length = None;
    run(pieces, text, |matched| {
        if longest || length.is_none() {
            length = Some(matched);
        }
    });
    length
}

/// Follows all ways to match at once, so that time is bounded by the product of both lengths; calls `found`
/// with each length of text that matches all pieces.
fn run(pieces: &mut dyn Iterator<Item = &Piece>, text: impl Iterator<Item = u8>, mut found: impl FnMut(usize)) {
    let pieces: Vec<&Piece> = pieces.collect();
    // active[i]: all pieces before i are matched.
    let mut active = vec![false; pieces.len() + 1];
    let mut next = active.clone();
    active[0] = true;
    skip_empty(&pieces, &mut active);
    if active[pieces.len()] {
        found(0);
    }
    for (index, byte) in text.enumerate() {
        next.fill(false);
        for (state, piece) in pieces.iter().enumerate().filter(|(state, _)| active[*state]) {
            match piece {
                Piece::AnyString => next[state] = true,
                Piece::AnyByte => next[state + 1] = true,
                Piece::Byte(wanted) => next[state + 1] |= *wanted == byte,
                Piece::Bracket(bracket) => next[state + 1] |= bracket.has(byte),
            }
        }
        skip_empty(&pieces, &mut next);
        std::mem::swap(&mut active, &mut next);
        if !active.contains(&true) {
            return;
        }
        if active[pieces.len()] {
            found(index + 1);
        }
    }
}

/// `*` matches nothing, too.
fn skip_empty(pieces: &[&Piece], active: &mut [bool]) {
    for (state, piece) in pieces.iter().enumerate() {
        if active[state] && matches!(piece, Piece::AnyString) {
            active[state + 1] = true;
        }
    }
}

/// Reads a bracket expression from after its `[`: the set, and where it ends.
fn bracket(units: &[Unit], start: usize) -> Option<(Bracket, usize)> {
    let mut set = Bracket([0; 4]);
    let mut at = start;
    let is_active = |at: usize, byte: u8| units.get(at) == Some(&Unit { byte, active: true });
    let negated = is_active(at, b'!');
    if negated {
        at += 1;
    }
    let first = at;
    loop {
        let unit = *units.get(at)?;
        if is_active(at, b']') && at > first {
            break;
        }
        if is_active(at, b'[')
            && is_active(at + 1, b':')
            && let Some(length) = (at + 2..units.len()).position(|end| is_active(end, b':') && is_active(end + 1, b']'))
        {
            let name: Vec<u8> = units[at + 2..at + 2 + length].iter().map(|unit| unit.byte).collect();
            for byte in (0..=u8::MAX).filter(|byte| is_in_class(&name, *byte)) {
                set.add(byte);
            }
            at += length + 4;
            continue;
        }
        at += 1;
        if is_active(at, b'-')
            && !is_active(at + 1, b']')
            && let Some(last) = units.get(at + 1)
        {
            for byte in unit.byte..=last.byte {
                set.add(byte);
            }
            at += 2;
        } else {
            set.add(unit.byte);
        }
    }
    if negated {
        set.0 = set.0.map(|bits| !bits);
    }
    Some((set, at + 1))
}

fn is_in_class(name: &[u8], byte: u8) -> bool {
    match name {
        b"alnum" => byte.is_ascii_alphanumeric(),
        b"alpha" => byte.is_ascii_alphabetic(),
        b"blank" => matches!(byte, b' ' | b'\t'),
        b"cntrl" => byte.is_ascii_control(),
        b"digit" => byte.is_ascii_digit(),
        b"graph" => byte.is_ascii_graphic(),
        b"lower" => byte.is_ascii_lowercase(),
        b"print" => byte.is_ascii_graphic() || byte == b' ',
        b"punct" => byte.is_ascii_punctuation(),
        b"space" => matches!(byte, b' ' | 9..=13),
        b"upper" => byte.is_ascii_uppercase(),
        b"xdigit" => byte.is_ascii_hexdigit(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Pattern, QUOTED, Symbol};

    /// Characters between `<` and `>` are quoted.
    fn pattern(text: &str) -> Pattern {
        let mut quoted = 0;
        let mut symbols: Vec<Symbol> = Vec::new();
        for byte in text.bytes() {
            match byte {
                b'<' => quoted = QUOTED,
                b'>' => quoted = 0,
                byte => symbols.push(Symbol::from(byte) | quoted),
            }
        }
        Pattern::new(&symbols)
    }

    #[test]
    fn patterns_match_as_in_dash() {
        for (text, subject, expected) in [
            ("", "", true),
            ("a", "a", true),
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a*b*c", "axxbyyc", true),
            ("a**", "a", true),
            ("?", "", false),
            ("??", "ab", true),
            ("[abc]", "b", true),
            ("[a-c]x", "bx", true),
            ("[!a-c]", "b", false),
            ("[^a]", "b", false),
            ("[^a]", "^", true),
            ("[]]", "]", true),
            ("[!]a]", "x", true),
            ("[!b]]", "a]", true),
            ("[", "[", true),
            ("[a", "[a", true),
            ("[]", "[]", true),
            ("[a<->c]", "b", false),
            ("[a<->c]", "-", true),
            ("[a-]", "-", true),
            ("[[:alpha:]-]", "-", true),
            ("[[:digit:][:upper:]]", "X", true),
            ("[[:foo:]]", "a", false),
            ("[[:]", ":", true),
            ("<*>", "*", true),
            ("<*>", "a", false),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("\\", "\\", true),
            ("*.<?>", "a.?", true),
        ] {
            assert_eq!(pattern(text).matches(subject.as_bytes()), expected, "{text} {subject}");
        }
    }

    #[test]
    fn both_ends_can_be_trimmed() {
        let text = b"abcabc";
        assert_eq!(pattern("*b").prefix(text, false), Some(2));
        assert_eq!(pattern("*b").prefix(text, true), Some(5));
        assert_eq!(pattern("b*").suffix(text, false), Some(2));
        assert_eq!(pattern("b*").suffix(text, true), Some(5));
        assert_eq!(pattern("x").prefix(text, false), None);
        assert_eq!(pattern("*").prefix(text, false), Some(0));
        assert_eq!(pattern("*").suffix(text, true), Some(6));
    }

    #[test]
    fn no_pattern_takes_exponential_time() {
        let nasty = pattern(&"*a".repeat(200));
        assert!(!nasty.matches("a".repeat(199).as_bytes()));
        assert!(nasty.matches("a".repeat(5000).as_bytes()));
    }
}
