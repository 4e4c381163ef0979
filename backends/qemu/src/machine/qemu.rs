//! The QEMU of this host.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use super::error::MachineError;
use super::process;

/// The program that is looked for when nothing else is said.
pub const PROGRAM: &str = "qemu-system-x86_64";
/// Names another QEMU.
pub const PROGRAM_VARIABLE: &str = "PROVIUM_QEMU";
/// `--version` prints two lines: a program that takes longer is none.
const VERSION_LIMIT: Duration = Duration::from_secs(20);

/// A QEMU that was found, and answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Qemu {
    program: PathBuf,
    version: String,
}

impl Qemu {
    /// The QEMU that `PROVIUM_QEMU` names, or the one on the path.
    pub async fn find() -> Result<Self, MachineError> {
        let name = std::env::var_os(PROGRAM_VARIABLE).filter(|name| !name.is_empty()).unwrap_or_else(|| PROGRAM.into());
        let missing = || MachineError::NoQemu { program: name.to_string_lossy().into_owned() };
        let program = on_path(Path::new(&name)).ok_or_else(missing)?;
        Self::at(&program).await
    }

    /// The QEMU at this place.
    pub async fn at(program: &Path) -> Result<Self, MachineError> {
        let bad = |why: String| MachineError::BadQemu { program: program.display().to_string(), why };
        let mut command = tokio::process::Command::new(program);
        command.arg("--version").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = process::spawn(command, Vec::new()).await.map_err(|error| bad(error.to_string()))?;
        let output = tokio::time::timeout(VERSION_LIMIT, child.wait_with_output())
            .await
            .map_err(|_| bad(format!("no answer within {} s", VERSION_LIMIT.as_secs())))?
            .map_err(|error| bad(error.to_string()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let version = text
            .lines()
            .next()
            .and_then(|line| line.strip_prefix("QEMU emulator version "))
            .ok_or_else(|| bad(format!("it says {:?}", String::from_utf8_lossy(&output.stderr).trim())))?;
        Ok(Self { program: program.to_owned(), version: version.trim().to_owned() })
    }

    /// Where it is.
    #[must_use]
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Its version, with what the distribution says of it: `7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }
}

/// The file that the shell would start.
fn on_path(name: &Path) -> Option<PathBuf> {
    if name.components().count() > 1 {
        return name.is_file().then(|| name.to_owned());
    }
    std::env::split_paths(&std::env::var_os("PATH")?).map(|folder| folder.join(name)).find(|path| path.is_file())
}
