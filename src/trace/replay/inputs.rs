//! What a test got from the host when it was recorded.

use std::cell::Cell;
use std::rc::Rc;

use provium_protocol::Errno;
use provium_protocol::exec::ByteString;

use super::Replayer;
use crate::runner::file::FileToRun;
use crate::runner::inputs::{HostFile, HostInputs, Module};
use crate::trace::record::HostError;
use crate::trace::recorder::MODULE;

/// Which Lua is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Script {
    /// The texts in the trace.
    Recorded,
    /// The working copy; what is not there any more comes from the trace.
    Current,
}

/// Answers from the trace.
pub struct ReplayInputs {
    replayer: Rc<Replayer>,
    script: Script,
    disk: Rc<dyn HostInputs>,
    taken: Vec<Cell<bool>>,
}

impl ReplayInputs {
    /// With the Lua from here.
    #[must_use]
    pub fn new(replayer: Rc<Replayer>, script: Script, disk: Rc<dyn HostInputs>) -> ReplayInputs {
        let taken = replayer.plan.host_files.iter().map(|_| Cell::new(false)).collect();
        ReplayInputs { replayer, script, disk, taken }
    }

    /// The next reading of this path; when all are used up, the last one again.
    fn host_file(&self, path: &[u8]) -> Option<Result<HostFile, HostError>> {
        let files = &self.replayer.plan.host_files;
        let of_path = || files.iter().zip(&self.taken).filter(|(file, _)| file.path.0 == path);
        let (file, taken) = of_path().find(|(_, taken)| !taken.get()).or_else(|| of_path().last())?;
        taken.set(true);
        let executable = file.executable;
        Some(file.content.clone().map(|content| HostFile { content: content.0, executable }))
    }
}

fn absent(message: impl Into<String>) -> HostError {
    HostError { message: message.into(), errno: Errno::ENOENT.0 }
}

impl HostInputs for ReplayInputs {
    fn script(&self, file: &FileToRun) -> Result<Vec<u8>, HostError> {
        if self.script == Script::Current {
            return self.disk.script(file);
        }
        let found =
            self.replayer.plan.sources.iter().find(|source| source.module.is_none() && source.name == file.name);
        found.map(|source| source.text.clone()).ok_or_else(|| absent("the trace does not hold it"))
    }

    fn module(&self, file: &FileToRun, relative: &str) -> Result<Module, HostError> {
        if self.script == Script::Current
            && let Ok(module) = self.disk.module(file, relative)
        {
            return Ok(module);
        }
        let sources = &self.replayer.plan.sources;
        if let Some(source) = sources.iter().find(|source| source.module.as_deref() == Some(relative)) {
            return Ok(Module { name: source.name.clone(), source: source.text.clone() });
        }
        match self.host_file(format!("{MODULE}{relative}").as_bytes()) {
            Some(Err(error)) => Err(error),
            _ => Err(absent("the trace does not hold it")),
        }
    }

    fn read_file(&self, _: &FileToRun, path: &ByteString, limit: u64) -> Result<HostFile, HostError> {
        match self.host_file(&path.0) {
            Some(Ok(file)) if file.content.len() as u64 > limit => {
                Err(HostError { message: Errno::EFBIG.text().to_owned(), errno: Errno::EFBIG.0 })
            }
            Some(found) => found,
            None => Err(absent("it was not read when the trace was recorded, so the trace does not hold it")),
        }
    }
}
