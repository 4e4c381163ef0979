//! The options of `set`.

/// One option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opt {
    /// `-e`: a command that fails ends the shell.
    ErrExit,
    /// `-f`: no pathname expansion.
    NoGlob,
    /// `-I`: no effect.
    IgnoreEof,
    /// `-i`: commands on standard input are asked for with a prompt, and an error does not end the shell.
    Interactive,
    /// `-m`: no effect without a terminal.
    Monitor,
    /// `-n`: commands are read and not run.
    NoExec,
    /// `-s`: commands come from standard input.
    Stdin,
    /// `-x`: commands are shown before they run.
    XTrace,
    /// `-v`: lines are shown as they are read.
    Verbose,
    /// `-V`: no effect.
    Vi,
    /// `-E`: no effect.
    Emacs,
    /// `-C`: `>` does not overwrite files.
    NoClobber,
    /// `-a`: all variables that are set are exported.
    AllExport,
    /// `-b`: no effect.
    Notify,
    /// `-u`: an unset variable is an error.
    NoUnset,
    /// `-p`: no effect.
    Privileged,
    /// No effect.
    NoLog,
    /// No effect.
    Debug,
    /// A pipeline fails if any of its commands does; younger than the dash that this shell follows.
    PipeFail,
}

/// All options with their letters and names, in the order in which they are listed.
pub const ALL: [(Opt, Option<u8>, &str); 19] = [
    (Opt::ErrExit, Some(b'e'), "errexit"),
    (Opt::NoGlob, Some(b'f'), "noglob"),
    (Opt::IgnoreEof, Some(b'I'), "ignoreeof"),
    (Opt::Interactive, Some(b'i'), "interactive"),
    (Opt::Monitor, Some(b'm'), "monitor"),
    (Opt::NoExec, Some(b'n'), "noexec"),
    (Opt::Stdin, Some(b's'), "stdin"),
    (Opt::XTrace, Some(b'x'), "xtrace"),
    (Opt::Verbose, Some(b'v'), "verbose"),
    (Opt::Vi, Some(b'V'), "vi"),
    (Opt::Emacs, Some(b'E'), "emacs"),
    (Opt::NoClobber, Some(b'C'), "noclobber"),
    (Opt::AllExport, Some(b'a'), "allexport"),
    (Opt::Notify, Some(b'b'), "notify"),
    (Opt::NoUnset, Some(b'u'), "nounset"),
    (Opt::Privileged, Some(b'p'), "privileged"),
    (Opt::NoLog, None, "nolog"),
    (Opt::Debug, None, "debug"),
    (Opt::PipeFail, None, "pipefail"),
];

/// Which options are on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options(u32);

impl Options {
    /// Whether an option is on.
    #[must_use]
    pub fn has(self, option: Opt) -> bool {
        self.0 & (1 << option as u32) != 0
    }

    /// Turns an option on or off.
    pub fn set(&mut self, option: Opt, on: bool) {
        if on {
            self.0 |= 1 << option as u32;
        } else {
            self.0 &= !(1 << option as u32);
        }
    }

    /// The letters of the options that are on, in dash's order: `$-`.
    #[must_use]
    pub fn letters(self) -> Vec<u8> {
        ALL.iter().rev().filter(|(option, ..)| self.has(*option)).filter_map(|(_, letter, _)| *letter).collect()
    }
}

/// The option with this letter.
#[must_use]
pub fn by_letter(letter: u8) -> Option<Opt> {
    ALL.iter().find(|(_, known, _)| *known == Some(letter)).map(|(option, ..)| *option)
}

/// The option with this name.
#[must_use]
pub fn by_name(name: &[u8]) -> Option<Opt> {
    ALL.iter().find(|(.., known)| known.as_bytes() == name).map(|(option, ..)| *option)
}
