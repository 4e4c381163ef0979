//! Lua's classes of characters, as in the C locale.

/// Whether a byte is in the class of this letter, the one behind a `%`. Any other byte is a class of itself.
pub fn contains(class: u8, byte: u8) -> bool {
    let contained = match class.to_ascii_lowercase() {
        b'a' => byte.is_ascii_alphabetic(),
        b'c' => byte.is_ascii_control(),
        b'd' => byte.is_ascii_digit(),
        b'g' => byte.is_ascii_graphic(),
        b'l' => byte.is_ascii_lowercase(),
        b'p' => byte.is_ascii_punctuation(),
        b's' => matches!(byte, b' ' | b'\t'..=b'\r'),
        b'u' => byte.is_ascii_uppercase(),
        b'w' => byte.is_ascii_alphanumeric(),
        b'x' => byte.is_ascii_hexdigit(),
        // No longer in Lua's manual, and still in Lua.
        b'z' => byte == 0,
        _ => return class == byte,
    };
    contained == class.is_ascii_lowercase()
}

/// Whether a byte is in a set; `set` is what stands between its brackets.
pub fn set_contains(set: &[u8], byte: u8) -> bool {
    let (set, plain) = match set.split_first() {
        Some((b'^', rest)) => (rest, false),
        _ => (set, true),
    };
    let mut rest = set;
    loop {
        let contained;
        (contained, rest) = match rest {
            [] => return !plain,
            [b'%', class, rest @ ..] => (contains(*class, byte), rest),
            [from, b'-', to, rest @ ..] => ((*from..=*to).contains(&byte), rest),
            [one, rest @ ..] => (*one == byte, rest),
        };
        if contained {
            return plain;
        }
    }
}
