//! Whoever waits for QEMU's end, and brings it about.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::process::Child;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinHandle;

use super::console::Console;
use super::ended::{Ended, Signs};
use super::launch::text;
use super::qmp::MachineEvent;

/// A listener that is further behind loses events: a machine tells a few in its life.
pub(crate) const EVENTS_KEPT: usize = 256;
/// QEMU closes its monitor as it exits. One that lives on after that for so long can't be driven any more.
const EXIT_AFTER_QMP: Duration = Duration::from_secs(3);
/// After QEMU's end its pipes end too; who has inherited one (a helper process of QEMU) doesn't hold up the report.
const DRAIN_LIMIT: Duration = Duration::from_secs(2);

/// Owns the process.
pub(crate) struct Supervisor {
    pub(crate) child: Child,
    /// A message kills QEMU, and so does the end of the channel: the machine was dropped.
    pub(crate) kills: mpsc::UnboundedReceiver<()>,
    pub(crate) events: mpsc::UnboundedReceiver<MachineEvent>,
    pub(crate) public_events: broadcast::Sender<MachineEvent>,
    pub(crate) console: Console,
    pub(crate) console_task: JoinHandle<()>,
    pub(crate) said: Arc<Mutex<Vec<u8>>>,
    pub(crate) said_task: JoinHandle<()>,
    pub(crate) qmp_task: JoinHandle<()>,
    pub(crate) end: watch::Sender<Option<Arc<Ended>>>,
}

impl Supervisor {
    pub(crate) async fn run(mut self) {
        let mut signs = Signs::default();
        let mut monitor_open = true;
        let mut deadline = None;
        let status = loop {
            let late = async {
                match deadline {
                    Some(deadline) => tokio::time::sleep_until(deadline).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                status = self.child.wait() => break status.ok(),
                event = self.events.recv(), if monitor_open => match event {
                    Some(event) => {
                        signs.note(&event);
                        // Without listeners there is nobody to tell.
                        let _ = self.public_events.send(event);
                    }
                    None => {
                        monitor_open = false;
                        deadline = Some(tokio::time::Instant::now() + EXIT_AFTER_QMP);
                    }
                },
                _ = self.kills.recv(), if !signs.killed_by_us => {
                    signs.killed_by_us = true;
                    // It fails only for a process that has ended.
                    let _ = self.child.start_kill();
                }
                () = late => {
                    signs.qmp_closed = true;
                    deadline = None;
                    let _ = self.child.start_kill();
                }
            }
        };
        for task in [self.qmp_task, self.said_task, self.console_task] {
            let abort = task.abort_handle();
            if tokio::time::timeout(DRAIN_LIMIT, task).await.is_err() {
                abort.abort();
            }
        }
        self.console.close();
        while let Ok(event) = self.events.try_recv() {
            signs.note(&event);
            let _ = self.public_events.send(event);
        }
        let ended = Ended {
            cause: signs.cause(status, &self.console),
            console_tail: self.console.tail(),
            qemu_said: text(&self.said),
        };
        self.end.send_replace(Some(Arc::new(ended)));
    }
}
