//! Commands by way of `qemu-guest-agent`, as its users do it: `guest-exec`, then `guest-exec-status` until it has ended.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How long the agent may take until it first answers: its guest boots meanwhile.
const PATIENCE: Duration = Duration::from_secs(120);

/// The host's end of a conversation.
pub struct Qga {
    lines: BufReader<UnixStream>,
    port: UnixStream,
}

impl Qga {
    /// Begins a conversation: waits until the agent is there.
    pub fn greet(port: &UnixStream) -> Qga {
        let port = port.try_clone().expect("a descriptor");
        let mut qga = Qga { lines: BufReader::new(port.try_clone().expect("a descriptor")), port };
        let begun = Instant::now();
        qga.port.set_read_timeout(Some(Duration::from_secs(1))).expect("a socket");
        // What was said before it was there may come late, be answered late, or be swallowed.
        for id in 1_u64.. {
            assert!(begun.elapsed() < PATIENCE, "qemu-guest-agent does not answer");
            qga.say(&json!({"execute": "guest-sync", "arguments": {"id": id}}));
            if qga.hears(id) {
                break;
            }
        }
        qga.port.set_read_timeout(None).expect("a socket");
        qga
    }

    /// Whether the answer to this greeting comes.
    fn hears(&mut self, id: u64) -> bool {
        let mut line = String::new();
        loop {
            match self.lines.read_line(&mut line) {
                Ok(0) => panic!("the machine has ended"),
                Ok(_) => {
                    let answer: Option<Value> = serde_json::from_str(&line).ok();
                    if answer.is_some_and(|answer| answer["return"] == json!(id)) {
                        return true;
                    }
                    line.clear();
                }
                Err(_) => return false,
            }
        }
    }

    fn say(&mut self, what: &Value) {
        self.port.write_all(format!("{what}\n").as_bytes()).expect("the machine is there");
    }

    fn ask(&mut self, command: &str, arguments: &Value) -> Value {
        self.say(&json!({"execute": command, "arguments": arguments}));
        let mut line = String::new();
        let read = self.lines.read_line(&mut line).expect("the machine answers");
        assert!(read > 0, "the machine has ended");
        let mut answer: Value = serde_json::from_str(&line).expect("an answer is JSON");
        assert!(answer.get("return").is_some(), "{command}: {line}");
        answer["return"].take()
    }

    /// Runs a shell's command to its end; `pause` goes between two looks.
    pub fn run(&mut self, script: &str, pause: Option<Duration>) {
        let arguments = json!({"path": "/bin/sh", "arg": ["-c", script], "capture-output": true});
        let pid = self.ask("guest-exec", &arguments)["pid"].take();
        loop {
            let status = self.ask("guest-exec-status", &json!({"pid": pid}));
            if status["exited"] == json!(true) {
                assert_eq!(status["exitcode"], json!(0), "{script}");
                return;
            }
            if let Some(pause) = pause {
                std::thread::sleep(pause);
            }
        }
    }

    /// Reads what is left of the last conversation.
    pub fn is_quiet(&mut self) -> bool {
        self.port.set_nonblocking(true).expect("a socket");
        let quiet = self.lines.buffer().is_empty() && self.lines.get_mut().read(&mut [0; 1]).is_err();
        self.port.set_nonblocking(false).expect("a socket");
        quiet
    }
}
