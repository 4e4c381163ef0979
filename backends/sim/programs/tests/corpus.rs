//! Scripts that run in the simulator and by the host's shell: both must write the same and end the same.
//!
//! `shell_corpus/*.sh`: `sh-*.sh` are about the language (standard error is compared, too), `ut-*.sh` about
//! utilities. `shell_corpus/KNOWN_DIFFERENCES` lists scripts that differ, each with its reason; one that
//! does not differ any more is an error, so that the list stays true.
//!
//! What the host says is kept beside each script (`.expected`): a machine that lacks the tools of a script,
//! or has other versions than `shell_corpus/HOST_TOOLS` names, compares with that. `PROVIUM_RECORD=1` writes
//! both anew. `PROVIUM_CORPUS=TEXT` takes only scripts with that text in their names.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "this test compares the simulator with the host"
)]

#[expect(dead_code, reason = "each test uses a part of it")]
mod common;
mod host_tools;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::Rc;

use common::{ENVIRONMENT, Outcome, Start, run_to_end};
use host_tools::HostTools;
use provium_kernel::ProgramTable;
use provium_protocol::choice::Fixed;

/// How long the host may take for one script, in seconds.
const HOST_TIMEOUT: &str = "20";

/// Starts a script as the guest does, whatever the umask is here and whatever signals are ignored, which they
/// are where a job of a shell without job control runs the tests.
const AS_IN_GUEST: &str = "umask 022; exec env --default-signal timeout -k 1 \"$1\" dash script.sh";

/// How often the host is asked if the guest says what is recorded and the host does not: some scripts sleep
/// for as long as another process needs, which a busy host may not give it.
const HOST_TRIES: u32 = 3;

/// There are at least so many scripts: a corpus that is not found, or that loses scripts by a mistake, must
/// not pass, and fewer would not cover the language and the utilities.
const LEAST_SCRIPTS: usize = 300;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/shell_corpus")
}

fn list_of_tools() -> PathBuf {
    corpus().join("HOST_TOOLS")
}

/// Names and texts of all scripts.
fn scripts() -> BTreeMap<String, String> {
    let entries = fs::read_dir(corpus()).unwrap().map(|entry| entry.unwrap());
    entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok().filter(|name| name.ends_with(".sh"))?;
            Some((name, fs::read_to_string(entry.path()).expect("a script is text")))
        })
        .collect()
}

/// Runs a script by the host's dash in an empty directory.
fn on_host(name: &str, script: &[u8]) -> Outcome {
    let directory = std::env::temp_dir().join(format!("provium-corpus-{}-{name}", std::process::id()));
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("script.sh"), script).unwrap();
    let output = Command::new("sh")
        .args(["-c", AS_IN_GUEST, "sh", HOST_TIMEOUT])
        .current_dir(&directory)
        .env_clear()
        .envs(ENVIRONMENT)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    // What a script made unreadable is not worth a failure.
    let _left_behind = fs::remove_dir_all(&directory);
    let code = output.status.code().unwrap_or(-1);
    Outcome { stdout: output.stdout, stderr: output.stderr, code }
}

fn in_guest(script: &[u8]) -> Outcome {
    let endless = || Outcome { stdout: Vec::new(), stderr: b"it does not end".to_vec(), code: -1 };
    run_to_end(Start::file(script), Rc::new(Fixed::default())).unwrap_or_else(endless)
}

fn recorded(outcome: &Outcome) -> Vec<u8> {
    let mut text = format!("exit {}\n--- stdout {}\n", outcome.code, outcome.stdout.len()).into_bytes();
    text.extend_from_slice(&outcome.stdout);
    text.extend_from_slice(format!("--- stderr {}\n", outcome.stderr.len()).as_bytes());
    text.extend_from_slice(&outcome.stderr);
    text
}

fn read_recorded(text: &[u8]) -> Option<Outcome> {
    let (code, rest) = number_after(text, b"exit ")?;
    let (length, rest) = number_after(rest, b"--- stdout ")?;
    let (stdout, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    let (length, rest) = number_after(rest, b"--- stderr ")?;
    let stderr = rest.get(..usize::try_from(length).ok()?)?;
    Some(Outcome { stdout: stdout.to_vec(), stderr: stderr.to_vec(), code })
}

fn number_after<'t>(text: &'t [u8], word: &[u8]) -> Option<(i32, &'t [u8])> {
    let rest = text.strip_prefix(word)?;
    let end = rest.iter().position(|&byte| byte == b'\n')?;
    Some((std::str::from_utf8(&rest[..end]).ok()?.parse().ok()?, &rest[end + 1..]))
}

/// Scripts that differ, with the reasons.
fn known_differences() -> BTreeMap<String, String> {
    let text = fs::read_to_string(corpus().join("KNOWN_DIFFERENCES")).unwrap_or_default();
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, reason) = line.split_once(": ").expect("NAME.sh: REASON");
            (name.to_owned(), reason.to_owned())
        })
        .collect()
}

fn difference(name: &str, expected: &Outcome, found: &Outcome) -> Option<String> {
    let mut text = String::new();
    let mut compare = |what: &str, expected: &[u8], found: &[u8]| {
        if expected != found {
            let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace('\n', "\n    ");
            text.push_str(&format!(
                "  {what} expected:\n    {}\n  {what} found:\n    {}\n",
                shown(expected),
                shown(found)
            ));
        }
    };
    compare("stdout", &expected.stdout, &found.stdout);
    if name.starts_with("sh-") {
        compare("stderr", &expected.stderr, &found.stderr);
    }
    compare("status", expected.code.to_string().as_bytes(), found.code.to_string().as_bytes());
    (!text.is_empty()).then(|| format!("{name}:\n{text}"))
}

#[test]
fn scripts_do_the_same_in_the_guest_and_on_the_host() {
    let known = known_differences();
    let record = std::env::var_os("PROVIUM_RECORD").is_some();
    let only = std::env::var("PROVIUM_CORPUS").unwrap_or_default();
    let list = fs::read_to_string(list_of_tools()).unwrap();
    let tools = HostTools::new(&list);
    let scripts = scripts();
    assert!(scripts.len() >= LEAST_SCRIPTS, "only {} scripts", scripts.len());
    let (mut problems, mut not_asked) = (Vec::new(), BTreeMap::<String, u32>::new());
    // Some outcomes of other versions than the rest would make the list wrong.
    let new_versions = record && only.is_empty();
    for (name, script) in scripts.iter().filter(|(name, _)| name.contains(&only)) {
        let path = corpus().join(name.replace(".sh", ".expected"));
        let kept = fs::read(&path).ok().and_then(|text| read_recorded(&text));
        let found = in_guest(script.as_bytes());
        let expected = match tools.unfit(name, script, new_versions) {
            None if record => {
                let outcome = on_host(name, script.as_bytes());
                fs::write(&path, recorded(&outcome)).unwrap();
                outcome
            }
            None => {
                let same = |outcome: &Outcome| difference(name, outcome, &found).is_none();
                let tries = if kept.as_ref().is_some_and(same) { HOST_TRIES } else { 1 };
                let mut outcome = on_host(name, script.as_bytes());
                for _ in 1..tries {
                    if !same(&outcome) {
                        outcome = on_host(name, script.as_bytes());
                    }
                }
                outcome
            }
            Some(reason) => {
                assert!(!record, "{name} cannot be recorded: {reason}");
                *not_asked.entry(reason).or_default() += 1;
                kept.expect("a recorded outcome")
            }
        };
        match (difference(name, &expected, &found), known.get(name)) {
            (Some(_), Some(_)) | (None, None) => {}
            (Some(text), None) => problems.push(text),
            (None, Some(reason)) => problems.push(format!("{name} does not differ any more ({reason})\n")),
        }
    }
    if new_versions {
        fs::write(list_of_tools(), tools.list(&list)).unwrap();
    }
    for (reason, count) in &not_asked {
        eprintln!("{count} of {} scripts are compared with their recorded outcomes: {reason}", scripts.len());
    }
    assert!(problems.is_empty(), "{} of {} scripts:\n{}", problems.len(), scripts.len(), problems.join("\n"));
}

#[test]
fn every_known_difference_is_a_script_and_every_script_is_recorded() {
    let scripts = scripts();
    for name in known_differences().keys() {
        assert!(scripts.contains_key(name), "{name}");
    }
    for name in scripts.keys() {
        let kept = fs::read(corpus().join(name.replace(".sh", ".expected"))).unwrap_or_default();
        assert!(read_recorded(&kept).is_some(), "{name}: run with PROVIUM_RECORD=1");
    }
}

#[test]
fn every_tool_of_a_script_is_listed_with_its_package() {
    let tools = HostTools::new(&fs::read_to_string(list_of_tools()).unwrap());
    let mut table = ProgramTable::new();
    provium_programs::install(&mut table);
    let programs: BTreeSet<String> =
        table.paths().filter_map(|(path, _)| path.rsplit('/').next()).map(str::to_owned).collect();
    for (name, script) in scripts() {
        let unlisted = tools.unlisted(&name, &script, &programs);
        assert!(unlisted.is_empty(), "{name} runs tools that HOST_TOOLS lacks: {unlisted:?}");
    }
}
