//! `local` at the beginning of a line: each line is a chunk, and what is local to it would be gone with it. So it is left
//! out, and the variables are globals; then a test can be typed, or pasted, line by line.

/// Whether the text begins with `local`.
pub fn begins_with_local(text: &str) -> bool {
    after_word(text.trim_start(), "local").is_some()
}

/// The text without the `local` that it begins with; `None` if it begins with none, or with one that cannot be left out.
pub fn without_local(text: &str) -> Option<String> {
    let rest = after_word(text.trim_start(), "local")?;
    if after_word(rest.trim_start(), "function").is_some() {
        return Some(rest.to_owned());
    }
    let mut names = rest;
    loop {
        names = after_name(names.trim_start())?.trim_start();
        match names.strip_prefix(',') {
            Some(more) => names = more,
            None => break,
        }
    }
    match names.chars().next() {
        Some('=') => Some(rest.to_owned()),
        // Without values they are nil.
        None => Some(format!("{rest} = nil")),
        // An attribute is for locals only; anything else is no declaration, and Lua says so.
        Some(_) => None,
    }
}

/// What follows this word.
fn after_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    text.strip_prefix(word).filter(|rest| !rest.starts_with(is_name))
}

/// What follows a name.
fn after_name(text: &str) -> Option<&str> {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let rest = text.trim_start_matches(is_name);
    (rest.len() < text.len()).then_some(rest)
}

/// Whether names are made of it.
pub fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_is_left_out_where_it_can_be() {
        for (text, kept) in [
            ("local x = 1", Some(" x = 1")),
            ("  local a, b = f()", Some(" a, b = f()")),
            ("local x", Some(" x = nil")),
            ("local function f() end", Some(" function f() end")),
            ("local\nx = 1", Some("\nx = 1")),
            ("local x <const> = 1", None),
            ("local x; y = 1", None),
            ("locals = 1", None),
            ("local 1 = 2", None),
            ("local functional = 2", Some(" functional = 2")),
            ("x = 1", None),
        ] {
            assert_eq!(without_local(text).as_deref(), kept, "{text}");
        }
        assert!(begins_with_local("local x <const> = 1"));
        assert!(!begins_with_local("locally()"));
    }
}
