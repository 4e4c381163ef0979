//! The programs of a guest beside busybox: those that the simulated guest has, from the packages whose behaviour it copies,
//! so that a test meets the same texts and exit codes in both; and `qemu-guest-agent`.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::cpio::{Archive, Attributes, CpioError, Node};
use super::error::{Context, ImageError};
use super::libraries::{libraries, resolve};
use super::{loader_cache, rootfs};

/// Programs in a directory of the guest, and the packages that hold them.
struct Programs {
    packages: &'static [&'static str],
    /// Paths in the guest, and the program's name if it is another one there.
    programs: &'static [(&'static str, &'static [&'static str])],
}

/// What the simulated guest has, in its places. What busybox does in the same way is left to it.
const TOOLS: Programs = Programs {
    packages: &["coreutils", "dash", "diffutils", "findutils", "grep", "mawk", "procps", "sed", "util-linux"],
    programs: &[
        (
            "/bin",
            &[
                "[",
                "base64",
                "cat",
                "chgrp",
                "chmod",
                "chown",
                "cksum",
                "cmp",
                "comm",
                "cp",
                "cut",
                "dash",
                "date",
                "dd",
                "df",
                "diff",
                "echo",
                "egrep",
                "expand",
                "false",
                "fgrep",
                "fold",
                "grep",
                "head",
                "kill",
                "ln",
                "ls",
                "md5sum",
                "mkdir",
                "mktemp",
                "mv",
                "nl",
                "od",
                "paste",
                "printf",
                "ps",
                "pwd",
                "readlink",
                "realpath",
                "rev",
                "rm",
                "rmdir",
                "sed",
                "seq",
                "sha1sum",
                "sha224sum",
                "sha256sum",
                "sha384sum",
                "sha512sum",
                "sleep",
                "sort",
                "stat",
                "sync",
                "tac",
                "tail",
                "test",
                "touch",
                "tr",
                "true",
                "uname",
                "unexpand",
                "uniq",
                "wc",
            ],
        ),
        ("/sbin", &["sysctl"]),
        (
            "/usr/bin",
            &[
                "basename", "dirname", "env", "expr", "find", "flock", "free", "groups", "id", "mawk", "mkfifo",
                "nice", "nohup", "nproc", "pgrep", "pkill", "printenv", "setsid", "tee", "timeout", "truncate",
                "uptime", "whoami", "xargs", "yes",
            ],
        ),
    ],
};

/// Other names of these.
const LINKS: &[(&str, &str)] = &[("/bin/sh", "dash"), ("/usr/bin/sh", "/bin/dash"), ("/usr/bin/awk", "mawk")];

const QGA: Programs = Programs { packages: &["qemu-guest-agent"], programs: &[("/usr/sbin", &["qemu-ga"])] };

/// The port that `qemu-guest-agent` is spoken to on.
pub const QGA_PORT: &str = "org.qemu.guest_agent.0";

/// What busybox's init does in a guest that has only `qemu-guest-agent`.
const QGA_FILES: &[(&str, u32, &str)] = &[
    (
        "/etc/inittab",
        0o644,
        "::sysinit:/etc/init.d/rcS\n\
         ::respawn:/usr/sbin/qemu-ga -m virtio-serial -p /dev/virtio-ports/org.qemu.guest_agent.0 -t /run\n",
    ),
    (
        "/etc/init.d/rcS",
        0o755,
        "#!/bin/busybox sh\n\
         mount -t devtmpfs devtmpfs /dev\n\
         mount -t proc proc /proc\n\
         mount -t sysfs sysfs /sys\n\
         mkdir -p /dev/pts /dev/shm /dev/virtio-ports\n\
         mount -t devpts devpts /dev/pts\n\
         mount -t tmpfs -o mode=1777 tmpfs /dev/shm\n\
         for name in fd:/proc/self/fd stdin:/proc/self/fd/0 stdout:/proc/self/fd/1 stderr:/proc/self/fd/2; do\n\
         \x20   ln -s \"${name#*:}\" \"/dev/${name%%:*}\"\n\
         done\n\
         hostname -F /etc/hostname\n\
         ip link set lo up\n\
         while read -r module; do insmod \"$module\"; done < /etc/provium/modules\n\
         # Without udev nobody names the ports.\n\
         for port in /sys/class/virtio-ports/*; do\n\
         \x20   [ -s \"$port/name\" ] && ln -s \"/dev/${port##*/}\" \"/dev/virtio-ports/$(cat \"$port/name\")\"\n\
         done\n\
         (\n\
         \x20   while read -r module; do insmod \"$module\"; done < /etc/provium/modules.later\n\
         \x20   acpid\n\
         ) > /dev/null 2>&1 &\n",
    ),
    // The power button.
    ("/etc/acpi/PWRF/00000080", 0o755, "#!/bin/busybox sh\nexec /sbin/shutdown -P\n"),
    // How qemu-guest-agent ends a guest.
    (
        "/sbin/shutdown",
        0o755,
        "#!/bin/busybox sh\n\
         sync\n\
         case \" $* \" in\n\
         *\" -r \"*) exec busybox reboot -f ;;\n\
         *\" -H \"*) exec busybox halt -f ;;\n\
         *) exec busybox poweroff -f ;;\n\
         esac\n",
    ),
];

/// The packages that hold the tools.
pub fn tool_packages() -> &'static [&'static str] {
    TOOLS.packages
}

/// The packages that hold `qemu-guest-agent`.
pub fn qga_packages() -> &'static [&'static str] {
    QGA.packages
}

/// Names that busybox is not linked under: the tools do their work.
pub fn tool_names() -> BTreeSet<&'static str> {
    let programs = TOOLS.programs.iter().flat_map(|(_, names)| names.iter().copied());
    programs.chain(LINKS.iter().filter_map(|(path, _)| path.rsplit('/').next())).collect()
}

/// Writes the tools and their libraries.
pub fn write_tools<W: Write>(archive: &mut Archive<W>, unpacked: &Path) -> Result<(), ImageError> {
    let brought = write_programs(archive, &TOOLS, unpacked, &BTreeSet::new())?;
    write_loader_cache(archive, &brought)?;
    for (path, target) in LINKS {
        archive.add(path.as_bytes(), Node::Symlink(target.as_bytes()), Attributes::root(0o777))?;
    }
    Ok(())
}

/// Writes `qemu-guest-agent`, the libraries that the tools do not bring, and what starts it.
pub fn write_qga<W: Write>(archive: &mut Archive<W>, unpacked: &Path) -> Result<(), ImageError> {
    let there = libraries(unpacked, &files(&TOOLS, unpacked)?.into_iter().map(|(_, file)| file).collect::<Vec<_>>())?;
    let mut all: BTreeSet<String> = there.into_keys().collect();
    all.extend(write_programs(archive, &QGA, unpacked, &all)?);
    write_loader_cache(archive, &all)?;
    archive.add(b"/init", Node::Symlink(b"/bin/busybox"), Attributes::root(0o777))?;
    let mut made = BTreeSet::new();
    for (path, perm, content) in QGA_FILES {
        add_parents(archive, path, &mut made)?;
        archive.add(path.as_bytes(), Node::File(content.as_bytes()), Attributes::root(*perm))?;
    }
    Ok(())
}

/// Writes programs, and those of their libraries that are not there; gives these.
fn write_programs<W: Write>(
    archive: &mut Archive<W>,
    programs: &Programs,
    unpacked: &Path,
    there: &BTreeSet<String>,
) -> Result<BTreeSet<String>, ImageError> {
    let programs = files(programs, unpacked)?;
    let hosts: Vec<PathBuf> = programs.iter().map(|(_, file)| file.clone()).collect();
    let mut libraries = libraries(unpacked, &hosts)?;
    libraries.retain(|path, _| !there.contains(path));
    let brought = libraries.keys().cloned().collect();
    let mut made = BTreeSet::new();
    for (path, file) in libraries.into_iter().chain(programs) {
        add_parents(archive, &path, &mut made)?;
        let content = fs::read(&file).context("read", &file)?;
        archive.add(path.as_bytes(), Node::File(&content), Attributes::root(0o755))?;
    }
    Ok(brought)
}

fn write_loader_cache<W: Write>(archive: &mut Archive<W>, libraries: &BTreeSet<String>) -> Result<(), CpioError> {
    let cache = loader_cache::cache(libraries);
    archive.add(loader_cache::PATH.as_bytes(), Node::File(&cache), Attributes::root(0o644))
}

fn add_parents<W: Write>(archive: &mut Archive<W>, path: &str, made: &mut BTreeSet<Vec<u8>>) -> Result<(), CpioError> {
    for parent in rootfs::parents(path.as_bytes()) {
        if made.insert(parent.to_owned()) {
            archive.add(parent, Node::Directory, Attributes::root(0o755))?;
        }
    }
    Ok(())
}

/// Paths in the guest, and where the programs are in unpacked packages.
fn files(programs: &Programs, unpacked: &Path) -> Result<Vec<(String, PathBuf)>, ImageError> {
    let mut found = Vec::new();
    for (folder, names) in programs.programs {
        for name in *names {
            // Which of these it is depends on the distribution's age.
            let places = ["bin", "usr/bin", "sbin", "usr/sbin"].map(|place| unpacked.join(place).join(name));
            let file = places.iter().find_map(|place| resolve(unpacked, place));
            let file =
                file.ok_or_else(|| ImageError::Program { program: name, packages: programs.packages.join(", ") })?;
            found.push((format!("{folder}/{name}"), file));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_tools_do_busybox_does_not() {
        let names = tool_names();
        for name in ["sh", "awk", "cat", "["] {
            assert!(names.contains(name), "{name}");
        }
        for name in ["mount", "insmod", "poweroff", "init", "hostname"] {
            assert!(!names.contains(name), "{name}");
        }
    }

    #[test]
    fn a_program_that_is_missing_is_named() {
        let dir = tempfile::tempdir().expect("a directory");
        let error = files(&QGA, dir.path()).expect_err("nothing is there").to_string();
        assert!(error.starts_with("no program `qemu-ga` in the packages qemu-guest-agent: "), "{error}");
        fs::create_dir_all(dir.path().join("usr/sbin")).expect("made");
        fs::write(dir.path().join("usr/sbin/qemu-ga"), "").expect("made");
        let found = files(&QGA, dir.path()).expect("there");
        assert_eq!(found, [("/usr/sbin/qemu-ga".to_owned(), dir.path().join("usr/sbin/qemu-ga"))]);
    }

    #[test]
    fn scripts_of_the_guest_are_sound() {
        for (path, perm, content) in QGA_FILES {
            assert!(content.ends_with('\n') && content.is_ascii(), "{path}");
            assert_eq!(*perm == 0o755, content.starts_with("#!"), "{path}");
        }
        let inittab = QGA_FILES.iter().find(|(path, ..)| *path == "/etc/inittab").expect("there").2;
        assert!(inittab.contains(&format!("/dev/virtio-ports/{QGA_PORT} ")));
    }
}
