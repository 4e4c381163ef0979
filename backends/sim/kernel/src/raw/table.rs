//! The one list of raw system calls: which are carried out and by which family, and why others are
//! not. The page `docs/syscalls.md` is made from it.

/// Calls that belong together and are carried out by one module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Reading and writing.
    Io,
    /// Names and attributes of files.
    Paths,
    /// Making, removing and changing names.
    Names,
    /// Descriptors.
    Descriptors,
    /// Waiting for descriptors.
    Polling,
    /// Counters, timers, memory files, sets of watched files.
    Objects,
    /// Unix sockets.
    Sockets,
    /// Process ids and credentials.
    Ids,
    /// Processes and their resources.
    Processes,
    /// Signals.
    Signals,
    /// Clocks and sleeping.
    Time,
    /// The system as a whole.
    System,
}

impl Family {
    /// Every family, in the order of the page.
    pub const ALL: &'static [Family] = &[
        Family::Io,
        Family::Paths,
        Family::Names,
        Family::Descriptors,
        Family::Polling,
        Family::Objects,
        Family::Sockets,
        Family::Ids,
        Family::Processes,
        Family::Signals,
        Family::Time,
        Family::System,
    ];

    /// Its heading.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Family::Io => "Reading and writing",
            Family::Paths => "Opening, attributes, permissions",
            Family::Names => "Making and removing names",
            Family::Descriptors => "Descriptors, pipes, locks",
            Family::Polling => "Waiting for descriptors",
            Family::Objects => "Counters, timers, memory files, epoll",
            Family::Sockets => "Unix sockets",
            Family::Ids => "Process ids and credentials",
            Family::Processes => "Processes and resources",
            Family::Signals => "Signals",
            Family::Time => "Clocks and sleeping",
            Family::System => "The system",
        }
    }
}

/// One call that is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its number.
    pub nr: u64,
    /// Its name.
    pub name: &'static str,
    /// Who carries it out.
    pub family: Family,
    /// What differs from Linux, for the page; empty when nothing that a test would notice does.
    pub remark: &'static str,
}

/// One call that is refused for a reason of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its name.
    pub name: &'static str,
    /// Why it answers `ENOSYS`.
    pub reason: &'static str,
}

macro_rules! calls {
    ($($nr:literal $constant:ident $name:ident $family:ident $remark:literal;)*) => {
        /// Numbers of the calls that are carried out, by name.
        pub mod nr {
            $(
                #[doc = concat!("The number of `", stringify!($name), "`.")]
                pub const $constant: u64 = $nr;
            )*
        }

        /// The calls that are carried out, in order of number.
        pub const CALLS: &[Row] = &[
            $(Row { nr: $nr, name: stringify!($name), family: Family::$family, remark: $remark },)*
        ];
    };
}

calls! {
    0 READ read Io "";
    1 WRITE write Io "";
    2 OPEN open Paths "";
    3 CLOSE close Descriptors "";
    4 STAT stat Paths "";
    5 FSTAT fstat Paths "";
    6 LSTAT lstat Paths "";
    7 POLL poll Polling "";
    8 LSEEK lseek Io "";
    13 RT_SIGACTION rt_sigaction Signals "Asking, and setting `SIG_DFL` and `SIG_IGN`; the address of a handler is `ENOSYS`, since there is no code that it could run.";
    14 RT_SIGPROCMASK rt_sigprocmask Signals "";
    16 IOCTL ioctl Descriptors "`FIONREAD`, `FIONBIO`, `FIOCLEX` and `FIONCLEX`; on the console `TCGETS`, `TCSETS`, `TCSETSW`, `TCSETSF`, `TCFLSH`, `TIOCGWINSZ` and `TIOCSWINSZ`, all of termios(3) but parity, delays and `VTIME`; others are `ENOTTY`.";
    17 PREAD64 pread64 Io "";
    18 PWRITE64 pwrite64 Io "";
    19 READV readv Io "";
    20 WRITEV writev Io "";
    21 ACCESS access Paths "";
    22 PIPE pipe Descriptors "";
    23 SELECT select Polling "";
    24 SCHED_YIELD sched_yield Processes "";
    32 DUP dup Descriptors "";
    33 DUP2 dup2 Descriptors "";
    34 PAUSE pause Signals "";
    35 NANOSLEEP nanosleep Time "";
    36 GETITIMER getitimer Signals "`ITIMER_REAL`.";
    37 ALARM alarm Signals "";
    38 SETITIMER setitimer Signals "`ITIMER_REAL`.";
    39 GETPID getpid Ids "";
    41 SOCKET socket Sockets "`AF_UNIX`; other families are `EAFNOSUPPORT`.";
    42 CONNECT connect Sockets "";
    43 ACCEPT accept Sockets "";
    44 SENDTO sendto Sockets "";
    45 RECVFROM recvfrom Sockets "";
    46 SENDMSG sendmsg Sockets "`SCM_RIGHTS` and `SCM_CREDENTIALS`.";
    47 RECVMSG recvmsg Sockets "`SCM_RIGHTS` and `SCM_CREDENTIALS`.";
    48 SHUTDOWN shutdown Sockets "";
    49 BIND bind Sockets "Paths, abstract names, and names that the kernel chooses.";
    50 LISTEN listen Sockets "";
    51 GETSOCKNAME getsockname Sockets "";
    52 GETPEERNAME getpeername Sockets "";
    53 SOCKETPAIR socketpair Sockets "";
    54 SETSOCKOPT setsockopt Sockets "`SO_SNDBUF`, `SO_RCVBUF`, `SO_PASSCRED`, `SO_RCVTIMEO`, `SO_SNDTIMEO`; others are `ENOPROTOOPT`.";
    55 GETSOCKOPT getsockopt Sockets "Those, `SO_TYPE`, `SO_DOMAIN`, `SO_PROTOCOL`, `SO_ERROR`, `SO_PEERCRED` and `SO_ACCEPTCONN`.";
    61 WAIT4 wait4 Processes "The children are those of the agent, which also waits for them.";
    62 KILL kill Signals "";
    63 UNAME uname System "";
    72 FCNTL fcntl Descriptors "`F_DUPFD`, `F_DUPFD_CLOEXEC`, `F_GETFD`, `F_SETFD`, `F_GETFL`, `F_SETFL`, record locks of processes and of open files, `F_GETPIPE_SZ`, `F_SETPIPE_SZ`, `F_GET_SEALS`, `F_ADD_SEALS`; others are `EINVAL`.";
    73 FLOCK flock Descriptors "";
    74 FSYNC fsync Descriptors "";
    75 FDATASYNC fdatasync Descriptors "";
    76 TRUNCATE truncate Io "";
    77 FTRUNCATE ftruncate Io "";
    79 GETCWD getcwd Paths "";
    80 CHDIR chdir Paths "";
    81 FCHDIR fchdir Paths "";
    82 RENAME rename Names "";
    83 MKDIR mkdir Names "";
    84 RMDIR rmdir Names "";
    85 CREAT creat Paths "";
    86 LINK link Names "";
    87 UNLINK unlink Names "";
    88 SYMLINK symlink Names "";
    89 READLINK readlink Paths "";
    90 CHMOD chmod Paths "";
    91 FCHMOD fchmod Paths "";
    92 CHOWN chown Paths "";
    93 FCHOWN fchown Paths "";
    94 LCHOWN lchown Paths "";
    95 UMASK umask Paths "";
    96 GETTIMEOFDAY gettimeofday Time "";
    97 GETRLIMIT getrlimit Processes "";
    98 GETRUSAGE getrusage Processes "User time only.";
    99 SYSINFO sysinfo System "";
    100 TIMES times Processes "User time only.";
    102 GETUID getuid Ids "";
    103 SYSLOG syslog System "Reading all, and the two sizes.";
    104 GETGID getgid Ids "";
    105 SETUID setuid Ids "As on Linux, raw calls change the credentials of the calling thread alone.";
    106 SETGID setgid Ids "";
    107 GETEUID geteuid Ids "";
    108 GETEGID getegid Ids "";
    109 SETPGID setpgid Ids "";
    110 GETPPID getppid Ids "";
    111 GETPGRP getpgrp Ids "";
    112 SETSID setsid Ids "";
    113 SETREUID setreuid Ids "";
    114 SETREGID setregid Ids "";
    115 GETGROUPS getgroups Ids "";
    116 SETGROUPS setgroups Ids "";
    117 SETRESUID setresuid Ids "";
    118 GETRESUID getresuid Ids "";
    119 SETRESGID setresgid Ids "";
    120 GETRESGID getresgid Ids "";
    121 GETPGID getpgid Ids "";
    122 SETFSUID setfsuid Ids "The file system ids follow the effective ones: this only asks.";
    123 SETFSGID setfsgid Ids "The file system ids follow the effective ones: this only asks.";
    124 GETSID getsid Ids "";
    127 RT_SIGPENDING rt_sigpending Signals "";
    128 RT_SIGTIMEDWAIT rt_sigtimedwait Signals "The sender is not told.";
    130 RT_SIGSUSPEND rt_sigsuspend Signals "";
    132 UTIME utime Paths "";
    133 MKNOD mknod Names "";
    137 STATFS statfs Paths "";
    138 FSTATFS fstatfs Paths "";
    157 PRCTL prctl Processes "`PR_SET_NAME`, `PR_GET_NAME`, `PR_SET_CHILD_SUBREAPER`, `PR_GET_CHILD_SUBREAPER`, `PR_GET_DUMPABLE`, `PR_GET_NO_NEW_PRIVS`, `PR_GET_PDEATHSIG`; others are `EINVAL`.";
    160 SETRLIMIT setrlimit Processes "All are kept; `RLIMIT_NOFILE` and `RLIMIT_FSIZE` take effect.";
    161 CHROOT chroot Paths "The whole process's, as on Linux.";
    162 SYNC sync Descriptors "";
    165 MOUNT mount System "`tmpfs` with `size=`, `ramfs`, `proc`, `MS_BIND` and `MS_REMOUNT`.";
    166 UMOUNT2 umount2 System "Without flags.";
    170 SETHOSTNAME sethostname System "";
    186 GETTID gettid Ids "";
    200 TKILL tkill Signals "";
    201 TIME time Time "";
    204 SCHED_GETAFFINITY sched_getaffinity Processes "";
    213 EPOLL_CREATE epoll_create Objects "";
    217 GETDENTS64 getdents64 Io "";
    221 FADVISE64 fadvise64 Io "Nothing to advise in memory.";
    227 CLOCK_SETTIME clock_settime Time "`CLOCK_REALTIME`.";
    228 CLOCK_GETTIME clock_gettime Time "";
    229 CLOCK_GETRES clock_getres Time "";
    230 CLOCK_NANOSLEEP clock_nanosleep Time "";
    232 EPOLL_WAIT epoll_wait Objects "";
    233 EPOLL_CTL epoll_ctl Objects "Without `EPOLLEXCLUSIVE` and `EPOLLWAKEUP`.";
    234 TGKILL tgkill Signals "";
    235 UTIMES utimes Paths "";
    247 WAITID waitid Processes "The children are those of the agent, which also waits for them.";
    257 OPENAT openat Paths "";
    258 MKDIRAT mkdirat Names "";
    259 MKNODAT mknodat Names "";
    260 FCHOWNAT fchownat Paths "";
    261 FUTIMESAT futimesat Paths "";
    262 NEWFSTATAT newfstatat Paths "";
    263 UNLINKAT unlinkat Names "";
    264 RENAMEAT renameat Names "";
    265 LINKAT linkat Names "";
    266 SYMLINKAT symlinkat Names "";
    267 READLINKAT readlinkat Paths "";
    268 FCHMODAT fchmodat Paths "";
    269 FACCESSAT faccessat Paths "";
    270 PSELECT6 pselect6 Polling "";
    271 PPOLL ppoll Polling "";
    280 UTIMENSAT utimensat Paths "";
    281 EPOLL_PWAIT epoll_pwait Objects "";
    283 TIMERFD_CREATE timerfd_create Objects "";
    284 EVENTFD eventfd Objects "";
    285 FALLOCATE fallocate Io "Plain, `FALLOC_FL_KEEP_SIZE` and `FALLOC_FL_PUNCH_HOLE`.";
    286 TIMERFD_SETTIME timerfd_settime Objects "Without `TFD_TIMER_CANCEL_ON_SET`.";
    287 TIMERFD_GETTIME timerfd_gettime Objects "";
    288 ACCEPT4 accept4 Sockets "";
    290 EVENTFD2 eventfd2 Objects "";
    291 EPOLL_CREATE1 epoll_create1 Objects "";
    292 DUP3 dup3 Descriptors "";
    293 PIPE2 pipe2 Descriptors "";
    295 PREADV preadv Io "";
    296 PWRITEV pwritev Io "";
    302 PRLIMIT64 prlimit64 Processes "All are kept; `RLIMIT_NOFILE` and `RLIMIT_FSIZE` take effect.";
    306 SYNCFS syncfs Descriptors "";
    309 GETCPU getcpu Processes "Always processor 0.";
    316 RENAMEAT2 renameat2 Names "`RENAME_NOREPLACE` and `RENAME_EXCHANGE`.";
    318 GETRANDOM getrandom System "";
    319 MEMFD_CREATE memfd_create Objects "Without `MFD_HUGETLB`.";
    327 PREADV2 preadv2 Io "Without flags.";
    328 PWRITEV2 pwritev2 Io "Without flags.";
    332 STATX statx Paths "No birth time.";
    436 CLOSE_RANGE close_range Descriptors "";
    437 OPENAT2 openat2 Paths "`resolve` must be 0.";
    439 FACCESSAT2 faccessat2 Paths "";
    441 EPOLL_PWAIT2 epoll_pwait2 Objects "";
    452 FCHMODAT2 fchmodat2 Paths "";
}

/// Calls that a reader may look for, and why they are not there.
pub const REFUSED: &[Refused] = &[
    Refused { name: "clone", reason: "it would copy the agent; start programs with `run_async`" },
    Refused { name: "clone3", reason: "it would copy the agent; start programs with `run_async`" },
    Refused { name: "fork", reason: "it would copy the agent; start programs with `run_async`" },
    Refused { name: "vfork", reason: "it would copy the agent; start programs with `run_async`" },
    Refused { name: "execve", reason: "it would replace the agent; start programs with `run`" },
    Refused { name: "execveat", reason: "it would replace the agent; start programs with `run`" },
    Refused { name: "exit", reason: "it would end the agent's thread; close the worker instead" },
    Refused { name: "exit_group", reason: "it would end the agent; shut the guest down instead" },
    Refused { name: "futex", reason: "buffers are copied for each call, so there is no memory that two calls share" },
    Refused { name: "brk", reason: "simulated programs have no memory of their own" },
    Refused { name: "mmap", reason: "simulated programs have no memory of their own; use `pread64`" },
    Refused { name: "munmap", reason: "simulated programs have no memory of their own" },
    Refused { name: "mprotect", reason: "simulated programs have no memory of their own" },
    Refused { name: "ptrace", reason: "simulated programs have neither registers nor memory" },
    Refused { name: "rt_sigreturn", reason: "no signal handler runs in the agent" },
    Refused { name: "sigaltstack", reason: "no signal handler runs in the agent" },
];

/// The row of a call by number.
#[must_use]
pub fn row(nr: u64) -> Option<&'static Row> {
    CALLS.binary_search_by_key(&nr, |row| row.nr).ok().map(|at| &CALLS[at])
}

#[cfg(test)]
mod tests {
    use provium_protocol::syscall_names;

    use super::*;

    #[test]
    fn the_table_is_in_order_and_its_names_are_those_of_linux() {
        assert!(CALLS.is_sorted_by_key(|row| row.nr), "rows must be in order of number");
        for row in CALLS {
            assert_eq!(syscall_names::name(row.nr), Some(row.name));
            assert!(Family::ALL.contains(&row.family), "{} is in a family that the page leaves out", row.name);
        }
        for refused in REFUSED {
            let nr = syscall_names::number(refused.name);
            assert!(nr.is_some_and(|nr| row(nr).is_none()), "{} is refused and carried out", refused.name);
        }
    }
}
