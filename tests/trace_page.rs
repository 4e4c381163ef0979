//! The page of a trace in a browser, where there is one: CI has it.

use std::path::Path;
use std::process::Command;

use provium::trace::export::html;
use provium::trace::record::{At, Boundary, Header, Record, RecordedVerdict};
use provium::trace::timeline::Timeline;
use provium_protocol::exec::{ExecSpec, ExitStatus, RunReply};
use provium_protocol::profile::BootSpec;
use provium_protocol::{Errno, Lane, Op, OpError, Reply};

/// Far more exchanges than anybody looks at one by one.
const MANY: u32 = 10_000;

const SCRIPT: &str = "local vm = lab:vm('a')\ntest('many', function(t)\n    vm:run('x')\nend)\n";

fn timeline(exchanges: u32) -> Timeline {
    let mut records = vec![
        Record::Source { name: "many.test.lua".into(), module: None, text: SCRIPT.into() },
        Record::Boundary { dt: 0, what: Boundary::FileBegins },
        Record::Task { path: "main".into(), at: None },
        Record::Poll { task: 0, dt: 0 },
        Record::Boot { at: None, spec: Box::new(BootSpec { vm: "a".into(), ..BootSpec::default() }) },
        Record::Booted { back: 0, result: Ok(()) },
        Record::Boundary { dt: 0, what: Boundary::FileLoaded { failure: None } },
        Record::Boundary { dt: 0, what: Boundary::TestBegins { name: "many </script><b id=evil>".into() } },
        Record::Task { path: "main".into(), at: None },
    ];
    for number in 0..exchanges {
        records.push(Record::Poll { task: 1, dt: 1_000 });
        let at = Some(At { source: 0, line: 3 });
        let spec = ExecSpec::shell(format!("echo </script><i id=evil> {number}"));
        let (lane, worker) = match number % 3 {
            0 => (Lane::Main, None),
            worker => (Lane::Worker(worker.into()), Some(format!("worker{worker}"))),
        };
        records.push(Record::Begun { guest: 0, lane, worker, at, op: Op::Run { spec, timeout_ns: None } });
        records.push(Record::Poll { task: 1, dt: 2_000 });
        let stdout = format!("<img src=x onerror=alert(1)> {number}\n").into_bytes();
        let (status, stderr) = (ExitStatus::Exited(0), Vec::new());
        let ran = RunReply { status, stdout, stderr, truncated: false, duration_ns: 2_000 };
        let result = if number % 7 == 3 { Err(OpError::os(Errno::ENOENT, "run")) } else { Ok(Reply::Run(ran)) };
        records.push(Record::Ended { back: 0, result });
    }
    let verdict = RecordedVerdict::Failed { message: "left: 1\nright: 2".into(), at: Some(At { source: 0, line: 3 }) };
    records.push(Record::Boundary { dt: 0, what: Boundary::TestCloses });
    let name = "many </script><b id=evil>".into();
    records.push(Record::Boundary { dt: 0, what: Boundary::TestEnds { name, verdict } });
    records.push(Record::Boundary { dt: 0, what: Boundary::FileCloses });
    records.push(Record::Boundary { dt: 0, what: Boundary::FileEnds });
    let header = Header { file: "many.test.lua".into(), backend: "sim".into(), ..Header::default() };
    Timeline::new(header, records).expect("the records make sense")
}

/// The page as the browser has it once its code ran, and what the code complained of; `None` without a browser.
fn browse(page: &Path, part: &str, options: &[&str]) -> Option<(String, String)> {
    let profile = tempfile::tempdir().expect("a directory");
    let output = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--window-size=1400,900", "--enable-logging=stderr"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(["--virtual-time-budget=5000", "--dump-dom"])
        .args(options)
        .arg(format!("file://{}{part}", page.display()))
        .output();
    match output {
        Ok(output) => {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let complaints =
                text(&output.stderr).lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned).collect();
            Some((text(&output.stdout), complaints))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("there is no chromium here: the page was not looked at");
            None
        }
        Err(error) => panic!("chromium: {error}"),
    }
}

#[test]
fn a_browser_shows_ten_thousand_exchanges() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("page.html");
    let mut page = Vec::new();
    html::write(&mut page, &timeline(MANY)).expect("memory takes everything");
    std::fs::write(&path, page).expect("the directory takes everything");

    let Some((shown, complaints)) = browse(&path, "", &[]) else { return };
    assert_eq!(complaints, "");
    assert!(shown.contains(&format!("data-ready=\"{}\"", MANY + 1)), "the code did not come to its end");
    assert!(shown.contains("data-theme=\"light\""));
    // What guests and scripts say is text, and nothing else.
    assert!(!shown.contains("<b id=\"evil\"") && !shown.contains("<i id=\"evil\"") && !shown.contains("<img"));
    assert!(shown.contains("many &lt;/script&gt;&lt;b id=evil&gt;"), "the test's name is missing");
    assert!(shown.contains("data-seq=\"1\""), "the list is empty");
    assert!(!shown.contains("data-seq=\"9000\""), "lines that cannot be seen are drawn");
    assert!(shown.contains("worker2"), "a lane is missing");

    let Some((shown, complaints)) = browse(&path, "#9001", &["--force-dark-mode"]) else { return };
    assert_eq!(complaints, "");
    assert!(shown.contains("data-theme=\"dark\""));
    assert!(shown.contains("data-seq=\"9001\""), "the chosen exchange is not in view");
    assert!(shown.contains("echo &lt;/script&gt;&lt;i id=evil&gt; 9000"), "its arguments are not shown");
    assert!(
        shown.contains("<div class=\"here\"><span class=\"no\">3</span>    vm:run('x')</div>"),
        "its line is not shown"
    );
}
