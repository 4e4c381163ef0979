//! Starting commands.

use std::collections::BTreeMap;
use std::rc::Rc;

use provium_protocol::exec::{ByteString, Command, ExecSpec};
use provium_protocol::limits::STREAM_PATIENCE_NS;
use provium_protocol::process::OutputStream;
use provium_protocol::{Lane, OpError};

use crate::agent::Inner;
use crate::capture::Capture;
use crate::checks::{self, text};
use crate::os::{Child, SpawnError, SpawnSpec, SpawnStage};
use crate::process::Proc;
use crate::stdin::{self, Stdin};
use crate::sync::{First, race, within};
use crate::{Os, ending};

/// Where programs are searched when the environment has no `PATH`: what a login shell of root has.
const DEFAULT_PATH: &[u8] = b"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What one read of a pipe asks for: a Linux pipe holds 64 KiB.
const PIPE_READ: usize = 64 << 10;

/// Starts a command on a lane and everything that goes with it: its pumps, its standard input. `looked_at` as in
/// [`SpawnSpec`].
pub async fn start<O: Os>(
    agent: &Rc<Inner<O>>,
    lane: Lane,
    spec: &ExecSpec,
    looked_at: bool,
) -> Result<Rc<Proc>, OpError> {
    checks::exec(spec)?;
    let settled = settle(spec, agent.os.environment(), looked_at);
    let started = agent.os.now();
    let _starting = agent.workers.starting(lane);
    let in_flight = agent.reaping.expect_child();
    let child = agent.os.spawn(&settled).await.map_err(|error| cannot_start(&spec.command, spec, error))?;
    let proc = Rc::new(Proc::new(
        agent.procs.next_handle(),
        child.pid,
        spec.command.label(),
        child.stdin.map_or_else(Stdin::none, |fd| Stdin::pipe(fd, spec.stdin_open)),
        [(); 2].map(|()| Capture::expecting_a_stream(spec.max_output, agent.budget.clone())),
        started,
    ));
    agent.procs.add(&proc);
    connect(agent, &proc, child, spec);
    if let Some(ending) = in_flight.arrived(child.pid) {
        ending::reaped(agent, &proc, ending);
    }
    match agent.workers.register(lane, &proc) {
        Ok(()) => Ok(proc),
        Err(closed) => {
            ending::abandon(agent, &proc);
            Err(closed)
        }
    }
}

fn connect<O: Os>(agent: &Rc<Inner<O>>, proc: &Rc<Proc>, child: Child, spec: &ExecSpec) {
    for (output, fd) in [(OutputStream::Stdout, child.stdout), (OutputStream::Stderr, child.stderr)] {
        agent.os.spawn_task(Box::pin(pump(agent.clone(), proc.clone(), output, fd)));
    }
    if child.stdin.is_some() && !(spec.stdin.is_empty() && spec.stdin_open) {
        stdin::feed(&agent.os, proc, spec.stdin.clone(), !spec.stdin_open);
    }
}

/// Reads one output of a process to its end.
async fn pump<O: Os>(agent: Rc<Inner<O>>, proc: Rc<Proc>, output: OutputStream, fd: i32) {
    let capture = proc.output(output);
    loop {
        let read = async {
            room(&*agent.os, capture).await;
            agent.os.read(fd, PIPE_READ).await
        };
        match race(proc.cut.wait(), read).await {
            First::B(Ok(data)) if !data.is_empty() => capture.push(&data),
            First::A(()) | First::B(_) => break,
        }
    }
    // Closed before anybody learns of the end: a test that looks at descriptors then finds none left over.
    let _ = agent.os.close(fd).await;
    capture.end();
    ending::check_finished(&agent, &proc);
}

/// Ends when more output may come. Who has not opened a stream by then had time enough.
async fn room<O: Os>(os: &O, capture: &Capture) {
    let patience = capture.expects_a_stream().then_some(STREAM_PATIENCE_NS);
    if within(os, patience, capture.room()).await.is_none() {
        capture.expect_no_stream();
        capture.room().await;
    }
}

/// Settles what is left open in a request.
fn settle(spec: &ExecSpec, inherited: Vec<(ByteString, ByteString)>, looked_at: bool) -> SpawnSpec {
    let mut env: BTreeMap<ByteString, ByteString> = BTreeMap::new();
    if !spec.env_clear {
        env.extend(inherited);
    }
    env.extend(spec.env.iter().cloned());
    let path = env.get(&ByteString::from("PATH")).map_or(DEFAULT_PATH, |path| &path.0);
    let (candidates, argv) = match &spec.command {
        Command::Shell(script) => {
            (vec![b"/bin/sh".to_vec()], vec![b"/bin/sh".to_vec(), b"-c".to_vec(), script.as_bytes().to_vec()])
        }
        Command::Direct { program, args } => {
            let argv = std::iter::once(program.as_bytes().to_vec()).chain(args.iter().map(|arg| arg.0.clone()));
            (candidates(program.as_bytes(), path), argv.collect())
        }
    };
    SpawnSpec {
        candidates,
        argv,
        cwd: spec.cwd.as_ref().map(|cwd| cwd.0.clone()),
        stdin_pipe: spec.stdin_open || !spec.stdin.is_empty(),
        env: env.into_iter().collect(),
        looked_at,
    }
}

/// Where a program may be, as execvp(3) searches it.
fn candidates(program: &[u8], path: &[u8]) -> Vec<Vec<u8>> {
    if program.is_empty() || program.contains(&b'/') {
        return vec![program.to_vec()];
    }
    path.split(|byte| *byte == b':')
        .map(|directory| match directory {
            // An empty entry is the working directory.
            b"" => program.to_vec(),
            _ => [directory, b"/", program].concat(),
        })
        .collect()
}

fn cannot_start(command: &Command, spec: &ExecSpec, error: SpawnError) -> OpError {
    let what = match command {
        Command::Shell(_) => "/bin/sh".to_owned(),
        Command::Direct { program, .. } => program.clone(),
    };
    let doing = match (error.stage, &spec.cwd) {
        (SpawnStage::Chdir, Some(cwd)) => format!("start `{what}` in {}", text(&cwd.0)),
        (SpawnStage::Fork, _) => format!("make a process for `{what}`"),
        _ => format!("start `{what}`"),
    };
    OpError::os(error.errno, doing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_search_follows_path_and_slashes() {
        assert_eq!(candidates(b"./x", b"/bin"), [b"./x".to_vec()]);
        assert_eq!(candidates(b"x", b"/bin::/sbin"), [b"/bin/x".to_vec(), b"x".to_vec(), b"/sbin/x".to_vec()]);
        assert_eq!(candidates(b"", b"/bin"), [Vec::new()]);
    }

    #[test]
    fn the_environment_is_inherited_unless_cleared() {
        let mut spec = ExecSpec::new(Command::Direct { program: "x".into(), args: vec![] });
        spec.env = vec![("A".into(), "new".into()), ("PATH".into(), "/opt".into())];
        let inherited = vec![("A".into(), "old".into()), ("B".into(), "kept".into())];
        let settled = settle(&spec, inherited.clone(), true);
        let expected: Vec<(ByteString, ByteString)> =
            vec![("A".into(), "new".into()), ("B".into(), "kept".into()), ("PATH".into(), "/opt".into())];
        assert_eq!(settled.env, expected);
        assert_eq!(settled.candidates, [b"/opt/x".to_vec()]);
        assert!(!settled.stdin_pipe);
        spec.env_clear = true;
        assert_eq!(settle(&spec, inherited, true).env, spec.env);
    }
}
