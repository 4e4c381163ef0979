//! What the tests of this crate ask of a project with traces.

use std::path::{Path, PathBuf};

use crate::harness::{Project, Ran};

impl Project {
    /// The files below a directory, by name.
    pub fn below(&self, directory: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut pending = vec![self.0.path().join(directory)];
        while let Some(path) = pending.pop() {
            match std::fs::read_dir(&path) {
                Ok(entries) => pending.extend(entries.map(|entry| entry.expect("an entry").path())),
                Err(_) if path.exists() => found.push(path),
                Err(_) => {}
            }
        }
        found.sort();
        found
    }

    /// Records all that the project's tests do; the traces.
    pub fn record(&self, args: &[&str]) -> Vec<String> {
        let ran = self.run(&[&["--record", "always"], args].concat());
        assert_eq!(ran.err, "");
        let root = self.0.path();
        let relative = |path: &Path| path.strip_prefix(root).expect("below").to_str().expect("UTF-8").to_owned();
        self.below("traces").iter().map(|path| relative(path)).collect()
    }

    /// Records the one test file of the project; the trace.
    pub fn record_one(&self) -> String {
        let traces = self.record(&[]);
        assert_eq!(traces.len(), 1, "{traces:?}");
        traces.into_iter().next().expect("one")
    }
}

impl Ran {
    /// The lines of the report on the only divergence.
    pub fn report(&self) -> Vec<&str> {
        let lines = self.out.lines().skip_while(|line| !line.contains("diverged from its recording"));
        lines.take_while(|line| !line.contains("replay it again:")).collect()
    }
}
