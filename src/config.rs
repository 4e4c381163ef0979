//! `provium.toml`: where the tests are and which kinds of guests they may boot.
//!
//! ```toml
//! roots = ["tests/lua"]         # searched for *.test.lua when no PATH is given, and by `require`
//! timeout = "30s"               # for tests that set none of their own
//!
//! [profiles.peios]              # provium:vm(name, "peios")
//! memory = "256M"
//! cpus = 2
//! kernel = "build/bzImage"      # for real guests, relative to this file
//! ```
//!
//! Reading is strict: a key that is not known is an error that names the known ones, because a typo that
//! is silently ignored costs hours. The file is found upward from the working directory; without one the
//! project is the working directory, with the profile `linux` alone.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use provium_protocol::Nanos;
use provium_protocol::profile::Profile;
use provium_qemu::profile::{AccelKind, AgentKind, LinkKind, MachineKind, QemuProfile, TimeKind};
use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

use crate::report::text::{one_line, width};
use crate::units;

mod qemu;

use qemu::{FilePath, Word};

/// The file's name.
pub const CONFIG_FILE: &str = "provium.toml";

/// The profile that every project has.
pub const DEFAULT_PROFILE: &str = "linux";

/// The largest `provium.toml` that is read, in bytes: a thousand profiles fit, a mistaken disk image
/// does not.
pub const MAX_CONFIG_SIZE: u64 = 1 << 20;

/// The most CPUs of a guest: what QEMU's `q35` machine takes at most.
pub const MAX_CPUS: u32 = 288;

/// The longest host name of Linux, in bytes (`HOST_NAME_MAX`).
pub const MAX_HOSTNAME: usize = 64;

/// A project: a directory, and what its `provium.toml` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// The directory that files are named relative to.
    pub dir: PathBuf,
    /// The `provium.toml`, if there is one.
    pub file: Option<PathBuf>,
    /// Directories to search for tests, absolute or relative to the working directory; `dir` if the file
    /// names none.
    pub roots: Vec<PathBuf>,
    /// How long a test may take that says nothing itself.
    pub timeout: Option<Nanos>,
    /// Kinds of guests by name. `linux` is always there.
    pub profiles: BTreeMap<String, Profile>,
    /// The same profiles, as QEMU needs to know them.
    pub qemu: BTreeMap<String, QemuProfile>,
}

/// A `provium.toml` that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    file: PathBuf,
    /// Line and column, from 1, and the text of the line.
    place: Option<(usize, usize, String)>,
    message: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some((line, column, _)) = &self.place {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.message)?;
        if let Some((line, column, text)) = &self.place {
            // What is shown of the line may be wider than its characters are many.
            let before: String = text.chars().take(column - 1).collect();
            let indent = " ".repeat(width(&one_line(&before)));
            let text = one_line(text);
            let gutter = " ".repeat(line.to_string().len());
            write!(f, "\n  {line} | {text}\n  {gutter} | {indent}^")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

impl Project {
    /// The project that the working directory `from` lies in.
    pub fn find(from: &Path) -> Result<Project, ConfigError> {
        for dir in from.ancestors() {
            let file = dir.join(CONFIG_FILE);
            match fs::metadata(&file) {
                Ok(_) => return Project::read(dir, &file),
                Err(error) if is_absence(&error) => {}
                Err(error) => return Err(unplaced(&file, format!("cannot be read: {error}"))),
            }
        }
        Ok(Project {
            dir: from.to_owned(),
            file: None,
            roots: vec![from.to_owned()],
            timeout: None,
            profiles: with_default_profile(BTreeMap::new()),
            qemu: with_default_qemu(BTreeMap::new()),
        })
    }

    fn read(dir: &Path, file: &Path) -> Result<Project, ConfigError> {
        let unreadable = |error: io::Error| unplaced(file, format!("cannot be read: {error}"));
        let metadata = fs::metadata(file).map_err(unreadable)?;
        // A named pipe would be waited for, and a device read, for ever.
        if !(metadata.is_file() || metadata.is_dir()) {
            return Err(unplaced(file, "is no ordinary file".to_owned()));
        }
        let mut bytes = Vec::new();
        fs::File::open(file)
            .and_then(|open| open.take(MAX_CONFIG_SIZE + 1).read_to_end(&mut bytes))
            .map_err(unreadable)?;
        if bytes.len() as u64 > MAX_CONFIG_SIZE {
            return Err(unplaced(file, format!("is larger than {MAX_CONFIG_SIZE} bytes")));
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let line = error.as_bytes()[..at].iter().filter(|&&byte| byte == b'\n').count() + 1;
            unplaced(file, format!("line {line} is not UTF-8"))
        })?;
        Project::parse(dir, file, &text)
    }

    /// Reads the text of a `provium.toml`; `dir` is its directory.
    pub fn parse(dir: &Path, file: &Path, text: &str) -> Result<Project, ConfigError> {
        let raw: RawProject = toml::from_str(text).map_err(|error| placed(file, text, &error))?;
        let roots = match raw.roots {
            Some(Roots(roots)) => roots.iter().map(|root| dir.join(root)).collect(),
            None => vec![dir.to_owned()],
        };
        let qemu = raw
            .profiles
            .iter()
            .map(|(ProfileName(name), CheckedProfile(raw))| (name.clone(), qemu::profile(dir, name, raw)));
        let qemu = with_default_qemu(qemu.collect());
        let profiles = raw.profiles.into_iter().map(|(ProfileName(name), CheckedProfile(raw))| {
            let profile = Profile {
                name: name.clone(),
                memory: raw.memory.map(|Memory(bytes)| bytes),
                cpus: raw.cpus.map(|Cpus(cpus)| cpus),
                kernel_cmdline: raw.kernel_cmdline.map(|CommandLine(text)| text),
                hostname: raw.hostname.map(|HostName(name)| name),
            };
            (name, profile)
        });
        Ok(Project {
            dir: dir.to_owned(),
            file: Some(file.to_owned()),
            roots,
            timeout: raw.timeout.map(|Timeout(ns)| ns),
            profiles: with_default_profile(profiles.collect()),
            qemu,
        })
    }
}

/// Whether there is no such file, as opposed to one that cannot be read.
fn is_absence(error: &io::Error) -> bool {
    // A directory that may not be entered is no reason to refuse work below it.
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied | io::ErrorKind::NotADirectory)
}

fn with_default_profile(mut profiles: BTreeMap<String, Profile>) -> BTreeMap<String, Profile> {
    profiles
        .entry(DEFAULT_PROFILE.to_owned())
        .or_insert_with(|| Profile { name: DEFAULT_PROFILE.to_owned(), ..Profile::default() });
    profiles
}

fn with_default_qemu(mut profiles: BTreeMap<String, QemuProfile>) -> BTreeMap<String, QemuProfile> {
    profiles.entry(DEFAULT_PROFILE.to_owned()).or_insert_with(|| QemuProfile::named(DEFAULT_PROFILE));
    profiles
}

fn unplaced(file: &Path, message: String) -> ConfigError {
    ConfigError { file: file.to_owned(), place: None, message }
}

/// Adds the place to an error of the toml reader. Its message names the key and the known ones.
fn placed(file: &Path, text: &str, error: &toml::de::Error) -> ConfigError {
    let place = error.span().and_then(|span| text.get(..span.start)).map(|before| {
        let line = before.matches('\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let column = before[start..].chars().count() + 1;
        let line_text = text[start..].lines().next().unwrap_or("");
        (line, column, line_text.to_owned())
    });
    let mut message = error.message().replace('\n', "; ");
    // The reader speaks of Rust's types; people who write the file do not.
    for (theirs, ours) in [
        ("unknown field", "unknown key"),
        ("expected a sequence", "expected an array"),
        ("expected a map", "expected a table"),
        ("expected i64", "expected a whole number"),
    ] {
        message = message.replace(theirs, ours);
    }
    ConfigError { file: file.to_owned(), place, message }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawProject {
    roots: Option<Roots>,
    timeout: Option<Timeout>,
    #[serde(default)]
    profiles: BTreeMap<ProfileName, CheckedProfile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawProfile {
    memory: Option<Memory>,
    cpus: Option<Cpus>,
    kernel_cmdline: Option<CommandLine>,
    hostname: Option<HostName>,
    kernel: Option<FilePath>,
    initrd: Option<FilePath>,
    agent: Option<Word<AgentKind>>,
    link: Option<Word<LinkKind>>,
    time: Option<Word<TimeKind>>,
    machine: Option<Word<MachineKind>>,
    accel: Option<Word<AccelKind>>,
}

#[derive(Deserialize)]
#[serde(try_from = "RawProfile")]
struct CheckedProfile(RawProfile);

impl TryFrom<RawProfile> for CheckedProfile {
    type Error = String;

    fn try_from(raw: RawProfile) -> Result<CheckedProfile, String> {
        qemu::check(&raw).map(|()| CheckedProfile(raw))
    }
}

// Each kind of value is a type of its own whose reader checks it, because only an error raised inside
// the reader carries the place in the file.

#[derive(Deserialize)]
#[serde(try_from = "Vec<String>")]
struct Roots(Vec<String>);

impl TryFrom<Vec<String>> for Roots {
    type Error = String;

    fn try_from(roots: Vec<String>) -> Result<Roots, String> {
        match roots.iter().position(String::is_empty) {
            _ if roots.is_empty() => Err("`roots` is empty: name a directory, or leave the key out".to_owned()),
            Some(at) => Err(format!("entry {} of `roots` is empty", at + 1)),
            None => Ok(Roots(roots)),
        }
    }
}

#[derive(PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
struct ProfileName(String);

impl TryFrom<String> for ProfileName {
    type Error = String;

    fn try_from(name: String) -> Result<ProfileName, String> {
        let good = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.is_empty() || !name.chars().all(good) {
            return Err(format!(
                "invalid profile name `{}`: use letters, digits, `-`, `_` and `.`",
                name.escape_debug()
            ));
        }
        Ok(ProfileName(name))
    }
}

struct Memory(u64);

impl<'de> Deserialize<'de> for Memory {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Memory, D::Error> {
        let bytes = deserializer.deserialize_any(Unit {
            forms: units::SIZE_FORMS,
            text: units::parse_size,
            integer: units::size_from_integer,
            float: None,
        })?;
        if bytes == 0 {
            return Err(de::Error::custom("a guest needs more memory than none"));
        }
        Ok(Memory(bytes))
    }
}

struct Timeout(Nanos);

impl<'de> Deserialize<'de> for Timeout {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Timeout, D::Error> {
        let ns = deserializer.deserialize_any(Unit {
            forms: units::DURATION_FORMS,
            text: units::parse_duration,
            integer: units::duration_from_secs,
            float: Some(units::duration_from_secs_f64),
        })?;
        if ns == 0 {
            return Err(de::Error::custom("no test ends within no time: `timeout` must be above 0"));
        }
        Ok(Timeout(ns))
    }
}

/// Reads a number or a string with a unit.
struct Unit {
    forms: &'static str,
    text: fn(&str) -> Result<u64, units::UnitError>,
    integer: fn(i64) -> Result<u64, units::UnitError>,
    float: Option<fn(f64) -> Result<u64, units::UnitError>>,
}

impl Visitor<'_> for Unit {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.forms)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<u64, E> {
        (self.integer)(number).map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<u64, E> {
        self.visit_i64(i64::try_from(number).unwrap_or(i64::MAX))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<u64, E> {
        match self.float {
            Some(float) => float(number).map_err(E::custom),
            None => Err(E::invalid_type(de::Unexpected::Float(number), &self)),
        }
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<u64, E> {
        (self.text)(text).map_err(E::custom)
    }
}

#[derive(Deserialize)]
#[serde(try_from = "i64")]
struct Cpus(u32);

impl TryFrom<i64> for Cpus {
    type Error = String;

    fn try_from(cpus: i64) -> Result<Cpus, String> {
        match u32::try_from(cpus) {
            Ok(cpus @ 1..=MAX_CPUS) => Ok(Cpus(cpus)),
            _ => Err(format!("invalid number of CPUs `{cpus}`: expected 1 to {MAX_CPUS}")),
        }
    }
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct CommandLine(String);

impl TryFrom<String> for CommandLine {
    type Error = String;

    fn try_from(text: String) -> Result<CommandLine, String> {
        match text.chars().find(|c| c.is_control()) {
            Some(c) => Err(format!("a kernel command line is one line of text, it cannot hold {c:?}")),
            None => Ok(CommandLine(text)),
        }
    }
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct HostName(String);

impl TryFrom<String> for HostName {
    type Error = String;

    fn try_from(name: String) -> Result<HostName, String> {
        let good = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
        if name.is_empty() || name.len() > MAX_HOSTNAME || !name.chars().all(good) {
            return Err(format!(
                "invalid host name `{}`: expected 1 to {MAX_HOSTNAME} letters, digits, `-` and `.`",
                name.escape_debug()
            ));
        }
        Ok(HostName(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Project, String> {
        Project::parse(Path::new("/p"), Path::new("provium.toml"), text).map_err(|error| error.to_string())
    }

    #[test]
    fn everything_that_can_be_said() {
        let project = parse(
            "roots = [\"tests/lua\", \"more\"]\ntimeout = 90\n\
             [profiles.peios]\nmemory = \"256M\"\ncpus = 2\nkernel_cmdline = \"quiet\"\nhostname = \"peios\"\n\
             [profiles.tiny]\nmemory = 1048576\n",
        )
        .expect("good");
        assert_eq!(project.roots, [Path::new("/p/tests/lua"), Path::new("/p/more")]);
        assert_eq!(project.timeout, Some(90_000_000_000));
        assert_eq!(project.profiles.keys().collect::<Vec<_>>(), ["linux", "peios", "tiny"]);
        let peios = &project.profiles["peios"];
        assert_eq!((peios.memory, peios.cpus), (Some(256 << 20), Some(2)));
        assert_eq!(peios.name, "peios");
        assert_eq!(project.profiles["tiny"].memory, Some(1 << 20));
    }

    #[test]
    fn what_only_real_guests_have_is_kept_apart() {
        let project = parse(
            "[profiles.peios]\nkernel = \"build/bzImage\"\ninitrd = \"/boot/initrd\"\nagent = \"qga\"\n\
             time = \"virtual\"\nmachine = \"pc\"\naccel = \"tcg\"\n",
        )
        .expect("good");
        let expected = QemuProfile {
            name: "peios".to_owned(),
            kernel: Some("/p/build/bzImage".into()),
            initrd: Some("/boot/initrd".into()),
            agent: AgentKind::Qga,
            link: LinkKind::Virtio,
            time: TimeKind::Virtual,
            machine: Some(MachineKind::Pc),
            accel: AccelKind::Tcg,
        };
        assert_eq!(project.qemu["peios"], expected);
        assert_eq!(project.qemu["linux"], QemuProfile::named("linux"));
        let links = parse("[profiles.a]\nlink = \"serial\"\n[profiles.b]\nlink = \"vsock\"\nagent = \"provium\"\n")
            .expect("good");
        assert_eq!((links.qemu["a"].link, links.qemu["b"].link), (LinkKind::Serial, LinkKind::Vsock));
        assert_eq!(project.profiles["peios"], Profile { name: "peios".to_owned(), ..Profile::default() });
    }

    #[test]
    fn an_empty_file_is_good() {
        let project = parse("").expect("good");
        assert_eq!(project.roots, [Path::new("/p")]);
        assert_eq!(project.profiles.keys().collect::<Vec<_>>(), ["linux"]);
    }

    #[test]
    fn linux_can_be_described_but_not_removed() {
        let project = parse("[profiles.linux]\ncpus = 4\n").expect("good");
        assert_eq!(project.profiles["linux"].cpus, Some(4));
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        let errors = [
            "rootz = [\"x\"]\n",
            "roots = \"x\"\n",
            "roots = []\n",
            "timeout = \"soon\"\n",
            "timeout = -1.5\n",
            "timeout = 0\n",
            "[profile.peios]\n",
            "[profiles.peios]\nmemroy = \"1G\"\n",
            "[profiles.peios]\nmemory = \"1Q\"\n",
            "[profiles.peios]\nmemory = 1.5\n",
            "[profiles.peios]\nmemory = true\n",
            "[profiles.peios]\ncpus = 0\n",
            "[profiles.peios]\ncpus = \"two\"\n",
            "[profiles.peios]\n\thostname = \"a b\"\n",
            "[profiles.peios]\nkernel_cmdline = \"a\\nb\"\n",
            "[profiles.peios]\nkernel = \"\"\n",
            "[profiles.peios]\ninitrd = \"a\\nb\"\n",
            "[profiles.peios]\nkernel = 1\n",
            "[profiles.peios]\nagent = \"ssh\"\n",
            "[profiles.peios]\nlink = \"usb\"\n",
            "[profiles.peios]\nlink = 1\n",
            "[profiles.peios]\nagent = \"qga\"\nlink = \"vsock\"\n",
            "[profiles.peios]\ntime = \"fast\"\n",
            "[profiles.peios]\ntime = true\n",
            "[profiles.peios]\nmachine = \"virt\"\n",
            "[profiles.peios]\naccel = \"hvf\"\n",
            "[profiles.peios]\ntime = \"virtual\"\naccel = \"kvm\"\n",
            "[profiles.\"a b\"]\n",
            "[profiles.peios]\n[profiles.peios]\n",
            "profiles = 3\n",
            "roots = [\n",
            "x\u{e9} =",
            "\u{0}",
            "漢字 = 1",
            "roots = [\"\u{1b}[31m\", 漢]\r\n",
        ]
        .map(|text| format!("{}\n---\n{}\n", text.escape_debug(), parse(text).expect_err(text)));
        insta::assert_snapshot!(errors.join("\n"));
    }

    #[test]
    fn what_is_no_ordinary_file_is_not_read() {
        let dir = tempfile::tempdir().expect("a directory for the test");
        let file = dir.path().join(CONFIG_FILE);
        let mistake = || Project::find(dir.path()).expect_err("no project").to_string();
        std::os::unix::fs::symlink("/dev/zero", &file).expect("a link");
        assert!(mistake().ends_with("provium.toml: is no ordinary file"), "{}", mistake());
        fs::remove_file(&file).expect("it was made");
        fs::create_dir(&file).expect("a directory");
        assert!(mistake().contains("cannot be read: "), "{}", mistake());
        fs::remove_dir(&file).expect("it was made");
        fs::write(&file, vec![b' '; MAX_CONFIG_SIZE as usize + 1]).expect("a file");
        assert!(mistake().ends_with("is larger than 1048576 bytes"), "{}", mistake());
    }
}
