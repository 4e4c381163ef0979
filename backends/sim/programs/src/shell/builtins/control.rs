//! Builtins that direct the flow of commands.

use std::rc::Rc;

use super::{Call, Place};
use crate::shell::flow::{Eval, Flow};
use crate::shell::state::Shell;

pub(super) async fn true_command(_shell: &mut Shell, _call: &mut Call) -> Eval {
    Ok(0)
}

pub(super) async fn false_command(_shell: &mut Shell, _call: &mut Call) -> Eval {
    Ok(1)
}

/// How many loops; none if there is no loop.
async fn levels(shell: &mut Shell, call: &Call) -> Result<usize, Flow> {
    let levels = match call.argv.get(1) {
        None => 1,
        Some(text) => match shell.call_number(text).await? {
            0 => return Err(shell.error([b"Illegal number: ", &text[..]].concat()).await),
            number => usize::try_from(number).unwrap_or(usize::MAX),
        },
    };
    Ok(levels.min(shell.loops))
}

pub(super) async fn break_command(shell: &mut Shell, call: &mut Call) -> Eval {
    let levels = levels(shell, call).await?;
    shell.status = 0;
    if levels == 0 { Ok(0) } else { Err(Flow::Break(levels)) }
}

pub(super) async fn continue_command(shell: &mut Shell, call: &mut Call) -> Eval {
    let levels = levels(shell, call).await?;
    shell.status = 0;
    if levels == 0 { Ok(0) } else { Err(Flow::Continue(levels)) }
}

pub(super) async fn return_command(shell: &mut Shell, call: &mut Call) -> Eval {
    let status = match call.argv.get(1) {
        Some(text) => shell.call_number(text).await?,
        None => shell.status,
    };
    Err(Flow::Return(status))
}

pub(super) async fn exit(shell: &mut Shell, call: &mut Call) -> Eval {
    let status = match call.argv.get(1) {
        Some(text) => shell.call_number(text).await?,
        // In a trap the status is that of the command before it.
        None => shell.status_before_trap.unwrap_or(shell.status),
    };
    Err(Flow::Exit(status))
}

pub(super) async fn shift(shell: &mut Shell, call: &mut Call) -> Eval {
    let count = match call.argv.get(1) {
        Some(text) => usize::try_from(shell.call_number(text).await?).unwrap_or_default(),
        None => 1,
    };
    if count > shell.parameters.len() {
        return Err(shell.error("can't shift that many").await);
    }
    Rc::make_mut(&mut shell.parameters).drain(..count);
    shell.getopts = Place::default();
    Ok(0)
}
