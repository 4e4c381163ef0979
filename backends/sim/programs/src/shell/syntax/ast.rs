//! The syntax tree of a script. Everything is shared by reference count: a forked child evaluates a part
//! of the tree that its parent goes on to use.

use std::cell::OnceCell;
use std::rc::Rc;

/// A piece of the script's text.
pub type Text = Rc<[u8]>;

/// A command of any kind.
#[derive(Debug, PartialEq)]
pub enum Node {
    /// Assignments, words and redirections.
    Simple(Simple),
    /// `a | b`: at least two commands.
    Pipeline(Vec<Rc<Node>>),
    /// `! a`.
    Not(Rc<Node>),
    /// `a && b || c`, from left to right.
    AndOr(Rc<Node>, Vec<(Connector, Rc<Node>)>),
    /// `a; b`: at least two commands.
    List(Vec<Rc<Node>>),
    /// `a &`.
    Background(Rc<Node>),
    /// `( a )`.
    Subshell(Rc<Node>, usize),
    /// A compound command with redirections.
    Redirected(Redirected),
    /// `if a; then b; elif c; then d; else e; fi`.
    If(Vec<(Rc<Node>, Rc<Node>)>, Option<Rc<Node>>),
    /// `while a; do b; done`, or `until` if the first field says so.
    Loop(Until, Rc<Node>, Rc<Node>),
    /// `for a in b; do c; done`.
    For(For),
    /// `case a in b) c;; esac`.
    Case(Case),
    /// `a() b`.
    Function(Function),
}

/// How a command of an and-or list hangs on the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connector {
    /// `&&`
    And,
    /// `||`
    Or,
}

/// Whether a loop runs until its condition is true, rather than while it is.
pub type Until = bool;

/// A simple command.
#[derive(Debug, PartialEq)]
pub struct Simple {
    /// `name=value` before the first word.
    pub assignments: Vec<Assignment>,
    /// The command's name and its arguments.
    pub words: Vec<Word>,
    /// In the order they are written.
    pub redirects: Vec<Redirect>,
    /// The line that the command begins on.
    pub line: usize,
}

/// `name=value`.
#[derive(Debug, PartialEq)]
pub struct Assignment {
    /// The variable.
    pub name: Text,
    /// Its new value.
    pub value: Word,
}

/// A compound command with redirections.
#[derive(Debug, PartialEq)]
pub struct Redirected {
    /// The command.
    pub body: Rc<Node>,
    /// In the order they are written.
    pub redirects: Vec<Redirect>,
    /// The line of the first redirection.
    pub line: usize,
}

/// A for loop.
#[derive(Debug, PartialEq)]
pub struct For {
    /// The variable.
    pub name: Text,
    /// What it runs through; `None` for the positional parameters.
    pub words: Option<Vec<Word>>,
    /// What is done.
    pub body: Rc<Node>,
    /// The line of the word `for`.
    pub line: usize,
}

/// A case command.
#[derive(Debug, PartialEq)]
pub struct Case {
    /// What is compared.
    pub word: Word,
    /// In the order they are tried.
    pub arms: Vec<Arm>,
    /// The line of the word `case`.
    pub line: usize,
}

/// One alternative of a case command.
#[derive(Debug, PartialEq)]
pub struct Arm {
    /// At least one.
    pub patterns: Vec<Word>,
    /// What is done, if anything.
    pub body: Option<Rc<Node>>,
}

/// A function definition.
#[derive(Debug, PartialEq)]
pub struct Function {
    /// Its name.
    pub name: Text,
    /// What a call does.
    pub body: Rc<Node>,
    /// The line of its name.
    pub line: usize,
}

/// A redirection.
#[derive(Debug, PartialEq)]
pub struct Redirect {
    /// The descriptor that is changed.
    pub fd: i32,
    /// What it becomes.
    pub target: Target,
}

/// What a descriptor is redirected to.
#[derive(Debug, PartialEq)]
pub enum Target {
    /// A file.
    File(Access, Word),
    /// `>&n` or `<&n`: a copy of another descriptor.
    Copy(i32),
    /// `>&-` or `<&-`.
    Close,
    /// `>&$x`: a copy, or a close; which one is known when the word is expanded.
    CopyWord(Word),
    /// A here-document.
    Here(Rc<HereDocument>),
}

/// How a file of a redirection is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// `<`
    Read,
    /// `>`
    Write,
    /// `>|`
    Clobber,
    /// `>>`
    Append,
    /// `<>`
    ReadWrite,
}

/// A here-document. Its body is read at the end of the line that its redirection stands on.
#[derive(Debug, PartialEq)]
pub struct HereDocument {
    /// The line that ends it.
    pub delimiter: Vec<u8>,
    /// Whether the delimiter was quoted: the body is then taken as it is.
    pub quoted: bool,
    /// `<<-`: tabs at the start of lines are dropped.
    pub strip_tabs: bool,
    /// The body, once it is read.
    pub body: OnceCell<Word>,
}

/// A word before expansion.
#[derive(Debug, Default, PartialEq)]
pub struct Word {
    /// One after the other.
    pub parts: Vec<Part>,
}

/// A part of a word.
#[derive(Debug, PartialEq)]
pub enum Part {
    /// Characters that stand outside of quotes.
    Text(Text),
    /// Characters in quotes; none for a pair of quotes around nothing.
    Quoted(Text),
    /// `$x`, `${x...}`.
    Parameter(Rc<Parameter>),
    /// `$(a)`: the command if there is one.
    Command(Option<Rc<Node>>, Quoted),
    /// `$((a))`.
    Arithmetic(Rc<Word>, Quoted),
}

/// Whether an expansion stands in double quotes.
pub type Quoted = bool;

/// A parameter expansion.
#[derive(Debug, PartialEq)]
pub struct Parameter {
    /// The parameter.
    pub name: Name,
    /// What is done with its value.
    pub operation: Operation,
    /// The word after the operator.
    pub word: Word,
    /// Whether the expansion stands in double quotes.
    pub quoted: Quoted,
}

/// A parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// A variable.
    Variable(Text),
    /// `$1`; numbers too large for any list of arguments are the largest.
    Positional(usize),
    /// `$@`, `$*`, `$#`, `$?`, `$-`, `$$`, `$!` and `$0`.
    Special(u8),
}

/// What an expansion does with a parameter's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `$x`, `${x}`
    Value,
    /// `${#x}`
    Length,
    /// `${x-word}`, or with a colon.
    Default(Colon),
    /// `${x=word}`, or with a colon.
    Assign(Colon),
    /// `${x?word}`, or with a colon.
    Demand(Colon),
    /// `${x+word}`, or with a colon.
    Alternative(Colon),
    /// `${x#word}`, `${x##word}`, `${x%word}`, `${x%%word}`
    Trim(Side, Longest),
    /// Anything else in braces: an error when it is expanded, as in dash.
    Bad,
}

/// Whether an empty value counts as unset.
pub type Colon = bool;

/// Whether a trim takes as much as it can.
pub type Longest = bool;

/// Which end of a value is trimmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// `#`
    Left,
    /// `%`
    Right,
}

/// Whether the text can name a variable.
#[must_use]
pub fn is_name(text: &[u8]) -> bool {
    matches!(text.first(), Some(first) if *first == b'_' || first.is_ascii_alphabetic())
        && text.iter().all(|&byte| is_name_byte(byte))
}

/// Whether the byte can stand in a name after its first.
#[must_use]
pub fn is_name_byte(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric()
}
