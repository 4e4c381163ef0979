//! A sed script after it was read.

use std::rc::Rc;

use crate::shared::posix_regex::Regex;

/// A pattern; `None` is the one that was used last.
pub(super) type Pattern = Option<Rc<Regex>>;

/// Where a command applies.
#[derive(Clone, Debug)]
pub(super) enum Address {
    /// A line by number; 0 only before a pattern.
    Line(u64),
    /// Every so many lines from a first one on.
    Step(u64, u64),
    /// `$`
    Last,
    Pattern(Pattern),
    /// `+N`, only as an end.
    Plus(u64),
    /// `~N`, only as an end.
    Multiple(u64),
}

/// A target of output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Stdout,
    Stderr,
    /// A file by its place among those that the script names.
    File(usize),
}

/// How letters of a replacement change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    /// `\U`
    Upper,
    /// `\L`
    Lower,
    /// `\E`
    End,
    /// `\u`
    NextUpper,
    /// `\l`
    NextLower,
}

/// A piece of a replacement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Text(Vec<u8>),
    Group(usize),
    Case(Case),
}

/// `s`
#[derive(Clone, Debug)]
pub(super) struct Substitution {
    pub(super) pattern: Pattern,
    pub(super) pieces: Vec<Piece>,
    pub(super) global: bool,
    pub(super) print: bool,
    /// The first match that is replaced, from 1.
    pub(super) number: u64,
    pub(super) write: Option<Target>,
}

/// What a command does.
#[derive(Clone, Debug)]
pub(super) enum Action {
    /// `{`: the place after its `}`.
    Block(usize),
    /// `}`, `:`, `v`, `#`: nothing.
    Nothing,
    LineNumber,
    Append(Vec<u8>),
    Insert(Vec<u8>),
    Change(Vec<u8>),
    /// `b`: the place to go on.
    Branch(usize),
    /// `t` and, inverted, `T`.
    BranchIf {
        to: usize,
        replaced: bool,
    },
    Delete,
    DeleteFirst,
    FileName,
    GetHold,
    AppendHold,
    Hold,
    HoldAppend,
    List(Option<usize>),
    Next,
    NextAppend,
    Print,
    PrintFirst,
    Quit(i32),
    QuitSilently(i32),
    ReadFile(Vec<u8>),
    ReadLine(Vec<u8>),
    Substitute(Box<Substitution>),
    Write(Target),
    WriteFirst(Target),
    Exchange,
    Translate(Box<[u8; 256]>),
    Zap,
}

/// One command.
#[derive(Clone, Debug)]
pub(super) struct Command {
    pub(super) from: Option<Address>,
    pub(super) to: Option<Address>,
    pub(super) negated: bool,
    pub(super) action: Action,
}

/// A script.
#[derive(Clone, Debug, Default)]
pub(super) struct Script {
    pub(super) commands: Vec<Command>,
    /// Files that `w` writes to.
    pub(super) files: Vec<Vec<u8>>,
    /// It began with `#n`.
    pub(super) quiet: bool,
    /// What messages about the script as a whole begin with.
    pub(super) place: String,
}
