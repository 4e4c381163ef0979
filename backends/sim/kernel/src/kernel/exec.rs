//! execve(2): a process becomes another program.

use provium_protocol::Errno;

use super::Kernel;
use crate::flags::{AT_FDCWD, S_ISGID, S_ISUID};
use crate::limits::{ARG_MAX, MAX_INTERPRETERS};
use crate::program::{Invocation, program_name};
use crate::types::{Pid, SigAction};
use crate::vfs::inode::InodeKind;
use crate::vfs::perm::MAY_EXEC;
use crate::vfs::tree::last_name;

/// How much of a file tells what it is: as on Linux (`BINPRM_BUF_SIZE`).
const HEADER: usize = 256;

impl Kernel {
    /// Turns the process into the program at `path`; says which program to start and with what.
    pub(crate) fn exec(
        &mut self,
        pid: Pid,
        path: &[u8],
        invocation: Invocation,
    ) -> Result<(String, Invocation), Errno> {
        let size: usize = invocation.argv.iter().chain(&invocation.env).map(|text| text.len() + 9).sum();
        if size > ARG_MAX {
            return Err(Errno::E2BIG);
        }
        let mut invocation = invocation;
        let mut file = path.to_vec();
        for depth in 0..=MAX_INTERPRETERS {
            let loc = self.walk_found(pid, AT_FDCWD, &file, true)?;
            let stat = self.stat_node(loc.node)?;
            if !stat.is_file() {
                return Err(Errno::EACCES);
            }
            self.check(pid, loc.node, MAY_EXEC)?;
            let header = match self.inode(loc.node).map(|inode| &inode.kind) {
                Some(InodeKind::File(data)) => data.read(0, HEADER),
                _ => return Err(Errno::EACCES),
            };
            if let Some(rest) = header.strip_prefix(b"#!") {
                if depth == MAX_INTERPRETERS {
                    return Err(Errno::ELOOP);
                }
                let (interpreter, argument) = parse_interpreter(rest).ok_or(Errno::ENOEXEC)?;
                let mut argv = vec![interpreter.clone()];
                argv.extend(argument);
                argv.push(file);
                argv.extend(invocation.argv.into_iter().skip(1));
                invocation.argv = argv;
                file = interpreter;
                continue;
            }
            let name = program_name(&header).ok_or(Errno::ENOEXEC)?.to_owned();
            self.become_program(pid, path, &file, &stat, &invocation)?;
            return Ok((name, invocation));
        }
        Err(Errno::ELOOP)
    }

    fn become_program(
        &mut self,
        pid: Pid,
        named: &[u8],
        file: &[u8],
        stat: &crate::types::Stat,
        invocation: &Invocation,
    ) -> Result<(), Errno> {
        let exe = match file.first() {
            Some(b'/') => file.to_vec(),
            _ => [&self.path_of(self.proc(pid)?.cwd)[..], b"/", file].concat(),
        };
        let process = self.proc_mut(pid)?;
        let name = last_name(named);
        process.comm = name[..name.len().min(15)].to_vec();
        process.exe = exe;
        process.argv = invocation.argv.clone();
        process.env = invocation.env.clone();
        process.caught.clear();
        process.has_execed = true;
        for action in &mut process.actions {
            if *action == SigAction::Catch {
                *action = SigAction::Default;
            }
        }
        if stat.mode & S_ISUID != 0 {
            process.creds.euid = stat.uid;
        }
        if stat.mode & S_ISGID != 0 && stat.mode & 0o010 != 0 {
            process.creds.egid = stat.gid;
        }
        process.creds.suid = process.creds.euid;
        process.creds.sgid = process.creds.egid;
        self.close_on_exec(pid);
        Ok(())
    }
}

/// The interpreter and its one argument in what follows `#!`.
fn parse_interpreter(rest: &[u8]) -> Option<(Vec<u8>, Option<Vec<u8>>)> {
    let line = rest.split(|byte| *byte == b'\n').next()?.trim_ascii();
    if line.is_empty() {
        return None;
    }
    let end = line.iter().position(|byte| matches!(byte, b' ' | b'\t')).unwrap_or(line.len());
    let argument = line[end..].trim_ascii();
    Some((line[..end].to_vec(), (!argument.is_empty()).then(|| argument.to_vec())))
}
