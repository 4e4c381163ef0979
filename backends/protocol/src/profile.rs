//! What kind of guest a VM is, and how one is booted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A kind of guest, by name, from `provium.toml`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Its name in `lab:vm(name, profile)`.
    pub name: String,
    /// Memory in bytes, unless the boot options say otherwise.
    pub memory: Option<u64>,
    /// CPUs, unless the boot options say otherwise.
    pub cpus: Option<u32>,
    /// The kernel's command line.
    pub kernel_cmdline: Option<String>,
    /// The guest's host name; the VM's name by default.
    pub hostname: Option<String>,
}

/// A file put into the guest before it starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootFile {
    /// Absolute; missing directories are made.
    pub path: crate::exec::ByteString,
    /// What it holds.
    #[serde(with = "serde_bytes")]
    pub content: Vec<u8>,
    /// Permission bits, 0o644 by default.
    pub mode: Option<u32>,
}

/// Boot options of a VM.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootOptions {
    /// In bytes.
    pub memory: Option<u64>,
    /// How many.
    pub cpus: Option<u32>,
    /// Instead of the profile's command line.
    pub kernel_cmdline: Option<String>,
    /// After it.
    pub kernel_cmdline_append: Option<String>,
    /// Seeds the guest's entropy.
    pub rng_seed: Option<u64>,
    /// The guest's real-time clock at boot, in nanoseconds since 1970; may be negative.
    pub initial_time_ns: Option<i128>,
    /// Files put into the guest before it starts.
    pub files: Vec<BootFile>,
    /// How long the boot may take.
    pub boot_timeout_ns: Option<u64>,
}

/// The note of a boot that begins from the beginning, where a backend would otherwise clone a guest that has booted before.
pub const COLD: &str = "cold";

/// Everything that a backend needs to boot one guest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootSpec {
    /// The VM's name, unique in its lab.
    pub vm: String,
    /// Its kind.
    pub profile: Profile,
    /// What the test asked for.
    pub options: BootOptions,
    /// Further keys that a recording backend wants kept with the boot.
    pub notes: BTreeMap<String, String>,
}

/// The longest host name of Linux, in bytes (`HOST_NAME_MAX`, see gethostname(2)).
const MAX_HOSTNAME: usize = 64;

impl BootSpec {
    /// The guest's host name: the profile's, or the VM's name as far as a host name can hold it.
    #[must_use]
    pub fn hostname(&self) -> &str {
        let name = self.profile.hostname.as_deref().unwrap_or(&self.vm);
        let end = (0..=MAX_HOSTNAME.min(name.len())).rev().find(|at| name.is_char_boundary(*at)).unwrap_or(0);
        &name[..end]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_name_fits_into_a_kernel() {
        let of = |vm: &str| BootSpec { vm: vm.to_owned(), ..BootSpec::default() }.hostname().to_owned();
        assert_eq!(of("web"), "web");
        assert_eq!(of(&"x".repeat(128)), "x".repeat(64));
        assert_eq!(of(&"ü".repeat(40)), "ü".repeat(32));
        assert_eq!(of(&format!("x{}", "ü".repeat(40))), format!("x{}", "ü".repeat(31)));
    }
}
