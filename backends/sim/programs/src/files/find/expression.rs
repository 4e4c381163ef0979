//! The expression of a search, as a program of steps and jumps.

use provium_kernel::TimeSpec;

use super::printf::Piece;

/// All that the arguments after the paths say.
#[derive(Clone, Debug, Default)]
pub(super) struct Expression {
    pub(super) steps: Vec<Step>,
    /// Commands that gather arguments, by number.
    pub(super) batches: Vec<Command>,
    pub(super) max_depth: Option<usize>,
    pub(super) min_depth: usize,
    pub(super) depth_first: bool,
    pub(super) one_file_system: bool,
    /// `-follow`.
    pub(super) follow_all: bool,
}

/// One step of the program. It has one result, true at first.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Test(Test),
    Action(Action),
    Not,
    JumpIfTrue(usize),
    JumpIfFalse(usize),
}

/// A number as find takes it: `n`, `+n`, `-n`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Count {
    Exactly(u64),
    More(u64),
    Less(u64),
}

impl Count {
    pub(super) fn fits(self, value: u64) -> bool {
        match self {
            Count::Exactly(number) => value == number,
            Count::More(number) => value > number,
            Count::Less(number) => value < number,
        }
    }
}

/// Which of a file's times is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stamp {
    Access,
    Change,
    Modification,
}

/// How a mode is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Permissions {
    Exactly(u32),
    All(u32),
    Any(u32),
}

/// A question about a file.
#[derive(Clone, Debug)]
pub(super) enum Test {
    True,
    False,
    Name {
        pattern: Vec<u8>,
        ignore_case: bool,
    },
    Path {
        pattern: Vec<u8>,
        ignore_case: bool,
    },
    LinkName {
        pattern: Vec<u8>,
        ignore_case: bool,
    },
    /// The types that fit.
    Type(Vec<u32>),
    /// The same, of what is behind a link (or of the link itself if links are followed).
    OtherType(Vec<u32>),
    /// In units of so many bytes, rounded up.
    Size(Count, u64),
    Empty,
    Newer(Stamp, TimeSpec),
    /// Age in units of so many seconds; days are counted whole, minutes rounded up.
    Age {
        stamp: Stamp,
        count: Count,
        unit: i64,
    },
    Permissions(Permissions),
    User(Count),
    Group(Count),
    NoUser,
    NoGroup,
    Links(Count),
    Inode(Count),
    Same(u64, u64),
    /// access(2) with this mode.
    Access(i32),
}

/// Something done to a file.
#[derive(Clone, Debug)]
pub(super) enum Action {
    /// The path and this end.
    Print(Vec<u8>),
    Printf(Vec<Piece>),
    Prune,
    Quit,
    Delete,
    Execute(Command),
    Gather(usize),
}

/// A command of `-exec`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Command {
    pub(super) words: Vec<Vec<u8>>,
    /// `-execdir`: run where the file is.
    pub(super) in_directory: bool,
}
