//! The syntax of the shell: a script's text into a tree.
//!
//! Written for dash's language. Rejected: the crate `brush-parser` 0.4, whose language is bash's. Tried in its `sh`
//! mode, it does this:
//!
//! | what | `brush-parser` 0.4 |
//! |---|---|
//! | `"${x:-a   b}"` | gives `a b`: its tokenizer drops blanks in braces |
//! | `$(case a in a) echo hi;; esac)` | a syntax error |
//! | `99999999999>x`, `~99999999999999999999` | panics |
//! | a `case` without its last `;;`, nested | time doubles with each level: 13 s for 22 |
//! | a here-document in `$(...)` on a line that has one too | "unterminated" |
//! | a script that is not UTF-8 | refused |
//! | `$[1+2]`, `$'a'` in sh mode | taken for expansions |
//! | aliases, one line at a time from a terminal or a pipe | cannot be done: it wants the whole script |
//!
//! Limits: [`MAX_NESTING`].

pub mod ast;
mod input;
mod parser;
mod token;
mod word;

pub use input::Aliases;
pub use parser::{Failure, Line, MAX_NESTING, Parser};
pub use token::reserved_word;

#[cfg(test)]
mod tests;
