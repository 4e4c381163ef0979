//! Files of `/proc` that belong to no process, and where they stand.

/// One of them.
pub(super) struct SystemEntry {
    /// Its path below `/proc`.
    pub(super) path: &'static str,
    pub(super) perm: u32,
    kind: Kind,
}

enum Kind {
    Dir,
    File,
    Setting(Setting),
}

/// A file below `sys` that holds one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Setting {
    /// A number between two others; what it is at boot.
    Number(i64, i64, i64),
    /// A line of text; what it is at boot.
    Text(&'static str),
    /// Made up when somebody looks.
    Computed,
}

impl SystemEntry {
    pub(super) fn is_dir(&self) -> bool {
        matches!(self.kind, Kind::Dir)
    }

    pub(super) fn setting(&self) -> Option<Setting> {
        match self.kind {
            Kind::Setting(setting) => Some(setting),
            _ => None,
        }
    }
}

const fn dir(path: &'static str) -> SystemEntry {
    SystemEntry { path, perm: 0o555, kind: Kind::Dir }
}

const fn file(path: &'static str) -> SystemEntry {
    SystemEntry { path, perm: 0o444, kind: Kind::File }
}

/// A value that nothing changes.
const fn fixed(path: &'static str, value: i64) -> SystemEntry {
    SystemEntry { path, perm: 0o444, kind: Kind::Setting(Setting::Number(value, value, value)) }
}

/// A value that root may set.
const fn number(path: &'static str, boot: i64, least: i64, most: i64) -> SystemEntry {
    SystemEntry { path, perm: 0o644, kind: Kind::Setting(Setting::Number(boot, least, most)) }
}

const fn text(path: &'static str, boot: &'static str) -> SystemEntry {
    SystemEntry { path, perm: 0o644, kind: Kind::Setting(Setting::Text(boot)) }
}

const fn computed(path: &'static str, perm: u32) -> SystemEntry {
    SystemEntry { path, perm, kind: Kind::Setting(Setting::Computed) }
}

/// All of them; a directory stands before what is in it.
pub(super) const SYSTEM: &[SystemEntry] = &[
    file("cgroups"),
    file("cmdline"),
    file("consoles"),
    file("cpuinfo"),
    file("devices"),
    file("diskstats"),
    file("filesystems"),
    SystemEntry { path: "kmsg", perm: 0o400, kind: Kind::File },
    file("loadavg"),
    file("locks"),
    file("meminfo"),
    file("misc"),
    file("modules"),
    file("partitions"),
    file("stat"),
    file("swaps"),
    SystemEntry { path: "sysrq-trigger", perm: 0o200, kind: Kind::File },
    file("uptime"),
    file("version"),
    file("vmstat"),
    dir("sys"),
    dir("sys/fs"),
    computed("sys/fs/file-max", 0o444),
    computed("sys/fs/file-nr", 0o444),
    computed("sys/fs/inode-nr", 0o444),
    computed("sys/fs/nr_open", 0o444),
    computed("sys/fs/pipe-max-size", 0o444),
    number("sys/fs/protected_hardlinks", 1, 0, 1),
    number("sys/fs/protected_symlinks", 1, 0, 1),
    fixed("sys/fs/protected_fifos", 0),
    fixed("sys/fs/protected_regular", 0),
    dir("sys/kernel"),
    fixed("sys/kernel/cap_last_cap", 40),
    text("sys/kernel/core_pattern", "core"),
    computed("sys/kernel/domainname", 0o444),
    computed("sys/kernel/hostname", 0o644),
    fixed("sys/kernel/ngroups_max", 65_536),
    computed("sys/kernel/osrelease", 0o444),
    computed("sys/kernel/ostype", 0o444),
    number("sys/kernel/panic", 0, i32::MIN as i64, i32::MAX as i64),
    fixed("sys/kernel/pid_max", 4_194_304),
    computed("sys/kernel/printk", 0o644),
    dir("sys/kernel/random"),
    computed("sys/kernel/random/boot_id", 0o444),
    fixed("sys/kernel/random/entropy_avail", 256),
    fixed("sys/kernel/random/poolsize", 256),
    computed("sys/kernel/random/uuid", 0o444),
    fixed("sys/kernel/randomize_va_space", 0),
    fixed("sys/kernel/tainted", 0),
    computed("sys/kernel/threads-max", 0o444),
    computed("sys/kernel/version", 0o444),
    dir("sys/net"),
    dir("sys/net/core"),
    computed("sys/net/core/somaxconn", 0o444),
    computed("sys/net/core/wmem_default", 0o444),
    dir("sys/net/unix"),
    fixed("sys/net/unix/max_dgram_qlen", 10),
    dir("sys/vm"),
    SystemEntry { path: "sys/vm/drop_caches", perm: 0o200, kind: Kind::Setting(Setting::Number(0, 1, 4)) },
    number("sys/vm/overcommit_memory", 0, 0, 2),
    number("sys/vm/swappiness", 60, 0, 200),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_stands_in_a_directory_and_once() {
        for (at, entry) in SYSTEM.iter().enumerate() {
            assert!(!SYSTEM[..at].iter().any(|other| other.path == entry.path), "{} twice", entry.path);
            if let Some((parent, _)) = entry.path.rsplit_once('/') {
                assert!(SYSTEM[..at].iter().any(|other| other.path == parent && other.is_dir()), "{}", entry.path);
            }
        }
    }
}
