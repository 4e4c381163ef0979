//! Which of the host's tools a script runs, and whether they are those that the corpus was recorded with.
//!
//! Other versions of the tools say some things otherwise, and that is no fault of the simulator: where the
//! host's are others, or missing, a script is compared with its recorded outcome instead.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What dash does by itself, so that scripts about the language do not run the tool.
const BUILTINS: [&str; 8] = ["[", "echo", "false", "kill", "printf", "pwd", "test", "true"];

/// A line of a script that says that the host can only do it as root.
const NEEDS_ROOT: &str = "# Needs root.";

/// A package of Debian with tools that scripts run.
struct Package {
    name: String,
    /// The version that outcomes were recorded with.
    recorded: String,
    /// The version on this machine, if any.
    installed: Option<String>,
    tools: BTreeSet<String>,
}

/// The tools of the corpus and of this machine.
pub struct HostTools {
    packages: Vec<Package>,
    root: bool,
}

impl HostTools {
    /// Reads the list (`PACKAGE VERSION: TOOL...`) and asks the machine for its versions.
    pub fn new(list: &str) -> HostTools {
        let mut packages: Vec<Package> = list
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(|line| {
                let (package, tools) = line.split_once(": ").expect("PACKAGE VERSION: TOOL...");
                let (name, recorded) = package.split_once(' ').expect("PACKAGE VERSION: TOOL...");
                let tools = tools.split_whitespace().map(str::to_owned).collect();
                Package { name: name.to_owned(), recorded: recorded.to_owned(), installed: None, tools }
            })
            .collect();
        let installed = installed(packages.iter().map(|package| package.name.as_str()));
        for package in &mut packages {
            package.installed = installed.get(&package.name).cloned();
        }
        let root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
        HostTools { packages, root }
    }

    /// The list with the versions of this machine.
    pub fn list(&self, old: &str) -> String {
        let mut text = String::new();
        for line in old.lines() {
            let package = self.packages.iter().find(|package| line.starts_with(&format!("{} ", package.name)));
            match package {
                Some(Package { name, installed: Some(version), tools, .. }) => {
                    let tools: Vec<&str> = tools.iter().map(String::as_str).collect();
                    writeln!(text, "{name} {version}: {}", tools.join(" ")).unwrap();
                }
                _ => writeln!(text, "{line}").unwrap(),
            }
        }
        text
    }

    /// Why this machine cannot say what a script should do; `None` if it can. `new_versions`: whatever is
    /// installed will do.
    pub fn unfit(&self, name: &str, script: &str, new_versions: bool) -> Option<String> {
        if script.lines().any(|line| line.starts_with(NEEDS_ROOT)) && !self.root {
            return Some("it needs root".to_owned());
        }
        let words = words(name, script);
        for package in &self.packages {
            let Some(tool) = package.tools.iter().find(|tool| words.contains(tool.as_str())) else { continue };
            match &package.installed {
                None => return Some(format!("{tool} of {} is not installed", package.name)),
                Some(version) if !new_versions && *version != package.recorded => {
                    return Some(format!("{} is {version}, not {}", package.name, package.recorded));
                }
                Some(_) => {}
            }
        }
        words.contains("awk").then(other_awk).flatten().map(|other| format!("awk is {}", other.display()))
    }

    /// The words of a script that are among `programs` and in no package.
    pub fn unlisted(&self, name: &str, script: &str, programs: &BTreeSet<String>) -> Vec<String> {
        let listed = |word: &str| self.packages.iter().any(|package| package.tools.contains(word));
        words(name, script)
            .into_iter()
            .filter(|word| programs.contains(*word) && !listed(word))
            .map(str::to_owned)
            .collect()
    }
}

/// Every word that could be the name of a tool, and dash, which runs the script.
fn words<'s>(name: &str, script: &'s str) -> BTreeSet<&'s str> {
    let part_of_name = |symbol: char| symbol.is_ascii_alphanumeric() || "_-[".contains(symbol);
    let mut words: BTreeSet<&str> = script.split(|symbol: char| !part_of_name(symbol)).collect();
    if name.starts_with("sh-") {
        words.retain(|word| !BUILTINS.contains(word));
    }
    words.insert("dash");
    words
}

/// Versions of installed packages, without epoch and revision: those are Debian's, the text is the author's.
fn installed<'n>(names: impl Iterator<Item = &'n str>) -> BTreeMap<String, String> {
    let shown = "${Package} ${db:Status-Status} ${Version}\n";
    let output = Command::new("dpkg-query").args(["-W", "-f", shown]).args(names).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let mut versions = BTreeMap::new();
    for line in text.lines() {
        if let [name, "installed", version] = line.split(' ').collect::<Vec<_>>()[..] {
            let version = version.split_once(':').map_or(version, |(_epoch, rest)| rest);
            let version = version.rsplit_once('-').map_or(version, |(upstream, _revision)| upstream);
            versions.insert(name.to_owned(), version.to_owned());
        }
    }
    versions
}

/// The awk of this machine, if it is not mawk: the corpus means that one, which is Debian's awk unless
/// somebody chose another.
fn other_awk() -> Option<PathBuf> {
    let found = Path::new("/usr/bin/awk").canonicalize().unwrap_or_else(|_| PathBuf::from("missing"));
    (!found.ends_with("mawk")).then_some(found)
}
