//! `provium doctor`: what this machine can do for real guests, and the command that mends what it cannot.

use std::io;

use clap::Args;
use provium_qemu::doctor::{self, Finding, State};
use serde::Serialize;

use super::trace;
use crate::error::{CommandError, Exit};
use crate::report::text::{one_line, width};

/// What to say.
#[derive(Args)]
pub(super) struct DoctorArgs {
    /// One JSON object for each thing that was looked at, on a line of its own
    #[arg(long)]
    json: bool,
}

/// One line of `--json`. Fields are added, never renamed.
#[derive(Serialize)]
struct Line<'a> {
    what: &'a str,
    state: &'static str,
    text: &'a str,
    remedy: Option<&'a str>,
}

/// Looks at the machine.
pub(super) fn doctor(args: &DoctorArgs) -> Result<Exit, CommandError> {
    let (project, _) = super::project()?;
    let profiles: Vec<_> = project.qemu.values().collect();
    let findings = doctor::examine(&profiles);
    let lines = if args.json { findings.iter().map(json).collect() } else { shown(&findings) };
    trace::print(&mut io::stdout(), &lines)?;
    Ok(if can_run(&findings) { Exit::Passed } else { Exit::TestFailed })
}

fn can_run(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.state != State::Missing)
}

fn json(finding: &Finding) -> String {
    let Finding { what, state, text, remedy } = finding;
    let line = Line { what, state: state.as_str(), text, remedy: remedy.as_deref() };
    // Strings can always be written.
    serde_json::to_string(&line).unwrap_or_default()
}

/// A line for each finding, what mends it below, and what follows of all.
fn shown(findings: &[Finding]) -> Vec<String> {
    let mark = |state: State| match state {
        State::Good => "ok",
        State::Less => "!",
        State::Missing => "FAIL",
    };
    let widest = findings.iter().map(|finding| width(&one_line(&finding.what))).max().unwrap_or(0);
    let mut lines = Vec::new();
    for finding in findings {
        let what = one_line(&finding.what);
        let gap = " ".repeat(widest - width(&what));
        lines.push(format!("{:4}  {what}{gap}  {}", mark(finding.state), one_line(&finding.text)));
        if let Some(remedy) = &finding.remedy {
            lines.push(format!("      {}  → {}", " ".repeat(widest), one_line(remedy)));
        }
    }
    lines.push(String::new());
    lines.push(if can_run(findings) {
        "Real guests can be run here: --backend qemu".to_owned()
    } else {
        "Real guests that need what is marked FAIL cannot be run here. Simulated ones need nothing.".to_owned()
    });
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(what: &str, state: State, text: &str, remedy: Option<&str>) -> Finding {
        Finding { what: what.to_owned(), state, text: text.to_owned(), remedy: remedy.map(str::to_owned) }
    }

    #[test]
    fn findings_are_shown_with_what_mends_them() {
        let mut findings = vec![
            finding("QEMU", State::Good, "7.2.22 (Debian), /usr/bin/qemu-system-x86_64", None),
            finding(
                "KVM",
                State::Less,
                "this host has no /dev/kvm; guests are emulated (TCG), about ten times slower",
                Some("sudo modprobe kvm_intel || sudo modprobe kvm_amd"),
            ),
            finding("agent", State::Good, "built in, 1.3 MiB", None),
            finding("image own\u{1b}[2J", State::Less, "not made yet", Some("provium image build own")),
        ];
        let good = shown(&findings).join("\n");
        assert!(can_run(&findings));
        findings.push(finding(
            "cache",
            State::Missing,
            "/c cannot be written",
            Some("export PROVIUM_CACHE=/some/directory"),
        ));
        let bad = shown(&findings).join("\n");
        assert!(!can_run(&findings));
        let json: Vec<String> = findings.iter().map(json).collect();
        insta::assert_snapshot!(format!("{good}\n---\n{bad}\n---\n{}", json.join("\n")));
    }
}
