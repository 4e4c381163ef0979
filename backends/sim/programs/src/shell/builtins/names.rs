//! Builtins about what names of commands mean: `alias`, `unalias`, `command`, `type`, `hash`.

use std::rc::Rc;

use super::Call;
use crate::shell::exec::{Found, STANDARD_PATH};
use crate::shell::flow::Eval;
use crate::shell::state::Shell;
use crate::shell::syntax::reserved_word;
use crate::shell::variables::quoted;

pub(super) async fn alias(shell: &mut Shell, call: &mut Call) -> Eval {
    let show = |out: &mut Vec<u8>, name: &[u8], text: &[u8]| {
        out.extend_from_slice(name);
        out.push(b'=');
        out.extend(quoted(text));
        out.push(b'\n');
    };
    if call.argv.len() == 1 {
        for (name, text) in shell.aliases.iter() {
            show(&mut call.out, name, text);
        }
        return Ok(0);
    }
    let mut status = 0;
    for operand in call.argv.get(1..).unwrap_or_default() {
        // A name may begin with `=`.
        match operand.iter().skip(1).position(|&byte| byte == b'=') {
            Some(equals) => {
                let (name, text) = (&operand[..equals + 1], &operand[equals + 2..]);
                Rc::make_mut(&mut shell.aliases).insert(name.to_vec(), text.into());
            }
            None => match shell.aliases.get(operand) {
                Some(text) => show(&mut call.out, operand, text),
                None => {
                    let message = [b"alias: ", &operand[..], b" not found\n"].concat();
                    shell.write_error(&message).await;
                    status = 1;
                }
            },
        }
    }
    Ok(status)
}

pub(super) async fn unalias(shell: &mut Shell, call: &mut Call) -> Eval {
    let (options, operands) = shell.call_options(call, "a").await?;
    if !options.is_empty() {
        shell.aliases = Rc::default();
        return Ok(0);
    }
    let mut status = 0;
    for name in operands {
        if Rc::make_mut(&mut shell.aliases).remove(&name).is_none() {
            shell.write_error(&[b"unalias: ", &name[..], b" not found\n"].concat()).await;
            status = 1;
        }
    }
    Ok(status)
}

/// `command -v` and `command -V`; without these it is the command itself that runs.
pub(super) async fn command(shell: &mut Shell, call: &mut Call) -> Eval {
    let (options, operands) = shell.call_options(call, "pvV").await?;
    let path = options.iter().any(|(letter, _)| *letter == b'p').then_some(STANDARD_PATH);
    let verify = options.iter().rev().find(|(letter, _)| *letter != b'p').map(|(letter, _)| *letter);
    match (verify, operands.first()) {
        (Some(letter), Some(name)) => Ok(describe(shell, &mut call.out, name, path, letter == b'V').await),
        _ => Ok(0),
    }
}

pub(super) async fn type_command(shell: &mut Shell, call: &mut Call) -> Eval {
    let mut status = 0;
    for name in call.argv.get(1..).unwrap_or_default() {
        status |= describe(shell, &mut call.out, name, None, true).await;
    }
    Ok(status)
}

/// Says what a name means, briefly or in a sentence.
async fn describe(shell: &mut Shell, out: &mut Vec<u8>, name: &[u8], path: Option<&[u8]>, verbose: bool) -> i32 {
    let mut say = |brief: &[u8], sentence: &[u8]| {
        if verbose {
            out.extend_from_slice(name);
            out.extend_from_slice(sentence);
        } else {
            out.extend_from_slice(brief);
        }
        out.push(b'\n');
        0
    };
    if reserved_word(name).is_some() {
        return say(name, b" is a shell keyword");
    }
    if let Some(text) = shell.aliases.get(name) {
        let brief = [b"alias ", name, b"=", &quoted(text)].concat();
        return say(&brief, &[b" is an alias for ", &text[..]].concat());
    }
    let is_known = shell.found.contains_key(name);
    match shell.find(name, true, path).await {
        Found::Function(_) => say(name, b" is a shell function"),
        Found::Builtin(builtin) if builtin.special => say(name, b" is a special shell builtin"),
        Found::Builtin(_) => say(name, b" is a shell builtin"),
        Found::File(place) => {
            let file = match place {
                None => shell.sys.access(name, 0).await.map(|()| name.to_vec()),
                Some(_) => shell.find_file(name, path).await.map(|(_, file)| file),
            };
            match file {
                Ok(file) if is_known => say(&file, &[b" is a tracked alias for ", &file[..]].concat()),
                Ok(file) => {
                    // Only what is run is remembered.
                    shell.found_anew(name);
                    say(&file, &[b" is ", &file[..]].concat())
                }
                Err(_) => not_found(out, name, verbose),
            }
        }
        Found::Nothing(..) => not_found(out, name, verbose),
    }
}

fn not_found(out: &mut Vec<u8>, name: &[u8], verbose: bool) -> i32 {
    if verbose {
        out.extend_from_slice(name);
        out.extend_from_slice(b": not found\n");
    }
    127
}

pub(super) async fn hash(shell: &mut Shell, call: &mut Call) -> Eval {
    let (options, operands) = shell.call_options(call, "r").await?;
    if !options.is_empty() {
        shell.found = Rc::default();
        return Ok(0);
    }
    if operands.is_empty() {
        for (_, file) in shell.found.values() {
            call.out.extend_from_slice(file);
            call.out.push(b'\n');
        }
        return Ok(0);
    }
    let mut status = 0;
    for name in operands {
        shell.found_anew(&name);
        if let Found::Nothing(reason) = shell.find(&name, true, None).await {
            shell.complain([&name[..], b": ", reason.as_bytes()].concat()).await;
            status = 1;
        }
    }
    Ok(status)
}
