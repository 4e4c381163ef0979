//! Scripts that run in the simulator and by the host's shell: both must write the same and end the same.
//!
//! `shell_corpus/*.sh`: `sh-*.sh` are about the language (standard error is compared, too), `ut-*.sh` about
//! utilities. `shell_corpus/KNOWN_DIFFERENCES` lists scripts that differ, each with its reason; one that
//! does not differ any more is an error, so that the list stays true.
//!
//! What the host says is kept beside each script (`.expected`), so that a machine without dash compares with
//! that. `PROVIUM_RECORD=1` writes it anew.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "this test compares the simulator with the host"
)]

#[expect(dead_code, reason = "each test uses a part of it")]
mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::Rc;

use common::{ENVIRONMENT, Outcome, Start, run};
use provium_protocol::choice::Fixed;

/// How long the host may take for one script, in seconds.
const HOST_TIMEOUT: &str = "20";

/// There are at least so many scripts: a corpus that is not found, or that loses scripts by a mistake, must
/// not pass, and fewer would not cover the language and the utilities.
const LEAST_SCRIPTS: usize = 300;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/shell_corpus")
}

fn has_dash() -> bool {
    Command::new("dash").args(["-c", ":"]).status().is_ok_and(|status| status.success())
}

/// Runs a script by the host's dash in an empty directory.
fn on_host(name: &str, script: &[u8]) -> Outcome {
    let directory = std::env::temp_dir().join(format!("provium-corpus-{}-{name}", std::process::id()));
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("script.sh"), script).unwrap();
    let output = Command::new("timeout")
        .args(["-k", "1", HOST_TIMEOUT, "dash", "script.sh"])
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
    run(Start::file(script), Rc::new(Fixed::default()))
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
    let has_dash = has_dash();
    let mut names: Vec<String> = fs::read_dir(corpus())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".sh"))
        .collect();
    names.sort();
    assert!(names.len() >= LEAST_SCRIPTS, "only {} scripts", names.len());
    let mut problems = Vec::new();
    for name in names.iter().filter(|name| name.contains(&only)) {
        let script = fs::read(corpus().join(name)).unwrap();
        let kept = corpus().join(name.replace(".sh", ".expected"));
        let expected = if has_dash {
            let outcome = on_host(name, &script);
            if record {
                fs::write(&kept, recorded(&outcome)).unwrap();
            }
            outcome
        } else {
            read_recorded(&fs::read(&kept).unwrap()).expect("a recorded outcome")
        };
        match (difference(name, &expected, &in_guest(&script)), known.get(name)) {
            (Some(_), Some(_)) | (None, None) => {}
            (Some(text), None) => problems.push(text),
            (None, Some(reason)) => problems.push(format!("{name} does not differ any more ({reason})\n")),
        }
    }
    assert!(problems.is_empty(), "{} of {} scripts:\n{}", problems.len(), names.len(), problems.join("\n"));
}

#[test]
fn every_known_difference_is_a_script_and_every_script_is_recorded() {
    for name in known_differences().keys() {
        assert!(corpus().join(name).exists(), "{name}");
    }
    for entry in fs::read_dir(corpus()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".sh") {
            let kept = fs::read(corpus().join(name.replace(".sh", ".expected"))).unwrap_or_default();
            assert!(read_recorded(&kept).is_some(), "{name}: run with PROVIUM_RECORD=1");
        }
    }
}
