//! `/proc`: what tools read there.

mod common;

use std::collections::BTreeMap;

use common::run;
use provium_kernel::flags::{LOCK_EX, O_CREAT, O_RDONLY, O_RDWR, O_WRONLY, S_IFDIR, S_IFLNK, S_IFMT};
use provium_kernel::{Errno, Sys};

async fn text(sys: &Sys, path: &str) -> String {
    match sys.read_file(path).await {
        Ok(bytes) => String::from_utf8(bytes).unwrap(),
        Err(errno) => panic!("{path}: {errno}"),
    }
}

async fn write(sys: &Sys, path: &str, value: &str) -> Result<(), Errno> {
    let fd = sys.open(path, O_WRONLY, 0).await?;
    let written = sys.write_all(fd, value.as_bytes()).await;
    sys.close(fd).await?;
    written
}

#[test]
fn everything_that_is_listed_is_there_and_can_be_read() {
    run(|sys| {
        Box::pin(async move {
            let kept = sys.open("/etc/passwd", O_RDONLY, 0).await.unwrap();
            assert_eq!(kept, 0);
            let mut dirs = vec!["/proc".to_owned()];
            let mut files = 0;
            while let Some(dir) = dirs.pop() {
                for entry in sys.read_dir(&dir).await.unwrap() {
                    let path = format!("{dir}/{}", String::from_utf8(entry.name).unwrap());
                    let stat = match sys.lstat(&path).await {
                        Ok(stat) => stat,
                        // The descriptor by which the directory was read.
                        Err(Errno::ENOENT) if dir.contains("/fd") => continue,
                        Err(errno) => panic!("{path}: {errno}"),
                    };
                    assert_eq!((stat.mode & S_IFMT, stat.ino), (entry.kind, entry.ino), "{path}");
                    match stat.mode & S_IFMT {
                        S_IFDIR => dirs.push(path),
                        S_IFLNK => {
                            let target = sys.readlink(&path).await;
                            assert!(target.is_ok() || path.ends_with("/exe"), "{path}: {target:?}");
                        }
                        _ if stat.mode & 0o400 == 0 => {}
                        _ => {
                            text(&sys, &path).await;
                            files += 1;
                        }
                    }
                }
                let above = sys.stat(format!("{dir}/..")).await.unwrap().ino;
                let parent = dir.rsplit_once('/').unwrap().0;
                assert_eq!(above, sys.stat(if parent.is_empty() { "/" } else { parent }).await.unwrap().ino, "{dir}");
            }
            assert!(files > 80, "{files}");
        })
    });
}

#[test]
fn a_process_says_what_it_is() {
    run(|sys| {
        Box::pin(async move {
            let pid = sys.pid();
            assert_eq!(sys.readlink("/proc/self").await.unwrap(), pid.to_string().as_bytes());
            assert_eq!(text(&sys, "/proc/thread-self/comm").await, "init\n");
            let stat = text(&sys, "/proc/self/stat").await;
            assert_eq!(stat.split(' ').count(), 52, "{stat}");
            let status = text(&sys, "/proc/self/status").await;
            let status: BTreeMap<&str, &str> = status.lines().filter_map(|line| line.split_once(":\t")).collect();
            assert_eq!((status["Pid"], status["PPid"], status["Threads"]), (&*pid.to_string(), "1", "1"));
            assert_eq!(status["Uid"], "0\t0\t0\t0");
            let limits = text(&sys, "/proc/self/limits").await;
            assert!(
                limits.contains("Max open files            1024                 4096                 files     \n")
            );
            write(&sys, "/proc/self/comm", "renamed-to-a-long-name\n").await.unwrap();
            assert_eq!(text(&sys, "/proc/self/comm").await, "renamed-to-a-lo\n");
            write(&sys, "/proc/self/oom_score_adj", "-1000").await.unwrap();
            assert_eq!(text(&sys, "/proc/self/oom_score_adj").await, "-1000\n");
            assert_eq!(write(&sys, "/proc/self/oom_score_adj", "1001").await, Err(Errno::EINVAL));
            let fd = sys.open("/tmp/f", O_CREAT | O_RDWR, 0o644).await.unwrap();
            sys.write_all(fd, b"abc").await.unwrap();
            sys.flock(fd, LOCK_EX).await.unwrap();
            let info = text(&sys, &format!("/proc/self/fdinfo/{fd}")).await;
            assert!(info.starts_with("pos:\t3\nflags:\t0100002\nmnt_id:\t0\nino:\t"), "{info}");
            assert!(info.contains(&format!("lock:\t1: FLOCK  ADVISORY  WRITE {pid} ")), "{info}");
            assert!(text(&sys, "/proc/locks").await.starts_with("1: FLOCK  ADVISORY  WRITE "));
            assert!(text(&sys, "/proc/net/unix").await.starts_with("Num "));
        })
    });
}

#[test]
fn others_may_not_look_into_a_process() {
    run(|sys| {
        Box::pin(async move {
            let own = sys.pid();
            let child = sys.fork(move |child| {
                Box::pin(async move {
                    child.setgid(1000).await.unwrap();
                    child.setuid(1000).await.unwrap();
                    let dir = format!("/proc/{own}");
                    assert_eq!(child.read_file(format!("{dir}/environ")).await, Err(Errno::EACCES));
                    assert_eq!(child.read_dir(format!("{dir}/fd")).await, Err(Errno::EACCES));
                    assert_eq!(child.readlink(format!("{dir}/cwd")).await, Err(Errno::EACCES));
                    assert_eq!(child.stat(format!("{dir}/cwd")).await, Err(Errno::EACCES));
                    assert_eq!(child.read_file(format!("{dir}/maps")).await, Err(Errno::EACCES));
                    text(&child, &format!("{dir}/status")).await;
                    assert_eq!(write(&child, "/proc/sys/kernel/hostname", "x").await, Err(Errno::EACCES));
                    text(&child, "/proc/self/environ").await;
                    text(&child, "/proc/self/maps").await;
                    assert_eq!(child.readlink("/proc/self/cwd").await.unwrap(), b"/");
                    0
                })
            });
            child.await.unwrap();
            let ended = sys.wait(provium_kernel::WaitFor::Any, Default::default()).await.unwrap().unwrap();
            assert_eq!(ended.1, provium_kernel::WaitStatus::Exited(0));
        })
    });
}

#[test]
fn settings_are_read_and_written() {
    run(|sys| {
        Box::pin(async move {
            assert_eq!(text(&sys, "/proc/sys/kernel/ostype").await, "Linux\n");
            write(&sys, "/proc/sys/kernel/hostname", "other\n").await.unwrap();
            assert_eq!(sys.uname().await.nodename, "other");
            write(&sys, "/proc/sys/vm/swappiness", "10\n").await.unwrap();
            assert_eq!(text(&sys, "/proc/sys/vm/swappiness").await, "10\n");
            assert_eq!(write(&sys, "/proc/sys/vm/swappiness", "ten").await, Err(Errno::EINVAL));
            assert_eq!(write(&sys, "/proc/sys/vm/swappiness", "500").await, Err(Errno::EINVAL));
            let boot = text(&sys, "/proc/sys/kernel/random/boot_id").await;
            assert_eq!((boot.len(), boot.as_bytes()[14]), (37, b'4'));
            assert_eq!(boot, text(&sys, "/proc/sys/kernel/random/boot_id").await);
            let uuid = text(&sys, "/proc/sys/kernel/random/uuid").await;
            assert_ne!(uuid, text(&sys, "/proc/sys/kernel/random/uuid").await);
        })
    });
}

#[test]
fn memory_mounts_and_processors_read_as_tools_expect() {
    run(|sys| {
        Box::pin(async move {
            let memory = text(&sys, "/proc/meminfo").await;
            assert!(memory.starts_with("MemTotal:         524288 kB\nMemFree: "), "{memory}");
            sys.mkdir("/tmp/a dir", 0o755).await.unwrap();
            sys.mount("/etc", "/tmp/a dir", b"", 4096, b"").await.unwrap();
            let mounts = text(&sys, "/proc/mounts").await;
            assert!(mounts.starts_with("rootfs / tmpfs rw,relatime 0 0\n"), "{mounts}");
            assert!(mounts.contains("/etc /tmp/a\\040dir tmpfs rw,relatime 0 0\n"), "{mounts}");
            let info = text(&sys, "/proc/self/mountinfo").await;
            assert!(info.contains(" /etc /tmp/a\\040dir rw,relatime - tmpfs /etc rw\n"), "{info}");
            assert!(text(&sys, "/proc/cpuinfo").await.starts_with("processor\t: 0\n"));
            let uptime = text(&sys, "/proc/uptime").await;
            sys.nanosleep(5_000_000_000).await.unwrap();
            assert_ne!(text(&sys, "/proc/uptime").await, uptime);
            assert_eq!(text(&sys, "/proc/swaps").await.lines().count(), 1);
        })
    });
}
