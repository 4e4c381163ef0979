//! Who waits for what, for people.

use provium_protocol::inspect::{WaitGraph, Waiting};

use super::Kernel;
use super::file::FileKind;
use super::wait::{Channel, object};
use crate::types::Pid;
use crate::vfs::NodeId;

impl Kernel {
    /// All sleeping threads but those of `except`.
    #[must_use]
    pub fn wait_graph(&self, except: Pid) -> WaitGraph {
        let mut waiting = Vec::new();
        for process in self.procs.values().filter(|process| process.pid != except) {
            for thread in &process.threads {
                let channels = thread.waiting().borrow().clone();
                if channels.is_empty() {
                    continue;
                }
                let mut holders = Vec::new();
                let on: Vec<String> =
                    channels.iter().map(|channel| self.describe(process.pid, *channel, &mut holders)).collect();
                holders.sort_unstable();
                holders.dedup();
                holders.retain(|holder| *holder != process.pid);
                let comm = String::from_utf8_lossy(&process.comm).into_owned();
                waiting.push(Waiting { pid: process.pid, comm, on: on.join(", "), holders });
            }
        }
        WaitGraph { waiting }
    }

    fn describe(&self, pid: Pid, channel: Channel, holders: &mut Vec<Pid>) -> String {
        match channel {
            Channel::PipeData(pipe) => {
                holders.extend(self.pipe_holders(pipe, true));
                format!("data from {}", self.pipe_name(pipe))
            }
            Channel::PipeRoom(pipe) => {
                holders.extend(self.pipe_holders(pipe, false));
                format!("room in {}", self.pipe_name(pipe))
            }
            Channel::FifoPeer(pipe) => format!("the other end of {} to be opened", self.pipe_name(pipe)),
            Channel::Child(_) => {
                if let Ok(process) = self.proc(pid) {
                    holders.extend(&process.children);
                }
                "a child to end".to_owned()
            }
            Channel::Flock(node) => {
                holders.extend(self.flock_holders(node));
                format!("flock on {}", self.node_name(node))
            }
            Channel::PosixLock(node) => {
                holders.extend(self.posix_holders(node));
                format!("record lock on {}", self.node_name(node))
            }
            Channel::Signal(_) | Channel::Pending(_) => "a signal".to_owned(),
            Channel::ProcessState(other) => format!("process {other} to change state"),
            Channel::File(node) => format!("a change of {}", self.node_name(node)),
            Channel::ThreadActivity(tid) => format!("thread {tid} to fall asleep"),
            Channel::Object(object::SOCKET, id) => {
                holders.extend(self.socket_holders(id));
                format!("something from {}", self.socket_name(id))
            }
            Channel::Object(object::SOCKET_ROOM, id) => format!("room in {}", self.socket_name(id)),
            Channel::Object(object::TTY, 0) => "input at the console".to_owned(),
            Channel::Object(object::TTY, _) => "output at the console to go on".to_owned(),
            Channel::Object(object::EVENT, _) => "an event counter".to_owned(),
            Channel::Object(object::TIMER, _) | Channel::Timer => "a timer".to_owned(),
            Channel::Object(..) => "an object to become ready".to_owned(),
        }
    }

    fn pipe_name(&self, pipe: usize) -> String {
        let name = self.files.iter().find_map(|(id, file)| match &file.kind {
            FileKind::Pipe { pipe: other, .. } if *other == pipe => Some(self.file_name(id)),
            _ => None,
        });
        match name {
            Some(name) => String::from_utf8_lossy(&name).into_owned(),
            None => "a pipe".to_owned(),
        }
    }

    fn node_name(&self, node: NodeId) -> String {
        let open = self.files.iter().find(|(_, file)| file.loc.is_some_and(|loc| loc.node == node));
        match open {
            Some((id, _)) => String::from_utf8_lossy(&self.file_name(id)).into_owned(),
            None => format!("inode {}", node.ino),
        }
    }
}
