//! The Lua sources that reports quote.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::rc::Rc;

/// The most of a source file that is read for quoting, in bytes: a test file of 100,000 lines fits.
const MAX_SOURCE: u64 = 4 << 20;

/// Where the text of a file can be had, by the name that events call it.
pub trait Sources {
    /// The lines of a file, or nothing if it cannot be read.
    fn lines(&self, file: &str) -> Option<Rc<Vec<String>>>;
}

/// Sources on this machine's disk. A file is read once, when it is first quoted.
#[derive(Debug, Default)]
pub struct DiskSources {
    known: BTreeMap<String, PathBuf>,
    dirs: Vec<PathBuf>,
    cache: RefCell<BTreeMap<String, Option<Rc<Vec<String>>>>>,
}

impl DiskSources {
    /// `known` says where the files of this run are; others are looked for in `dirs`.
    #[must_use]
    pub fn new(known: BTreeMap<String, PathBuf>, dirs: Vec<PathBuf>) -> DiskSources {
        DiskSources { known, dirs, cache: RefCell::default() }
    }

    fn read(&self, file: &str) -> Option<Rc<Vec<String>>> {
        let candidates = self.known.get(file).cloned().into_iter().chain(self.dirs.iter().map(|dir| dir.join(file)));
        for path in candidates {
            // A named pipe would block the report for ever: only ordinary files are sources.
            if !path.is_file() {
                continue;
            }
            let mut bytes = Vec::new();
            if File::open(&path).and_then(|file| file.take(MAX_SOURCE).read_to_end(&mut bytes)).is_ok() {
                let text = String::from_utf8_lossy(&bytes);
                return Some(Rc::new(text.lines().map(str::to_owned).collect()));
            }
        }
        None
    }
}

impl Sources for DiskSources {
    fn lines(&self, file: &str) -> Option<Rc<Vec<String>>> {
        if let Some(cached) = self.cache.borrow().get(file) {
            return cached.clone();
        }
        let lines = self.read(file);
        self.cache.borrow_mut().insert(file.to_owned(), lines.clone());
        lines
    }
}

/// Sources in memory.
impl Sources for BTreeMap<String, String> {
    fn lines(&self, file: &str) -> Option<Rc<Vec<String>>> {
        Some(Rc::new(self.get(file)?.lines().map(str::to_owned).collect()))
    }
}
