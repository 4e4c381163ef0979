//! The side of the host: real processes, forked from the test, that carry out operations one at a time.
//! Each has a pipe for the number of its next operation and one for results; all pipes are made before
//! the first process, high above the descriptors that operations use.

use std::ffi::CString;
use std::io::{Error, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use provium_protocol::syscall::PtrTarget;

use crate::PROCESSES;
use crate::op::Op;
use crate::perform::{Kernel, perform, tree};
use crate::settings::{Scratch, Settings, User};

/// Descriptors from here on belong to the test.
const CONTROL: RawFd = 500;

/// How long the host may take for one operation, in milliseconds: none waits, but hosts can be busy.
const PATIENCE: i32 = 60_000;

/// Not the number of an operation: look at the whole tree.
const TREE: u32 = u32::MAX;

struct Pipe {
    read: OwnedFd,
    write: OwnedFd,
}

fn pipe() -> Pipe {
    let mut fds = [0; 2];
    // SAFETY: two descriptors are written into an array of two.
    assert_eq!(unsafe { libc::pipe2(fds.as_mut_ptr(), libc::O_CLOEXEC) }, 0, "{}", Error::last_os_error());
    let [read, write] = fds.map(|fd| {
        // SAFETY: both descriptors were just made, and the low one is closed again.
        unsafe {
            let high = libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, CONTROL);
            assert!(high >= CONTROL, "{}", Error::last_os_error());
            libc::close(fd);
            OwnedFd::from_raw_fd(high)
        }
    });
    Pipe { read, write }
}

struct Linux;

impl Kernel for Linux {
    async fn call(&mut self, nr: i64, args: [i64; 6], bufs: &mut [Vec<u8>], ptrs: &[PtrTarget]) -> i64 {
        let mut args = args;
        for (buf, target) in bufs.iter_mut().zip(ptrs) {
            if let PtrTarget::Arg(at) = target {
                args[usize::from(*at)] = buf.as_mut_ptr() as i64;
            }
        }
        // SAFETY: every pointer leads into a buffer that lives through the call and is as long as the
        // arguments beside it say; no call maps memory or makes threads.
        let result = unsafe { libc::syscall(nr, args[0], args[1], args[2], args[3], args[4], args[5]) };
        if result == -1 { -i64::from(Error::last_os_error().raw_os_error().unwrap_or(libc::EIO)) } else { result }
    }
}

/// A future that never waits, since the host's calls do not.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("a call on the host returns when it is done"),
    }
}

/// Ends this process without running anything of the test that it is a copy of.
fn leave() -> ! {
    // SAFETY: ends the process at once.
    unsafe { libc::_exit(0) }
}

/// What all processes know.
struct Server<'a> {
    ops: &'a [(usize, Op)],
    settings: &'a Settings,
    jobs: &'a [RawFd],
    results: &'a [RawFd],
}

/// Serves as one process until the test goes away.
fn serve(server: &Server<'_>, at: usize) -> ! {
    let Server { ops, settings, jobs, results } = *server;
    answer(results[at], &std::process::id().to_string());
    loop {
        let mut number = [0; 4];
        if !read_exact(jobs[at], &mut number) {
            leave();
        }
        let number = u32::from_le_bytes(number);
        let result = match ops.get(number as usize) {
            None => now(tree(&mut Linux, settings)),
            Some((_, Op::Exit)) => leave(),
            Some((_, Op::Fork(to, uid))) => {
                // SAFETY: the child only makes system calls and allocates, which glibc keeps safe after fork.
                match unsafe { libc::fork() } {
                    0 => {
                        if *uid != 0 && settings.user.is_none() {
                            become_user(User { uid: *uid, gid: *uid, groups: &[] });
                        }
                        serve(server, *to)
                    }
                    -1 => Error::last_os_error().to_string(),
                    _ => "forked".to_owned(),
                }
            }
            Some((_, op)) => now(perform(&mut Linux, settings, op)),
        };
        answer(results[at], &result);
    }
}

fn become_user(user: User) {
    // SAFETY: plain system calls that change this process's only thread; the groups live on.
    unsafe {
        libc::syscall(libc::SYS_setgroups, user.groups.len(), user.groups.as_ptr());
        libc::syscall(libc::SYS_setresgid, user.gid, user.gid, user.gid);
        libc::syscall(libc::SYS_setresuid, user.uid, user.uid, user.uid);
    }
}

/// Whether a process is gone, or ended and only not waited for yet.
fn has_ended(pid: i32) -> bool {
    match std::fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(stat) => stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('Z')),
        Err(_) => true,
    }
}

fn read_exact(fd: RawFd, buf: &mut [u8]) -> bool {
    let mut got = 0;
    while got < buf.len() {
        let rest = &mut buf[got..];
        // SAFETY: reads into what is left of the buffer.
        match unsafe { libc::read(fd, rest.as_mut_ptr().cast(), rest.len()) } {
            ..=0 => return false,
            more => got += more as usize,
        }
    }
    true
}

fn answer(fd: RawFd, text: &str) {
    let mut message = (text.len() as u32).to_le_bytes().to_vec();
    message.extend_from_slice(text.as_bytes());
    let mut rest = &message[..];
    while !rest.is_empty() {
        // SAFETY: writes from what is left of the message.
        match unsafe { libc::write(fd, rest.as_ptr().cast(), rest.len()) } {
            ..=0 => leave(),
            more => rest = &rest[more as usize..],
        }
    }
}

pub struct Host {
    jobs: Vec<std::fs::File>,
    results: Vec<std::fs::File>,
    pids: Vec<Option<i32>>,
    first: libc::pid_t,
    // Removed when the processes are gone.
    _scratch: Scratch,
}

impl Host {
    pub fn start(settings: &Settings, ops: &[(usize, Op)]) -> Host {
        let scratch = Scratch::new(settings);
        let (jobs, results): (Vec<Pipe>, Vec<Pipe>) = (0..PROCESSES).map(|_| (pipe(), pipe())).unzip();
        let path = CString::new(settings.scratch).unwrap();
        let job_ends: Vec<RawFd> = jobs.iter().map(|pipe| pipe.read.as_raw_fd()).collect();
        let result_ends: Vec<RawFd> = results.iter().map(|pipe| pipe.write.as_raw_fd()).collect();
        let others: Vec<RawFd> = jobs
            .iter()
            .map(|pipe| pipe.write.as_raw_fd())
            .chain(results.iter().map(|pipe| pipe.read.as_raw_fd()))
            .collect();
        // SAFETY: the child only makes system calls and allocates, which glibc keeps safe after fork.
        let first = unsafe { libc::fork() };
        assert!(first >= 0, "{}", Error::last_os_error());
        if first == 0 {
            // A panic must not unwind into the test that this is a copy of.
            let _ = std::panic::catch_unwind(|| {
                prepare(&path, &others, settings.user);
                serve(&Server { ops, settings, jobs: &job_ends, results: &result_ends }, 0)
            });
            leave();
        }
        let mut host = Host {
            jobs: jobs.into_iter().map(|pipe| pipe.write.into()).collect(),
            results: results.into_iter().map(|pipe| pipe.read.into()).collect(),
            pids: vec![None; PROCESSES],
            first,
            _scratch: scratch,
        };
        host.pids[0] = host.result(0).parse().ok();
        host
    }

    fn result(&mut self, at: usize) -> String {
        let mut asked = libc::pollfd { fd: self.results[at].as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: asks about one descriptor.
        if unsafe { libc::poll(&mut asked, 1, PATIENCE) } == 0 {
            if let Some(pid) = self.pids[at] {
                // SAFETY: ends a process that this made; it waits inside of an operation, so it is there.
                unsafe { libc::kill(pid, libc::SIGKILL) };
            }
            return "waits for ever".to_owned();
        }
        let mut len = [0; 4];
        if self.results[at].read_exact(&mut len).is_err() {
            return "gone".to_owned();
        }
        let mut text = vec![0; u32::from_le_bytes(len) as usize];
        match self.results[at].read_exact(&mut text) {
            Ok(()) => String::from_utf8_lossy(&text).into_owned(),
            Err(_) => "gone".to_owned(),
        }
    }

    /// Has process `at` carry out the operation of this number.
    pub fn perform(&mut self, at: usize, number: usize, op: Op) -> String {
        if self.jobs[at].write_all(&(number as u32).to_le_bytes()).is_err() {
            return "gone".to_owned();
        }
        match op {
            Op::Exit => {
                // Its descriptors and locks are gone when the kernel has taken it away.
                while self.pids[at].is_some_and(|pid| !has_ended(pid)) {
                    std::thread::yield_now();
                }
                String::new()
            }
            Op::Fork(to, _) => {
                let result = self.result(at);
                self.pids[to] = self.result(to).parse().ok();
                result
            }
            _ => self.result(at),
        }
    }

    pub fn tree(&mut self) -> String {
        match self.jobs[0].write_all(&TREE.to_le_bytes()) {
            Ok(()) => self.result(0),
            Err(_) => "gone".to_owned(),
        }
    }

    pub fn pids(&self) -> &[Option<i32>] {
        &self.pids
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // Without the other ends of their pipes the processes go.
        self.jobs.clear();
        // SAFETY: reaps the child that this made.
        unsafe {
            libc::waitpid(self.first, std::ptr::null_mut(), 0);
        }
    }
}

/// Makes a process of nothing but the scratch directory.
fn prepare(path: &std::ffi::CStr, others: &[RawFd], user: Option<User>) {
    // Should the host run out of memory, these processes are the ones to go.
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
    // SAFETY: plain system calls on descriptors and memory of this process.
    unsafe {
        for signal in [libc::SIGPIPE, libc::SIGCHLD, libc::SIGXFSZ] {
            libc::signal(signal, libc::SIG_IGN);
        }
        for fd in others {
            libc::close(*fd);
        }
        libc::syscall(libc::SYS_close_range, 0, CONTROL - 1, 0);
        // The limits that a simulated process has.
        let limit = libc::rlimit { rlim_cur: 1_024, rlim_max: 4_096 };
        libc::setrlimit(libc::RLIMIT_NOFILE, &limit);
        libc::umask(0o022);
        match user {
            Some(user) => become_user(user),
            None => assert_eq!(libc::chroot(path.as_ptr()), 0),
        }
        let start = if user.is_some() { path } else { c"/" };
        assert_eq!(libc::chdir(start.as_ptr()), 0, "{}", Error::last_os_error());
    }
}
