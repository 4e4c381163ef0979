//! Shell patterns against names, as fnmatch(3): `ls -I`, `find -name`, `find -path`.

/// How a pattern is matched.
#[derive(Clone, Copy, Debug, Default)]
pub struct MatchOptions {
    /// Upper and lower case are one.
    pub ignore_case: bool,
    /// A leading `.` is matched only by a `.` in the pattern.
    pub leading_dot: bool,
}

/// Whether the whole of `name` matches. Takes time in proportion to pattern times name at most.
#[must_use]
pub fn matches(pattern: &[u8], name: &[u8], options: MatchOptions) -> bool {
    if options.leading_dot && name.first() == Some(&b'.') && !starts_with_dot(pattern) {
        return false;
    }
    let (mut p, mut n) = (0, 0);
    // Where to go on if what follows the last star does not match: it then takes one byte more.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        if pattern.get(p) == Some(&b'*') {
            p += 1;
            retry = Some((p, n));
            continue;
        }
        let step = match (pattern.get(p), name.get(n)) {
            (None, None) => return true,
            (Some(_), Some(&byte)) => one(&pattern[p..], byte, options.ignore_case),
            _ => None,
        };
        match (step, retry) {
            (Some(length), _) => {
                p += length;
                n += 1;
            }
            (None, Some((after_star, taken))) if taken < name.len() => {
                retry = Some((after_star, taken + 1));
                (p, n) = (after_star, taken + 1);
            }
            _ => return false,
        }
    }
}

fn starts_with_dot(pattern: &[u8]) -> bool {
    pattern.starts_with(b".") || pattern.starts_with(b"\\.")
}

/// Matches one byte with the front of a pattern; the result is how much of the pattern that took.
fn one(pattern: &[u8], byte: u8, ignore_case: bool) -> Option<usize> {
    let same = |a: u8, b: u8| a == b || ignore_case && a.eq_ignore_ascii_case(&b);
    match pattern {
        [b'?', ..] => Some(1),
        [b'\\', literal, ..] => same(*literal, byte).then_some(2),
        [b'[', rest @ ..] => match bracket(rest, byte, ignore_case) {
            Some((length, true)) => Some(length + 1),
            Some((_, false)) => None,
            // Without its end it is an ordinary character.
            None => (byte == b'[').then_some(1),
        },
        [literal, ..] => same(*literal, byte).then_some(1),
        [] => None,
    }
}

/// The length of a bracket expression after its `[` and whether the byte is in it; `None` if it does
/// not end.
fn bracket(rest: &[u8], byte: u8, ignore_case: bool) -> Option<(usize, bool)> {
    let mut at = 0;
    let negated = matches!(rest.first(), Some(b'!' | b'^'));
    if negated {
        at = 1;
    }
    let (mut found, mut first) = (false, true);
    loop {
        let low = *rest.get(at)?;
        if low == b']' && !first {
            return Some((at + 1, found != negated));
        }
        first = false;
        if let Some(class) = rest[at..].strip_prefix(b"[:")
            && let Some(end) = class.windows(2).position(|pair| pair == b":]")
        {
            found |= in_class(&class[..end], byte, ignore_case);
            at += end + 4;
            continue;
        }
        let low = if low == b'\\' {
            at += 1;
            *rest.get(at)?
        } else {
            low
        };
        at += 1;
        let mut high = low;
        if rest.get(at) == Some(&b'-') && rest.get(at + 1).is_some_and(|&next| next != b']') {
            high = *rest.get(at + 1)?;
            at += 2;
            if high == b'\\' {
                high = *rest.get(at)?;
                at += 1;
            }
        }
        let inside = |byte: u8| (low..=high).contains(&byte);
        found |=
            inside(byte) || ignore_case && (inside(byte.to_ascii_lowercase()) || inside(byte.to_ascii_uppercase()));
    }
}

fn in_class(class: &[u8], byte: u8, ignore_case: bool) -> bool {
    match class {
        b"alpha" => byte.is_ascii_alphabetic(),
        b"digit" => byte.is_ascii_digit(),
        b"alnum" => byte.is_ascii_alphanumeric(),
        b"upper" | b"lower" if ignore_case => byte.is_ascii_alphabetic(),
        b"upper" => byte.is_ascii_uppercase(),
        b"lower" => byte.is_ascii_lowercase(),
        b"space" => byte.is_ascii_whitespace() || byte == 11,
        b"blank" => matches!(byte, b' ' | b'\t'),
        b"punct" => byte.is_ascii_punctuation(),
        b"print" => (b' '..=b'~').contains(&byte),
        b"graph" => byte.is_ascii_graphic(),
        b"cntrl" => byte.is_ascii_control(),
        b"xdigit" => byte.is_ascii_hexdigit(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{MatchOptions, matches};

    #[test]
    fn patterns_and_names() {
        for (pattern, name, expected) in [
            ("*", "", true),
            ("*", "a/b", true),
            ("a*c", "abbc", true),
            ("a*c", "abb", false),
            ("*.tx?", "x.txt", true),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]]", "]", true),
            ("[[:digit:]_]*", "7z", true),
            ("[a", "[a", true),
            ("\\*", "*", true),
            ("\\*", "x", false),
            ("*a*b*c*", "xaybzc", true),
            ("A", "a", false),
        ] {
            let plain = MatchOptions::default();
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes(), plain), expected, "{pattern} {name}");
        }
        assert!(matches(b"[A-B]C", b"bc", MatchOptions { ignore_case: true, ..MatchOptions::default() }));
        assert!(!matches(b"*", b".x", MatchOptions { leading_dot: true, ..MatchOptions::default() }));
    }

    #[test]
    fn many_stars_take_no_time() {
        let pattern = b"a*".repeat(50);
        assert!(!matches(&[pattern.as_slice(), b"b"].concat(), &b"a".repeat(2000), MatchOptions::default()));
    }
}
