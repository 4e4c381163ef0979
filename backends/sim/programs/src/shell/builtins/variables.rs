//! Builtins that change variables and functions.

use std::rc::Rc;

use super::Call;
use crate::shell::flow::{Eval, Flow};
use crate::shell::state::{Shell, refusal};
use crate::shell::syntax::ast::is_name;
use crate::shell::variables::quoted;

pub(super) async fn export(shell: &mut Shell, call: &mut Call) -> Eval {
    mark(shell, call, true, false).await
}

pub(super) async fn readonly(shell: &mut Shell, call: &mut Call) -> Eval {
    mark(shell, call, false, true).await
}

async fn mark(shell: &mut Shell, call: &mut Call, exported: bool, readonly: bool) -> Eval {
    let (options, operands) = shell.call_options(call, "p").await?;
    if operands.is_empty() || !options.is_empty() {
        for (name, variable) in shell.variables.iter() {
            if (exported && variable.exported) || (readonly && variable.readonly) {
                call.out.extend_from_slice(if exported { b"export " } else { b"readonly " });
                call.out.extend_from_slice(name);
                if let Some(value) = &variable.value {
                    call.out.push(b'=');
                    call.out.extend(quoted(value));
                }
                call.out.push(b'\n');
            }
        }
        return Ok(0);
    }
    for operand in operands {
        let (name, value) = name_and_value(shell, &operand).await?;
        if let Some(value) = value {
            shell.assign(name, value, false).await?;
        }
        shell.variables.mark(name, exported, readonly);
    }
    Ok(0)
}

/// Splits `name=value`; the name must be one.
async fn name_and_value<'o>(shell: &mut Shell, operand: &'o [u8]) -> Result<(&'o [u8], Option<&'o [u8]>), Flow> {
    let (name, value) = match operand.iter().position(|&byte| byte == b'=') {
        Some(equals) => (&operand[..equals], Some(&operand[equals + 1..])),
        None => (operand, None),
    };
    if is_name(name) { Ok((name, value)) } else { Err(shell.error(bad_name(name)).await) }
}

/// What is said of a name that can be none.
pub(super) fn bad_name(name: &[u8]) -> Vec<u8> {
    [name, b": bad variable name"].concat()
}

pub(super) async fn unset(shell: &mut Shell, call: &mut Call) -> Eval {
    let (options, operands) = shell.call_options(call, "vf").await?;
    let only = options.last().map(|(letter, _)| *letter);
    for name in operands {
        if only != Some(b'f') {
            if !is_name(&name) {
                return Err(shell.error(bad_name(&name)).await);
            }
            if name == b"OPTIND" {
                return Err(shell.error("Illegal number: ").await);
            }
            let existed = shell.variables.get(&name).is_some();
            if let Err(refused) = shell.variables.unset(&name) {
                return Err(shell.error(refusal(&name, refused)).await);
            }
            if name == b"PATH" {
                shell.found = Rc::default();
            }
            if existed {
                continue;
            }
        }
        if only != Some(b'v') && shell.functions.contains_key(&name[..]) {
            Rc::make_mut(&mut shell.functions).remove(&name[..]);
        }
    }
    Ok(0)
}

pub(super) async fn local(shell: &mut Shell, call: &mut Call) -> Eval {
    if !shell.in_function {
        return Err(shell.error("not in a function").await);
    }
    for operand in call.argv.get(1..).unwrap_or_default() {
        if operand == b"-" {
            shell.variables.localise_options(shell.options);
            continue;
        }
        let (name, value) = name_and_value(shell, operand).await?;
        shell.variables.localise(name);
        if let Some(value) = value {
            shell.assign(name, value, false).await?;
        }
    }
    Ok(0)
}
