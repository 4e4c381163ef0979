use super::{Around, Dialect, Regex, RegexError, Spans, Syntax};

fn found(pattern: &str, syntax: Syntax, text: &str) -> Option<String> {
    let regex = Regex::new(pattern.as_bytes(), syntax).unwrap_or_else(|error| panic!("{pattern}: {error}"));
    let (low, high) = regex.find_at(text.as_bytes(), 0).expect("few steps")?;
    Some(text[low..high].to_owned())
}

fn basic(pattern: &str, text: &str) -> Option<String> {
    found(pattern, Syntax::basic(Dialect::Sed), text)
}

fn extended(pattern: &str, text: &str) -> Option<String> {
    found(pattern, Syntax::extended(Dialect::Grep), text)
}

fn groups(pattern: &str, text: &str) -> Vec<Option<String>> {
    let regex = Regex::new(pattern.as_bytes(), Syntax::extended(Dialect::Sed)).expect("a pattern");
    let mut spans = Spans::default();
    assert!(regex.captures_at(text.as_bytes(), 0, &mut spans).expect("few steps"), "{pattern} on {text}");
    (0..=regex.groups()).map(|group| spans.group(group).map(|(low, high)| text[low..high].to_owned())).collect()
}

#[test]
fn operators_of_basic_expressions() {
    for (pattern, text, expected) in [
        ("a*", "aab", Some("aa")),
        ("*b", "a*b", Some("*b")),
        (r"\(*b\)", "a*b", Some("*b")),
        ("^*b", "*b", Some("*b")),
        (r"a\|b", "xb", Some("b")),
        (r"a\|*b", "*b", Some("*b")),
        (r"a\+", "baa", Some("aa")),
        (r"ba\?", "ba", Some("ba")),
        (r"a\{2,3\}", "aaaa", Some("aaa")),
        (r"a\{2\}", "a", None),
        (r"a\{,2\}", "aaa", Some("aa")),
        ("a{2}", "a{2}", Some("a{2}")),
        ("a+b", "aab", None),
        ("x$y", "x$y", Some("x$y")),
        ("x^y", "x^y", Some("x^y")),
        (r"\(^a\)", "ba", None),
        ("a$", "ba", Some("a")),
        ("[]a]*", "]a]", Some("]a]")),
        ("[^]a]", "]ab", Some("b")),
        ("[a-c-]*", "ab-c", Some("ab-c")),
        (r"[\n]", "n", Some("n")),
        ("[[:digit:][:upper:]]*", "9Az", Some("9A")),
        ("[[.-.]]", "a-", Some("-")),
        (r"\n", "a\nb", Some("\n")),
        (r"\<foo\>", "xfoo foo", Some("foo")),
        (r"\w*\W", "ab_9 ", Some("ab_9 ")),
        (r"\.", "a.", Some(".")),
        ("", "abc", Some("")),
        (".", "\n", Some("\n")),
    ] {
        assert_eq!(basic(pattern, text).as_deref(), expected, "{pattern} on {text:?}");
    }
}

#[test]
fn the_longest_of_the_leftmost_matches_wins() {
    for (pattern, text, expected) in [
        ("a|ab", "xab", "ab"),
        ("(a|ab)(c|bcd)", "abcd", "abcd"),
        ("(a*)(ab)*(b*)", "abb", "abb"),
        ("(a*)(ab)*", "ab", "ab"),
        ("x*", "aaa", ""),
        ("foo|foobar|fo", "foobarbaz", "foobar"),
        ("(foo|foobar)(bar)?$", "foobar", "foobar"),
        ("(|a)+", "aaa", "aaa"),
        ("a||b", "b", "b"),
    ] {
        assert_eq!(extended(pattern, text).as_deref(), Some(expected), "{pattern} on {text}");
    }
}

#[test]
fn groups_are_those_of_the_match() {
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(groups("(a|ab)(c|bcd)(d*)", "abcd"), [some("abcd"), some("a"), some("bcd"), some("")]);
    assert_eq!(groups("(a*)(ab)*(b*)", "ab"), [some("ab"), some("a"), None, some("b")]);
    assert_eq!(groups("((a)|(b))*", "aba"), [some("aba"), some("a"), some("a"), some("b")]);
    assert_eq!(groups("([a-z]+)=(.*)", "k=v=w"), [some("k=v=w"), some("k"), some("v=w")]);
}

#[test]
fn back_references_match_what_the_group_did() {
    assert_eq!(basic(r"\(.\)\1", "abccd").as_deref(), Some("cc"));
    assert_eq!(basic(r"^\(.*\)\n\1$", "ab\nab").as_deref(), Some("ab\nab"));
    assert_eq!(basic(r"\(a*\)b\1", "aabaaa").as_deref(), Some("aabaa"));
    assert_eq!(extended(r"(a|ab)(c|bcd)\2*", "abcdbcd").as_deref(), Some("abcdbcd"));
    assert_eq!(extended(r"((.)\2)+", "xaabbc").as_deref(), Some("aabb"));
    let icase = Syntax { icase: true, ..Syntax::basic(Dialect::Grep) };
    assert_eq!(found(r"\(a\)\1", icase, "xaA").as_deref(), Some("aA"));
}

#[test]
fn a_search_that_explodes_is_given_up() {
    let regex = Regex::new(br"\(a*\)*\(a*\)*\(a*\)*\1\2\3b", Syntax::basic(Dialect::Grep)).expect("a pattern");
    assert!(regex.is_match(&[b'a'; 200]).is_err());
}

#[test]
fn dialects_differ_in_doubtful_patterns() {
    assert_eq!(extended("*b", "*b").as_deref(), Some("b"));
    assert_eq!(extended("a{", "a{").as_deref(), Some("a{"));
    assert_eq!(extended("a{x}", "a{x}").as_deref(), Some("a{x}"));
    assert_eq!(extended(")", ")").as_deref(), Some(")"));
    assert_eq!(extended("{1}a", "a").as_deref(), Some("a"));
    let awk = Syntax::extended(Dialect::Awk);
    assert_eq!(found(r"\t[\]\/]+", awk, "a\t]/").as_deref(), Some("\t]/"));
    assert_eq!(found(r"\101", awk, "A").as_deref(), Some("A"));
    assert_eq!(found("+a", awk, "+a").as_deref(), Some("+a"));
}

#[test]
fn faults_are_named_as_regcomp_names_them() {
    let strict = Syntax::extended(Dialect::Sed);
    let plain = Syntax::basic(Dialect::Sed);
    for (pattern, syntax, expected) in [
        ("*a", strict, RegexError::Preceding),
        ("a|*b", strict, RegexError::Preceding),
        ("{1}", strict, RegexError::Preceding),
        ("a{", strict, RegexError::Brace),
        ("a{1", strict, RegexError::Brace),
        ("a{x}", strict, RegexError::BraceContent),
        ("a{2,1}", strict, RegexError::BraceContent),
        ("a{40000}", strict, RegexError::TooBig),
        ("(", strict, RegexError::OpenParenthesis),
        ("a)", strict, RegexError::CloseParenthesis),
        (r"\(a", plain, RegexError::OpenParenthesis),
        (r"a\)", plain, RegexError::CloseParenthesis),
        (r"\1", plain, RegexError::BackReference),
        (r"\(a\1\)", plain, RegexError::BackReference),
        (r"a\", plain, RegexError::TrailingBackslash),
        ("[a", plain, RegexError::Bracket),
        ("[[:alpha:", plain, RegexError::Bracket),
        ("[[:foo:]]", plain, RegexError::ClassName),
        ("[:alpha:]", plain, RegexError::ClassSyntax),
        ("[b-a]", plain, RegexError::RangeEnd),
        ("[[.ab.]]", plain, RegexError::Collation),
    ] {
        assert_eq!(Regex::new(pattern.as_bytes(), syntax).err(), Some(expected), "{pattern}");
    }
    let deep = "(".repeat(100_000);
    assert_eq!(Regex::new(deep.as_bytes(), strict).err(), Some(RegexError::TooBig));
    let stars = format!("a{}", "*?".repeat(100_000));
    assert_eq!(Regex::new(stars.as_bytes(), strict).err(), Some(RegexError::TooBig));
}

#[test]
fn words_lines_and_fixed_strings() {
    let word = Regex::any_of(&["foo", "a.c"], Syntax::basic(Dialect::Grep), Around::Word).expect("a pattern");
    assert_eq!(word.is_match(b"foobar"), Ok(false));
    assert_eq!(word.is_match(b"x foo-bar"), Ok(true));
    let line = Regex::any_of(&["a|b", "c"], Syntax::extended(Dialect::Grep), Around::Line).expect("a pattern");
    assert_eq!(line.is_match(b"ab"), Ok(false));
    assert_eq!(line.is_match(b"c"), Ok(true));
    let fixed = Regex::fixed(&[r"a.*[\"], true, Around::Free).expect("a pattern");
    assert_eq!(fixed.find_at(br"xA.*[\", 0), Ok(Some((1, 6))));
}

#[test]
fn newlines_are_line_ends_only_if_asked() {
    let plain = Syntax::basic(Dialect::Sed);
    assert_eq!(found("^b", plain, "a\nb"), None);
    assert_eq!(found("^b$", Syntax { multiline: true, ..plain }, "a\nb\nc").as_deref(), Some("b"));
}

#[test]
fn bytes_that_are_no_text_match() {
    let regex = Regex::new(b"\xff[\x80-\xfe]", Syntax::basic(Dialect::Grep)).expect("a pattern");
    assert_eq!(regex.find_at(b"a\xff\x90", 0), Ok(Some((1, 3))));
}
