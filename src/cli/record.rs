//! `--record`: keeps what a run saw.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use clap::{Args, ValueEnum};
use provium_protocol::Nanos;

use super::backend::BackendName;
use crate::config::Project;
use crate::error::CommandError;
use crate::runner::file::FileToRun;
use crate::runner::inputs::{Disk, HostInputs};
use crate::trace::format::redact::Redactor;
use crate::trace::record::Header;
use crate::trace::recorder::{Recorder, TraceFile};
use crate::trace::store;

/// What is kept of a run.
#[derive(Args, Clone, Debug)]
pub(super) struct RecordArgs {
    /// Which runs of files are kept in a trace, to be replayed
    #[arg(long, value_enum, default_value_t = When::Failed, value_name = "WHEN", help_heading = "Recording")]
    pub record: When,
    /// Where traces are kept [default: traces/ of the project]
    #[arg(long, value_name = "DIR", help_heading = "Recording")]
    pub traces: Option<PathBuf>,
    /// Replace what matches this regular expression, a secret, by `*` in traces; several: any of them
    #[arg(long, value_name = "PATTERN", value_parser = pattern, help_heading = "Recording")]
    pub redact: Vec<String>,
    /// Replay each run of a file at once, and fail if it differs
    #[arg(long, conflicts_with = "redact", help_heading = "Recording")]
    pub verify: bool,
}

impl RecordArgs {
    /// Refuses what would be ignored.
    ///
    /// # Errors
    /// When an option says how traces are kept and none is.
    pub fn judge(&self) -> Result<(), CommandError> {
        if self.record != When::Never || self.verify {
            return Ok(());
        }
        let option = match (&self.traces, &self.redact[..]) {
            (Some(_), _) => "`--traces`",
            (None, [_, ..]) => "`--redact`",
            (None, []) => return Ok(()),
        };
        Err(CommandError::NothingRecorded { option })
    }
}

/// Reads a pattern.
fn pattern(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("an empty pattern matches nothing that could be left out".to_owned());
    }
    let pattern = text.to_owned();
    Redactor::new(std::slice::from_ref(&pattern)).map(|_| pattern).map_err(|error| error.why)
}

/// Which runs are kept.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// All.
    Always,
    /// Those in which a test failed.
    Failed,
    /// None.
    Never,
}

/// The settings that all recordings of this command share.
pub(super) struct Recordings<'a> {
    pub args: &'a RecordArgs,
    pub project: &'a Project,
    pub here: &'a Path,
    pub backend: BackendName,
    pub seed: Option<u64>,
    pub default_timeout: Option<Nanos>,
}

/// The recording of one file.
pub(super) struct Recording {
    pub recorder: Rc<Recorder>,
    /// Where it is kept.
    pub path: PathBuf,
    /// The same as it is to be typed.
    pub shown: String,
    directory: PathBuf,
}

impl Recordings<'_> {
    /// Begins the recording of a file.
    ///
    /// # Errors
    /// Why it is not recorded: a warning, no more.
    pub fn begin(&self, file: &FileToRun) -> Result<Option<Recording>, String> {
        if self.args.record == When::Never && !self.args.verify {
            return Ok(None);
        }
        // A file that cannot be read is reported by who runs it.
        if Disk.script(file).is_err() {
            return Ok(None);
        }
        let directory = self.args.traces.clone().unwrap_or_else(|| self.project.dir.join("traces"));
        let schedule = match self.seed {
            Some(seed) => format!("seed-{seed}"),
            None => "fifo".to_owned(),
        };
        let redactor = Redactor::new(&self.args.redact).map_err(|error| error.to_string())?;
        let begun = store::create(&directory, &file.name, &schedule).map_err(|why| why.to_string());
        let sink = begun.and_then(|(path, out)| {
            match TraceFile::begin(out, &self.header(file), redactor) {
                Ok(sink) => Ok((path, sink)),
                Err(why) => {
                    // Nothing is lost with it, and the warning is about why there is none.
                    let _ = store::remove(&directory, &path);
                    Err(why.to_string())
                }
            }
        });
        let (path, sink) = sink.map_err(|why| {
            format!("`{}` is not recorded: no trace can be written below `{}`: {why}", file.name, directory.display())
        })?;
        let shown = path.strip_prefix(self.here).unwrap_or(&path).display().to_string();
        Ok(Some(Recording { recorder: Recorder::new(Box::new(sink)), path, shown, directory }))
    }

    fn header(&self, file: &FileToRun) -> Header {
        Header {
            writer: concat!("provium ", env!("CARGO_PKG_VERSION")).to_owned(),
            file: file.name.clone(),
            backend: self.backend.as_str().to_owned(),
            virtual_clock: self.backend.has_virtual_clock(),
            strategy: if self.seed.is_some() { "random" } else { "fifo" }.to_owned(),
            seed: self.seed,
            default_timeout: self.default_timeout,
            profiles: self.project.profiles.clone(),
            ..Header::default()
        }
    }

    /// Whether a trace is kept.
    pub fn keeps(&self, failed: bool) -> bool {
        match self.args.record {
            When::Always => true,
            When::Failed => failed,
            When::Never => false,
        }
    }
}

impl Recording {
    /// Ends the trace.
    ///
    /// # Errors
    /// What could not be kept.
    pub fn finish(&self) -> Result<(), String> {
        self.recorder.finish().map_err(|why| self.ends_early(&why))
    }

    /// Ends the recording of a run whose trace nobody will read: the rest of it need not be written.
    ///
    /// # Errors
    /// What could not have been kept.
    pub fn abandon(&self) -> Result<(), String> {
        self.recorder.discard().map_err(|why| self.ends_early(&why))
    }

    fn ends_early(&self, why: &str) -> String {
        format!("the trace `{}` ends early: {why}", self.shown)
    }

    /// Removes the trace, which nobody needs.
    ///
    /// # Errors
    /// Why it is still there: a warning, no more.
    pub fn remove(&self) -> Result<(), String> {
        let removed = store::remove(&self.directory, &self.path);
        removed.map_err(|why| format!("the trace `{}` is not needed, but cannot be removed: {why}", self.shown))
    }
}
