//! The tree of a program.

use super::value::Text;

/// An expression, with the height of its tree: what walks the tree recurses that deep.
#[derive(Debug, PartialEq)]
pub(super) struct Expr {
    pub(super) kind: ExprKind,
    pub(super) height: usize,
}

#[derive(Debug, PartialEq)]
pub(super) enum ExprKind {
    Number(f64),
    Text(Text),
    /// `/pattern/`: a match with the record, unless the place takes a pattern.
    Regex(Text),
    Name(String),
    Field(Box<Expr>),
    Index(String, Vec<Expr>),
    Assign(Box<Expr>, Option<BinOp>, Box<Expr>),
    Conditional(Box<[Expr; 3]>),
    And(Box<[Expr; 2]>),
    Or(Box<[Expr; 2]>),
    Not(Box<Expr>),
    Minus(Box<Expr>),
    Plus(Box<Expr>),
    Binary(BinOp, Box<[Expr; 2]>),
    /// `a ~ b`; `!~` if negated.
    Match(bool, Box<[Expr; 2]>),
    In(Vec<Expr>, String),
    /// `++` and `--`.
    Step {
        target: Box<Expr>,
        by: f64,
        postfix: bool,
    },
    Call(String, Vec<Expr>),
    Builtin(Builtin, Vec<Expr>),
    Getline(Source, Option<Box<Expr>>),
    /// `(a, b)`: valid only before `in` and as the arguments of print.
    List(Vec<Expr>),
}

/// Where getline reads.
#[derive(Debug, PartialEq)]
pub(super) enum Source {
    Main,
    File(Box<Expr>),
    Command(Box<Expr>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BinOp {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Power,
    Concat,
    Less,
    LessEqual,
    Equal,
    NotEqual,
    Greater,
    GreaterEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Builtin {
    Atan2,
    Close,
    Cos,
    Exp,
    Fflush,
    Gsub,
    Index,
    Int,
    Length,
    Log,
    Match,
    Rand,
    Sin,
    Split,
    Sprintf,
    Sqrt,
    Srand,
    Sub,
    Substr,
    System,
    Tolower,
    Toupper,
}

impl Builtin {
    pub(super) fn by_name(name: &str) -> Option<Builtin> {
        Some(match name {
            "atan2" => Builtin::Atan2,
            "close" => Builtin::Close,
            "cos" => Builtin::Cos,
            "exp" => Builtin::Exp,
            "fflush" => Builtin::Fflush,
            "gsub" => Builtin::Gsub,
            "index" => Builtin::Index,
            "int" => Builtin::Int,
            "length" => Builtin::Length,
            "log" => Builtin::Log,
            "match" => Builtin::Match,
            "rand" => Builtin::Rand,
            "sin" => Builtin::Sin,
            "split" => Builtin::Split,
            "sprintf" => Builtin::Sprintf,
            "sqrt" => Builtin::Sqrt,
            "srand" => Builtin::Srand,
            "sub" => Builtin::Sub,
            "substr" => Builtin::Substr,
            "system" => Builtin::System,
            "tolower" => Builtin::Tolower,
            "toupper" => Builtin::Toupper,
            _ => return None,
        })
    }

    /// The least and the largest number of arguments.
    pub(super) fn arity(self) -> (usize, usize) {
        match self {
            Builtin::Rand => (0, 0),
            Builtin::Fflush | Builtin::Length | Builtin::Srand => (0, 1),
            Builtin::Atan2 | Builtin::Index | Builtin::Match => (2, 2),
            Builtin::Gsub | Builtin::Split | Builtin::Sub | Builtin::Substr => (2, 3),
            Builtin::Sprintf => (1, usize::MAX),
            Builtin::Close
            | Builtin::Cos
            | Builtin::Exp
            | Builtin::Int
            | Builtin::Log
            | Builtin::Sin
            | Builtin::Sqrt
            | Builtin::System
            | Builtin::Tolower
            | Builtin::Toupper => (1, 1),
        }
    }
}

/// Where print writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Redirect {
    Truncate,
    Append,
    Pipe,
}

#[derive(Debug, PartialEq)]
pub(super) enum Stmt {
    Expr(Expr),
    /// print, or printf if `format`.
    Print {
        format: bool,
        args: Vec<Expr>,
        to: Option<(Redirect, Expr)>,
    },
    Block(Vec<Stmt>),
    If(Expr, Box<Stmt>, Option<Box<Stmt>>),
    While(Expr, Box<Stmt>),
    DoWhile(Box<Stmt>, Expr),
    For {
        first: Option<Box<Stmt>>,
        condition: Option<Expr>,
        step: Option<Box<Stmt>>,
        body: Box<Stmt>,
    },
    ForIn(String, String, Box<Stmt>),
    Break,
    Continue,
    Next,
    NextFile,
    Exit(Option<Expr>),
    Return(Option<Expr>),
    Delete(String, Option<Vec<Expr>>),
}

/// What must hold for an action to run on a record.
#[derive(Debug, PartialEq)]
pub(super) enum Pattern {
    Always,
    When(Expr),
    Range(Expr, Expr),
}

#[derive(Debug, PartialEq)]
pub(super) struct Rule {
    pub(super) pattern: Pattern,
    /// `None` prints the record.
    pub(super) action: Option<Vec<Stmt>>,
}

#[derive(Debug, PartialEq)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) parameters: Vec<String>,
    pub(super) body: Vec<Stmt>,
    pub(super) line: usize,
}

#[derive(Debug, Default, PartialEq)]
pub(super) struct Tree {
    pub(super) begin: Vec<Vec<Stmt>>,
    pub(super) rules: Vec<Rule>,
    pub(super) end: Vec<Vec<Stmt>>,
    pub(super) functions: Vec<Function>,
    /// Functions that are called, each with the line of its first call.
    pub(super) calls: Vec<(String, usize)>,
}
