//! Regular expressions of POSIX, basic and extended, over bytes in the C locale.
//!
//! The work is done by the automata of the `regex` crates: a pattern is parsed here, translated to
//! their intermediate form, and searched. Where the first match by priority may be shorter than the
//! longest (alternatives, repeated groups), the start comes from the ordinary search and the end from
//! an anchored search for all matches, so that the match is leftmost-longest as POSIX asks. The
//! groups within are those of the first way by priority to this longest match; POSIX would prefer
//! longer left subexpressions, which differs from that in rare cases, and glibc does as we do in
//! most. Patterns with back-references go to a matcher of our own that tries every way within a
//! fixed number of steps.
//!
//! Rejected: `fancy-regex` for back-references, since it works on `str` and not on bytes.

mod ast;
mod backtrack;
mod bracket;
mod compile;
mod parse;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::fmt;

use regex_automata::nfa::thompson::{self, pikevm::PikeVM};
use regex_automata::util::captures::Captures;
use regex_automata::{Anchored, Input, MatchKind, meta};

use ast::{Assertion, Node};

/// Groups within groups, and repetitions of repetitions: the parser recurses this deep.
const MAX_NESTING: usize = 200;

/// The largest count in an interval, `RE_DUP_MAX` of Linux.
const MAX_REPEAT: u32 = 32_767;

/// Memory of one compiled automaton in bytes: the `regex` crate's own default.
const MAX_AUTOMATON: usize = 10 << 20;

/// Whose reading of doubtful patterns applies.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub enum Dialect {
    /// A misplaced operator or parenthesis of an extended expression is ordinary text or nothing.
    Grep,
    /// A misplaced operator is an error, as regcomp(3) has it; `\n` is a newline.
    Sed,
    /// A backslash begins an escape as in an awk string, in brackets too; no back-references.
    Awk,
}

/// How a pattern is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub struct Syntax {
    /// Extended (`-E`) instead of basic.
    pub extended: bool,
    /// Case of ASCII letters does not matter.
    pub icase: bool,
    /// `^` and `$` match at every newline too.
    pub multiline: bool,
    /// Whose reading of doubtful patterns applies.
    pub dialect: Dialect,
}

impl Syntax {
    /// A basic expression of the given dialect.
    #[must_use]
    pub fn basic(dialect: Dialect) -> Syntax {
        Syntax { extended: false, icase: false, multiline: false, dialect }
    }

    /// An extended expression of the given dialect.
    #[must_use]
    pub fn extended(dialect: Dialect) -> Syntax {
        Syntax { extended: true, ..Syntax::basic(dialect) }
    }
}

/// What is wrong with a pattern, in the words of glibc's regerror(3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RegexError {
    /// A bracket expression does not end.
    Bracket,
    /// A group does not end.
    OpenParenthesis,
    /// A group ends that did not begin.
    CloseParenthesis,
    /// A repetition has nothing to repeat.
    Preceding,
    /// A range such as `b-a`.
    RangeEnd,
    /// A reference to a group that does not exist yet.
    BackReference,
    /// An interval does not end.
    Brace,
    /// What stands in an interval is not one.
    BraceContent,
    /// The pattern ends in a lone backslash.
    TrailingBackslash,
    /// `[[:nonsense:]]`.
    ClassName,
    /// `[:space:]` outside of brackets.
    ClassSyntax,
    /// `[[.nonsense.]]`.
    Collation,
    /// A bracket expression that ends before it says anything.
    EmptyBracket,
    /// More than the limits here allow.
    TooBig,
}

impl fmt::Display for RegexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RegexError::Bracket => "Unmatched [, [^, [:, [., or [=",
            RegexError::OpenParenthesis => "Unmatched ( or \\(",
            RegexError::CloseParenthesis => "Unmatched ) or \\)",
            RegexError::Preceding => "Invalid preceding regular expression",
            RegexError::RangeEnd => "Invalid range end",
            RegexError::BackReference => "Invalid back reference",
            RegexError::Brace => "Unmatched \\{",
            RegexError::BraceContent => "Invalid content of \\{\\}",
            RegexError::TrailingBackslash => "Trailing backslash",
            RegexError::ClassName => "Invalid character class name",
            RegexError::ClassSyntax => "character class syntax is [[:space:]], not [:space:]",
            RegexError::Collation => "Invalid collation character",
            RegexError::EmptyBracket => "Invalid regular expression",
            RegexError::TooBig => "Regular expression too big",
        })
    }
}

impl std::error::Error for RegexError {}

/// A search with back-references took more steps than it may.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MatchError;

impl fmt::Display for MatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a search with back-references takes too many steps for the simulated guest")
    }
}

impl std::error::Error for MatchError {}

/// Where a match and its groups lie.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spans(Vec<Option<(usize, usize)>>);

impl Spans {
    /// The span of a group that took part in the match; group 0 is the whole match.
    #[must_use]
    pub fn group(&self, number: usize) -> Option<(usize, usize)> {
        self.0.get(number).copied().flatten()
    }

    /// The whole match; an empty span before any match.
    #[must_use]
    pub fn whole(&self) -> (usize, usize) {
        self.group(0).unwrap_or((0, 0))
    }

    fn set(&mut self, slots: &[Option<usize>]) {
        self.0.clear();
        self.0.extend(slots.chunks(2).map(|pair| match pair {
            [Some(low), Some(high)] => Some((*low, *high)),
            _ => None,
        }));
    }

    fn set_captures(&mut self, captures: &Captures) {
        self.0.clear();
        self.0.extend(
            (0..captures.group_len()).map(|group| captures.get_group(group).map(|span| (span.start, span.end))),
        );
    }
}

/// A compiled pattern.
#[derive(Debug)]
pub struct Regex {
    engine: Engine,
    groups: usize,
    warnings: Vec<&'static str>,
}

#[derive(Debug)]
enum Engine {
    Automaton {
        regex: Box<meta::Regex>,
        /// For the longest end, where the first match by priority may be shorter.
        longest: Option<Box<Longest>>,
        captures: RefCell<Captures>,
    },
    Backtrack(backtrack::Program),
}

#[derive(Debug)]
struct Longest {
    vm: PikeVM,
    cache: RefCell<thompson::pikevm::Cache>,
    captures: RefCell<Captures>,
}

/// What a match of `grep` must touch on both sides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Around {
    /// Anything.
    Free,
    /// No word byte (`-w`).
    Word,
    /// The ends of the line (`-x`).
    Line,
}

impl Regex {
    /// Compiles one pattern.
    pub fn new(pattern: &[u8], syntax: Syntax) -> Result<Regex, RegexError> {
        Regex::any_of(&[pattern], syntax, Around::Free)
    }

    /// Compiles a pattern that matches where any of the given ones does.
    pub fn any_of<P: AsRef<[u8]>>(patterns: &[P], syntax: Syntax, around: Around) -> Result<Regex, RegexError> {
        let mut groups = 0;
        let mut branches = Vec::with_capacity(patterns.len());
        let mut warnings = Vec::new();
        for pattern in patterns {
            let parsed = parse::parse(pattern.as_ref(), syntax, groups)?;
            groups = parsed.groups;
            warnings.extend(parsed.warnings);
            branches.push(parsed.node);
        }
        let node = if branches.len() == 1 { branches.remove(0) } else { Node::Alternate(branches) };
        let (before, after) = match around {
            Around::Free => return Regex::build(&node, groups, syntax, warnings),
            Around::Word => (Assertion::WordStartHalf, Assertion::WordEndHalf),
            Around::Line => (Assertion::TextStart, Assertion::TextEnd),
        };
        Regex::build(&Node::Concat(vec![Node::Assert(before), node, Node::Assert(after)]), groups, syntax, warnings)
    }

    /// Compiles fixed strings (`grep -F`).
    pub fn fixed<P: AsRef<[u8]>>(strings: &[P], icase: bool, around: Around) -> Result<Regex, RegexError> {
        let mut patterns: Vec<Vec<u8>> = Vec::with_capacity(strings.len());
        for string in strings {
            let mut pattern = Vec::with_capacity(string.as_ref().len());
            for byte in string.as_ref() {
                if br"\.[*^$".contains(byte) {
                    pattern.push(b'\\');
                }
                pattern.push(*byte);
            }
            patterns.push(pattern);
        }
        Regex::any_of(&patterns, Syntax { icase, ..Syntax::basic(Dialect::Grep) }, around)
    }

    fn build(node: &Node, groups: usize, syntax: Syntax, warnings: Vec<&'static str>) -> Result<Regex, RegexError> {
        if node.has_back_reference() {
            let program = backtrack::Program::new(node, groups, syntax.icase, syntax.multiline)?;
            return Ok(Regex { engine: Engine::Backtrack(program), groups, warnings });
        }
        let hir = compile::to_hir(node, syntax.multiline);
        let regex = meta::Regex::builder()
            .configure(meta::Config::new().utf8_empty(false).nfa_size_limit(Some(MAX_AUTOMATON)))
            .build_from_hir(&hir)
            .map_err(|_| RegexError::TooBig)?;
        let longest = if node.may_match_short() {
            let nfa = thompson::NFA::compiler()
                .configure(thompson::Config::new().utf8(false).nfa_size_limit(Some(MAX_AUTOMATON)))
                .build_from_hir(&hir)
                .map_err(|_| RegexError::TooBig)?;
            let vm = PikeVM::builder()
                .configure(PikeVM::config().match_kind(MatchKind::All))
                .build_from_nfa(nfa)
                .map_err(|_| RegexError::TooBig)?;
            let cache = RefCell::new(vm.create_cache());
            let captures = RefCell::new(vm.create_captures());
            Some(Box::new(Longest { vm, cache, captures }))
        } else {
            None
        };
        let captures = RefCell::new(regex.create_captures());
        Ok(Regex { engine: Engine::Automaton { regex: Box::new(regex), longest, captures }, groups, warnings })
    }

    /// What GNU grep warns of in such a pattern.
    #[must_use]
    pub fn warnings(&self) -> &[&'static str] {
        &self.warnings
    }

    /// How many groups the pattern has.
    #[must_use]
    pub fn groups(&self) -> usize {
        self.groups
    }

    /// Whether the text has a match anywhere.
    pub fn is_match(&self, text: &[u8]) -> Result<bool, MatchError> {
        match &self.engine {
            Engine::Automaton { regex, .. } => Ok(regex.is_match(text)),
            Engine::Backtrack(program) => program.find(text, 0, &mut Spans::default()),
        }
    }

    /// The leftmost longest match at or after `start`.
    pub fn find_at(&self, text: &[u8], start: usize) -> Result<Option<(usize, usize)>, MatchError> {
        if start > text.len() {
            return Ok(None);
        }
        match &self.engine {
            Engine::Automaton { regex, longest: None, .. } => {
                Ok(regex.search(&Input::new(text).range(start..)).map(|found| (found.start(), found.end())))
            }
            _ => {
                let mut spans = Spans::default();
                Ok(self.captures_at(text, start, &mut spans)?.then(|| spans.whole()))
            }
        }
    }

    /// The leftmost longest match at or after `start` with its groups; false if there is none.
    pub fn captures_at(&self, text: &[u8], start: usize, spans: &mut Spans) -> Result<bool, MatchError> {
        if start > text.len() {
            return Ok(false);
        }
        match &self.engine {
            Engine::Backtrack(program) => program.find(text, start, spans),
            Engine::Automaton { regex, longest: None, captures } => {
                let mut captures = captures.borrow_mut();
                regex.search_captures(&Input::new(text).range(start..), &mut captures);
                spans.set_captures(&captures);
                Ok(captures.is_match())
            }
            Engine::Automaton { regex, longest: Some(longest), .. } => {
                let Some(first) = regex.search(&Input::new(text).range(start..)) else { return Ok(false) };
                let input = Input::new(text).range(first.start()..).anchored(Anchored::Yes);
                let mut captures = longest.captures.borrow_mut();
                longest.vm.search(&mut longest.cache.borrow_mut(), &input, &mut captures);
                spans.set_captures(&captures);
                Ok(captures.is_match())
            }
        }
    }
}
