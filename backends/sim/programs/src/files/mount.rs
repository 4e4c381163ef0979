//! mount(8) and umount(8): tmpfs, proc, bind mounts and read-only remounts.

use provium_kernel::Errno;
use provium_kernel::flags::{MS_BIND, MS_RDONLY, MS_REMOUNT};

use super::mount_table::mount_table;
use crate::shared::tool::text_of;
use crate::shared::{Exit, Opt, Outcome, Spec, Tool};

/// mount(8): wrong use or lacking rights.
const USAGE: i32 = 1;
/// mount(8): the mount failed.
const FAILED: i32 = 32;

const MOUNT: Spec = Spec::new(
    "[options] [-t TYPE] SOURCE DIRECTORY",
    &[
        Opt::unsupported("a", "all"),
        Opt::flag("B", "bind"),
        Opt::flag("l", "show-labels"),
        Opt::unsupported("M", "move"),
        Opt::flag("n", "no-mtab"),
        Opt::value("o", "options"),
        Opt::flag("r", "read-only"),
        Opt::unsupported("R", "rbind"),
        Opt::value("t", "types"),
        Opt::flag("v", "verbose"),
        Opt::flag("w", "rw"),
        Opt::value("", "source"),
        Opt::value("", "target"),
        Opt::unsupported("", "make-private"),
        Opt::unsupported("", "make-rprivate"),
        Opt::unsupported("", "make-shared"),
    ],
)
.failure(USAGE);

const UMOUNT: Spec = Spec::new(
    "[options] <source> | <directory>",
    &[
        Opt::unsupported("a", "all"),
        Opt::unsupported("f", "force"),
        Opt::unsupported("l", "lazy"),
        Opt::flag("n", "no-mtab"),
        Opt::flag("q", "quiet"),
        Opt::unsupported("R", "recursive"),
        Opt::flag("v", "verbose"),
    ],
)
.failure(USAGE);

pub(super) async fn mount(mut tool: Tool) -> Outcome {
    tool.use_short_name();
    let parsed = tool.parse(&MOUNT).await?;
    let mut operands = parsed.operands.clone().into_iter();
    let mut source = parsed.value("source").map(<[u8]>::to_vec);
    let mut target = parsed.value("target").map(<[u8]>::to_vec);
    if target.is_none() && parsed.operands.len() == 1 && source.is_none() {
        target = operands.next();
    }
    source = source.or_else(|| operands.next());
    target = target.or_else(|| operands.next());
    if operands.next().is_some() {
        return Err(tool.usage_error(USAGE, "bad usage").await);
    }
    let fstype = parsed.value("types").map(<[u8]>::to_vec);
    let Some(target) = target else {
        if source.is_some() {
            return Err(tool.usage_error(USAGE, "bad usage").await);
        }
        return list(&tool, fstype.as_deref()).await;
    };
    let shown = String::from_utf8_lossy(&target).into_owned();
    let (mut flags, mut data) = (0, Vec::new());
    for (option, value) in &parsed.options {
        match *option {
            "bind" => flags |= MS_BIND,
            "read-only" => flags |= MS_RDONLY,
            "rw" => flags &= !MS_RDONLY,
            "options" => {
                for word in value.as_deref().unwrap_or_default().split(|&byte| byte == b',') {
                    match word {
                        b"ro" => flags |= MS_RDONLY,
                        b"rw" => flags &= !MS_RDONLY,
                        b"bind" => flags |= MS_BIND,
                        b"remount" => flags |= MS_REMOUNT,
                        b"" | b"defaults" | b"relatime" | b"noatime" | b"nosuid" | b"nodev" | b"suid" | b"dev"
                        | b"exec" => {}
                        size if size.starts_with(b"size=") && fstype.as_deref() == Some(b"tmpfs") => {
                            data = size.to_vec()
                        }
                        other => {
                            let option = String::from_utf8_lossy(other);
                            let text = format!("option '-o {option}' is not supported by the simulated guest");
                            return Err(tool.fail(USAGE, text).await);
                        }
                    }
                }
            }
            _ => {}
        }
    }
    let source = match source {
        Some(source) => source,
        None if flags & MS_REMOUNT != 0 => b"none".to_vec(),
        None => return Err(tool.fail(USAGE, format!("{shown}: can't find in /etc/fstab.")).await),
    };
    if tool.sys.credentials().await.is_ok_and(|credentials| !credentials.is_root()) {
        return Err(tool.fail(USAGE, format!("{shown}: must be superuser to use mount.")).await);
    }
    let Err(errno) = tool.sys.mount(&source, &target, fstype.as_deref().unwrap_or_default(), flags, &data).await else {
        if parsed.has("verbose") {
            tool.out.write(format!("mount: {} mounted on {shown}.\n", String::from_utf8_lossy(&source))).await?;
        }
        return Ok(0);
    };
    let source = String::from_utf8_lossy(&source).into_owned();
    let text = match errno {
        Errno::EPERM => format!("{shown}: permission denied."),
        Errno::ENOENT | Errno::ENOTDIR if tool.sys.lstat(&target).await.is_err() => {
            format!("{shown}: mount point does not exist.")
        }
        Errno::ENOTDIR => format!("{shown}: mount point is not a directory."),
        Errno::ENOENT => format!("{shown}: special device {source} does not exist."),
        Errno::EBUSY => format!("{shown}: {source} already mounted or mount point busy."),
        Errno::ENODEV => match &fstype {
            Some(fstype) => format!("{shown}: unknown filesystem type '{}'.", String::from_utf8_lossy(fstype)),
            None => format!("{shown}: filesystem was not found, but mount(8) needs its type (-t)."),
        },
        Errno::EINVAL if flags & MS_REMOUNT != 0 => format!("{shown}: mount point not mounted or bad option."),
        Errno::EINVAL => {
            format!(
                "{shown}: wrong fs type, bad option, bad superblock on {source}, missing codepage or helper program, or other error."
            )
        }
        other => format!("{shown}: mount(2) system call failed: {}.", text_of(other)),
    };
    Err(tool.fail(FAILED, text).await)
}

async fn list(tool: &Tool, fstype: Option<&[u8]>) -> Outcome {
    let mounts = match mount_table(&tool.sys).await {
        Ok(mounts) => mounts,
        Err(errno) => return Err(tool.fail_errno(FAILED, "failed to read mtab", errno).await),
    };
    for mount in mounts.iter().filter(|mount| fstype.is_none_or(|fstype| mount.fstype == fstype)) {
        let line = [&mount.source[..], b" on ", &mount.target, b" type ", &mount.fstype, b" (", &mount.options, b")\n"];
        tool.out.write(line.concat()).await?;
    }
    Ok(0)
}

pub(super) async fn umount(mut tool: Tool) -> Outcome {
    tool.use_short_name();
    let parsed = tool.parse(&UMOUNT).await?;
    if parsed.operands.is_empty() {
        return Err(tool.usage_error(USAGE, "bad usage").await);
    }
    let mut code = 0;
    for operand in &parsed.operands {
        if let Err(Exit(failure)) = umount_one(&tool, operand, parsed.has("verbose"), parsed.has("quiet")).await {
            code = failure;
        }
    }
    Ok(code)
}

async fn umount_one(tool: &Tool, operand: &[u8], verbose: bool, quiet: bool) -> Result<(), Exit> {
    let shown = String::from_utf8_lossy(operand).into_owned();
    if tool.sys.credentials().await.is_ok_and(|credentials| !credentials.is_root()) {
        return Err(tool.fail(FAILED, format!("{shown}: must be superuser to unmount.")).await);
    }
    match tool.sys.umount(operand).await {
        Ok(()) => {
            if verbose {
                tool.out.write(format!("umount: {shown} unmounted\n")).await?;
            }
            Ok(())
        }
        Err(errno) => {
            let text = match errno {
                Errno::ENOENT => format!("{shown}: no mount point specified."),
                Errno::EINVAL if quiet => return Err(Exit(FAILED)),
                Errno::EINVAL => format!("{shown}: not mounted."),
                Errno::EBUSY => format!("{shown}: target is busy."),
                Errno::EPERM => format!("{shown}: must be superuser to unmount."),
                other => format!("{shown}: umount(2) system call failed: {}.", text_of(other)),
            };
            Err(tool.fail(FAILED, text).await)
        }
    }
}
