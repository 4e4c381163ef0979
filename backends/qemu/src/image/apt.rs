//! The distribution's packages as apt knows them: what its lists say, and files fetched by it.
//!
//! What is installed on this machine is nobody's business here: apt would choose that version before all others, and it may
//! be one that no server has any more, or that somebody built.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::error::ImageError;
use super::packages::{Package, name_and_version};

/// Lines of apt's complaint that are shown.
const SHOWN_LINES: usize = 3;

/// Packages that are named in a complaint of apt's which names none.
const SHOWN_PACKAGES: usize = 3;

/// As if nothing were installed; and what apt keeps of what is installed stays as it is.
const LISTS_ALONE: [&str; 4] = ["-o", "Dir::State::status=/dev/null", "-o", "Dir::Cache::pkgcache="];

/// apt, run in this directory.
pub struct Apt {
    dir: PathBuf,
    /// A configuration besides the machine's.
    config: Option<PathBuf>,
}

impl Apt {
    /// apt as it is set up on this machine.
    pub fn new(dir: PathBuf) -> Apt {
        Apt { dir, config: None }
    }

    /// What the lists say of packages. Needs no network.
    pub fn look_up(&self, names: &[String]) -> Result<BTreeMap<String, Package>, ImageError> {
        let arguments: Vec<&str> =
            ["download", "--print-uris"].into_iter().chain(names.iter().map(String::as_str)).collect();
        // apt leaves out what it finds in the directory that it runs in.
        let output = self.run("apt-get", &arguments, Path::new("/"))?;
        if !output.status.success() {
            return Err(complaint(names, &output, &self.dir));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        Ok(text.lines().filter_map(parse_uri).map(|package| (package.name.clone(), package)).collect())
    }

    /// What [`super::packages::Packages::depends`] says.
    pub fn depends(&self, names: &[String]) -> Result<BTreeMap<String, Vec<String>>, ImageError> {
        let arguments: Vec<&str> =
            ["show", "--no-all-versions"].into_iter().chain(names.iter().map(String::as_str)).collect();
        let output = self.run("apt-cache", &arguments, &self.dir)?;
        let found = parse_depends(&String::from_utf8_lossy(&output.stdout));
        if found.is_empty() && !output.status.success() {
            return Err(complaint(names, &output, &self.dir));
        }
        Ok(found)
    }

    /// Fetches the files of packages into a directory.
    pub fn download(&self, packages: &[&Package], into: &Path) -> Result<(), ImageError> {
        let asked: Vec<String> =
            packages.iter().map(|package| format!("{}={}", package.name, package.version)).collect();
        let arguments: Vec<&str> = ["download"].into_iter().chain(asked.iter().map(String::as_str)).collect();
        let output = self.run("apt-get", &arguments, into)?;
        if !output.status.success() {
            let names: Vec<String> = packages.iter().map(|package| package.name.clone()).collect();
            return Err(complaint(&names, &output, &self.dir));
        }
        Ok(())
    }

    fn run(&self, tool: &'static str, arguments: &[&str], dir: &Path) -> Result<Output, ImageError> {
        let mut command = Command::new(tool);
        if tool == "apt-get" {
            // Root would hand the fetching to a user who may not write here, and warn that it cannot.
            command.args(["-q", "-o", "APT::Sandbox::User=root"]);
        }
        if let Some(config) = &self.config {
            command.env("APT_CONFIG", config);
        }
        run(command.args(LISTS_ALONE).args(arguments), tool, dir)
    }
}

/// Runs a tool of the distribution's.
pub fn run(command: &mut Command, tool: &'static str, dir: &Path) -> Result<Output, ImageError> {
    command
        .current_dir(dir)
        // What it says is read.
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .output()
        .map_err(|why| ImageError::Tool { tool, why })
}

/// What apt's failure means.
fn complaint(packages: &[String], output: &Output, dir: &Path) -> ImageError {
    let (all, detail) = (String::from_utf8_lossy(&output.stderr).into_owned(), shown(output));
    // The one that it complains of, if it says which: as a word, or as a file.
    let separator = |c: char| c.is_whitespace() || "'=:".contains(c);
    let named = packages
        .iter()
        .find(|name| all.split(separator).any(|word| word == name.as_str()) || all.contains(&format!("/{name}_")));
    let package = named.cloned().unwrap_or_else(|| some_of(packages));
    let says = |texts: &[&str]| texts.iter().any(|text| all.contains(text));
    if says(&["Unable to locate package", "No packages found", "has no installation candidate", "Can't select"]) {
        ImageError::PackageMissing(package)
    } else if says(&["No space left", "enough free space", "Disk quota"]) {
        ImageError::DiskFull(dir.to_owned())
    } else if says(&["404", "Hash Sum mismatch", "unexpected size", "find a source to download", "was not found"]) {
        ImageError::ListsOutdated { package, detail }
    } else if says(&["resolv", "onnect", "Failed to fetch", "timed out", "unreachable"]) {
        ImageError::Network { package, detail }
    } else {
        ImageError::Apt { package, detail }
    }
}

/// The names of packages, but for those that are too many.
fn some_of(packages: &[String]) -> String {
    match packages.len().saturating_sub(SHOWN_PACKAGES) {
        0 => packages.join(", "),
        more => format!("{} and {more} more", packages[..SHOWN_PACKAGES].join(", ")),
    }
}

/// The complaints of a tool, on one line.
pub fn shown(output: &Output) -> String {
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
    use std::fs;
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    use super::*;
    use crate::testing;

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
            told("E: Can't find a source to download version '1.3' of 'zlib1g:amd64'\n"),
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
            "package `zlib1g` is gone from the server: run `sudo apt-get update` (Can't find a source to download version \
             '1.3' of 'zlib1g:amd64')",
            "apt failed on package `zlib1g, busybox-static`: The package cache is locked",
            "apt failed on package `zlib1g, busybox-static`: it ended with exit status: 100 and said nothing",
        ];
        assert_eq!(texts, expected);
    }

    /// A repository of one package of its own, with a file of one byte, which apt has read the list of; where a newer version is
    /// installed.
    fn repository(dir: &Path) -> Option<Apt> {
        let state = |name: &str| dir.join(name);
        for made in ["lists/partial", "cache/archives/partial", "etc", "repository"] {
            fs::create_dir_all(state(made)).expect("writable");
        }
        fs::write(state("repository/tool_1.0_all.deb"), "x").expect("writable");
        let digest = super::super::packages::hex(&<sha2::Sha256 as sha2::Digest>::digest(b"x"));
        let about = format!(
            "Package: tool\nVersion: 1.0\nArchitecture: all\nMaintainer: nobody\nDepends: of-the-list\n\
             Filename: ./tool_1.0_all.deb\nSize: 1\nSHA256: {digest}\n\n"
        );
        fs::write(state("repository/Packages"), about).expect("writable");
        fs::write(state("sources"), format!("deb [trusted=yes] file:{} ./\n", state("repository").display()))
            .expect("writable");
        let installed = "Package: tool\nStatus: install ok installed\nVersion: 2.0\nArchitecture: all\n\
                         Maintainer: nobody\nDepends: of-the-installed\n\n";
        fs::write(state("status"), installed).expect("writable");
        let config = format!(
            "Dir::State::lists \"{0}/lists\";\nDir::State::status \"{0}/status\";\nDir::Cache \"{0}/cache\";\n\
             Dir::Etc::sourcelist \"{0}/sources\";\nDir::Etc::sourceparts \"-\";\n",
            dir.display()
        );
        fs::write(state("config"), config).expect("writable");
        let apt = Apt { dir: dir.to_owned(), config: Some(state("config")) };
        let output = testing::available("apt", apt.run("apt-get", &["update"], dir))?;
        assert!(output.status.success(), "{}", shown(&output));
        Some(apt)
    }

    #[test]
    fn a_version_that_is_installed_and_in_no_list_does_not_matter() {
        let dir = tempfile::tempdir().expect("a directory");
        let Some(apt) = repository(dir.path()) else { return };
        let names = ["tool".to_owned()];
        let package = apt.look_up(&names).expect("the list has it").remove("tool").expect("found");
        assert_eq!((package.version.as_str(), package.file.as_str(), package.size), ("1.0", "tool_1.0_all.deb", 1));
        assert_eq!(apt.depends(&names).expect("the list has it")["tool"], ["of-the-list"]);
        let into = tempfile::tempdir().expect("a directory");
        apt.download(&[&package], into.path()).expect("it is there");
        assert_eq!(fs::read(into.path().join(&package.file)).expect("fetched"), b"x");
        let missing = apt.look_up(&["nothing".to_owned()]).expect_err("no list has it");
        assert!(matches!(&missing, ImageError::PackageMissing(name) if name == "nothing"), "{missing}");
    }
}
