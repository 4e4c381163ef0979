//! The file system of a guest at boot: the same places, users and names that the simulated guest has.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use super::cpio::{Archive, Attributes, CpioError, Node};
use super::error::ImageError;

/// Where the list of modules to insert before the link is looked for stands: a path a line, in order.
pub const MODULES: &str = "/etc/provium/modules";

/// Where the list of modules to insert when the agent already answers stands.
pub const MODULES_LATER: &str = "/etc/provium/modules.later";

/// Directories that every system has, with their permissions, parents first. Archives that are put on top of another
/// system leave them alone: there they may be links.
pub const DIRECTORIES: &[(&str, u32)] = &[
    ("/bin", 0o755),
    ("/sbin", 0o755),
    ("/usr", 0o755),
    ("/usr/bin", 0o755),
    ("/usr/sbin", 0o755),
    ("/usr/lib", 0o755),
    ("/usr/share", 0o755),
    ("/usr/local", 0o755),
    ("/usr/local/bin", 0o755),
    ("/usr/local/sbin", 0o755),
    ("/etc", 0o755),
    ("/dev", 0o755),
    ("/proc", 0o555),
    ("/sys", 0o555),
    ("/tmp", 0o1777),
    ("/root", 0o700),
    ("/home", 0o755),
    ("/run", 0o755),
    ("/mnt", 0o755),
    ("/opt", 0o755),
    ("/var", 0o755),
    ("/var/tmp", 0o1777),
    ("/var/log", 0o755),
    ("/lib", 0o755),
    ("/lib64", 0o755),
];

/// The user without rights, as user and as group.
const USER: u32 = 1000;

const FILES: &[(&str, &str)] = &[
    (
        "/etc/passwd",
        "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n\
         user:x:1000:1000:user:/home/user:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    ),
    ("/etc/group", "root:x:0:\ndaemon:x:1:\nuser:x:1000:\nnogroup:x:65534:\n"),
    ("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n"),
    ("/etc/hostname", "guest\n"),
    ("/etc/os-release", "NAME=\"provium guest\"\nID=provium\n"),
    ("/etc/profile", "export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"),
    ("/etc/shells", "/bin/sh\n"),
];

/// Devices that are needed before there is a devtmpfs.
const DEVICES: &[(&str, u32, (u32, u32))] = &[("/dev/console", 0o600, (5, 1)), ("/dev/null", 0o666, (1, 3))];

/// Applets that are not linked: what they are for is done by others.
const LEFT_OUT: &[&str] = &["linuxrc", "init", "sbin/init"];

/// Writes the file system; `links` are names of busybox.
pub fn write<W: Write>(archive: &mut Archive<W>, busybox: &[u8], links: &[String]) -> Result<(), CpioError> {
    // The kernel makes the root writable to all.
    archive.add(b".", Node::Directory, Attributes::root(0o755))?;
    for (path, perm) in DIRECTORIES {
        archive.add(path.as_bytes(), Node::Directory, Attributes::root(*perm))?;
    }
    archive.add(b"/home/user", Node::Directory, Attributes { perm: 0o755, uid: USER, gid: USER })?;
    for (path, content) in FILES {
        archive.add(path.as_bytes(), Node::File(content.as_bytes()), Attributes::root(0o644))?;
    }
    for (path, perm, (major, minor)) in DEVICES {
        archive.add(path.as_bytes(), Node::CharDevice(*major, *minor), Attributes::root(*perm))?;
    }
    archive.add(b"/etc/mtab", Node::Symlink(b"/proc/self/mounts"), Attributes::root(0o777))?;
    archive.add(b"/bin/busybox", Node::File(busybox), Attributes::root(0o755))?;
    for link in links {
        archive.add(link.as_bytes(), Node::Symlink(b"/bin/busybox"), Attributes::root(0o777))?;
    }
    Ok(())
}

/// The names that busybox does the work of, as paths without a leading `/`. It is asked: only it knows how it was built.
/// Names that others do the work of are left out.
pub fn applets(busybox: &Path, others: &BTreeSet<&str>) -> Result<Vec<String>, ImageError> {
    let output = Command::new(busybox).arg("--list-full").stdin(Stdio::null()).output();
    let output = output.map_err(|why| ImageError::Busybox(why.to_string()))?;
    let mut applets = parse_applets(&String::from_utf8_lossy(&output.stdout));
    if !output.status.success() || !applets.iter().any(|path| path == "bin/sh") {
        return Err(ImageError::Busybox(format!("it ended with {} and names no shell", output.status)));
    }
    applets.retain(|path| path.rsplit('/').next().is_some_and(|name| !others.contains(name)));
    Ok(applets)
}

fn parse_applets(text: &str) -> Vec<String> {
    let known = |folder: &str| DIRECTORIES.iter().any(|(path, _)| path[1..] == *folder);
    let paths: BTreeSet<&str> = text
        .lines()
        .map(str::trim)
        .filter(|path| path.rsplit_once('/').is_some_and(|(folder, name)| known(folder) && !name.is_empty()))
        .filter(|path| !LEFT_OUT.contains(path) && *path != "bin/busybox")
        .collect();
    paths.into_iter().map(str::to_owned).collect()
}

/// The parents of a path that an archive has to bring: those that not every system has.
pub fn parents(path: &[u8]) -> Vec<&[u8]> {
    let known =
        |parent: &[u8]| DIRECTORIES.iter().any(|(path, _)| path.as_bytes() == parent) || parent == b"/home/user";
    let ends = path.iter().enumerate().skip(1).filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
    ends.map(|end| &path[..end]).filter(|parent| !parent.ends_with(b"/") && !known(parent)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn applets_are_those_in_known_places() {
        let text = "bin/sh\nbin/busybox\nlinuxrc\nusr/bin/[\nsbin/init\nusr/bin/[[\n\nodd/place/x\nbin/\n";
        assert_eq!(parse_applets(text), ["bin/sh", "usr/bin/[", "usr/bin/[["]);
    }

    #[test]
    fn parents_come_before_what_is_in_them() {
        for (at, (path, _)) in DIRECTORIES.iter().enumerate() {
            let parent = path.rsplit_once('/').map(|(parent, _)| parent).unwrap_or("");
            assert!(parent.is_empty() || DIRECTORIES[..at].iter().any(|(other, _)| *other == parent), "{path}");
        }
        for (path, _) in FILES {
            assert!(parents(path.as_bytes()).is_empty(), "{path}");
        }
    }

    #[test]
    fn only_what_may_be_missing_is_brought() {
        let brought = |path: &'static str| -> Vec<&str> {
            parents(path.as_bytes()).iter().map(|path| std::str::from_utf8(path).expect("ASCII")).collect()
        };
        assert_eq!(brought("/etc/passwd"), [""; 0]);
        assert_eq!(brought("/tmp/a/b/c"), ["/tmp/a", "/tmp/a/b"]);
        assert_eq!(brought("//x//y"), ["//x"]);
        assert_eq!(brought("/x"), [""; 0]);
    }
}
