//! Which of the tests that a file registers are run: `--filter`, `--tag`, `--no-tag`, `--include-slow`.

use std::fmt;

use regex::Regex;

use super::file::{Selection, TestInfo};

/// One `--filter`: `/…/` is a regular expression, anything else is looked for as it stands. Both look
/// at [`full_name`] and mind the case.
#[derive(Clone, Debug)]
pub enum Filter {
    /// The full name contains this text.
    Text(String),
    /// The full name has a match.
    Pattern(Regex),
}

/// A `--filter` that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    filter: String,
    problem: String,
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid filter `{}`: {}", self.filter, self.problem)
    }
}

impl std::error::Error for FilterError {}

impl Filter {
    /// Reads one `--filter`.
    pub fn parse(text: &str) -> Result<Filter, FilterError> {
        let error = |problem: &str| FilterError { filter: text.to_owned(), problem: problem.to_owned() };
        if text.is_empty() {
            return Err(error("it is empty"));
        }
        match text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')) {
            Some("") => Err(error("the regular expression is empty")),
            Some(pattern) => match Regex::new(pattern) {
                Ok(regex) => Ok(Filter::Pattern(regex)),
                Err(why) => Err(error(&why.to_string())),
            },
            None => Ok(Filter::Text(text.to_owned())),
        }
    }

    /// The filter that lets through this one test and no other, as it is typed.
    #[must_use]
    pub fn exactly(file: &str, name: &str) -> String {
        format!("/^{}$/", escape(&full_name(file, name)))
    }

    /// Whether the text contains it, or has a match.
    #[must_use]
    pub fn matches(&self, full_name: &str) -> bool {
        match self {
            Filter::Text(text) => full_name.contains(text.as_str()),
            Filter::Pattern(regex) => regex.is_match(full_name),
        }
    }
}

/// Like `regex::escape`, but leaves alone what means something only inside a character class, so that
/// a file name with `-` stays readable.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if "\\.+*?()|[]{}^$".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// What filters look at and reports print: `file: name`.
#[must_use]
pub fn full_name(file: &str, name: &str) -> String {
    format!("{file}: {name}")
}

/// The tests that the command line asks for. The default asks for all but the slow ones.
#[derive(Clone, Debug, Default)]
pub struct Selector {
    /// A test must match one of them, if there are any.
    pub filters: Vec<Filter>,
    /// A test must have one of them, if there are any.
    pub tags: Vec<String>,
    /// A test must have none of them.
    pub no_tags: Vec<String>,
    /// Whether tests marked `slow` are run.
    pub include_slow: bool,
}

impl Selector {
    /// What to do with this test.
    #[must_use]
    pub fn decide(&self, file: &str, test: &TestInfo) -> Selection {
        let has = |tag: &String| test.tags.contains(tag);
        if !self.filters.is_empty() {
            let full_name = full_name(file, &test.name);
            if !self.filters.iter().any(|filter| filter.matches(&full_name)) {
                return Selection::Leave;
            }
        }
        if (!self.tags.is_empty() && !self.tags.iter().any(has)) || self.no_tags.iter().any(has) {
            return Selection::Leave;
        }
        if test.slow && !self.include_slow {
            return Selection::Skip("slow: run with --include-slow".to_owned());
        }
        Selection::Run
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(selector: &Selector, name: &str, tags: &[&str], slow: bool) -> Selection {
        let tags = tags.iter().map(|&tag| tag.to_owned()).collect();
        let test = TestInfo { name: name.to_owned(), tags, slow, ..TestInfo::default() };
        selector.decide("tests/a-b.test.lua", &test)
    }

    fn filters(texts: &[&str]) -> Selector {
        let filters = texts.iter().map(|text| Filter::parse(text).expect("a good filter")).collect();
        Selector { filters, ..Selector::default() }
    }

    #[test]
    fn without_flags_everything_but_slow_tests_runs() {
        let all = Selector::default();
        assert_eq!(decide(&all, "x", &["net"], false), Selection::Run);
        assert_eq!(decide(&all, "x", &[], true), Selection::Skip("slow: run with --include-slow".to_owned()));
        assert_eq!(decide(&Selector { include_slow: true, ..all }, "x", &[], true), Selection::Run);
    }

    #[test]
    fn a_filter_looks_at_file_and_name() {
        assert_eq!(decide(&filters(&["a-b.test.lua: two"]), "two writers", &[], false), Selection::Run);
        assert_eq!(decide(&filters(&["Two"]), "two writers", &[], false), Selection::Leave);
        assert_eq!(decide(&filters(&["/: t[aeiouw]+ /"]), "two writers", &[], false), Selection::Run);
        assert_eq!(decide(&filters(&["/^two/"]), "two writers", &[], false), Selection::Leave);
        assert_eq!(decide(&filters(&["one", "two"]), "two writers", &[], false), Selection::Run);
        assert_eq!(decide(&filters(&["/"]), "two writers", &[], false), Selection::Run, "a lone slash is text");
    }

    #[test]
    fn the_exact_filter_matches_this_test_only() {
        for name in ["a (b) [c] {d} \\ $1 ^ . * + ? |", "it's / here", "ünïcode ✓", "two\nlines"] {
            let exact = Filter::exactly("tests/a-b.test.lua", name);
            assert_eq!(decide(&filters(&[&exact]), name, &[], false), Selection::Run, "{exact}");
            assert_eq!(decide(&filters(&[&exact]), &format!("{name} more"), &[], false), Selection::Leave);
        }
    }

    #[test]
    fn tags_ask_for_one_of_and_none_of() {
        let tags = |tags: &[&str], no_tags: &[&str]| Selector {
            tags: tags.iter().map(|&tag| tag.to_owned()).collect(),
            no_tags: no_tags.iter().map(|&tag| tag.to_owned()).collect(),
            ..Selector::default()
        };
        assert_eq!(decide(&tags(&["net", "fs"], &[]), "x", &["fs"], false), Selection::Run);
        assert_eq!(decide(&tags(&["net"], &[]), "x", &[], true), Selection::Leave);
        assert_eq!(decide(&tags(&[], &["net"]), "x", &["net", "fs"], false), Selection::Leave);
        assert_eq!(decide(&tags(&["fs"], &["net"]), "x", &["fs"], false), Selection::Run);
    }

    #[test]
    fn a_bad_filter_says_why() {
        assert_eq!(Filter::parse("").expect_err("empty").to_string(), "invalid filter ``: it is empty");
        assert!(Filter::parse("//").is_err());
        let error = Filter::parse("/a(/").expect_err("unclosed").to_string();
        assert!(error.starts_with("invalid filter `/a(/`: ") && error.contains("unclosed group"), "{error}");
    }
}
