//! Gets packages of the distribution without installing them, and without root.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::error::{Context, ImageError};

/// How the names of directories begin that packages are fetched into.
const FETCHING: &str = ".fetch-";

/// How old a file must be that is removed because nothing needs it.
const LEFT_ALONE: Duration = Duration::from_secs(24 * 3600);

/// Lines of apt's complaint that are shown.
const SHOWN_LINES: usize = 3;

/// A package, as the lists on this machine have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The name of its file.
    pub file: String,
    /// The size of its file.
    pub size: u64,
    /// The digest of its file, with the name of the digest before it.
    pub digest: String,
}

/// The distribution's packages, and a directory that keeps those that were fetched.
pub struct Packages {
    dir: PathBuf,
}

impl Packages {
    /// Packages are kept in `dir`, which is made.
    pub fn new(dir: PathBuf) -> Result<Packages, ImageError> {
        fs::create_dir_all(&dir).context("make", &dir)?;
        Ok(Packages { dir })
    }

    /// What the lists say of packages. Needs no network.
    pub fn look_up(&self, names: &[String]) -> Result<Vec<Package>, ImageError> {
        let arguments: Vec<&str> =
            ["download", "--print-uris"].into_iter().chain(names.iter().map(String::as_str)).collect();
        // apt leaves out what it finds in the directory that it runs in.
        let output = run("apt-get", &arguments, Path::new("/"))?;
        if !output.status.success() {
            return Err(complaint(names, &output, &self.dir));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let found: BTreeMap<String, Package> =
            text.lines().filter_map(parse_uri).map(|package| (package.name.clone(), package)).collect();
        let find = |name: &String| {
            found.get(name).cloned().ok_or_else(|| ImageError::Apt {
                package: name.clone(),
                detail: "`apt-get download --print-uris` does not name it".to_owned(),
            })
        };
        names.iter().map(find).collect()
    }

    /// The names of the packages that each package depends on, the first of each choice. Packages that are not there are
    /// left out. Needs no network.
    pub fn depends(&self, names: &[String]) -> Result<BTreeMap<String, Vec<String>>, ImageError> {
        let arguments: Vec<&str> =
            ["show", "--no-all-versions"].into_iter().chain(names.iter().map(String::as_str)).collect();
        let output = run("apt-cache", &arguments, &self.dir)?;
        let found = parse_depends(&String::from_utf8_lossy(&output.stdout));
        if found.is_empty() && !output.status.success() {
            return Err(complaint(names, &output, &self.dir));
        }
        Ok(found)
    }

    /// These packages and all that they depend on, as far as `follow` says so of a name; sorted.
    pub fn closure(&self, roots: &[&str], follow: impl Fn(&str) -> bool) -> Result<Vec<String>, ImageError> {
        let mut known: BTreeSet<String> = roots.iter().map(|name| (*name).to_owned()).collect();
        let mut open: Vec<String> = known.iter().cloned().collect();
        while !open.is_empty() {
            let found = self.depends(&open)?;
            // A package that only others provide is none; one that was asked for by name has to be there.
            let missing = |name: &&String| !found.contains_key(*name);
            if let Some(root) = open.iter().filter(missing).find(|name| roots.contains(&name.as_str())) {
                return Err(ImageError::PackageMissing(root.clone()));
            }
            known.retain(|name| !open.contains(name) || found.contains_key(name));
            let next: BTreeSet<String> =
                found.into_values().flatten().filter(|name| follow(name) && !known.contains(name)).collect();
            known.extend(next.iter().cloned());
            open = next.into_iter().collect();
        }
        Ok(known.into_iter().collect())
    }

    /// The files of packages, in order, fetched unless they are here already.
    pub fn fetch(&self, packages: &[Package], progress: &mut dyn FnMut(&str)) -> Result<Vec<PathBuf>, ImageError> {
        let mut missing = Vec::new();
        for package in packages {
            if !is_whole(&self.dir.join(&package.file), package)? {
                missing.push(package);
            }
        }
        if !missing.is_empty() {
            progress(&format!(
                "fetching {} ({})",
                match missing[..] {
                    [one] => format!("{} {}", one.name, one.version),
                    _ => format!("{} packages", missing.len()),
                },
                mebibytes(missing.iter().map(|package| package.size).sum())
            ));
            self.download(&missing)?;
        }
        Ok(packages.iter().map(|package| self.dir.join(&package.file)).collect())
    }

    fn download(&self, packages: &[&Package]) -> Result<(), ImageError> {
        // A directory of its own: whoever fetches the same package at the same time does not write into our file.
        let own = tempfile::Builder::new().prefix(FETCHING).tempdir_in(&self.dir).context("write in", &self.dir)?;
        let asked: Vec<String> =
            packages.iter().map(|package| format!("{}={}", package.name, package.version)).collect();
        let arguments: Vec<&str> = ["download"].into_iter().chain(asked.iter().map(String::as_str)).collect();
        let output = run("apt-get", &arguments, own.path())?;
        if !output.status.success() {
            let names: Vec<String> = packages.iter().map(|package| package.name.clone()).collect();
            return Err(complaint(&names, &output, &self.dir));
        }
        for package in packages {
            let (fetched, path) = (own.path().join(&package.file), self.dir.join(&package.file));
            if !is_whole(&fetched, package)? {
                return Err(ImageError::PackageDamaged { package: package.name.clone() });
            }
            fs::rename(&fetched, &path).context("write", &path)?;
        }
        Ok(())
    }

    /// Removes the files of packages that no image was made of, and what killed fetchers left, if they are older than a day:
    /// younger ones may belong to an image that is being made.
    pub fn prune(&self, used: &BTreeSet<(String, String)>) {
        let Ok(folder) = fs::read_dir(&self.dir) else { return };
        for item in folder.flatten() {
            let name = item.file_name().to_string_lossy().into_owned();
            let ours = match name_and_version(&name) {
                Some(package) => !used.contains(&package),
                None => name.starts_with(FETCHING),
            };
            let age = item.metadata().and_then(|found| found.modified()).ok().and_then(|then| then.elapsed().ok());
            if ours && age.is_some_and(|age| age > LEFT_ALONE) {
                // What cannot be removed costs nothing but its space.
                let path = item.path();
                let _ = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            }
        }
    }

    /// Unpacks a package's file into a directory.
    pub fn unpack(&self, package: &Package, file: &Path, into: &Path) -> Result<(), ImageError> {
        let (from, to) = (file.to_string_lossy(), into.to_string_lossy());
        let output = run("dpkg-deb", &["--extract", &from, &to], into)?;
        if output.status.success() {
            return Ok(());
        }
        let detail = shown(&output);
        if detail.contains("No space left") {
            return Err(ImageError::DiskFull(into.to_owned()));
        }
        Err(ImageError::Unpack { package: package.name.clone(), detail })
    }
}

/// Whether the file is there and is what the lists promise.
fn is_whole(path: &Path, package: &Package) -> Result<bool, ImageError> {
    let content = match fs::read(path) {
        Ok(content) => content,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(why) => return Err(ImageError::io("read", path, why)),
    };
    if content.len() as u64 != package.size {
        return Ok(false);
    }
    Ok(match package.digest.strip_prefix("SHA256:") {
        Some(expected) => hex(&Sha256::digest(&content)) == expected,
        // apt itself has checked it against another digest.
        None => true,
    })
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A size for people.
pub fn mebibytes(bytes: u64) -> String {
    let tenths = bytes.saturating_mul(10) >> 20;
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}

fn run(tool: &'static str, arguments: &[&str], dir: &Path) -> Result<Output, ImageError> {
    let mut command = Command::new(tool);
    if tool == "apt-get" {
        // Root would hand the fetching to a user who may not write here, and warn that it cannot.
        command.args(["-q", "-o", "APT::Sandbox::User=root"]);
    }
    command
        .args(arguments)
        .current_dir(dir)
        // What apt says is read below.
        .env("LC_ALL", "C")
        .stdin(std::process::Stdio::null())
        .output()
        .map_err(|why| ImageError::Tool { tool, why })
}

/// What apt's failure means.
fn complaint(packages: &[String], output: &Output, dir: &Path) -> ImageError {
    let (all, detail) = (String::from_utf8_lossy(&output.stderr).into_owned(), shown(output));
    // The one that it complains of, if it says which: as a word, or as a file.
    let separator = |c: char| c.is_whitespace() || "'=".contains(c);
    let named = packages
        .iter()
        .find(|name| all.split(separator).any(|word| word == name.as_str()) || all.contains(&format!("/{name}_")));
    let package = named.cloned().unwrap_or_else(|| packages.join(", "));
    let says = |texts: &[&str]| texts.iter().any(|text| all.contains(text));
    if says(&["Unable to locate package", "No packages found", "has no installation candidate", "Can't select"]) {
        ImageError::PackageMissing(package)
    } else if says(&["No space left", "enough free space", "Disk quota"]) {
        ImageError::DiskFull(dir.to_owned())
    } else if says(&["404", "Hash Sum mismatch", "unexpected size"]) {
        ImageError::ListsOutdated { package, detail }
    } else if says(&["resolv", "onnect", "Failed to fetch", "timed out", "unreachable"]) {
        ImageError::Network { package, detail }
    } else {
        ImageError::Apt { package, detail }
    }
}

/// The complaints of a tool, on one line.
fn shown(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> =
        text.lines().map(|line| line.trim().trim_start_matches("E: ")).filter(|line| !line.is_empty()).collect();
    match lines.len() {
        0 => format!("it ended with {} and said nothing", output.status),
        count => lines[count.saturating_sub(SHOWN_LINES)..].join("; "),
    }
}

/// Reads a line of `apt-get download --print-uris`: `'URI' FILE SIZE DIGEST`.
fn parse_uri(line: &str) -> Option<Package> {
    let mut words = line.strip_prefix('\'')?.split_once("' ")?.1.split(' ');
    let (file, size, digest) = (words.next()?, words.next()?, words.next().unwrap_or(""));
    let (name, version) = name_and_version(file)?;
    let (file, digest) = (file.to_owned(), digest.to_owned());
    Some(Package { name, version, file, size: size.parse().ok()?, digest })
}

/// What a file's name says of its package: `NAME_VERSION_ARCHITECTURE.deb`, the version's colon written as `%3a`.
fn name_and_version(file: &str) -> Option<(String, String)> {
    let mut parts = file.strip_suffix(".deb")?.split('_');
    let (name, version) = (parts.next()?, parts.next()?);
    let good = !file.contains('/') && !file.starts_with('.') && !name.is_empty();
    good.then(|| (name.to_owned(), version.replace("%3a", ":")))
}

/// Reads the fields `Pre-Depends` and `Depends` of each package in the output of `apt-cache show`.
fn parse_depends(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    for paragraph in text.split("\n\n") {
        let field = |name: &str| paragraph.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let Some(package) = field("Package").map(str::trim) else { continue };
        let depends = [field("Pre-Depends"), field("Depends")]
            .into_iter()
            .flatten()
            .flat_map(|field| field.split(','))
            .filter_map(|choice| choice.split('|').next()?.split_whitespace().next()?.split(':').next())
            .map(str::to_owned);
        // The first is the newest.
        found.entry(package.to_owned()).or_insert_with(|| depends.collect());
    }
    found
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    use super::*;

    #[test]
    fn a_line_of_apt_is_a_package() {
        let line = "'http://deb.debian.org/debian/pool/main/b/busybox/busybox-static_1.35.0-4%2bdeb12u1_amd64.deb' \
                    busybox-static_1%3a1.35.0-4+deb12u1_amd64.deb 928188 SHA256:00ff";
        let package = parse_uri(line).expect("good");
        assert_eq!(package.version, "1:1.35.0-4+deb12u1");
        assert_eq!((package.size, package.digest.as_str()), (928_188, "SHA256:00ff"));
        for line in ["", "'x' y", "'x' ../y_1_a.deb 3 SHA256:0", "Get:1 http://x y", "'x' y_1_a.deb many SHA256:0"] {
            assert_eq!(parse_uri(line), None, "{line}");
        }
    }

    #[test]
    fn the_first_of_each_choice_is_a_dependency() {
        let text = "Package: x\nPre-Depends: libc6 (>= 2.34)\nDepends: kmod | module-init-tools, linux-base (>= 4.3~), \
                    python3:any\nSuggests: y\n\nPackage: x\nDepends: older\n\nPackage: none\n\n";
        let found = parse_depends(text);
        assert_eq!(found["x"], ["libc6", "kmod", "linux-base", "python3"]);
        assert!(found["none"].is_empty());
        assert_eq!(found.len(), 2);
        assert!(parse_depends("").is_empty());
    }

    #[test]
    fn failures_say_what_to_do() {
        let told = |stderr: &str| {
            let output = Output { status: ExitStatus::from_raw(100 << 8), stdout: vec![], stderr: stderr.into() };
            complaint(&["zlib1g".to_owned(), "busybox-static".to_owned()], &output, Path::new("/cache/packages"))
                .to_string()
        };
        let texts = [
            told("E: Unable to locate package busybox-static\n"),
            told(
                "W: x\nE: Failed to fetch http://x/busybox-static_1.deb  Temporary failure resolving 'deb.debian.org'\n",
            ),
            told("E: Failed to fetch http://x/busybox-static_1.deb  404  Not Found [IP: 1.2.3.4 80]\n"),
            told("E: You don't have enough free space in /cache/packages\n"),
            told("E: The package cache is locked\n"),
            told(""),
        ];
        let expected = [
            "no package `busybox-static`: run `sudo apt-get update`, and look that /etc/apt/sources.list names `main`",
            "package `busybox-static` cannot be fetched, the network is needed once: W: x; Failed to fetch \
             http://x/busybox-static_1.deb  Temporary failure resolving 'deb.debian.org'",
            "package `busybox-static` is gone from the server: run `sudo apt-get update` (Failed to fetch \
             http://x/busybox-static_1.deb  404  Not Found [IP: 1.2.3.4 80])",
            "no space left below /cache/packages: the image needs about 350 MiB while it is made; $PROVIUM_CACHE can be \
             another place",
            "apt failed on package `zlib1g, busybox-static`: The package cache is locked",
            "apt failed on package `zlib1g, busybox-static`: it ended with exit status: 100 and said nothing",
        ];
        assert_eq!(texts, expected);
    }

    #[test]
    fn packages_that_nothing_was_made_of_are_removed_in_time() {
        let dir = tempfile::tempdir().expect("a directory");
        let packages = Packages::new(dir.path().to_owned()).expect("writable");
        let old = std::time::SystemTime::now() - 2 * LEFT_ALONE;
        for (name, age) in
            [("a_1%3a1_amd64.deb", old), ("a_1%3a0_amd64.deb", old), ("b_1_all.deb", std::time::SystemTime::now())]
        {
            let file = fs::File::create(dir.path().join(name)).expect("writable");
            file.set_modified(age).expect("writable");
        }
        let left = dir.path().join(".fetch-x");
        fs::create_dir(&left).expect("writable");
        fs::File::open(&left).and_then(|dir| dir.set_modified(old)).expect("writable");
        fs::write(dir.path().join("notes"), "somebody's own").expect("writable");
        packages.prune(&BTreeSet::from([("a".to_owned(), "1:1".to_owned())]));
        let names: BTreeSet<String> = fs::read_dir(dir.path())
            .expect("there")
            .flatten()
            .map(|item| item.file_name().to_string_lossy().into_owned())
            .collect();
        assert_eq!(names.into_iter().collect::<Vec<_>>(), ["a_1%3a1_amd64.deb", "b_1_all.deb", "notes"]);
    }

    #[test]
    fn what_is_damaged_is_not_whole() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("a.deb");
        let package = |digest: &str| Package {
            name: "a".to_owned(),
            version: "1".to_owned(),
            file: "a.deb".to_owned(),
            size: 3,
            digest: digest.to_owned(),
        };
        let of_abc = format!("SHA256:{}", hex(&Sha256::digest(b"abc")));
        assert!(!is_whole(&path, &package(&of_abc)).expect("readable"), "it is not there");
        for (content, whole) in [("ab", false), ("abd", false), ("abc", true)] {
            fs::write(&path, content).expect("written");
            assert_eq!(is_whole(&path, &package(&of_abc)).expect("readable"), whole);
        }
        assert_eq!(mebibytes(26_713_492), "25.4 MiB");
    }
}
