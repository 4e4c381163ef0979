//! `echo`, `printf` and `test`.

use super::Call;
use crate::shared::echo::{self, Flavor};
use crate::shared::{printf as format, test_expr};
use crate::shell::flow::{Eval, Flow};
use crate::shell::state::{ERROR, Shell};

pub(super) async fn echo(_shell: &mut Shell, call: &mut Call) -> Eval {
    call.out = echo::echo(call.argv.get(1..).unwrap_or_default(), Flavor::Dash);
    Ok(0)
}

pub(super) async fn printf(shell: &mut Shell, call: &mut Call) -> Eval {
    let (_, operands) = shell.call_options(call, "").await?;
    let Some((text, args)) = operands.split_first() else {
        return Err(shell.error("usage: printf format [arg ...]").await);
    };
    let report = format::printf(text, args, Flavor::Dash);
    for message in report.errors {
        shell.complain(message).await;
    }
    call.out = report.output;
    if report.fatal { Err(Flow::Error(ERROR)) } else { Ok(report.status) }
}

pub(super) async fn test(shell: &mut Shell, call: &mut Call) -> Eval {
    let args = call.argv.get(1..).unwrap_or_default();
    let args = if call.argv.first().is_some_and(|name| name == b"[") {
        test_expr::strip_bracket(args, Flavor::Dash)
    } else {
        Ok(args)
    };
    match args.and_then(|args| test_expr::parse(args, Flavor::Dash)) {
        Ok(expression) => Ok(i32::from(!expression.decide(&shell.sys, Flavor::Dash).await)),
        Err(message) => Err(shell.error(message).await),
    }
}
