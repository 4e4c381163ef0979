//! What a test gets from the host, recorded.

use std::rc::Rc;

use provium_protocol::exec::ByteString;

use super::Recorder;
use crate::runner::file::FileToRun;
use crate::runner::inputs::{HostFile, HostInputs, Module};
use crate::trace::record::{HostError, Record};

/// Before the path under which a module is recorded that could not be had: no file's path begins with it.
pub const MODULE: &str = "require:";

/// Stands around the door for what comes from the host.
pub struct RecordingInputs {
    recorder: Rc<Recorder>,
    inputs: Rc<dyn HostInputs>,
}

impl RecordingInputs {
    /// Around this one.
    #[must_use]
    pub fn new(recorder: Rc<Recorder>, inputs: Rc<dyn HostInputs>) -> RecordingInputs {
        RecordingInputs { recorder, inputs }
    }
}

impl HostInputs for RecordingInputs {
    fn script(&self, file: &FileToRun) -> Result<Vec<u8>, HostError> {
        let source = self.inputs.script(file)?;
        self.recorder.source(&file.name, None, &source);
        Ok(source)
    }

    fn module(&self, file: &FileToRun, relative: &str) -> Result<Module, HostError> {
        let found = self.inputs.module(file, relative);
        match &found {
            Ok(module) => self.recorder.source(&module.name, Some(relative), &module.source),
            Err(error) => self.recorder.put(Record::HostFile {
                path: ByteString::from(format!("{MODULE}{relative}").as_str()),
                content: Err(error.clone()),
                executable: false,
            }),
        }
        found
    }

    fn read_file(&self, file: &FileToRun, path: &ByteString, limit: u64) -> Result<HostFile, HostError> {
        let found = self.inputs.read_file(file, path, limit);
        let (content, executable) = match &found {
            Ok(file) => (Ok(ByteString(file.content.clone())), file.executable),
            Err(error) => (Err(error.clone()), false),
        };
        self.recorder.put(Record::HostFile { path: path.clone(), content, executable });
        found
    }
}
