//! What a test gets from the machine that it runs on: its own text, modules and files. Nothing else of the host reaches
//! the Lua side, and all of it comes through [`HostInputs`], once for each use, in the order of the test: so a recorder
//! can keep what it sees, and a replay can answer from what was kept.

use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use provium_protocol::Errno;
use provium_protocol::exec::ByteString;

use super::file::FileToRun;
pub use crate::trace::record::HostError;

/// The largest Lua file, in bytes (16 MiB): source text is what people wrote.
pub const MAX_SOURCE: u64 = 16 << 20;

/// A file of the host, whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostFile {
    /// What it holds.
    pub content: Vec<u8>,
    /// Whether its owner may execute it: all that is kept of its permissions, as in a version control system, because
    /// the rest is the umask of whoever made the working copy.
    pub executable: bool,
}

/// The text of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// As messages call it: relative to the project, with `/` between the parts, the same wherever the project lies. Two
    /// modules of one name are one module.
    pub name: String,
    /// The text.
    pub source: Vec<u8>,
}

/// The one door for what comes from the host.
pub trait HostInputs {
    /// The text of the test file itself: asked for once, before anything runs.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn script(&self, file: &FileToRun) -> Result<Vec<u8>, HostError>;

    /// The module `relative` (`a/b`, checked already), looked up under the file's roots: asked for when a test first
    /// requires it, and again as long as it is not there.
    ///
    /// # Errors
    /// With [`Errno::ENOENT`] where it was looked for, in words; else why it cannot be read.
    fn module(&self, file: &FileToRun, relative: &str) -> Result<Module, HostError>;

    /// A file of at most `limit` bytes by its path, as the test named it: relative to the directory of the test file.
    ///
    /// # Errors
    /// Why it cannot be read, without its path.
    fn read_file(&self, file: &FileToRun, path: &ByteString, limit: u64) -> Result<HostFile, HostError>;
}

/// The host's own files.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl HostInputs for Disk {
    fn script(&self, file: &FileToRun) -> Result<Vec<u8>, HostError> {
        read(&file.path, MAX_SOURCE).map(|file| file.content)
    }

    fn module(&self, file: &FileToRun, relative: &str) -> Result<Module, HostError> {
        let project = project(file);
        let mut tried = Vec::new();
        for root in &file.roots {
            for candidate in [format!("{relative}.lua"), format!("{relative}/init.lua")] {
                let path = root.join(&candidate);
                let name = shown(project.as_deref(), root, &candidate);
                if path.is_file() {
                    return Ok(Module { name, source: read(&path, MAX_SOURCE)?.content });
                }
                tried.push(name);
            }
        }
        let tried = if tried.is_empty() { "there are no roots to look in".to_owned() } else { tried.join(", ") };
        let message = if file.roots.is_empty() { tried } else { format!("looked for {tried}") };
        Err(HostError { message, errno: Errno::ENOENT.0 })
    }

    fn read_file(&self, file: &FileToRun, path: &ByteString, limit: u64) -> Result<HostFile, HostError> {
        let directory = file.path.parent().unwrap_or(Path::new(""));
        read(&directory.join(as_path(path)?), limit)
    }
}

#[cfg(unix)]
fn as_path(path: &ByteString) -> Result<PathBuf, HostError> {
    Ok(PathBuf::from(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(&path.0)))
}

#[cfg(not(unix))]
fn as_path(path: &ByteString) -> Result<PathBuf, HostError> {
    std::str::from_utf8(&path.0).map(PathBuf::from).map_err(|_| error(Errno::EINVAL))
}

fn error(errno: Errno) -> HostError {
    HostError { message: errno.text().to_owned(), errno: errno.0 }
}

fn io_error(failed: std::io::Error) -> HostError {
    match (failed.raw_os_error(), failed.kind()) {
        // In our own words: the host's may be in its user's language.
        (Some(errno), _) if Errno(errno).name().is_some() => error(Errno(errno)),
        // A path that no file can have, for one with a NUL byte in it.
        (None, std::io::ErrorKind::InvalidInput) => error(Errno::EINVAL),
        (errno, _) => HostError { message: failed.to_string(), errno: errno.unwrap_or(Errno::EIO.0) },
    }
}

fn read(path: &Path, limit: u64) -> Result<HostFile, HostError> {
    // Looked at before it is opened: opening a FIFO waits for whoever writes to it.
    let metadata = std::fs::metadata(path).map_err(io_error)?;
    if metadata.is_dir() {
        return Err(error(Errno::EISDIR));
    }
    if !metadata.is_file() {
        return Err(HostError { message: "not a regular file".to_owned(), errno: Errno::EINVAL.0 });
    }
    let mut content = Vec::new();
    // Files below /proc have no length, and others may grow: the limit counts what is read.
    File::open(path).and_then(|file| file.take(limit + 1).read_to_end(&mut content)).map_err(io_error)?;
    if content.len() as u64 > limit {
        let message = format!("{} (the limit is {limit} bytes)", Errno::EFBIG.text());
        return Err(HostError { message, errno: Errno::EFBIG.0 });
    }
    Ok(HostFile { content, executable: is_executable(&metadata) })
}

#[cfg(unix)]
fn is_executable(metadata: &std::fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o100 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &std::fs::Metadata) -> bool {
    false
}

/// The directory to which the file's name is relative, if it lies in it.
fn project(file: &FileToRun) -> Option<PathBuf> {
    // Only the directory is made canonical, as where names are given: a test that is a link keeps its own name.
    let directory = file.path.parent().filter(|directory| !directory.as_os_str().is_empty());
    let whole = std::fs::canonicalize(directory.unwrap_or(Path::new("."))).ok()?.join(file.path.file_name()?);
    let mut project = whole.as_path();
    for part in Path::new(&file.name).components().rev() {
        if !matches!(part, Component::Normal(_)) || project.file_name()? != part.as_os_str() {
            return None;
        }
        project = project.parent()?;
    }
    Some(project.to_path_buf())
}

/// How a module is named: relative to the project when its root lies in it, else beside it as `../ROOT/…`.
fn shown(project: Option<&Path>, root: &Path, candidate: &str) -> String {
    let Some(project) = project else { return candidate.to_owned() };
    let root = std::fs::canonicalize(root).unwrap_or_else(|_| root.to_path_buf());
    let below = match root.strip_prefix(project) {
        Ok(inside) => inside.to_path_buf(),
        Err(_) => Path::new("..").join(root.file_name().unwrap_or_default()),
    };
    below.join(candidate).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    struct Tree(tempfile::TempDir);

    impl Tree {
        fn new(files: &[(&str, &str)]) -> Tree {
            let directory = tempfile::tempdir().expect("a directory can be made");
            for (path, content) in files {
                let path = directory.path().join(path);
                fs::create_dir_all(path.parent().expect("below the directory")).expect("a directory can be made");
                fs::write(path, content).expect("a file can be written");
            }
            Tree(directory)
        }

        fn file(&self, name: &str, path: &str, roots: &[&str]) -> FileToRun {
            let roots = roots.iter().map(|root| self.0.path().join(root)).collect();
            FileToRun { name: name.to_owned(), path: self.0.path().join(path), roots }
        }
    }

    #[test]
    fn modules_are_named_the_same_wherever_the_project_lies() {
        let tree =
            Tree::new(&[("p/t/x.test.lua", ""), ("p/t/a/b.lua", "1"), ("p/c/init.lua", "2"), ("lib/d.lua", "3")]);
        let file = tree.file("t/x.test.lua", "p/t/../t/x.test.lua", &["p/t", "p/t/../../lib", "p"]);
        for (relative, name) in
            [("a/b", "t/a/b.lua"), ("t/a/b", "t/a/b.lua"), ("c", "c/init.lua"), ("d", "../lib/d.lua")]
        {
            assert_eq!(Disk.module(&file, relative).map(|module| module.name).as_deref(), Ok(name), "{relative}");
        }
        let error = Disk.module(&file, "e").expect_err("there is none");
        assert_eq!(
            error.message,
            "looked for t/e.lua, t/e/init.lua, ../lib/e.lua, ../lib/e/init.lua, e.lua, e/init.lua"
        );
        assert_eq!(error.errno, Errno::ENOENT.0);
    }

    #[test]
    fn files_are_read_whole_or_not_at_all() {
        let tree = Tree::new(&[("p/x.test.lua", ""), ("p/data", "12345"), ("p/d/f", "")]);
        let file = tree.file("x.test.lua", "p/x.test.lua", &[]);
        let read = |path: &[u8], limit| Disk.read_file(&file, &ByteString(path.to_vec()), limit);
        assert_eq!(read(b"data", 5), Ok(HostFile { content: b"12345".to_vec(), executable: false }));
        assert_eq!(read(b"../p/data", 5).map(|file| file.content.len()), Ok(5));
        for (path, limit, errno) in [
            (&b"data"[..], 4, Errno::EFBIG),
            (b"gone", 5, Errno::ENOENT),
            (b"d", 5, Errno::EISDIR),
            (b"data/x", 5, Errno::ENOTDIR),
            (b"/dev/zero", 5, Errno::EINVAL),
            (b"a\0b", 5, Errno::EINVAL),
        ] {
            assert_eq!(read(path, limit).expect_err("cannot be read").errno, errno.0, "{}", path.escape_ascii());
        }
        assert_eq!(read(b"gone", 5).expect_err("not there").message, "No such file or directory");
    }
}
