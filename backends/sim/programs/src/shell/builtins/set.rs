//! `set`, and the options of the shell's own command line.

use std::rc::Rc;

use super::{Call, Place};
use crate::shell::flow::{Eval, Flow};
use crate::shell::options::{self, Opt};
use crate::shell::state::Shell;
use crate::shell::variables::quoted;

/// What options on a command line leave.
pub(in crate::shell) struct Rest {
    /// The operands; `None` if there was no sign that operands begin.
    pub(in crate::shell) operands: Option<Vec<Vec<u8>>>,
    /// `-c` was there.
    pub(in crate::shell) is_command: bool,
}

pub(super) async fn set(shell: &mut Shell, call: &mut Call) -> Eval {
    if call.argv.len() == 1 {
        for (name, variable) in shell.variables.iter() {
            if let Some(value) = &variable.value {
                call.out.extend_from_slice(name);
                call.out.push(b'=');
                call.out.extend(quoted(value));
                call.out.push(b'\n');
            }
        }
        return Ok(0);
    }
    let args = call.argv.get(1..).unwrap_or_default().to_vec();
    let rest = shell.read_options(args, false, &mut call.out).await?;
    if let Some(operands) = rest.operands {
        shell.parameters = Rc::new(operands);
        shell.getopts = Place::default();
    }
    Ok(0)
}

impl Shell {
    /// Reads options as `set` and the shell itself have them.
    pub(in crate::shell) async fn read_options(
        &mut self,
        args: Vec<Vec<u8>>,
        at_start: bool,
        out: &mut Vec<u8>,
    ) -> Result<Rest, Flow> {
        let mut is_command = false;
        let mut args = args.into_iter().peekable();
        while let Some(arg) = args.peek() {
            let (on, letters) = match arg.as_slice() {
                [b'-', letters @ ..] => (true, letters.to_vec()),
                [b'+', letters @ ..] => (false, letters.to_vec()),
                _ => break,
            };
            args.next();
            if on && letters.is_empty() {
                if !at_start {
                    self.options.set(Opt::XTrace, false);
                    self.options.set(Opt::Verbose, false);
                    break;
                }
                return Ok(Rest { operands: Some(args.collect()), is_command });
            }
            if on && letters == b"-" {
                return Ok(Rest { operands: Some(args.collect()), is_command });
            }
            for letter in letters {
                match letter {
                    b'c' if at_start => is_command = true,
                    b'l' if at_start => {}
                    b'o' => self.named_option(args.next(), on, out).await?,
                    letter => match options::by_letter(letter) {
                        Some(option) => self.options.set(option, on),
                        None => return Err(self.error(super::option_error("Illegal option -", letter)).await),
                    },
                }
            }
        }
        let operands: Vec<Vec<u8>> = args.collect();
        Ok(Rest { operands: (!operands.is_empty()).then_some(operands), is_command })
    }

    async fn named_option(&mut self, name: Option<Vec<u8>>, on: bool, out: &mut Vec<u8>) -> Result<(), Flow> {
        let Some(name) = name else {
            if on {
                out.extend_from_slice(b"Current option settings\n");
            }
            for (option, _, name) in options::ALL {
                let is_on = self.options.has(option);
                let line = match on {
                    true => format!("{name:<16}{}\n", if is_on { "on" } else { "off" }),
                    false => format!("set {}o {name}\n", if is_on { '-' } else { '+' }),
                };
                out.extend_from_slice(line.as_bytes());
            }
            return Ok(());
        };
        match options::by_name(&name) {
            Some(option) => {
                self.options.set(option, on);
                Ok(())
            }
            None => Err(self.error([b"Illegal option -o ", &name[..]].concat()).await),
        }
    }
}
