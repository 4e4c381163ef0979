//! Finds the test files below the paths that are asked for.
//!
//! A directory is searched down to its end, in the order of names. Hidden directories and `target`
//! are not entered, and neither are symbolic links to directories: a link can make a loop or name a
//! test twice. A link that is itself asked for is followed.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use crate::config::Project;
use crate::error::CommandError;

/// How the names of test files end.
pub const SUFFIX: &str = ".test.lua";

/// A build directory of Cargo: large, and never the home of a test.
const BUILD_DIR: &str = "target";

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The test files, each once, in the order of the paths and below each by name.
    pub files: Vec<FoundFile>,
    /// What could not be searched, by name, with the reason.
    pub unreadable: Vec<(String, String)>,
}

/// A test file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundFile {
    /// As reports call it: relative to the project when it lies in it, with `/` between the parts.
    pub name: String,
    /// Where it is, from the working directory.
    pub path: PathBuf,
}

/// Finds the tests of `paths`, or of the project's roots if there are none.
pub fn discover(project: &Project, paths: &[PathBuf]) -> Result<Found, CommandError> {
    let mut search = Search { project_dir: canonical(&project.dir), ..Search::default() };
    if paths.is_empty() {
        for root in &project.roots {
            search.start(root, |why| CommandError::Root { root: root.clone(), why })?;
        }
        if search.is_empty() {
            let nothing = project.roots.first().unwrap_or(&project.dir);
            return Err(CommandError::NoTestFiles(nothing.clone()));
        }
    }
    for path in paths {
        let before = search.seen.len() + search.found.unreadable.len();
        search.start(path, |why| CommandError::Path { path: path.clone(), why })?;
        if before == search.seen.len() + search.found.unreadable.len() && !search.repeated {
            return Err(CommandError::NoTestFiles(path.clone()));
        }
        search.repeated = false;
    }
    Ok(search.found)
}

#[derive(Default)]
struct Search {
    project_dir: PathBuf,
    found: Found,
    /// Files that were found already, by their one true path.
    seen: BTreeSet<PathBuf>,
    /// Whether a file was found again since this was last cleared.
    repeated: bool,
}

impl Search {
    fn is_empty(&self) -> bool {
        self.found.files.is_empty() && self.found.unreadable.is_empty()
    }

    fn start(&mut self, path: &Path, error: impl Fn(io::Error) -> CommandError) -> Result<(), CommandError> {
        let metadata = fs::metadata(path).map_err(&error)?;
        if metadata.is_dir() {
            // What is asked for by name must be readable; what is found below it need not be.
            fs::read_dir(path).map_err(&error)?;
            self.directory(path);
        } else if is_test_file(path.file_name()) && metadata.is_file() {
            self.file(path);
        } else {
            return Err(CommandError::NotATestFile(path.to_owned()));
        }
        Ok(())
    }

    /// Walks with a list of its own, not by recursion, so that no depth of directories is too deep.
    fn directory(&mut self, top: &Path) {
        let mut pending = vec![(top.to_owned(), true)];
        while let Some((path, is_dir)) = pending.pop() {
            if !is_dir {
                self.file(&path);
                continue;
            }
            match read_sorted(&path) {
                // The last of the list is looked at first.
                Ok(entries) => pending.extend(entries.into_iter().rev()),
                Err(error) => {
                    let name = self.name(&path).unwrap_or_else(|lossy| lossy);
                    self.found.unreadable.push((name, format!("the directory cannot be read: {error}")));
                }
            }
        }
    }

    fn file(&mut self, path: &Path) {
        if !self.seen.insert(canonical(path)) {
            self.repeated = true;
            return;
        }
        match self.name(path) {
            Ok(name) => self.found.files.push(FoundFile { name, path: path.to_owned() }),
            Err(lossy) => {
                self.found.unreadable.push((lossy, "its name is not UTF-8: reports could not name it".to_owned()));
            }
        }
    }

    /// What reports call a file; an `Err` is a name that had to be mended.
    fn name(&self, path: &Path) -> Result<String, String> {
        // Only the directory is made canonical: a test that is a link keeps its own name.
        let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let whole = match path.file_name() {
            Some(name) => canonical(dir).join(name),
            None => canonical(path),
        };
        let shown = match whole.strip_prefix(&self.project_dir) {
            Ok(inside) if !inside.as_os_str().is_empty() => inside,
            _ => path,
        };
        let parts = shown.components().filter(|part| !matches!(part, Component::CurDir));
        let shown: PathBuf = parts.collect();
        shown.to_str().map(str::to_owned).ok_or_else(|| shown.to_string_lossy().into_owned())
    }
}

/// The subdirectories and test files of a directory by name.
fn read_sorted(dir: &Path) -> io::Result<Vec<(PathBuf, bool)>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        let name = entry.file_name();
        if kind.is_dir() {
            if !name.as_encoded_bytes().starts_with(b".") && name != BUILD_DIR {
                entries.push((entry.path(), true));
            }
        } else if is_test_file(Some(&name)) {
            // A link that leads nowhere is kept, to be reported; a pipe or a device is nobody's test.
            if fs::metadata(entry.path()).map_or(true, |metadata| metadata.is_file()) {
                entries.push((entry.path(), false));
            }
        }
    }
    entries.sort();
    Ok(entries)
}

fn is_test_file(name: Option<&OsStr>) -> bool {
    name.is_some_and(|name| name.as_encoded_bytes().ends_with(SUFFIX.as_bytes()) && name.len() > SUFFIX.len())
}

fn canonical(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;

    use super::*;

    struct Dir(tempfile::TempDir);

    impl Dir {
        fn new() -> Dir {
            Dir(tempfile::tempdir().expect("a directory for the test"))
        }

        fn path(&self, path: impl AsRef<Path>) -> PathBuf {
            self.0.path().join(path)
        }

        fn file(&self, path: &str) {
            let path = self.path(path);
            fs::create_dir_all(path.parent().expect("has a parent")).expect("a directory");
            fs::write(path, "").expect("a file");
        }

        fn find(&self, paths: &[&str]) -> Result<Found, String> {
            let dir = self.0.path();
            let project = Project::parse(dir, &dir.join("provium.toml"), "").expect("an empty file is good");
            let paths: Vec<PathBuf> = paths.iter().map(|path| self.path(path)).collect();
            discover(&project, &paths).map_err(|error| error.to_string().replace(&*dir.to_string_lossy(), "DIR"))
        }

        fn names(&self, paths: &[&str]) -> Vec<String> {
            self.find(paths).expect("finds tests").files.into_iter().map(|file| file.name).collect()
        }
    }

    #[test]
    fn directories_are_searched_in_the_order_of_names() {
        let dir = Dir::new();
        for file in [
            "b.test.lua",
            "a/z.test.lua",
            "a.test.lua",
            "a/helper.lua",
            ".hid/x.test.lua",
            "c/.x/y.test.lua",
            "target/t.test.lua",
            "c/target/t.test.lua",
            ".test.lua",
            "c/d/e/f.test.lua",
        ] {
            dir.file(file);
        }
        assert_eq!(dir.names(&[]), ["a/z.test.lua", "a.test.lua", "b.test.lua", "c/d/e/f.test.lua"]);
        assert_eq!(dir.names(&["c", "a.test.lua", "."])[..2], ["c/d/e/f.test.lua", "a.test.lua"]);
        assert_eq!(dir.names(&["c", "a.test.lua", "c"]).len(), 2, "each file once");
        assert_eq!(dir.names(&["target"]), ["target/t.test.lua"], "asked for by name");
    }

    #[test]
    fn links_make_no_loops() {
        let dir = Dir::new();
        dir.file("a/x.test.lua");
        symlink("..", dir.path("a/up")).expect("a link");
        symlink("x.test.lua", dir.path("a/y.test.lua")).expect("a link");
        symlink("gone", dir.path("a/gone.test.lua")).expect("a link");
        symlink("a", dir.path("b")).expect("a link");
        assert_eq!(dir.names(&[]), ["a/gone.test.lua", "a/x.test.lua"], "y is x once more");
        assert_eq!(dir.names(&["b"]), ["a/gone.test.lua", "a/x.test.lua"]);
    }

    #[test]
    fn what_cannot_be_searched_is_said() {
        let dir = Dir::new();
        fs::create_dir_all(dir.path("empty")).expect("a directory");
        dir.file("x.lua");
        assert_eq!(
            dir.find(&["gone"]).expect_err("no such path"),
            "`DIR/gone` cannot be read: No such file or directory (os error 2)"
        );
        assert!(dir.find(&["x.lua"]).expect_err("not a test").contains("is not a test file"));
        assert!(dir.find(&["empty"]).expect_err("no tests").starts_with("no tests in `DIR/empty`"));
        assert!(dir.find(&[]).expect_err("no tests").starts_with("no tests in `DIR`"));
        fs::write(dir.path(OsStr::from_bytes(b"\xff.test.lua")), "").expect("a file");
        let found = dir.find(&[]).expect("goes on");
        assert!(found.files.is_empty());
        assert_eq!(found.unreadable[0].0, "\u{fffd}.test.lua");
    }

    #[test]
    fn very_deep_directories_are_no_danger() {
        let dir = Dir::new();
        let mut deep = dir.path("d");
        // Beyond PATH_MAX neither we nor anybody else can name a file.
        while deep.as_os_str().len() < 3_900 {
            deep.push("d");
        }
        fs::create_dir_all(&deep).expect("directories");
        fs::write(deep.join("x.test.lua"), "").expect("a file");
        assert_eq!(dir.names(&[]).len(), 1);
    }
}
