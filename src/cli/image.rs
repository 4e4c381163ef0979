//! `provium image build|list`: what real guests boot from.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use clap::{Args, Subcommand};
use provium_qemu::image::{self, Cache, Entry, ImageError, Kind, mebibytes};
use provium_qemu::profile::QemuProfile;
use serde::Serialize;

use super::{complain, trace};
use crate::config::Project;
use crate::error::{CommandError, Exit};
use crate::report::text::one_line;

/// Make and list what real guests boot from.
#[derive(Args)]
pub(super) struct ImageArgs {
    #[command(subcommand)]
    command: ImageCommand,
}

#[derive(Subcommand)]
enum ImageCommand {
    /// Make what the guests of profiles boot from, out of the distribution's packages: no root, nothing installed
    Build(BuildArgs),
    /// List what was made
    List(ListArgs),
}

#[derive(Args)]
struct BuildArgs {
    /// Names of profiles [default: all of provium.toml, and `linux`]
    #[arg(value_name = "PROFILE")]
    profiles: Vec<String>,
}

#[derive(Args)]
struct ListArgs {
    /// One JSON object for each image, on a line of its own
    #[arg(long)]
    json: bool,
}

/// Carries the subcommand out.
pub(super) fn image(args: &ImageArgs) -> Result<Exit, CommandError> {
    match &args.command {
        ImageCommand::Build(args) => build(args),
        ImageCommand::List(args) => list(args),
    }
}

fn build(args: &BuildArgs) -> Result<Exit, CommandError> {
    let (project, _) = super::project()?;
    let wanted = select(&project, &args.profiles)?;
    let mut exit = Exit::Passed;
    let mut failed = |error: &ImageError| {
        complain(error);
        exit = Exit::CouldNotRun;
    };
    let mut kinds: BTreeMap<Kind, Vec<&str>> = BTreeMap::new();
    for profile in wanted {
        match Kind::of(profile) {
            Some(kind) => kinds.entry(kind).or_default().push(&profile.name),
            // Only whether its files are there can be looked at.
            None => match image::find(profile) {
                Ok(_) => say(&format!("profile {} boots from files of its own: nothing to make", profile.name)),
                Err(error) => failed(&error),
            },
        }
    }
    for (kind, profiles) in kinds {
        let progress = &mut |line: &str| say(&format!("{}: {}", kind.as_str(), one_line(line)));
        match Cache::from_environment().and_then(|cache| image::build(&cache, kind, progress)) {
            Ok(entry) => {
                let line = format!("{}  for {}", made(&entry), profiles.join(", "));
                if !trace::print(&mut io::stdout(), &[line])? {
                    return Ok(exit);
                }
            }
            Err(error) => failed(&error),
        }
    }
    Ok(exit)
}

/// What is being done, for whoever waits: on standard error, which nobody has to read.
fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// The profiles that were named, or all.
fn select<'a>(project: &'a Project, names: &[String]) -> Result<Vec<&'a QemuProfile>, CommandError> {
    if names.is_empty() {
        return Ok(project.qemu.values().collect());
    }
    let find = |name: &String| {
        project
            .qemu
            .get(name)
            .ok_or_else(|| CommandError::Profile { name: name.clone(), known: project.qemu.keys().cloned().collect() })
    };
    names.iter().map(find).collect()
}

fn made(entry: &Entry) -> String {
    let Entry { dir, manifest } = entry;
    let version = one_line(&manifest.kernel_version);
    format!("{}  {version}  {}  {}", manifest.kind, mebibytes(entry.size()), one_line(&dir.to_string_lossy()))
}

/// What can be said of an entry beside what it says itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Standing {
    /// Guests boot from it.
    Used,
    /// It was used before.
    Older,
    /// Its files are not what they were when it was made.
    Damaged,
}

/// One line of `--json`. Fields are added, never renamed.
#[derive(Serialize)]
struct Line<'a> {
    image: &'a str,
    kernel: &'a str,
    size: u64,
    path: &'a Path,
    standing: Standing,
    packages: Vec<Package<'a>>,
}

#[derive(Serialize)]
struct Package<'a> {
    name: &'a str,
    version: &'a str,
}

fn list(args: &ListArgs) -> Result<Exit, CommandError> {
    let cache = Cache::from_environment()?;
    let found: Vec<(Entry, Standing)> =
        cache.entries().into_iter().map(|entry| (entry.clone(), standing(&cache, &entry))).collect();
    let lines = if args.json { found.iter().map(json).collect() } else { table(&found) };
    if lines.is_empty() && !args.json {
        say(&format!("no images below {}: `{} image build` makes them", cache.root().display(), super::program()));
    }
    trace::print(&mut io::stdout(), &lines)?;
    Ok(Exit::Passed)
}

fn standing(cache: &Cache, entry: &Entry) -> Standing {
    if !entry.is_whole() {
        return Standing::Damaged;
    }
    let used = Kind::ALL.iter().filter_map(|kind| cache.current(*kind)).any(|used| used.dir == entry.dir);
    if used { Standing::Used } else { Standing::Older }
}

fn json((entry, standing): &(Entry, Standing)) -> String {
    let Entry { dir, manifest } = entry;
    let packages =
        manifest.packages.iter().map(|package| Package { name: &package.name, version: &package.version }).collect();
    let line = Line {
        image: &manifest.kind,
        kernel: &manifest.kernel_version,
        size: entry.size(),
        path: dir,
        standing: *standing,
        packages,
    };
    // Strings and numbers can always be written.
    serde_json::to_string(&line).unwrap_or_default()
}

/// Columns that are as wide as what is in them.
fn table(found: &[(Entry, Standing)]) -> Vec<String> {
    let mut rows = Vec::new();
    for (entry, standing) in found {
        let standing = match standing {
            Standing::Used => "",
            Standing::Older => "  (older)",
            Standing::Damaged => "  (damaged: will be made anew)",
        };
        let Entry { dir, manifest } = entry;
        let path = format!("{}{standing}", one_line(&dir.to_string_lossy()));
        rows.push([one_line(&manifest.kind), one_line(&manifest.kernel_version), mebibytes(entry.size()), path]);
    }
    if rows.is_empty() {
        return Vec::new();
    }
    rows.insert(0, ["IMAGE", "KERNEL", "SIZE", "PATH"].map(str::to_owned));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let (image, kernel, size) = (width(0), width(1), width(2));
    rows.iter().map(|[a, b, c, d]| format!("{a:image$}  {b:kernel$}  {c:>size$}  {d}")).collect()
}

#[cfg(test)]
mod tests {
    use provium_qemu::image::{FileLine, Manifest, PackageLine};

    use super::*;

    fn entry(kind: &str, version: &str, size: u64) -> Entry {
        let packages = vec![PackageLine {
            name: "busybox-static".to_owned(),
            version: "1:1.35".to_owned(),
            digest: "SHA256:00".to_owned(),
        }];
        let files = [("kernel".to_owned(), FileLine { size, sha256: "00".to_owned() })].into();
        let kernel_version = version.to_owned();
        let manifest = Manifest { kind: kind.to_owned(), builder: 1, kernel_version, packages, files };
        Entry { dir: format!("/cache/images/{kind}-3f09").into(), manifest }
    }

    #[test]
    fn images_are_listed_in_columns() {
        let found = [
            (entry("linux", "6.1.0-56-cloud-amd64", 56_726_300), Standing::Used),
            (entry("linux", "6.1.0-9\u{1b}[31m", 1 << 20), Standing::Older),
            (entry("linux-qga", "6.12.0-1-cloud-amd64", 200 << 20), Standing::Damaged),
        ];
        insta::assert_snapshot!(table(&found).join("\n"));
        assert!(table(&[]).is_empty());
        insta::assert_snapshot!("image_json", json(&found[0]));
    }

    #[test]
    fn profiles_are_taken_by_name() {
        let project = Project::parse(Path::new("/p"), Path::new("provium.toml"), "[profiles.own]\n").expect("good");
        let names = |asked: &[&str]| {
            let asked: Vec<String> = asked.iter().map(|name| (*name).to_owned()).collect();
            select(&project, &asked)
                .map(|found| found.iter().map(|profile| profile.name.clone()).collect::<Vec<_>>().join(" "))
                .map_err(|error| error.to_string())
        };
        assert_eq!(names(&[]), Ok("linux own".to_owned()));
        assert_eq!(names(&["own"]), Ok("own".to_owned()));
        assert_eq!(names(&["own", "won"]), Err("provium.toml has no profile `won`; there are linux, own".to_owned()));
    }
}
