//! A host that must not be asked for anything.

use provium::runner::file::FileToRun;
use provium::runner::inputs::{HostFile, HostInputs, Module};
use provium::trace::record::HostError;
use provium_protocol::exec::ByteString;

/// A host without any files: a replay needs none.
pub struct Nothing;

impl HostInputs for Nothing {
    fn script(&self, file: &FileToRun) -> Result<Vec<u8>, HostError> {
        panic!("the host is asked for {}", file.name)
    }

    fn module(&self, _: &FileToRun, relative: &str) -> Result<Module, HostError> {
        panic!("the host is asked for the module {relative}")
    }

    fn read_file(&self, _: &FileToRun, path: &ByteString, _: u64) -> Result<HostFile, HostError> {
        panic!("the host is asked for {path:?}")
    }
}
