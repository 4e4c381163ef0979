//! Editing in place: a temporary file beside the file takes its name at the end.

use provium_kernel::Stat;
use provium_kernel::flags::{O_CREAT, O_EXCL, O_RDWR};

use super::output::Output;
use crate::shared::{Exit, Tool};

/// Names that are tried for the temporary file.
const ATTEMPTS: usize = 100;

/// What `-i` asks for.
#[derive(Clone, Debug)]
pub(super) struct InPlace {
    /// The suffix of the backup, or its name with `*` in the place of the file's.
    pub(super) suffix: Vec<u8>,
}

/// A file that is being edited.
pub(super) struct Edit {
    pub(super) output: Output,
    temporary: Vec<u8>,
    backup: Option<Vec<u8>>,
}

fn directory(name: &[u8]) -> &[u8] {
    name.iter().rposition(|byte| *byte == b'/').map_or(b"./", |slash| &name[..=slash])
}

impl InPlace {
    pub(super) async fn begin(&self, tool: &Tool, name: &[u8], stat: &Stat) -> Result<Edit, Exit> {
        let directory = directory(name);
        let mut temporary = Vec::new();
        let mut opened = Err(provium_kernel::Errno::EEXIST);
        for _ in 0..ATTEMPTS {
            let random = tool.sys.getrandom(6).await;
            const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
            let tail: Vec<u8> = random.iter().map(|byte| LETTERS[usize::from(*byte) % LETTERS.len()]).collect();
            temporary = [directory, b"sed", &tail].concat();
            opened = tool.sys.open(&temporary, O_RDWR | O_CREAT | O_EXCL, 0o600).await;
            if opened != Err(provium_kernel::Errno::EEXIST) {
                break;
            }
        }
        let fd = match opened {
            Ok(fd) => fd,
            Err(errno) => {
                let shown = String::from_utf8_lossy(&temporary).into_owned();
                return Err(tool.fail_errno(4, format!("couldn't open temporary file {shown}"), errno).await);
            }
        };
        // The new file gets the old one's owner and mode as far as that is allowed.
        let _as_far_as_allowed = tool.sys.fchown(fd, Some(stat.uid), Some(stat.gid)).await;
        let _as_far_as_allowed = tool.sys.fchmod(fd, stat.mode & 0o7777).await;
        Ok(Edit { output: Output::file(tool, fd), temporary, backup: self.backup(name) })
    }

    fn backup(&self, name: &[u8]) -> Option<Vec<u8>> {
        if self.suffix.is_empty() {
            return None;
        }
        let directory = if name.contains(&b'/') { directory(name) } else { b"" };
        let base = &name[directory.len()..];
        if !self.suffix.contains(&b'*') {
            return Some([name, &self.suffix].concat());
        }
        let pattern: Vec<&[u8]> = self.suffix.split(|byte| *byte == b'*').collect();
        let own = pattern.join(base);
        Some(if own.contains(&b'/') { own } else { [directory, &own].concat() })
    }
}

impl Edit {
    pub(super) async fn finish(self, tool: &Tool, name: &[u8]) -> Result<(), Exit> {
        self.output.flush().await?;
        let _closed = tool.sys.close(self.output.fd()).await;
        if let Some(backup) = &self.backup {
            self.rename(tool, name, backup).await?;
        }
        self.rename(tool, &self.temporary, name).await
    }

    async fn rename(&self, tool: &Tool, from: &[u8], to: &[u8]) -> Result<(), Exit> {
        match tool.sys.rename(from, to).await {
            Ok(()) => Ok(()),
            Err(errno) => {
                let shown = String::from_utf8_lossy(from).into_owned();
                Err(tool.fail_errno(4, format!("cannot rename {shown}"), errno).await)
            }
        }
    }
}
