//! What the host cannot be compared with: mounts, the clock, the host name, memory, processes.

use crate::guest::run;

fn output(lines: &[&str]) -> String {
    let ran = run(lines).pop().unwrap();
    format!("{}{}", ran.stdout, ran.stderr)
}

#[test]
fn file_systems_are_mounted_listed_and_unmounted() {
    let ran = run(&[
        "mkdir m b",
        "touch b/here",
        "mount -t tmpfs scratch m",
        "touch m/f",
        "mount",
        "df -P m",
        "mv m/f b",
        "umount m",
        "ls m b",
        "mount --bind b m",
        "ls m",
        "umount m",
        "umount m",
        "mount -t nosuch x m",
        "mount -t tmpfs x nope",
        "mount -o nr_inodes=1 -t tmpfs x m",
    ]);
    let codes: Vec<i32> = ran.iter().map(|ran| ran.code).collect();
    assert_eq!(codes, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 32, 32, 1], "{ran:#?}");
    assert!(ran[4].stdout.contains("scratch on /tmp/work/m type tmpfs (rw"), "{}", ran[4].stdout);
    assert!(
        ran[5].stdout.lines().nth(1).is_some_and(|line| line.starts_with("scratch ") && line.ends_with(" /tmp/work/m"))
    );
    assert_eq!(ran[8].stdout, "b:\nf\nhere\n\nm:\n");
    assert_eq!(ran[10].stdout, "f\nhere\n");
    assert_eq!(ran[12].stderr, "umount: m: not mounted.\n");
    assert_eq!(ran[13].stderr, "mount: m: unknown filesystem type 'nosuch'.\n");
    assert_eq!(ran[14].stderr, "mount: nope: mount point does not exist.\n");
    assert_eq!(ran[15].stderr, "mount: option '-o nr_inodes=1' is not supported by the simulated guest\n");
}

#[test]
fn moving_between_file_systems_copies_and_removes() {
    let ran = run(&[
        "mkdir m",
        "mount -t tmpfs x m",
        "mkdir -p s/t",
        "touch -d '2001-02-03 04:05:06' s/t/f",
        "chmod 640 s/t/f",
        "ln -s f s/t/l",
        "mv -v s m",
        "find m -mindepth 1 -printf '%P %y %m %TY\\n'",
        "ls",
    ]);
    assert!(ran.iter().all(|ran| ran.code == 0), "{ran:#?}");
    let mut lines: Vec<&str> = ran[6].stdout.lines().collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "copied 's/t/f' -> 'm/s/t/f'",
            "copied 's/t/l' -> 'm/s/t/l'",
            "created directory 'm/s'",
            "created directory 'm/s/t'",
            "removed 's/t/f'",
            "removed 's/t/l'",
            "removed directory 's'",
            "removed directory 's/t'",
        ]
    );
    assert!(ran[7].stdout.contains("s/t/f f 640 2001\n"), "{}", ran[7].stdout);
    assert_eq!(ran[8].stdout, "m\n");
}

#[test]
fn the_clock_is_virtual_and_can_be_set() {
    assert_eq!(output(&["date -s '2030-01-01 00:00:00'"]), "Tue Jan  1 00:00:00 UTC 2030\n");
    let ran = run(&["date -s 2030-01-01", "sleep 3600", "date +%H", "touch f", "date -r f +%Y", "uptime -p"]);
    assert_eq!(ran[2].stdout, "01\n");
    assert_eq!(ran[4].stdout, "2030\n");
    assert_eq!(ran[5].stdout, "up 1 hour\n");
}

#[test]
fn the_machine_says_who_it_is() {
    assert_eq!(output(&["hostname"]), "guest\n");
    assert_eq!(output(&["hostname other.example", "hostname -s"]), "other\n");
    assert_eq!(output(&["sysctl -w kernel.hostname=third", "uname -n"]), "third\n");
    assert_eq!(output(&["uname -s"]), "Linux\n");
    assert_eq!(output(&["nproc"]), "1\n");
    assert!(output(&["dmesg"]).starts_with("[    0.000000] Linux version "));
    assert!(output(&["dmesg -t"]).starts_with("Linux version "));
    let free = output(&["free -m"]);
    assert!(free.lines().nth(1).is_some_and(|line| line.starts_with("Mem:             512 ")), "{free}");
}

#[test]
fn processes_are_listed() {
    let all = output(&["ps -eo pid,ppid,comm,args"]);
    assert!(all.lines().any(|line| line.starts_with("      1       0 init")), "{all}");
    assert!(all.lines().any(|line| line.ends_with(" ps -eo pid,ppid,comm,args")), "{all}");
    assert_eq!(output(&["ps -p 1 -o user=,comm="]), "root     init\n");
    let full = output(&["ps -ef"]);
    assert!(full.starts_with("UID          PID    PPID  C STIME TTY          TIME CMD\n"), "{full}");
    assert!(
        output(&["ps aux"]).starts_with("USER         PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND\n")
    );
    assert_eq!(output(&["pidof init"]), "1\n");
    assert_eq!(output(&["pgrep -x init"]), "1\n");
}

#[test]
fn nobody_is_asked_who_he_is() {
    assert_eq!(output(&["id"]), "uid=0(root) gid=0(root) groups=0(root)\n");
    assert_eq!(output(&["id user"]), "uid=1000(user) gid=1000(user) groups=1000(user)\n");
    assert_eq!(output(&["whoami"]), "root\n");
}
