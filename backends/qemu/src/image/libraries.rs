//! Which shared libraries programs need, and where they are in unpacked packages: what `ldd` says, without running anything.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use elf::ElfBytes;
use elf::abi::{DT_NEEDED, PT_INTERP};
use elf::endian::AnyEndian;

use super::error::{Context, ImageError};

/// Where libraries are put in a guest: the loader looks there first.
const LIBRARIES: &str = "/lib/x86_64-linux-gnu";

/// Where they are in packages.
const PLACES: &[&str] = &["lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu", "lib64", "usr/lib64", "lib", "usr/lib"];

/// Links that lead to a file, at most: as many as Linux follows.
const MAX_LINKS: usize = 40;

/// What a program says it needs.
#[derive(Debug, Default, PartialEq, Eq)]
struct Needs {
    /// The loader, as a path in the guest.
    loader: Option<String>,
    /// Names of libraries.
    libraries: Vec<String>,
}

/// The libraries that files need, and those that the libraries need, by their paths in the guest. `root` is where packages
/// are unpacked.
pub fn libraries(root: &Path, files: &[PathBuf]) -> Result<BTreeMap<String, PathBuf>, ImageError> {
    let mut found = BTreeMap::new();
    let mut open: Vec<PathBuf> = files.to_vec();
    while let Some(file) = open.pop() {
        let content = fs::read(&file).context("read", &file)?;
        let Needs { loader, libraries } = needs(&content);
        let loader = loader.map(|path| (path.rsplit('/').next().unwrap_or("").to_owned(), path));
        let libraries = libraries.into_iter().map(|name| (name.clone(), format!("{LIBRARIES}/{name}")));
        for (name, guest) in loader.into_iter().chain(libraries) {
            if found.contains_key(&guest) {
                continue;
            }
            let host = PLACES.iter().find_map(|place| resolve(root, &root.join(place).join(&name)));
            let host = host.ok_or_else(|| ImageError::Library {
                program: file.file_name().unwrap_or_default().to_string_lossy().into_owned(),
                library: name,
            })?;
            open.push(host.clone());
            found.insert(guest, host);
        }
    }
    Ok(found)
}

/// The file that a path in unpacked packages leads to: absolute links start at `root`, not at the host's root.
pub fn resolve(root: &Path, path: &Path) -> Option<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        let found = fs::symlink_metadata(&path).ok()?;
        if found.is_file() {
            return Some(path);
        }
        let target = fs::read_link(&path).ok()?;
        path = match target.strip_prefix("/") {
            Ok(target) => root.join(target),
            Err(_) => path.parent()?.join(target),
        };
    }
    None
}

/// What a file needs to run; nothing if it is no program of the usual format, such as a script.
fn needs(content: &[u8]) -> Needs {
    let mut needs = Needs::default();
    let Ok(file) = ElfBytes::<AnyEndian>::minimal_parse(content) else { return needs };
    let interpreter = file.segments().and_then(|segments| segments.iter().find(|segment| segment.p_type == PT_INTERP));
    if let Some(data) = interpreter.and_then(|segment| file.segment_data(&segment).ok()) {
        let path = data.split(|byte| *byte == 0).next().unwrap_or(data);
        needs.loader = std::str::from_utf8(path).ok().filter(|path| path.starts_with('/')).map(str::to_owned);
    }
    let Ok(common) = file.find_common_data() else { return needs };
    let (Some(dynamic), Some(names)) = (common.dynamic, common.dynsyms_strs) else { return needs };
    for entry in dynamic.iter().filter(|entry| entry.d_tag == DT_NEEDED) {
        let name = usize::try_from(entry.d_val()).ok().and_then(|at| names.get(at).ok());
        // A name with a slash is a path of the machine that built it.
        needs.libraries.extend(name.filter(|name| !name.is_empty() && !name.contains('/')).map(str::to_owned));
    }
    needs
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_program_says_what_it_needs() {
        // The test itself is one, on the machines that this crate is for.
        let own = fs::read(std::env::current_exe().expect("it runs")).expect("readable");
        let needs = needs(&own);
        assert!(needs.libraries.iter().any(|name| name.starts_with("libc.so")), "{needs:?}");
        assert!(needs.loader.is_some_and(|loader| loader.contains("/ld-")));
    }

    #[test]
    fn links_stay_below_the_root() {
        let dir = tempfile::tempdir().expect("a directory");
        let root = dir.path();
        fs::create_dir_all(root.join("usr/lib")).expect("made");
        fs::write(root.join("usr/lib/libx.so.1.2"), "x").expect("made");
        symlink("libx.so.1.2", root.join("usr/lib/libx.so.1")).expect("made");
        symlink("/usr/lib/libx.so.1", root.join("absolute")).expect("made");
        symlink("round", root.join("round")).expect("made");
        let expected = Some(root.join("usr/lib/libx.so.1.2"));
        assert_eq!(resolve(root, &root.join("usr/lib/libx.so.1")), expected);
        assert_eq!(resolve(root, &root.join("absolute")), expected);
        assert_eq!(resolve(root, &root.join("round")), None);
        assert_eq!(resolve(root, &root.join("none")), None);
        assert_eq!(resolve(root, &root.join("usr")), None);
    }

    #[test]
    fn a_library_that_is_missing_is_named() {
        let dir = tempfile::tempdir().expect("a directory");
        let own = std::env::current_exe().expect("it runs");
        let error = libraries(dir.path(), &[own]).expect_err("nothing is there").to_string();
        assert!(error.contains(" needs the library `"), "{error}");
        let script = dir.path().join("egrep");
        fs::write(&script, "#!/bin/sh\nexec grep -E \"$@\"\n").expect("made");
        assert!(libraries(dir.path(), &[script]).expect("scripts need none").is_empty());
    }

    proptest! {
        #[test]
        fn no_bytes_panic(data in prop::collection::vec(any::<u8>(), 0..500)) {
            let _ = needs(&data);
            let _ = needs(&[&b"\x7fELF\x02\x01\x01"[..], &data].concat());
        }
    }
}
