//! `/proc/sys`, see proc_sys(5).

use provium_protocol::Errno;
use rand_core::Rng;

use super::tree::{SYSTEM, Setting};
use crate::kernel::Kernel;
use crate::kernel::socket::{SOCKET_BUFFER, SOMAXCONN};
use crate::limits::{HARD_FDS, MAX_OPEN_FILES, MAX_THREADS, PIPE_MAX_SIZE};
use crate::vfs::fs::FsKind;

/// Longest text that a setting holds, as on Linux for `core_pattern`.
const TEXT_MAX: usize = 127;

pub(super) fn read(kernel: &mut Kernel, path: &str, setting: Setting) -> Result<Vec<u8>, Errno> {
    let value = match (kernel.settings.get(path), setting) {
        (Some(value), _) => value.clone(),
        (None, Setting::Number(boot, ..)) => boot.to_string(),
        (None, Setting::Text(boot)) => boot.to_owned(),
        (None, Setting::Computed) => computed(kernel, path)?,
    };
    Ok(format!("{value}\n").into_bytes())
}

fn computed(kernel: &mut Kernel, path: &str) -> Result<String, Errno> {
    let name = kernel.uname();
    Ok(match path {
        "sys/fs/file-max" => MAX_OPEN_FILES.to_string(),
        "sys/fs/file-nr" => format!("{}\t0\t{MAX_OPEN_FILES}", kernel.files.len()),
        "sys/fs/inode-nr" => {
            let live: usize = kernel
                .filesystems
                .iter()
                .map(|fs| match &fs.kind {
                    FsKind::Memory(memory) => memory.live(),
                    FsKind::Proc => 0,
                })
                .sum();
            format!("{live}\t0")
        }
        "sys/fs/nr_open" => HARD_FDS.to_string(),
        "sys/fs/pipe-max-size" => PIPE_MAX_SIZE.to_string(),
        "sys/kernel/domainname" => "(none)".to_owned(),
        "sys/kernel/hostname" => name.nodename,
        "sys/kernel/osrelease" => name.release,
        "sys/kernel/ostype" => name.sysname,
        "sys/kernel/printk" => kernel.printk(),
        "sys/kernel/version" => name.version,
        "sys/kernel/threads-max" => MAX_THREADS.to_string(),
        "sys/kernel/random/boot_id" => uuid(kernel.boot_id),
        "sys/kernel/random/uuid" => {
            let mut bytes = [0; 16];
            kernel.rng.fill_bytes(&mut bytes);
            uuid(bytes)
        }
        "sys/net/core/somaxconn" => SOMAXCONN.to_string(),
        "sys/net/core/wmem_default" => SOCKET_BUFFER.to_string(),
        _ => return Err(Errno::EIO),
    })
}

/// A random universally unique id (version 4) of these random bits.
fn uuid(mut bytes: [u8; 16]) -> String {
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let mut text = String::new();
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

pub(super) fn write(kernel: &mut Kernel, path: &'static str, setting: Setting, data: &[u8]) -> Result<(), Errno> {
    let line = data.split(|byte| *byte == b'\n' || *byte == 0).next().unwrap_or_default();
    match setting {
        Setting::Number(_, least, most) => {
            let text = std::str::from_utf8(line.trim_ascii()).map_err(|_| Errno::EINVAL)?;
            let value: i64 = text.parse().map_err(|_| Errno::EINVAL)?;
            if !(least..=most).contains(&value) {
                return Err(Errno::EINVAL);
            }
            kernel.settings.insert(path, value.to_string());
        }
        Setting::Text(_) => {
            let kept = &line[..line.len().min(TEXT_MAX)];
            kernel.settings.insert(path, String::from_utf8_lossy(kept).into_owned());
        }
        Setting::Computed if path == "sys/kernel/hostname" => {
            kernel.hostname = line[..line.len().min(64)].to_vec();
        }
        Setting::Computed if path == "sys/kernel/printk" => {
            let now = kernel.settings.get(path).cloned().unwrap_or_else(|| kernel.printk());
            let mut levels: Vec<String> = now.split_whitespace().map(str::to_owned).collect();
            let text = std::str::from_utf8(line).map_err(|_| Errno::EINVAL)?;
            for (at, word) in text.split_whitespace().take(levels.len()).enumerate() {
                levels[at] = word.parse::<i32>().map_err(|_| Errno::EINVAL)?.to_string();
            }
            kernel.settings.insert(path, levels.join("\t"));
        }
        Setting::Computed => return Err(Errno::EPERM),
    }
    Ok(())
}

impl Kernel {
    /// The number that a setting below `/proc/sys` is at.
    pub(crate) fn setting(&self, path: &str) -> i64 {
        if let Some(value) = self.settings.get(path) {
            return value.parse().unwrap_or(0);
        }
        match SYSTEM.iter().find(|entry| entry.path == path).and_then(|entry| entry.setting()) {
            Some(Setting::Number(boot, ..)) => boot,
            _ => 0,
        }
    }
}
