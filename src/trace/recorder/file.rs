//! Records into a file.

use std::io::Write;

use super::Sink;
use crate::trace::format::{TraceWriter, WriteError};
use crate::trace::record::{Header, Record};

/// Writes a trace file while the run goes on.
pub struct TraceFile<W> {
    writer: Option<TraceWriter<W>>,
}

impl<W: Write> TraceFile<W> {
    /// Begins a trace in this file, which is empty.
    ///
    /// # Errors
    /// Why it cannot be written.
    pub fn begin(file: W, header: &Header) -> Result<TraceFile<W>, WriteError> {
        // Unbuffered: the writer hands over whole blocks.
        Ok(TraceFile { writer: Some(TraceWriter::new(file, header)?) })
    }
}

fn text(error: WriteError) -> String {
    error.to_string()
}

impl<W: Write> Sink for TraceFile<W> {
    fn record(&mut self, record: &Record) -> Result<(), String> {
        self.writer.as_mut().map_or(Ok(()), |writer| writer.record(record)).map_err(text)
    }

    fn flush(&mut self) -> Result<(), String> {
        self.writer.as_mut().map_or(Ok(()), TraceWriter::flush).map_err(text)
    }

    fn finish(&mut self) -> Result<(), String> {
        self.writer.take().map_or(Ok(()), |writer| writer.finish().map(|_| ())).map_err(text)
    }
}
