//! What all utilities need: the process as a tool sees it, options, output, input, errors, and the
//! notations of modes, sizes, names and dates.

pub mod args;
pub mod canon;
pub mod clock;
pub mod date_text;
pub mod duration;
pub mod echo;
pub mod escape;
pub mod exec;
pub mod fnmatch;
pub mod human;
pub mod input;
pub mod mode;
pub mod names;
pub mod numfmt;
pub mod out;
pub mod path;
pub mod posix_regex;
pub mod printf;
pub mod processes;
pub mod quote;
pub mod strnum;
pub mod test_expr;
pub mod tool;
pub mod version_order;
pub mod walk;

pub use args::{Opt, Parsed, Spec};
pub use input::LineReader;
pub use out::Out;
pub use quote::{quote, quoteaf, quotef};
pub use tool::{Exit, Outcome, Tool, program};
