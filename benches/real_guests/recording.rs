//! What recording adds to a run on a real guest.
//!
//! A run of some hundred operations takes a second and differs from the next by some percent, so beside the times of whole
//! runs, in turns with and without recording, there is what recording does on the thread that runs the test: its processor
//! time, which is all that recording costs as long as the guest is what is waited for.

use std::cell::RefCell;
use std::io::{self, Write};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use provium::config::Project;
use provium::runner::file::{FileOptions, FileToRun, run_file};
use provium::runner::inputs::Disk;
use provium::runner::observe::{Observer, Observers};
use provium::trace::format::redact::Redactor;
use provium::trace::record::Header;
use provium::trace::recorder::{Recorder, RecordingBackend, RecordingChoices, RecordingInputs, TraceFile};
use provium_protocol::choice::Fixed;
use provium_protocol::{Backend, Choices};
use provium_qemu::QemuBackend;
use provium_qemu::backend::Host;

use super::stats::{Times, timed};

const TURNS: usize = 15;

/// A file in memory: what a disk costs is not the question here.
#[derive(Clone, Default)]
struct Bytes(Rc<RefCell<Vec<u8>>>);

impl Write for Bytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn real(host: &Arc<Host>, choices: Rc<dyn Choices>) -> Rc<dyn Backend> {
    Rc::new(QemuBackend::new(Arc::clone(host), choices))
}

fn run(file: &FileToRun, options: &FileOptions, backend: Rc<dyn Backend>) {
    let summary = run_file(file, options, backend, &mut |_| {});
    assert_eq!((summary.passed, summary.failed, summary.broken), (1, 0, false), "the test must pass");
}

fn recorded(host: &Arc<Host>, file: &FileToRun, mut options: FileOptions) -> usize {
    let bytes = Bytes::default();
    let header = Header { backend: "qemu".into(), file: file.name.clone(), ..Header::default() };
    let sink = TraceFile::begin(bytes.clone(), &header, Redactor::default()).expect("memory takes everything");
    let recorder = Recorder::new(Box::new(sink));
    let choices = Rc::new(RecordingChoices::new(Rc::clone(&recorder), Rc::new(Fixed::default())));
    let backend = Rc::new(RecordingBackend::new(Rc::clone(&recorder), real(host, choices)));
    options.inputs = Rc::new(RecordingInputs::new(Rc::clone(&recorder), Rc::new(Disk)));
    options.observers = Observers::new(vec![Rc::clone(&recorder) as Rc<dyn Observer>]);
    run(file, &options, backend);
    recorder.finish().expect("memory takes everything");
    drop(options);
    bytes.0.borrow().len()
}

/// Processor time of this thread so far.
fn busy() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is there to be written to.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

pub fn bench(host: &Arc<Host>) {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let project = Project::find(&root).expect("the repository has a good provium.toml");
    let path = root.join("benches/lua/commands.test.lua");
    let file = FileToRun { name: "commands.test.lua".into(), path, roots: Vec::new() };
    let options = || FileOptions { profiles: project.profiles.clone(), ..FileOptions::default() };
    let (mut live, mut with, mut live_busy, mut with_busy) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for turn in 0..=TURNS {
        // The first warms everything up.
        let keep = turn > 0;
        let before = busy();
        let (time, ()) = timed(|| run(&file, &options(), real(host, Rc::new(Fixed::default()))));
        live.extend(keep.then_some(time));
        live_busy.extend(keep.then_some(busy() - before));
        let before = busy();
        let (time, bytes) = timed(|| recorded(host, &file, options()));
        with.extend(keep.then_some(time));
        with_busy.extend(keep.then_some(busy() - before));
        assert!(bytes > 0, "nothing was recorded");
    }
    let mut ratios: Vec<f64> =
        live.iter().zip(&with).map(|(live, with)| with.as_secs_f64() / live.as_secs_f64() - 1.0).collect();
    ratios.sort_by(f64::total_cmp);
    let (live, with) = (Times::new("300 operations", live), Times::new("300 operations, recorded", with));
    let live_busy = Times::new("processor time of the test's thread", live_busy);
    let with_busy = Times::new("the same, recorded", with_busy);
    for times in [&live, &with, &live_busy, &with_busy] {
        times.print();
    }
    let work = with_busy.median().saturating_sub(live_busy.median());
    println!(
        "  recording adds {:.2} % to the time of a run (median of pairs; half of them between {:.2} and {:.2} %); its work is \
         {:.2} % of a run (aim: below 1 %)",
        ratios[ratios.len() / 2] * 100.0,
        ratios[ratios.len() / 4] * 100.0,
        ratios[ratios.len() * 3 / 4] * 100.0,
        work.as_secs_f64() / live.median().as_secs_f64() * 100.0
    );
}
