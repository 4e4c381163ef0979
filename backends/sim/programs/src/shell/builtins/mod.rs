//! The builtins.

mod control;
mod directory;
mod getopts;
mod limits;
mod names;
mod output;
mod process;
mod read;
mod set;
mod signals;
mod variables;

use std::future::Future;
use std::pin::Pin;

pub(super) use getopts::Place;

use super::exec::Mode;
use super::flow::{Eval, Flow};
use super::state::Shell;

/// A call of a builtin.
pub(super) struct Call {
    /// Its name and its arguments.
    pub(super) argv: Vec<Vec<u8>>,
    /// What it writes to standard output, at its end.
    pub(super) out: Vec<u8>,
    /// What the command is evaluated for.
    pub(super) mode: Mode,
}

type Run = for<'c> fn(&'c mut Shell, &'c mut Call) -> Pin<Box<dyn Future<Output = Eval> + 'c>>;

/// A builtin.
pub(super) struct Builtin {
    name: &'static str,
    /// Errors in it end the shell, and assignments before it last.
    pub(super) special: bool,
    pub(super) run: Run,
}

macro_rules! builtins {
    ($($kind:ident $name:literal => $run:path,)*) => {
        &[$(Builtin {
            name: $name,
            special: builtins!(@$kind),
            run: |shell, call| Box::pin($run(shell, call)),
        },)*]
    };
    (@special) => { true };
    (@regular) => { false };
}

/// All builtins, in the order of their names.
static BUILTINS: &[Builtin] = builtins! {
    special "." => process::dot,
    special ":" => control::true_command,
    regular "[" => output::test,
    regular "alias" => names::alias,
    regular "bg" => signals::background,
    special "break" => control::break_command,
    regular "cd" => directory::cd,
    regular "chdir" => directory::cd,
    regular "command" => names::command,
    special "continue" => control::continue_command,
    regular "echo" => output::echo,
    special "eval" => process::eval,
    special "exec" => process::exec,
    special "exit" => control::exit,
    special "export" => variables::export,
    regular "false" => control::false_command,
    regular "fg" => signals::foreground,
    regular "getopts" => getopts::getopts,
    regular "hash" => names::hash,
    regular "jobs" => signals::jobs,
    regular "kill" => signals::kill,
    special "local" => variables::local,
    regular "printf" => output::printf,
    regular "pwd" => directory::pwd,
    regular "read" => read::read,
    special "readonly" => variables::readonly,
    special "return" => control::return_command,
    special "set" => set::set,
    special "shift" => control::shift,
    regular "test" => output::test,
    special "times" => process::times,
    special "trap" => signals::trap,
    regular "true" => control::true_command,
    regular "type" => names::type_command,
    regular "ulimit" => limits::ulimit,
    regular "umask" => directory::umask,
    regular "unalias" => names::unalias,
    special "unset" => variables::unset,
    regular "wait" => signals::wait,
};

/// The builtin with this name.
pub(super) fn find(name: &[u8]) -> Option<&'static Builtin> {
    let index = BUILTINS.binary_search_by(|builtin| builtin.name.as_bytes().cmp(name)).ok()?;
    BUILTINS.get(index)
}

/// Whether this is the name of a special builtin, which no function can have.
pub(super) fn is_special(name: &[u8]) -> bool {
    find(name).is_some_and(|builtin| builtin.special)
}

/// An option of a call, with its argument.
type CallOption = (u8, Option<Vec<u8>>);

impl Shell {
    /// Reads the options of a call, of which `known` are allowed; those with a colon after them have an
    /// argument. Returns them and the operands.
    pub(super) async fn call_options(
        &mut self,
        call: &Call,
        known: &str,
    ) -> Result<(Vec<CallOption>, Vec<Vec<u8>>), Flow> {
        let mut options = Vec::new();
        let mut at = 1;
        while let Some([b'-', letters @ ..]) = call.argv.get(at).map(Vec::as_slice) {
            if letters.is_empty() {
                break;
            }
            at += 1;
            if letters == b"-" {
                break;
            }
            let mut rest = letters;
            while let Some((&letter, after)) = rest.split_first() {
                rest = after;
                let Some(index) = known.bytes().position(|byte| byte == letter && byte != b':') else {
                    return Err(self.error(option_error("Illegal option -", letter)).await);
                };
                if known.as_bytes().get(index + 1) != Some(&b':') {
                    options.push((letter, None));
                    continue;
                }
                let argument = if rest.is_empty() {
                    at += 1;
                    call.argv.get(at - 1).cloned()
                } else {
                    Some(std::mem::take(&mut rest).to_vec())
                };
                let Some(argument) = argument else {
                    let message = [&option_error("No arg for -", letter)[..], b" option"].concat();
                    return Err(self.error(message).await);
                };
                options.push((letter, Some(argument)));
            }
        }
        Ok((options, call.argv.get(at..).unwrap_or_default().to_vec()))
    }

    /// A number that is no less than 0, in decimal digits.
    pub(super) async fn call_number(&mut self, text: &[u8]) -> Result<i32, Flow> {
        let number = std::str::from_utf8(text).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
        match number.and_then(|text| text.parse().ok()) {
            Some(number) => Ok(number),
            None => Err(self.error([b"Illegal number: ", text].concat()).await),
        }
    }
}

fn option_error(message: &str, letter: u8) -> Vec<u8> {
    [message.as_bytes(), &[letter]].concat()
}

#[cfg(test)]
mod tests {
    use super::{BUILTINS, find};

    #[test]
    fn every_builtin_is_found() {
        for builtin in BUILTINS {
            assert!(find(builtin.name.as_bytes()).is_some_and(|found| found.name == builtin.name), "{}", builtin.name);
        }
        assert!(find(b"nosuch").is_none());
    }
}
