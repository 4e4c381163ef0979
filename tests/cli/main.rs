//! The command as its users meet it: arguments in, text and an exit code out.

mod arguments;
mod examples;
mod harness;
mod output;
mod pty;
mod recording;
mod repl;
mod repl_terminal;
mod traces;
mod verdicts;
