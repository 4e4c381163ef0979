//! Splitting an expanded word into fields.

use crate::shell::pattern::{SPLITS, Symbol, byte_of};

/// Between two fields, whatever `IFS` is: `"$@"`.
pub(super) const BREAK: Symbol = 0x400;
/// Quotes around nothing: there is a field even if nothing else is in it.
pub(super) const EMPTY: Symbol = 0x800;

/// Splits at separators; `None` if there are more than `most` fields.
pub(super) fn split(symbols: &[Symbol], separators: &[u8], most: usize) -> Option<Vec<Vec<Symbol>>> {
    let mut fields = Vec::new();
    let mut field = Vec::new();
    let mut exists = false;
    // Blanks ended the last field: one other separator may follow without making an empty field.
    let mut after_blanks = false;
    for &symbol in symbols {
        if fields.len() > most {
            return None;
        }
        if symbol & EMPTY != 0 {
            exists = true;
            after_blanks = false;
            continue;
        }
        let separates = symbol & SPLITS != 0 && separators.contains(&byte_of(symbol));
        if symbol & BREAK == 0 && !separates {
            field.push(symbol);
            exists = true;
            after_blanks = false;
            continue;
        }
        let is_blank = symbol & BREAK != 0 || matches!(byte_of(symbol), b' ' | b'\t' | b'\n');
        if exists {
            fields.push(std::mem::take(&mut field));
            after_blanks = is_blank && symbol & BREAK == 0;
        } else if symbol & BREAK != 0 {
            after_blanks = false;
        } else if !is_blank {
            if !after_blanks {
                fields.push(Vec::new());
            }
            after_blanks = false;
        }
        exists = false;
    }
    if exists {
        fields.push(field);
    }
    Some(fields)
}

/// The bytes of symbols, without marks.
pub(super) fn text_of(symbols: &[Symbol]) -> Vec<u8> {
    symbols.iter().filter(|symbol| **symbol & (EMPTY | BREAK) == 0).map(|symbol| byte_of(*symbol)).collect()
}

#[cfg(test)]
mod tests {
    use super::{BREAK, EMPTY, split, text_of};
    use crate::shell::pattern::{QUOTED, SPLITS, Symbol};

    /// `|` is a break, `^` a pair of quotes around nothing, capitals are quoted.
    fn fields(text: &str, separators: &str) -> Vec<String> {
        let symbols: Vec<Symbol> = text
            .bytes()
            .map(|byte| match byte {
                b'|' => BREAK,
                b'^' => EMPTY,
                b'A'..=b'Z' => Symbol::from(byte) | QUOTED,
                byte => Symbol::from(byte) | SPLITS,
            })
            .collect();
        let fields = split(&symbols, separators.as_bytes(), 100).unwrap();
        fields.iter().map(|field| String::from_utf8(text_of(field)).unwrap()).collect()
    }

    #[test]
    fn fields_are_split_as_posix_says() {
        for (text, separators, expected) in [
            ("", " ", vec![]),
            ("^", " ", vec![""]),
            ("a b  c", " \t\n", vec!["a", "b", "c"]),
            (" a ", " ", vec!["a"]),
            ("a : b::c :", " :", vec!["a", "b", "", "c"]),
            (":", ":", vec![""]),
            ("::", ":", vec!["", ""]),
            ("a::", ":", vec!["a", ""]),
            ("a b", "", vec!["a b"]),
            ("a||b", " ", vec!["a", "b"]),
            ("a|^|b", " ", vec!["a", "", "b"]),
            ("a^ b", " ", vec!["a", "b"]),
            ("^ ^", " ", vec!["", ""]),
        ] {
            assert_eq!(fields(text, separators), expected, "{text:?} {separators:?}");
        }
    }
}
