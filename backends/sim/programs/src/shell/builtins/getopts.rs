//! `getopts`.

use super::Call;
use crate::shell::flow::{Eval, Flow};
use crate::shell::state::Shell;
use crate::shell::syntax::ast::is_name;

/// Where `getopts` is. `OPTIND` shows it, and sets it when it is assigned to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::shell) struct Place {
    /// The number of the next argument, from 1.
    next: usize,
    /// Where in the argument before `next` the next letter is; 0 if that argument is done.
    offset: usize,
}

impl Default for Place {
    fn default() -> Place {
        Place { next: 1, offset: 0 }
    }
}

impl Place {
    /// The place that a value of `OPTIND` sets.
    pub(in crate::shell) fn of(value: &[u8]) -> Option<Place> {
        let number: i32 = std::str::from_utf8(value).ok()?.trim().parse().ok()?;
        Some(Place { next: usize::try_from(number).ok()?.max(1), offset: 0 })
    }
}

pub(super) async fn getopts(shell: &mut Shell, call: &mut Call) -> Eval {
    let [_, known, name, args @ ..] = call.argv.as_slice() else {
        return Err(shell.error("Usage: getopts optstring var [arg...]").await);
    };
    let args = if args.is_empty() { shell.parameters.to_vec() } else { args.to_vec() };
    // Beyond the end it begins anew: these are other arguments.
    let place = if shell.getopts.next > args.len() + 1 { Place::default() } else { shell.getopts };
    let mut at = Scan { args: &args, next: place.next - 1, offset: place.offset };
    let found = at.option(known);
    let place = Place { next: at.next + 1, offset: at.offset };
    let is_end = found == Scanned::End;
    let (letter, argument, complaint) = match found {
        Scanned::End => (b'?', None, None),
        Scanned::Option(letter, argument) => (letter, Some(argument), None),
        Scanned::Unknown(letter) if known.first() == Some(&b':') => (b'?', Some(vec![letter]), None),
        Scanned::Unknown(letter) => (b'?', None, Some(super::option_error("Illegal option -", letter))),
        Scanned::NoArgument(letter) if known.first() == Some(&b':') => (b':', Some(vec![letter]), None),
        Scanned::NoArgument(letter) => {
            (b'?', None, Some([&super::option_error("No arg for -", letter)[..], b" option"].concat()))
        }
    };
    if let Some(complaint) = complaint {
        shell.write_error(&[&complaint[..], b"\n"].concat()).await;
    }
    let name = name.clone();
    set_results(shell, &name, letter, argument, place).await?;
    Ok(i32::from(is_end))
}

async fn set_results(
    shell: &mut Shell,
    name: &[u8],
    letter: u8,
    argument: Option<Vec<u8>>,
    place: Place,
) -> Result<(), Flow> {
    match argument {
        Some(argument) => shell.assign(b"OPTARG", &argument, false).await?,
        // It may be read only, and then stays.
        None => {
            let _kept = shell.variables.unset(b"OPTARG");
        }
    }
    shell.assign(b"OPTIND", place.next.to_string().as_bytes(), false).await?;
    shell.getopts = place;
    if !is_name(name) {
        return Err(shell.error(super::variables::bad_name(name)).await);
    }
    shell.assign(name, &[letter], false).await
}

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Scanned {
    End,
    Option(u8, Vec<u8>),
    Unknown(u8),
    NoArgument(u8),
}

struct Scan<'a> {
    args: &'a [Vec<u8>],
    /// The argument after the one that is read.
    next: usize,
    /// Where in the argument before `next` the next letter is; 0 if that argument is done.
    offset: usize,
}

impl Scan<'_> {
    fn option(&mut self, known: &[u8]) -> Scanned {
        let current = self.next.checked_sub(1).and_then(|index| self.args.get(index));
        let mut current = current.filter(|arg| self.offset > 0 && self.offset < arg.len());
        if current.is_none() {
            self.offset = 1;
            match self.args.get(self.next) {
                Some(arg) if arg == b"--" => {
                    self.next += 1;
                    self.offset = 0;
                    return Scanned::End;
                }
                Some(arg) if arg.len() > 1 && arg[0] == b'-' => {
                    self.next += 1;
                    current = Some(arg);
                }
                _ => {
                    self.offset = 0;
                    self.next = self.next.min(self.args.len());
                    return Scanned::End;
                }
            }
        }
        let Some(arg) = current else { return Scanned::End };
        let letter = arg[self.offset];
        self.offset += 1;
        let position = known.iter().position(|&byte| byte == letter && byte != b':');
        let Some(position) = position else { return Scanned::Unknown(letter) };
        if known.get(position + 1) != Some(&b':') {
            return Scanned::Option(letter, Vec::new());
        }
        let rest = arg[self.offset..].to_vec();
        self.offset = 0;
        if !rest.is_empty() {
            return Scanned::Option(letter, rest);
        }
        match self.args.get(self.next) {
            Some(argument) => {
                self.next += 1;
                Scanned::Option(letter, argument.clone())
            }
            None => Scanned::NoArgument(letter),
        }
    }
}
