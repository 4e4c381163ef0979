//! echo, printf, test and `[` as files: what the shell's builtins do, in the words of GNU coreutils.

use crate::shared::echo::{Flavor, echo};
use crate::shared::printf::printf;
use crate::shared::{Outcome, Tool, test_expr};

pub(super) async fn run_echo(tool: Tool) -> Outcome {
    tool.out.write(echo(&tool.args, Flavor::Gnu)).await?;
    Ok(0)
}

pub(super) async fn run_printf(tool: Tool) -> Outcome {
    let args = match tool.args.first() {
        Some(first) if first == b"--" => &tool.args[1..],
        _ => &tool.args[..],
    };
    let Some((format, args)) = args.split_first() else { return Err(tool.missing_operand(1, None).await) };
    let report = printf(format, args, Flavor::Gnu);
    tool.out.write(report.output).await?;
    for message in report.errors {
        tool.error(message).await;
    }
    Ok(report.status)
}

pub(super) async fn run_test(tool: Tool) -> Outcome {
    decide(&tool, &tool.args).await
}

pub(super) async fn run_bracket(tool: Tool) -> Outcome {
    match test_expr::strip_bracket(&tool.args, Flavor::Gnu) {
        Ok(args) => decide(&tool, args).await,
        Err(message) => Err(tool.fail(2, message).await),
    }
}

async fn decide(tool: &Tool, args: &[Vec<u8>]) -> Outcome {
    match test_expr::parse(args, Flavor::Gnu) {
        Ok(expression) => Ok(i32::from(!expression.decide(&tool.sys, Flavor::Gnu).await)),
        Err(message) => Err(tool.fail(2, message).await),
    }
}
