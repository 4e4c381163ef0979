//! Real guests that a test can do harm to from outside: commands that begin with [`ON_THE_HOST`] are carried out here.

use std::process::Command as HostCommand;
use std::rc::Rc;
use std::sync::Arc;

use provium_protocol::exec::{Command, ExitStatus, RunReply};
use provium_protocol::profile::BootSpec;
use provium_protocol::program::Program;
use provium_protocol::{Backend, Choices, Frame, Guest, Idle, Lane, LocalFuture, Nanos, Op, OpError, Reply, StreamId};
use provium_qemu::QemuBackend;
use provium_qemu::backend::Host;
use provium_qemu::guest::QemuGuest;
use provium_qemu::link::Link;
use provium_qemu::machine::Machine;

/// What a command begins with that is not for the guest.
const ON_THE_HOST: &str = "on the host: ";

/// Bytes of garbage: more than fit into one read of either end.
const GARBAGE: u32 = 1 << 20;

/// [`QemuBackend`], whose guests can be harmed.
pub struct Troubled(QemuBackend);

impl Troubled {
    pub fn backend(host: &Arc<Host>, choices: Rc<dyn Choices>) -> Rc<dyn Backend> {
        Rc::new(Troubled(QemuBackend::new(Arc::clone(host), choices)))
    }
}

struct TroubledGuest(Rc<QemuGuest>);

impl Guest for TroubledGuest {
    fn call(&self, lane: Lane, op: Op) -> LocalFuture<Result<Reply, OpError>> {
        let Op::Run { spec, .. } = &op else { return self.0.call(lane, op) };
        let Command::Shell(script) = &spec.command else { return self.0.call(lane, op) };
        let Some(trouble) = script.strip_prefix(ON_THE_HOST) else { return self.0.call(lane, op) };
        let done = match self.0.innards() {
            Some((machine, link)) => make(trouble, &machine, &link),
            None => Err("its power is off".to_owned()),
        };
        Box::pin(std::future::ready(match done {
            Ok(()) => Ok(Reply::Run(success())),
            Err(why) => Err(OpError::usage(format!("{trouble}: {why}"))),
        }))
    }

    fn next_frame(&self, stream: StreamId) -> LocalFuture<Result<Option<Frame>, OpError>> {
        self.0.next_frame(stream)
    }
}

fn success() -> RunReply {
    RunReply { status: ExitStatus::Exited(0), stdout: Vec::new(), stderr: Vec::new(), truncated: false, duration_ns: 0 }
}

fn make(trouble: &str, machine: &Machine, link: &Link) -> Result<(), String> {
    match trouble {
        "kill QEMU" => signal(machine, "KILL"),
        "stop QEMU" => signal(machine, "STOP"),
        "close the monitor" => machine.disconnect().map_err(|error| error.to_string()),
        "garbage to the guest" => {
            link.disturb(&garbage(), &[]);
            Ok(())
        }
        "garbage from the guest" => {
            link.disturb(&[], &garbage());
            Ok(())
        }
        _ => Err("nobody knows how".to_owned()),
    }
}

fn signal(machine: &Machine, signal: &str) -> Result<(), String> {
    let pid = machine.pid().ok_or("it has no process")?;
    let status = HostCommand::new("kill").args(["-s", signal, &pid.to_string()]).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        other => Err(format!("kill ended with {other:?}")),
    }
}

/// Bytes without sense, with the beginnings of chunks among them.
fn garbage() -> Vec<u8> {
    let magic = provium_protocol::wire::MAGIC;
    let noise = |at: u32| at.wrapping_mul(2_654_435_761).wrapping_add(at >> 3).to_be_bytes()[0];
    (0..GARBAGE).map(|at| if at % 1000 < 4 { magic[at as usize % 1000] } else { noise(at) }).collect()
}

impl Backend for Troubled {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn boot(&self, spec: BootSpec) -> LocalFuture<Result<Rc<dyn Guest>, OpError>> {
        let booting = self.0.boot_real(spec);
        Box::pin(async move { Ok(Rc::new(TroubledGuest(booting.await?)) as Rc<dyn Guest>) })
    }

    fn now(&self) -> Nanos {
        self.0.now()
    }

    fn overdue(&self, deadline: Nanos, look: u64) -> bool {
        self.0.overdue(deadline, look)
    }

    fn sleep(&self, duration: Nanos) -> LocalFuture<()> {
        self.0.sleep(duration)
    }

    fn choices(&self) -> Rc<dyn Choices> {
        self.0.choices()
    }

    fn compute(&self, ns: Nanos) {
        self.0.compute(ns);
    }

    fn define_program(&self, name: &str, program: Program) {
        self.0.define_program(name, program);
    }

    fn has_step(&self) -> bool {
        self.0.has_step()
    }

    fn step(&self) {
        self.0.step();
    }

    fn idle(&self, deadline: Option<Nanos>) -> Idle {
        self.0.idle(deadline)
    }
}
