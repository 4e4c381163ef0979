//! Text from guests and tests, made fit to be shown: on a terminal, in columns, on one line.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Columns of a tab in a source line.
const TAB: usize = 4;

/// Replaces what would move the cursor, colour the screen or reorder the line (control characters,
/// escape sequences, bidirectional controls) by a visible escape. Tabs become spaces; `\n` stays.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => shown.push('\n'),
            '\t' => shown.extend(std::iter::repeat_n(' ', TAB)),
            '\r' => shown.push_str("\\r"),
            '\0' => shown.push_str("\\0"),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => shown.extend(c.escape_unicode()),
            c if c.is_control() => shown.push_str(&format!("\\x{:02x}", u32::from(c))),
            c => shown.push(c),
        }
    }
    shown
}

/// [`printable`], with line ends shown as `\n`.
#[must_use]
pub fn one_line(text: &str) -> String {
    printable(text).replace('\n', "\\n")
}

/// How many columns a printable text takes.
#[must_use]
pub fn width(text: &str) -> usize {
    text.width()
}

/// Cuts a printable line to at most `columns`, the last of them an ellipsis if something was cut.
#[must_use]
pub fn clip(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut clipped = String::new();
    let mut used = 0;
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if used + wide + 1 > columns {
            break;
        }
        used += wide;
        clipped.push(c);
    }
    clipped.push('…');
    clipped
}

/// Fills a printable line up with spaces.
#[must_use]
pub fn pad(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// `1 test`, `2 tests`.
#[must_use]
pub fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_a_guest_says_reaches_the_terminal_raw() {
        assert_eq!(printable("a\x1b[31mred\x07\r\nb\tc\u{9b}"), "a\\x1b[31mred\\x07\\r\nb    c\\x9b");
        assert_eq!(printable("\u{202e}abc"), "\\u{202e}abc");
        assert_eq!(one_line("a\nb\0"), "a\\nb\\0");
    }

    #[test]
    fn columns_are_what_a_terminal_shows() {
        assert_eq!(clip("abcdef", 6), "abcdef");
        assert_eq!(clip("abcdefg", 6), "abcde…");
        assert_eq!(clip("漢字漢字", 6), "漢字…", "a wide character is never cut in half");
        assert_eq!(pad("漢字", 6), "漢字  ");
        assert_eq!(pad("abcdefg", 6), "abcdefg");
        assert_eq!(width("e\u{301}"), 1);
        assert_eq!(clip("", 0), "");
        assert_eq!(clip("ab", 1), "…");
    }
}
