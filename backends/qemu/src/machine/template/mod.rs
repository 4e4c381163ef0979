//! A booted machine that others begin from.
//!
//! Saving one takes its memory, which is an anonymous file that QEMU shares with us ([`LaunchSpec::savable`]), and the state
//! of its devices, which QEMU writes as for a migration that leaves shared memory out (`x-ignore-shared`). A clone maps the
//! saved memory privately, so that it pays only for the pages that it touches and never changes the template, and reads the
//! state of the devices: it goes on where the saved machine stood.
//!
//! The files are in the cache, on whatever disk that is: they are read through the page cache, and a clone from `/dev/shm`
//! is ready no sooner than one from a disk (measured), while memory there would be lost to the host.
//!
//! [`TemplateStore::find`] gives only what is whole: a template gets its name when all of it is written, and its checksums
//! are compared once in each process. [`TemplateStore::find_or_make`] boots a machine and saves it when there is none.
//!
//! What a clone shares with the saved machine, and somebody must set after it was restored: its clock, its random state,
//! its host name, and whatever the agent had open.

mod files;
mod key;
mod pages;
mod store;

use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

pub use key::TemplateKey;
pub use store::{TEMPLATES_LIMIT, TemplateLock, TemplateStore};

use super::error::MachineError;
use super::launch::{Source, launch};
use super::qmp::command;
use super::spec::LaunchSpec;
use super::{Machine, Qemu};

/// The state of the devices is half a megabyte; a host that is loaded to its limits may take seconds.
const MIGRATION_LIMIT: Duration = Duration::from_secs(60);
/// QEMU is asked this often whether it is done. It takes 10 ms.
const MIGRATION_POLL: Duration = Duration::from_millis(1);
/// In bytes a second: as fast as it goes. QEMU's default would take half a second.
const MIGRATION_BANDWIDTH: u64 = 1 << 40;
/// The name of a descriptor that QEMU was handed, and of where it writes to or reads from.
const STATE_NAME: &str = "state";
const STATE_URI: &str = "fd:state";

/// A saved machine, open: it can be cloned even when its files are removed.
#[derive(Debug, Clone)]
pub struct Template {
    parts: Arc<Parts>,
}

#[derive(Debug)]
pub(crate) struct Parts {
    id: String,
    memory_mib: u64,
    memory: File,
    state: File,
    console: Vec<u8>,
}

impl Template {
    /// The name of its folder.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.parts.id
    }

    /// What the saved machine had printed.
    #[must_use]
    pub fn console(&self) -> &[u8] {
        &self.parts.console
    }
}

impl Machine {
    /// Starts a machine that goes on where the saved one stood, and comes back when it runs. `spec` must be of the same
    /// key. Many may be started at once.
    pub async fn clone_from(qemu: &Qemu, spec: LaunchSpec, template: &Template) -> Result<Self, MachineError> {
        let parts = &template.parts;
        let cannot = |why: String| MachineError::State { name: spec.name.clone(), what: "restored", why };
        if spec.memory_mib != parts.memory_mib {
            let (asked, saved) = (spec.memory_mib, parts.memory_mib);
            return Err(cannot(format!("it has {asked} MiB, and the saved machine has {saved} MiB")));
        }
        let memory = parts.memory.try_clone().map_err(MachineError::template("a copy of a descriptor"))?;
        // Opened anew: a place to read at of its own.
        let state = files::reopen(&parts.state).map_err(MachineError::template("the state of a saved machine"))?;
        let source = Source::Restore { memory: memory.into(), console: parts.console.clone() };
        let machine = launch(qemu, spec, source).await?;
        machine.qmp.send_descriptor(state.into(), STATE_NAME).await?;
        machine.leave_memory_out().await?;
        machine.execute(command::MigrateIncoming { uri: STATE_URI }).await?;
        let loading = async {
            loop {
                let status = machine.execute(command::QueryStatus {}).await?.status;
                if status != "inmigrate" {
                    return Ok(());
                }
                tokio::time::sleep(MIGRATION_POLL).await;
            }
        };
        tokio::time::timeout(MIGRATION_LIMIT, loading)
            .await
            .unwrap_or_else(|_| Err(machine.cannot("restored", "QEMU takes too long to read its state")))?;
        machine.resume().await?;
        Ok(machine)
    }

    /// Stops the machine and writes the state of its devices. It stands still afterwards, and can go on.
    pub(crate) async fn save_devices(&self, into: File) -> Result<(), MachineError> {
        const SAVED: &str = "saved as a template";
        self.pause().await?;
        self.leave_memory_out().await?;
        self.execute(command::SetParameters { max_bandwidth: MIGRATION_BANDWIDTH }).await?;
        self.qmp.send_descriptor(into.into(), STATE_NAME).await?;
        self.execute(command::Migrate { uri: STATE_URI }).await?;
        let writing = async {
            loop {
                let migration = self.execute(command::QueryMigrate {}).await?;
                match migration.status.as_deref() {
                    Some("completed") => return Ok(()),
                    Some(end @ ("failed" | "cancelled")) => {
                        return Err(self.cannot(SAVED, migration.error.as_deref().unwrap_or(end)));
                    }
                    _ => tokio::time::sleep(MIGRATION_POLL).await,
                }
            }
        };
        tokio::time::timeout(MIGRATION_LIMIT, writing)
            .await
            .unwrap_or_else(|_| Err(self.cannot(SAVED, "QEMU takes too long to write its state")))
    }

    async fn leave_memory_out(&self) -> Result<(), MachineError> {
        let capabilities = vec![command::Capability { capability: "x-ignore-shared", state: true }];
        self.execute(command::SetCapabilities { capabilities }).await.map(drop)
    }

    pub(crate) fn cannot(&self, what: &'static str, why: &str) -> MachineError {
        MachineError::State { name: self.name().to_owned(), what, why: why.to_owned() }
    }
}
