//! Finding a command by its name, and turning into it.

use std::rc::Rc;

use provium_kernel::Errno;
use provium_kernel::flags::{S_IFMT, S_IFREG};

use crate::shell::builtins::{self, Builtin};
use crate::shell::flow::Flow;
use crate::shell::state::{FoundFile, Shell};
use crate::shell::syntax::ast::Node;

/// What runs files that are neither programs nor begin with `#!`.
const SHELL: &[u8] = b"/bin/sh";

/// What a command's name stands for.
pub(in crate::shell) enum Found {
    Builtin(&'static Builtin),
    Function(Rc<Node>),
    /// A file: where in `PATH` it was found, or that its name was given with a slash.
    File(Option<usize>),
    /// Nothing: what is said then.
    Nothing(&'static str),
}

/// The directories of a `PATH`; an empty one is the working directory.
fn directories(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|&byte| byte == b':')
}

fn file_in(directory: &[u8], name: &[u8]) -> Vec<u8> {
    if directory.is_empty() { name.to_vec() } else { [directory, b"/", name].concat() }
}

impl Shell {
    /// Finds a command. `functions`: whether functions count; `path`: where to look for files.
    pub(in crate::shell) async fn find(&mut self, name: &[u8], functions: bool, path: Option<&[u8]>) -> Found {
        if name.contains(&b'/') {
            return Found::File(None);
        }
        let builtin = builtins::find(name);
        if let Some(builtin) = builtin.filter(|builtin| builtin.special) {
            return Found::Builtin(builtin);
        }
        if let Some(function) = self.functions.get(name).filter(|_| functions) {
            return Found::Function(Rc::clone(function));
        }
        if let Some(builtin) = builtin {
            return Found::Builtin(builtin);
        }
        match self.find_file(name, path).await {
            Ok((index, _)) => Found::File(Some(index)),
            Err(Errno::ENOENT) => Found::Nothing("not found"),
            Err(errno) => Found::Nothing(errno.text()),
        }
    }

    /// Looks for a file along `PATH` and remembers where it was: its place in `PATH`, and its name.
    pub(in crate::shell) async fn find_file(&mut self, name: &[u8], path: Option<&[u8]>) -> Result<FoundFile, Errno> {
        if path.is_none()
            && let Some(found) = self.found.get(name)
        {
            return Ok(found.clone());
        }
        self.made_call = true;
        let searched = match path {
            Some(path) => path.to_vec(),
            None => self.variables.get(b"PATH").map(|path| path.to_vec()).unwrap_or_default(),
        };
        let mut reason = Errno::ENOENT;
        for (index, directory) in directories(&searched).enumerate() {
            let file = file_in(directory, name);
            match self.sys.stat(&file).await {
                Ok(stat) if stat.mode & S_IFMT == S_IFREG => {
                    if stat.mode & 0o111 == 0 {
                        reason = Errno::EACCES;
                        continue;
                    }
                    if path.is_none() {
                        Rc::make_mut(&mut self.found).insert(name.to_vec(), (index, file.clone()));
                    }
                    return Ok((index, file));
                }
                Ok(_) => reason = Errno::EACCES,
                Err(Errno::ENOENT | Errno::ENOTDIR) => {}
                Err(errno) => reason = errno,
            }
        }
        Err(reason)
    }

    /// A name means something else from now on.
    pub(in crate::shell) fn found_anew(&mut self, name: &[u8]) {
        if self.found.contains_key(name) {
            Rc::make_mut(&mut self.found).remove(name);
        }
    }

    /// execve(2): this process becomes the command. Returns only if that fails, which was told then.
    pub(in crate::shell) async fn become_command(
        &mut self,
        argv: Vec<Vec<u8>>,
        place: Option<usize>,
        path: Option<&[u8]>,
    ) -> Flow {
        let Some(name) = argv.first().cloned() else { return Flow::Exit(0) };
        let environment = self.variables.environment();
        let errno = match place {
            None => self.try_exec(name.clone(), &argv, &environment).await,
            Some(first) => {
                let searched = match path {
                    Some(path) => path.to_vec(),
                    None => self.variables.get(b"PATH").map(|path| path.to_vec()).unwrap_or_default(),
                };
                let mut reason = Errno::ENOENT;
                for directory in directories(&searched).skip(first) {
                    match self.try_exec(file_in(directory, &name), &argv, &environment).await {
                        Errno::ENOENT | Errno::ENOTDIR => {}
                        errno => reason = errno,
                    }
                }
                reason
            }
        };
        let (text, status) = match errno {
            Errno::ENOENT | Errno::ENOTDIR => ("not found", 127),
            Errno::ELOOP | Errno::ENAMETOOLONG => (errno.text(), 127),
            errno => (errno.text(), 126),
        };
        self.complain([&name, ": ".as_bytes(), text.as_bytes()].concat()).await;
        Flow::Exit(status)
    }

    async fn try_exec(&mut self, file: Vec<u8>, argv: &[Vec<u8>], environment: &[Vec<u8>]) -> Errno {
        let errno = self.sys.exec(&file, argv.to_vec(), environment.to_vec()).await;
        if errno != Errno::ENOEXEC || file == SHELL {
            return errno;
        }
        let mut script = vec![SHELL.to_vec(), file];
        script.extend(argv.iter().skip(1).cloned());
        self.sys.exec(SHELL, script, environment.to_vec()).await
    }
}
