//! The same tests give the same runs wherever they lie and whoever runs them: other directories, another working
//! directory, locale, time zone, umask, user and environment, and other addresses in each process. What is compared, to
//! the byte: the journals, the traces, and the reports without the host's time.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a copy of the project holds.
const FOLDERS: [&str; 3] = ["tests/lua", "tests/lua-portable", "tests/lua-failing"];

/// A host as far as a test could notice.
struct Place {
    /// Where the copy of the project lies, below a scratch directory.
    project: &'static str,
    /// From where the tests are run, below the project.
    from: &'static str,
    umask: &'static str,
    environment: &'static [(&'static str, &'static str)],
    /// Whether the files are made in the order of their names.
    in_order: bool,
}

const PLACES: [Place; 2] = [
    Place {
        project: "a",
        from: "",
        umask: "022",
        environment: &[("TZ", "UTC"), ("LC_ALL", "C"), ("HOME", "/root"), ("USER", "root")],
        in_order: true,
    },
    Place {
        project: "a copy, far away/größer/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16",
        from: "tests/lua-portable",
        umask: "077",
        environment: &[
            ("TZ", "Asia/Kathmandu"),
            ("LC_ALL", "de_DE.UTF-8"),
            ("LANG", "tr_TR.UTF-8"),
            ("HOME", "/nonexistent"),
            ("USER", "somebody"),
            ("LUA_INIT", "error('read from the environment')"),
            ("LUA_PATH", "/nonexistent/?.lua"),
            ("COLUMNS", "40"),
            ("MALLOC_PERTURB_", "165"),
            ("MALLOC_ARENA_MAX", "1"),
            ("PADDING", "moves the stack and what lies above it"),
        ],
        in_order: false,
    },
];

fn copy(from: &Path, to: &Path, in_order: bool) {
    fs::create_dir_all(to).expect("a directory can be made");
    let mut entries: Vec<PathBuf> = fs::read_dir(from)
        .expect("a directory of the repository")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    entries.sort();
    if !in_order {
        entries.reverse();
    }
    for path in entries {
        let target = to.join(path.file_name().expect("an entry has a name"));
        if path.is_dir() {
            copy(&path, &target, in_order);
        } else {
            fs::copy(&path, &target).expect("a file can be copied");
        }
    }
}

/// Takes from all files what the umask takes.
fn restrict(directory: &Path, umask: u32) {
    use std::os::unix::fs::PermissionsExt;
    for entry in fs::read_dir(directory).expect("a directory of the copy") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            restrict(&path, umask);
        }
        let mode = fs::metadata(&path).expect("it is there").permissions().mode();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode & !umask)).expect("it is ours");
    }
}

impl Place {
    fn make(&self, scratch: &Path) -> PathBuf {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let project = scratch.join(self.project);
        fs::create_dir_all(&project).expect("a directory can be made");
        fs::copy(root.join("provium.toml"), project.join("provium.toml")).expect("a file can be copied");
        for folder in FOLDERS {
            copy(&root.join(folder), &project.join(folder), self.in_order);
        }
        restrict(&project, u32::from_str_radix(self.umask, 8).expect("an octal number"));
        project
    }

    /// Runs everything there; what came of it, by name.
    fn run(&self, project: &Path, out: &Path, folders: &[&str], options: &[&str]) -> BTreeMap<String, Vec<u8>> {
        fs::create_dir_all(out).expect("a directory can be made");
        let from = project.join(self.from);
        let up = if self.from.is_empty() { "" } else { "../../" };
        let report = format!("json={}", out.join("report").display());
        let status = Command::new("sh")
            .args(["-c", "umask \"$0\"; exec \"$@\"", self.umask, env!("CARGO_BIN_EXE_provium")])
            .args(folders.iter().map(|folder| format!("{up}{folder}")))
            .args(options)
            .args(["--record", "always", "--traces"])
            .arg(out.join("traces"))
            .arg("--journal")
            .arg(out.join("journal"))
            .args(["--report", &report])
            .current_dir(from)
            .env_clear()
            .envs(self.environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .expect("the command was built");
        let fails = folders.contains(&"tests/lua-failing");
        assert_eq!(status.code(), Some(i32::from(fails)), "in {}", project.display());
        let mut results = BTreeMap::new();
        collect(out, out, &mut results);
        if let Some(report) = results.get_mut("report") {
            *report = without_host(report);
        }
        results
    }
}

impl Place {
    /// Replays what was recorded elsewhere, with the scripts that lie here.
    fn replay(&self, project: &Path, recorded: &Path) {
        let mut found = BTreeMap::new();
        collect(recorded, &recorded.join("traces"), &mut found);
        let status = Command::new("sh")
            .args(["-c", "umask \"$0\"; exec \"$@\"", self.umask, env!("CARGO_BIN_EXE_provium"), "replay"])
            .args(found.keys().map(|name| recorded.join(name)))
            .current_dir(project.join(self.from))
            .env_clear()
            .envs(self.environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .expect("the command was built");
        assert_eq!(status.code(), Some(0), "what was recorded elsewhere does not replay here");
    }
}

fn collect(top: &Path, directory: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(directory).expect("what was written can be read") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(top, &path, found);
        } else {
            let name = path.strip_prefix(top).expect("it lies below").to_string_lossy().into_owned();
            found.insert(name, fs::read(&path).expect("what was written can be read"));
        }
    }
}

/// The report without the host's time and without where traces were put, which was told on the command line.
fn without_host(report: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(report).expect("JSON is UTF-8");
    let mut lines = String::new();
    for line in text.lines() {
        let mut event: serde_json::Value = serde_json::from_str(line).expect("each line is JSON");
        let fields = event.as_object_mut().expect("each line is an object");
        if fields.get("event").is_some_and(|event| event == "recording") {
            continue;
        }
        fields.remove("host_ns");
        lines.push_str(&event.to_string());
        lines.push('\n');
    }
    lines.into_bytes()
}

/// Where two results differ, for people.
fn difference(name: &str, left: &[u8], right: &[u8]) -> String {
    let (left, right) = (String::from_utf8_lossy(left), String::from_utf8_lossy(right));
    let shorten = |line: &str| line.chars().take(600).collect::<String>();
    let mut pairs = left.lines().zip(right.lines()).enumerate();
    match pairs.find(|(_, (left, right))| left != right) {
        Some((index, (left, right))) => {
            format!("{name}, line {}:\n  {}\n  {}", index + 1, shorten(left), shorten(right))
        }
        None => format!("{name}: one has {} lines, the other {}", left.lines().count(), right.lines().count()),
    }
}

fn assert_same(what: &str, left: &BTreeMap<String, Vec<u8>>, right: &BTreeMap<String, Vec<u8>>) {
    let names = |results: &BTreeMap<String, Vec<u8>>| results.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(left), names(right), "{what}");
    let mut different = Vec::new();
    // What people can read first: it says more.
    for of_traces in [false, true] {
        for (name, content) in left {
            if name.starts_with("traces") == of_traces && *content != right[name] {
                different.push(difference(name, content, &right[name]));
            }
        }
    }
    assert!(different.is_empty(), "{what}: {} results differ\n{}", different.len(), different.join("\n"));
}

#[test]
fn a_run_is_the_same_everywhere() {
    let scratch = tempfile::tempdir().expect("a directory can be made");
    let [here, elsewhere] = PLACES.each_ref().map(|place| place.make(scratch.path()));
    let out = |name: &str| scratch.path().join("out").join(name);
    let first = PLACES[0].run(&here, &out("first"), &FOLDERS, &[]);
    assert!(first.len() > 30, "only {} results", first.len());
    assert_same("in another process", &first, &PLACES[0].run(&here, &out("again"), &FOLDERS, &[]));
    assert_same("in another place", &first, &PLACES[1].run(&elsewhere, &out("elsewhere"), &FOLDERS, &[]));
    // A file on its own: what ran before it in its process must not matter either.
    let alone = PLACES[0].run(&here, &out("alone"), &["tests/lua-portable/values.test.lua"], &[]);
    let trace = alone.iter().find(|(name, _)| name.starts_with("traces")).expect("it was recorded");
    assert!(first.get(trace.0) == Some(trace.1), "a file on its own differs");
}

#[test]
fn a_run_under_a_random_schedule_is_the_same_everywhere() {
    let scratch = tempfile::tempdir().expect("a directory can be made");
    let [left, right] = [0, 1].map(|place: usize| {
        let project = PLACES[place].make(scratch.path());
        let out = scratch.path().join("out").join(place.to_string());
        PLACES[place].run(&project, &out, &["tests/lua", "tests/lua-portable"], &["--seed", "11"])
    });
    assert_same("under a random schedule", &left, &right);
    let elsewhere = scratch.path().join(PLACES[1].project);
    PLACES[1].replay(&elsewhere, &scratch.path().join("out/0"));
}
