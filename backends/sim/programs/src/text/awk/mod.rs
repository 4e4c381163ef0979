//! awk: the language of POSIX, with what nearly all awks add: `**`, `nextfile`, `delete a`, `length(a)`,
//! `fflush`, patterns as RS, an empty FS or separator that takes each byte as a field.
//!
//! Where awks differ, this one is as mawk, except:
//! - Whole numbers below 2^63 are written as integers, as by gawk (older mawks: below 2^31).
//! - Intervals such as `x{2,3}` work in patterns, as POSIX has it.
//! - Text is a number only in decimal: not as `0x1A`, `inf` or `nan`.
//! - Random numbers start from the same seed unless `srand()` is called.
//! - `for (k in a)` visits the elements in the order of their creation; in other awks it is arbitrary.
//!
//! Refused: the further functions of gawk and mawk (`gensub`, `strftime`, …), coprocesses, `@` directives.

mod ast;
mod builtins;
mod code;
mod compile;
mod compile_expr;
mod expression;
mod interpreter;
mod lexer;
mod machine;
mod number;
mod options;
mod parser;
mod printf;
mod reader;
mod record;
mod regex;
mod streams;
#[cfg(test)]
mod tests;
mod value;

use crate::shared::{Outcome, Tool};
use interpreter::Interpreter;
use machine::Machine;
use streams::FAILURE;

pub(super) async fn run(mut tool: Tool) -> Outcome {
    tool.use_short_name();
    tool.out.set_failure(FAILURE);
    let mut options = options::read(&tool).await?;
    let source = options::source(&tool, &mut options).await?;
    let compiled = parser::parse(&source).and_then(|tree| compile::compile(&tree));
    let code = match compiled {
        Ok(code) => code,
        Err(lexer::SyntaxError { line: 0, message }) => return Err(tool.fail(FAILURE, message).await),
        Err(lexer::SyntaxError { line, message }) => {
            return Err(tool.fail(FAILURE, format!("line {line}: {message}")).await);
        }
    };
    let mut interpreter = Interpreter::new(tool, Machine::new(code));
    match interpreter.prepare(options.separator, options.assignments, options.operands) {
        Ok(()) => interpreter.run().await,
        Err(fault) => Err(interpreter.fail(&fault).await),
    }
}
