//! The command as its users meet it: arguments in, text and an exit code out.

mod arguments;
mod examples;
mod harness;
mod output;
mod recording;
mod traces;
mod verdicts;
