//! The guest agent: process 1 of a guest, or an ordinary process.

use std::process::ExitCode;

use provium_agent_linux::{Startup, run};

const USAGE: &str = "provium-agent carries out what provium asks of a guest.

As process 1 it finds the host by itself. As an ordinary process:
  provium-agent [--guest] --virtio-port NAME   the virtio port of this name
  provium-agent [--guest] --port PATH          a port, terminal or FIFO
  provium-agent [--guest] --vsock PORT         listens on a vsock port
  provium-agent [--guest] --unix PATH          listens on a unix socket that it makes
  provium-agent [--guest] --stdio              standard input and output
--guest says that it may change this machine and switch it off.";

fn main() -> ExitCode {
    let startup = match Startup::parse(std::env::args().skip(1)) {
        Ok(startup) => startup,
        Err(why) => {
            eprintln!("provium-agent: {why}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(startup) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("provium-agent: {error}");
            ExitCode::FAILURE
        }
    }
}
