//! The form that programs run in: instructions for a machine with a stack. A machine that is data, not
//! a recursion of futures, can stop anywhere for a system call and be as deep in functions as it likes.

use std::rc::Rc;

use super::ast::{BinOp, Redirect};
use super::value::Text;
use crate::shared::posix_regex::Regex;

/// A variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Variable {
    Global(usize),
    /// A parameter of the running function.
    Local(usize),
}

/// A place for a value. An index or field number is on the stack, below the operands of the instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Variable(Variable),
    Field,
    Element(Variable),
    /// A value on the stack that is no variable: changes to it are lost.
    Scratch,
}

/// Where getline reads; names are on the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum From {
    Main,
    File,
    Command,
}

/// Functions of one value, or of a fixed number of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Atan2,
    Cos,
    Exp,
    Index,
    Int,
    Length,
    Log,
    Match,
    Rand,
    Sin,
    Sqrt,
    /// With a position only.
    SubstrFrom,
    Substr,
    Tolower,
    Toupper,
    Srand,
}

#[derive(Clone, Debug)]
pub(super) enum Op {
    Unset,
    Number(f64),
    Text(Text),
    Regex(Rc<Regex>),
    Load(Place),
    Store(Place),
    /// `place op= value`.
    Update(Place, BinOp),
    Step {
        place: Place,
        by: f64,
        postfix: bool,
    },
    Binary(BinOp),
    Not,
    Minus,
    ToNumber,
    ToTruth,
    /// Text and pattern.
    Match {
        negated: bool,
    },
    /// Joins subscripts.
    Key(usize),
    In(Variable),
    Pop,
    Jump(usize),
    JumpIfFalse(usize),
    JumpIfTrue(usize),
    JumpIfInRange(usize, usize),
    SetRange(usize, bool),
    DeleteElement(Variable),
    DeleteAll(Variable),
    /// Starts `for (k in a)`.
    Keys(Variable),
    /// Pushes the next index, or jumps.
    NextKey(usize),
    EndKeys,
    /// Pushes a variable for a function: an array as it is.
    Argument(Variable),
    Call {
        function: usize,
        given: usize,
    },
    Return,
    Function(Function),
    /// `length(x)` of a name that may be an array.
    LengthOf(Variable),
    Sprintf(usize),
    /// Text, and a separator if `with`.
    Split {
        array: Variable,
        with: bool,
    },
    /// Pattern and replacement.
    Substitute {
        place: Place,
        global: bool,
    },
    Print {
        format: bool,
        args: usize,
        to: Option<Redirect>,
    },
    Getline {
        from: From,
        into: Option<Place>,
    },
    Close,
    System,
    FlushAll,
    Flush,
    SeedByClock,
    Next,
    NextFile,
    Exit {
        with: bool,
    },
    /// The end of a part of the program.
    End,
}

#[derive(Debug)]
pub(super) struct FunctionInfo {
    pub(super) name: String,
    pub(super) parameters: usize,
    pub(super) start: usize,
}

/// A compiled program.
#[derive(Debug)]
pub(super) struct Code {
    pub(super) ops: Vec<Op>,
    pub(super) functions: Vec<FunctionInfo>,
    /// Names of the variables by their number, and whether they are arrays.
    pub(super) globals: Vec<(String, bool)>,
    pub(super) begin: usize,
    pub(super) main: Option<usize>,
    pub(super) end: Option<usize>,
    pub(super) ranges: usize,
}

/// Variables that mean something to awk, by their numbers among the globals.
pub(super) mod special {
    pub(in super::super) const NF: usize = 0;
    pub(in super::super) const NR: usize = 1;
    pub(in super::super) const FNR: usize = 2;
    pub(in super::super) const FS: usize = 3;
    pub(in super::super) const OFS: usize = 4;
    pub(in super::super) const RS: usize = 5;
    pub(in super::super) const ORS: usize = 6;
    pub(in super::super) const FILENAME: usize = 7;
    pub(in super::super) const SUBSEP: usize = 8;
    pub(in super::super) const RSTART: usize = 9;
    pub(in super::super) const RLENGTH: usize = 10;
    pub(in super::super) const CONVFMT: usize = 11;
    pub(in super::super) const OFMT: usize = 12;
    pub(in super::super) const ARGC: usize = 13;
    pub(in super::super) const ARGV: usize = 14;
    pub(in super::super) const ENVIRON: usize = 15;
    pub(in super::super) const NAMES: [&str; 16] = [
        "NF", "NR", "FNR", "FS", "OFS", "RS", "ORS", "FILENAME", "SUBSEP", "RSTART", "RLENGTH", "CONVFMT", "OFMT",
        "ARGC", "ARGV", "ENVIRON",
    ];
}
