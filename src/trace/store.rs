//! Where traces lie: `traces/<test file>/<schedule>-<n>.trace` below the project whose tests run.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// The ending of a trace's name.
pub const EXTENSION: &str = "trace";

/// Traces of one file under one schedule: more than anybody looks through. Beyond it a run is not recorded.
const MOST: u32 = 9_999;

/// How often a directory is made again that another run removes meanwhile.
const AGAIN: u32 = 100;

/// Makes a new trace of this test file under this schedule, by the first number that is free.
///
/// # Errors
/// Why none can be made.
pub fn create(directory: &Path, test_file: &str, schedule: &str) -> io::Result<(PathBuf, File)> {
    let directory = directory.join(relative(test_file));
    fs::create_dir_all(&directory)?;
    let mut again = AGAIN;
    for number in 1..=MOST {
        let path = directory.join(format!("{schedule}-{number}.{EXTENSION}"));
        let mut made = OpenOptions::new().write(true).create_new(true).open(&path);
        while again > 0 && made.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            // Another run has just removed the directory together with the last trace in it.
            again -= 1;
            fs::create_dir_all(&directory)?;
            made = OpenOptions::new().write(true).create_new(true).open(&path);
        }
        match made {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    let message = format!("there are {MOST} traces of this schedule in {} already", directory.display());
    Err(io::Error::new(io::ErrorKind::AlreadyExists, message))
}

/// Removes a trace, and the directories that only it was in, up to `directory` itself.
///
/// # Errors
/// Why the trace cannot be removed.
pub fn remove(directory: &Path, trace: &Path) -> io::Result<()> {
    fs::remove_file(trace)?;
    let parents = trace.ancestors().skip(1).take_while(|parent| parent.starts_with(directory));
    for parent in parents {
        // One that is not empty stays, and so do all above it.
        if fs::remove_dir(parent).is_err() {
            break;
        }
    }
    Ok(())
}

/// A test file's name as a path that leads nowhere but down.
fn relative(test_file: &str) -> PathBuf {
    let parts = Path::new(test_file).components().filter_map(|part| match part {
        std::path::Component::Normal(part) => Some(part),
        _ => None,
    });
    parts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_count_up_and_gaps_are_filled() {
        let directory = tempfile::tempdir().expect("a directory");
        let traces = directory.path().join("traces");
        let make = || create(&traces, "a/b.test.lua", "fifo").expect("made").0;
        let (first, second) = (make(), make());
        assert_eq!(first, traces.join("a/b.test.lua/fifo-1.trace"));
        assert_eq!(second, traces.join("a/b.test.lua/fifo-2.trace"));
        remove(&traces, &first).expect("removed");
        assert_eq!(make(), first);
        remove(&traces, &first).expect("removed");
        remove(&traces, &second).expect("removed");
        assert!(!traces.exists(), "empty directories go");
    }

    #[test]
    fn a_name_leads_nowhere_else() {
        for name in ["../../x.test.lua", "/x.test.lua", "./x.test.lua"] {
            assert_eq!(relative(name), Path::new("x.test.lua"));
        }
    }
}
