//! The host's connection over vsock, to the real agent as a process of this machine.
//!
//! It needs a kernel that has sockets from a machine to itself (its module `vsock_loopback`); elsewhere this says that it did not run.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use provium_protocol::exec::ExecSpec;
use provium_protocol::{Lane, Op, Reply};
use provium_qemu::agent;
use provium_qemu::link::Link;
use provium_qemu::machine::{VsockAddress, connect_vsock};
use tokio_vsock::{VMADDR_CID_ANY, VMADDR_CID_LOCAL, VsockAddr, VsockListener, VsockStream};

/// It only keeps a broken test from hanging.
const PATIENCE: Duration = Duration::from_secs(60);

/// Ends with the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A port of this machine that nobody listens on.
async fn free_port() -> io::Result<u32> {
    let first = 1_000_000 + std::process::id();
    let address = |port| VsockAddr::new(VMADDR_CID_ANY, port);
    let (listener, port) = (first..first + 100)
        .find_map(|port| VsockListener::bind(address(port)).ok().map(|listener| (listener, port)))
        .ok_or_else(|| io::Error::other("this kernel has no vsock"))?;
    // The kernel says that there is no way to itself by timing out.
    VsockStream::connect(VsockAddr::new(VMADDR_CID_LOCAL, port)).await?;
    drop(listener);
    Ok(port)
}

fn start_agent(port: u32) -> Process {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent");
    std::fs::write(&path, agent::program().expect("this is Linux")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let agent = Command::new(&path).args(["--vsock", &port.to_string()]).stdin(Stdio::null()).spawn();
    Process(agent.expect("the agent starts"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_is_connected_to_as_soon_as_it_listens() {
    let port = match free_port().await {
        Ok(port) => port,
        Err(why) => return eprintln!("NOT RUN: this kernel has no vsock from itself to itself: {why}"),
    };
    let address = VsockAddress { cid: VMADDR_CID_LOCAL, port };
    // It is waited for before it is there.
    let (refused, mut refusals) = tokio::sync::mpsc::unbounded_channel();
    let connecting = tokio::spawn(async move {
        connect_vsock(address, |error| {
            // Nobody listens any more when the first has been seen.
            let _ = refused.send(error.to_string());
        })
        .await
    });
    refusals.recv().await.expect("nobody listens yet");
    let agent = start_agent(port);
    let connected = tokio::time::timeout(PATIENCE, connecting).await.expect("it listens by now").unwrap();
    let link = Link::open(connected.unwrap());
    tokio::time::timeout(PATIENCE, link.hello(1, 0)).await.expect("it answers").unwrap();
    let data: Vec<u8> = (0..3_000_000_u32).map(|at| (at % 251) as u8).collect();
    let spec = ExecSpec { stdin: data.clone(), ..ExecSpec::shell("cat") };
    let ran = tokio::time::timeout(PATIENCE, link.call(Lane::Main, Op::Run { spec, timeout_ns: None })).await;
    match ran.expect("it answers") {
        Ok(Reply::Run(reply)) => assert!(reply.stdout == data, "{} bytes came back", reply.stdout.len()),
        other => panic!("no result: {other:?}"),
    }
    drop(agent);
    tokio::time::timeout(PATIENCE, link.closed()).await.expect("the agent's end is the link's");
}
