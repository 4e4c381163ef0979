//! Conversations with a QGA that is none: it says what it is told to.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use provium_protocol::exec::{Command, ExecSpec, ExitStatus};
use provium_protocol::fs::OpenMode;
use provium_protocol::{Errno, ErrorKind, Lane, Op, OpError, Reply};
use qapi::qga::{guest_file_open, guest_ping};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::mpsc;

use super::Qga;
use super::errors::Refused;
use super::frame::DELIMITER;
use super::talk::Talk;

/// Longer than anything here takes when all is well: time passes only when nobody has anything to do.
const LONG: Duration = Duration::from_secs(3600);

/// What a real QGA says to the delimiter.
const STRAY: &str = r#"{"error": {"class": "GenericError", "desc": "JSON parse error, stray '\uFFFD'"}}"#;

/// The guest's side of a conversation.
struct Fake {
    stream: DuplexStream,
    buffer: Vec<u8>,
}

impl Fake {
    fn new() -> (Fake, DuplexStream) {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        (Fake { stream: ours, buffer: Vec::new() }, theirs)
    }

    async fn say(&mut self, bytes: &[u8]) {
        // The other side may have ended the conversation.
        let _ = self.stream.write_all(bytes).await;
    }

    async fn return_value(&mut self, value: Value) {
        self.say(format!("{}\n", json!({ "return": value })).as_bytes()).await;
    }

    async fn refuse(&mut self, desc: &str) {
        self.say(format!("{}\n", json!({"error": {"class": "GenericError", "desc": desc}})).as_bytes()).await;
    }

    async fn answer_sync(&mut self, arguments: &Value) {
        self.say(format!("{STRAY}\n").as_bytes()).await;
        self.say(&[DELIMITER]).await;
        self.return_value(arguments["id"].clone()).await;
    }

    /// The next command, with its arguments.
    async fn hear(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some(at) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=at).collect();
                let line = line.strip_prefix(&[DELIMITER]).unwrap_or(&line);
                let mut command: Value = serde_json::from_slice(line).expect("a command is JSON");
                let name = command["execute"].as_str().expect("a command has a name").to_owned();
                return Some((name, command["arguments"].take()));
            }
            if self.stream.read_buf(&mut self.buffer).await.unwrap_or(0) == 0 {
                return None;
            }
        }
    }

    /// The next command that synchronises nothing; what does is answered.
    async fn hear_command(&mut self) -> Option<(String, Value)> {
        loop {
            match self.hear().await? {
                (name, arguments) if name == "guest-sync-delimited" => self.answer_sync(&arguments).await,
                command => return Some(command),
            }
        }
    }
}

/// Ends a test that hangs.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(LONG, future).await.expect("it ends")
}

async fn ping(talk: &Talk) -> Result<(), Refused> {
    soon(talk.ask(guest_ping {})).await.map(drop)
}

#[tokio::test(start_paused = true)]
async fn the_first_answer_is_a_parse_error_and_is_read_past() {
    let (mut fake, stream) = Fake::new();
    let talk = Talk::open(stream);
    let guest = tokio::spawn(async move {
        // The end of what was said to somebody before.
        fake.say(b"{\"return\": 99}\n{\"return\": {\"pi").await;
        let (command, _) = fake.hear_command().await.expect("a command comes");
        assert_eq!(command, "guest-ping");
        fake.return_value(json!({})).await;
        fake
    });
    ping(&talk).await.expect("it answers");
    guest.await.expect("no panic");
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_boots_for_long_answers_every_synchronisation_at_last() {
    let (mut fake, stream) = Fake::new();
    let talk = Talk::open(stream);
    let guest = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(7)).await;
        let mut syncs = 0;
        loop {
            let (command, arguments) = fake.hear().await.expect("a command comes");
            if command == "guest-ping" {
                break;
            }
            syncs += 1;
            fake.answer_sync(&arguments).await;
        }
        fake.return_value(json!({})).await;
        syncs
    });
    ping(&talk).await.expect("it answers");
    assert!(guest.await.expect("no panic") > 1);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_cannot_be_read_disturbs_one_question_only() {
    let (mut fake, stream) = Fake::new();
    let talk = Talk::open(stream);
    tokio::spawn(async move {
        for garbage in [&b"{\"return\": {}\x80}\n"[..], b"login: \n"] {
            fake.hear_command().await;
            fake.say(garbage).await;
        }
        fake.hear_command().await;
        // Said by somebody who was not asked, in two halves.
        fake.return_value(json!({})).await;
        fake.say(b"nobody asked\n{\"return\"").await;
        while fake.hear_command().await.is_some() {
            fake.return_value(json!({})).await;
        }
    });
    for _ in 0..2 {
        assert!(matches!(ping(&talk).await, Err(Refused::Disturbed)));
    }
    ping(&talk).await.expect("it answers");
    tokio::time::sleep(Duration::from_secs(1)).await;
    ping(&talk).await.expect("it answers");
}

#[tokio::test(start_paused = true)]
async fn a_qga_that_was_started_anew_has_forgotten_the_question() {
    let (mut fake, stream) = Fake::new();
    let talk = Talk::open(stream);
    tokio::spawn(async move {
        fake.hear_command().await;
        while fake.hear_command().await.is_some() {
            fake.return_value(json!({})).await;
        }
    });
    assert!(matches!(ping(&talk).await, Err(Refused::Disturbed)));
    ping(&talk).await.expect("it answers");
}

#[tokio::test(start_paused = true)]
async fn a_question_that_takes_long_keeps_its_answer() {
    let (mut fake, stream) = Fake::new();
    let talk = Talk::open(stream);
    tokio::spawn(async move {
        for value in [1, 2] {
            fake.hear_command().await;
            // It is asked whether it is there meanwhile, and says so afterwards.
            tokio::time::sleep(Duration::from_secs(5)).await;
            fake.return_value(json!(value)).await;
        }
        fake.hear_command().await;
    });
    for value in [1, 2] {
        let answer = soon(talk.ask(guest_file_open { path: "/x".into(), mode: None })).await;
        assert_eq!(answer.expect("it answers"), value);
    }
}

#[tokio::test(start_paused = true)]
async fn who_gives_up_takes_no_answer_from_the_next() {
    let (mut fake, stream) = Fake::new();
    let talk = Talk::open(stream);
    tokio::spawn(async move {
        let mut value = 0;
        while fake.hear_command().await.is_some() {
            value += 1;
            tokio::time::sleep(Duration::from_millis(100)).await;
            fake.return_value(json!(value)).await;
        }
    });
    let open = || talk.ask(guest_file_open { path: "/x".into(), mode: None });
    assert!(tokio::time::timeout(Duration::from_millis(50), open()).await.is_err());
    assert_eq!(soon(open()).await.expect("it answers"), 2);
}

#[tokio::test(start_paused = true)]
async fn silence_is_noticed_while_something_is_asked_and_the_guest_runs() {
    let (mut fake, stream) = Fake::new();
    let talk = Talk::open(stream);
    let within = |seconds| tokio::time::timeout(Duration::from_secs(seconds), talk.unresponsive());
    assert!(within(60).await.is_err(), "nothing was asked");
    let guest = tokio::spawn(async move {
        fake.hear_command().await;
        fake
    });
    let asking = tokio::spawn({
        let talk = talk.clone();
        async move { talk.ask(guest_ping {}).await.map(drop) }
    });
    let fake = guest.await.expect("no panic");
    talk.set_paused(true);
    assert!(within(60).await.is_err(), "it is paused");
    talk.set_paused(false);
    // It is asked again and again whether it is there, which is no sign that it is.
    assert!(within(15).await.is_ok());
    talk.fail(OpError::lost("it was lost"));
    let error = soon(asking).await.expect("no panic").expect_err("it is lost");
    assert_eq!(error.doing("ping"), OpError::lost("it was lost"));
    drop(fake);
    soon(talk.closed()).await;
}

/// A QGA that answers commands by a function, and tells which came.
fn guest(
    mut answer: impl FnMut(&str, &Value) -> Result<Value, String> + Send + 'static,
) -> (Qga, mpsc::UnboundedReceiver<(String, Value)>) {
    let (mut fake, stream) = Fake::new();
    let (tell, heard) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some((name, arguments)) = fake.hear_command().await {
            // Few tests look at what was asked.
            let _ = tell.send((name.clone(), arguments.clone()));
            match answer(&name, &arguments) {
                Ok(value) => fake.return_value(value).await,
                Err(desc) => fake.refuse(&desc).await,
            }
        }
    });
    (Qga::open(stream, 0), heard)
}

fn script(arguments: &Value) -> String {
    let words = arguments["arg"].as_array().cloned().unwrap_or_default();
    words.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
}

/// Commands of a guest: `setsid` is there, those that sleep run until they are killed, all others end at once.
#[derive(Default)]
struct Commands {
    last: i64,
    sleeping: Vec<i64>,
}

impl Commands {
    fn answer(&mut self, name: &str, arguments: &Value) -> Result<Value, String> {
        match name {
            "guest-exec" => {
                self.last += 1;
                let script = script(arguments);
                if script.contains("sleep") {
                    self.sleeping.push(self.last);
                }
                if let Some((_, pid)) = script.rsplit_once(" -").filter(|_| script.contains("kill ")) {
                    self.sleeping.retain(|sleeping| sleeping.to_string() != pid);
                }
                Ok(json!({ "pid": self.last }))
            }
            "guest-exec-status" => match arguments["pid"].as_i64() {
                Some(pid) if self.sleeping.contains(&pid) => Ok(json!({ "exited": false })),
                // For who asks where that is.
                _ => Ok(json!({"exited": true, "exitcode": 0, "out-data": base64("/usr/bin/setsid\n")})),
            },
            _ => Ok(json!({})),
        }
    }
}

fn run(qga: &Qga, script: &str, timeout: Option<Duration>) -> super::Call {
    let timeout_ns = timeout.map(|timeout| timeout.as_nanos() as u64);
    qga.call(Lane::Main, Op::Run { spec: ExecSpec::shell(script), timeout_ns })
}

fn status_of(reply: Result<Reply, OpError>) -> ExitStatus {
    match reply {
        Ok(Reply::Run(reply)) => reply.status,
        other => panic!("no result of a command: {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_command_that_runs_holds_up_no_other() {
    let mut commands = Commands::default();
    let (qga, _) = guest(move |name, arguments| commands.answer(name, arguments));
    let long = run(&qga, "sleep 100", Some(Duration::from_secs(50)));
    assert_eq!(status_of(soon(run(&qga, "true", None)).await), ExitStatus::Exited(0));
    assert_eq!(status_of(soon(long).await), ExitStatus::TimedOut);
}

#[tokio::test(start_paused = true)]
async fn an_abandoned_command_is_killed_with_its_group() {
    let mut commands = Commands::default();
    let (qga, mut heard) = guest(move |name, arguments| commands.answer(name, arguments));
    let abandoned = run(&qga, "sleep 100", None);
    assert!(tokio::time::timeout(Duration::from_secs(1), abandoned).await.is_err());
    let killed = async {
        loop {
            let (name, arguments) = heard.recv().await.expect("the guest is there");
            if name == "guest-exec" && script(&arguments).contains("kill ") {
                return arguments;
            }
        }
    };
    // The first process looked for setsid, the second is the command.
    assert_eq!(soon(killed).await["arg"], json!(["-c", "kill -\"$0\" \"$1\"", "9", "-2"]));
}

#[tokio::test(start_paused = true)]
async fn an_abandoned_file_is_closed() {
    let (qga, mut heard) = guest(|name, _| match name {
        "guest-file-open" => Ok(json!(1000)),
        _ => Ok(json!({})),
    });
    let mode = OpenMode { read: true, ..OpenMode::default() };
    let opening = qga.call(Lane::Main, Op::OpenFile { path: "/x".into(), mode });
    assert_eq!(soon(heard.recv()).await.map(|(name, _)| name).as_deref(), Some("guest-file-open"));
    drop(opening);
    assert_eq!(soon(heard.recv()).await, Some(("guest-file-close".to_owned(), json!({"handle": 1000}))));
}

#[tokio::test(start_paused = true)]
async fn a_program_that_qga_cannot_start_is_an_error_of_the_system() {
    let (qga, _) = guest(|name, arguments| match name {
        "guest-exec" if script(arguments).contains("command -v") => Ok(json!({"pid": 1})),
        // There is no setsid, so that QGA starts the program.
        "guest-exec-status" => Ok(json!({"exited": true, "exitcode": 127})),
        "guest-exec" => Err("Failed to execute child process “x” (Exec format error)".to_owned()),
        _ => Err(format!("{name} was not expected")),
    });
    let spec = ExecSpec::new(Command::Direct { program: "x".to_owned(), args: Vec::new() });
    let error = soon(qga.call(Lane::Main, Op::Run { spec, timeout_ns: None })).await.expect_err("it does not start");
    assert_eq!(error, OpError::os(Errno::ENOEXEC, "start `x`"));
}

/// It may end between the opening of its file in `/proc` and the reading.
#[tokio::test(start_paused = true)]
async fn a_program_that_ends_while_its_start_is_looked_at_was_started_or_says_why_not() {
    for (said, expected) in [("", Ok(())), ("setsid: failed to execute x: Permission denied\n", Err(Errno::EACCES))] {
        let mut commands = Commands::default();
        let mut looks = 0;
        let status = json!({"exited": true, "exitcode": 126, "err-data": base64(said)});
        let (qga, _) = guest(move |name, arguments| match name {
            "guest-file-open" => Ok(json!(1000)),
            "guest-file-read" => Err("failed to read file: No such process".to_owned()),
            "guest-exec-status" if arguments["pid"] == 2 => {
                looks += 1;
                Ok(if looks < 3 { json!({ "exited": false }) } else { status.clone() })
            }
            _ => commands.answer(name, arguments),
        });
        let spec = ExecSpec::new(Command::Direct { program: "x".to_owned(), args: Vec::new() });
        let spawned = soon(qga.call(Lane::Main, Op::Spawn(spec))).await;
        assert_eq!(spawned.map(drop).map_err(|error| error.errno), expected.map_err(Some));
    }
}

/// Bytes as QGA sends them.
fn base64(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::new();
    for bytes in text.as_bytes().chunks(3) {
        let number = bytes.iter().enumerate().fold(0, |number, (at, byte)| number | u32::from(*byte) << (16 - 8 * at));
        for at in 0..4 {
            let digit = DIGITS[(number >> (18 - 6 * at)) as usize & 63];
            encoded.push(if at <= bytes.len() { char::from(digit) } else { '=' });
        }
    }
    encoded
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_is_refused_by_name_also_in_a_batch() {
    let asked = Arc::new(Mutex::new(0));
    let count = Arc::clone(&asked);
    let (qga, _) = guest(move |_, _| {
        *count.lock().expect("no panic") += 1;
        Ok(json!({}))
    });
    let ops = vec![Op::Stat("/".into()), Op::SpawnWorker { name: "w".to_owned() }, Op::Batch(Vec::new())];
    let Ok(Reply::Batch(outcomes)) = soon(qga.call(Lane::Main, Op::Batch(ops))).await else { panic!("no batch") };
    let kinds: Vec<_> = outcomes.iter().map(|outcome| outcome.as_ref().map_err(|error| error.kind)).collect();
    assert_eq!(kinds, [Err(ErrorKind::Unsupported), Err(ErrorKind::Unsupported), Err(ErrorKind::Usage)]);
    for (outcome, name) in outcomes.iter().zip(["`stat`", "`spawn_worker`"]) {
        let error = outcome.as_ref().expect_err("refused");
        assert!(error.message.contains(name) && error.message.contains("qemu-guest-agent"), "{error}");
    }
    assert_eq!(*asked.lock().expect("no panic"), 0);
}
