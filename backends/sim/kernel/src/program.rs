//! Programs: what execve(2) starts in a simulated guest.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use crate::Sys;

/// A running program; its output is the exit code.
pub type ProgramFuture = Pin<Box<dyn Future<Output = i32>>>;

/// What a program is started with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Invocation {
    /// The arguments, the program's own name first.
    pub argv: Vec<Vec<u8>>,
    /// The environment, `NAME=value`.
    pub env: Vec<Vec<u8>>,
}

/// A program: an asynchronous function against the system calls.
pub type ProgramFn = Rc<dyn Fn(Sys, Invocation) -> ProgramFuture>;

/// First bytes of an executable in a simulated guest; the program's name follows up to a newline. The
/// first four are those of an ELF file, so that tools that look take it for a binary.
pub const EXECUTABLE_MAGIC: &[u8] = b"\x7fELF provium ";

/// Names of programs and the paths at which guests find them. A copy shares both until one changes:
/// every guest has its own table.
#[derive(Clone, Default)]
pub struct ProgramTable {
    programs: Rc<BTreeMap<String, ProgramFn>>,
    paths: Rc<BTreeMap<String, String>>,
}

impl ProgramTable {
    /// An empty table.
    #[must_use]
    pub fn new() -> ProgramTable {
        ProgramTable::default()
    }

    /// Adds a program under `name` and an executable of it at `path` (absolute). A later program of the
    /// same name or path takes the place of the earlier one.
    pub fn add(&mut self, path: &str, name: &str, program: ProgramFn) {
        Rc::make_mut(&mut self.programs).insert(name.to_owned(), program);
        Rc::make_mut(&mut self.paths).insert(path.to_owned(), name.to_owned());
    }

    /// The program of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<ProgramFn> {
        self.programs.get(name).cloned()
    }

    /// Paths with the names of their programs, in order of path.
    pub fn paths(&self) -> impl Iterator<Item = (&str, &str)> {
        self.paths.iter().map(|(path, name)| (path.as_str(), name.as_str()))
    }
}

/// The content of the executable of a program.
#[must_use]
pub fn executable(name: &str) -> Vec<u8> {
    let mut content = EXECUTABLE_MAGIC.to_vec();
    content.extend_from_slice(name.as_bytes());
    content.push(b'\n');
    content
}

/// The program's name in the content of an executable.
#[must_use]
pub(crate) fn program_name(content: &[u8]) -> Option<&str> {
    let rest = content.strip_prefix(EXECUTABLE_MAGIC)?;
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    std::str::from_utf8(&rest[..end]).ok()
}
