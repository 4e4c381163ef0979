//! Records into a file.

use std::io::Write;

use super::Sink;
use crate::trace::format::redact::Redactor;
use crate::trace::format::{TraceWriter, WriteError};
use crate::trace::record::Header;
use crate::trace::said::Said;

/// Writes a trace file while the run goes on.
pub struct TraceFile<W> {
    writer: Option<TraceWriter<W>>,
    redactor: Redactor,
}

impl<W: Write> TraceFile<W> {
    /// Begins a trace in this file, which is empty. What the redactor finds is left out of all of it.
    ///
    /// # Errors
    /// Why it cannot be written.
    pub fn begin(file: W, header: &Header, redactor: Redactor) -> Result<TraceFile<W>, WriteError> {
        let mut header = header.clone();
        header.redacted = redactor.count();
        redactor.redact(&mut header);
        // Unbuffered: the writer hands over whole blocks.
        Ok(TraceFile { writer: Some(TraceWriter::new(file, &header)?), redactor })
    }
}

fn text(error: WriteError) -> String {
    error.to_string()
}

impl<W: Write> Sink for TraceFile<W> {
    fn record(&mut self, said: &Said<'_>) -> Result<(), String> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        if self.redactor.is_empty() {
            return writer.say(said).map_err(text);
        }
        let mut record = said.to_record();
        self.redactor.redact(&mut record);
        writer.record(&record).map_err(text)
    }

    fn settle(&mut self, precious: bool) -> Result<(), String> {
        let settle = if precious { TraceWriter::flush } else { TraceWriter::may_end_block };
        self.writer.as_mut().map_or(Ok(()), settle).map_err(text)
    }

    fn finish(&mut self) -> Result<(), String> {
        self.writer.take().map_or(Ok(()), |writer| writer.finish().map(|_| ())).map_err(text)
    }
}
