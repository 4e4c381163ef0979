//! One guest: a kernel, its programs and its place in the world.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use provium_protocol::Errno;

use crate::kernel::log::level;
use crate::kernel::signal::Acted;
use crate::kernel::{Kernel, KernelConfig};
use crate::limits::{DEFAULT_MEMORY, MAX_THREADS, STEP_NS};
use crate::program::{ProgramFn, ProgramFuture, ProgramTable};
use crate::types::{Pid, WaitStatus};
use crate::vfs::root::RootTree;
use crate::world::World;
use crate::world::thread::Thread;
use crate::{Signal, Sys};

/// What a guest is made with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineConfig {
    /// Its host name.
    pub hostname: String,
    /// Memory in bytes; half of it is the limit of the file system.
    pub memory: u64,
    /// Processors, for what asks; threads interleave by steps whatever their number.
    pub cpus: u32,
    /// The real-time clock at boot, in nanoseconds since 1970.
    pub boot_time: i64,
    /// Seeds the guest's random numbers.
    pub seed: u64,
    /// What `/proc/cmdline` says.
    pub cmdline: String,
}

impl Default for MachineConfig {
    fn default() -> MachineConfig {
        MachineConfig {
            hostname: "guest".into(),
            memory: DEFAULT_MEMORY,
            cpus: 1,
            // 2025-01-01 00:00:00 UTC: a date that reads as plausible and never changes.
            boot_time: 1_735_689_600_000_000_000,
            seed: 0,
            cmdline: "console=ttyS0".into(),
        }
    }
}

/// What looking at signals came to.
pub(crate) enum Delivered {
    GoOn,
    Stopped,
    Ended,
}

/// One guest.
pub struct Machine {
    world: Rc<World>,
    kernel: RefCell<Kernel>,
    programs: RefCell<ProgramTable>,
    paused: Cell<bool>,
}

impl Machine {
    /// A guest whose tree is `tree` and whose first process, called `init`, has no thread yet.
    pub fn boot(
        world: &Rc<World>,
        config: MachineConfig,
        programs: ProgramTable,
        tree: RootTree,
        init: &str,
    ) -> Result<Rc<Machine>, Errno> {
        let mut kernel = Kernel::new(
            world.clone(),
            KernelConfig {
                hostname: config.hostname.into_bytes(),
                cmdline: config.cmdline,
                memory: config.memory,
                cpus: config.cpus,
                boot_time: config.boot_time,
                seed: config.seed,
            },
        );
        kernel.mount_root(tree)?;
        kernel.first_process(init);
        let release = kernel.uname();
        kernel.log(level::NOTICE, &format!("{} version {} {}", release.sysname, release.release, release.version));
        Ok(Rc::new(Machine {
            world: world.clone(),
            kernel: RefCell::new(kernel),
            programs: RefCell::new(programs),
            paused: Cell::new(false),
        }))
    }

    /// The world it lives in.
    #[must_use]
    pub fn world(&self) -> &Rc<World> {
        &self.world
    }

    /// Its kernel, for those who stand outside of the schedule: at boot, for reports.
    #[must_use]
    pub fn kernel(&self) -> &RefCell<Kernel> {
        &self.kernel
    }

    /// Adds a program and its executable; guests that run already get it too.
    pub fn add_program(&self, path: &str, name: &str, program: ProgramFn) -> Result<(), Errno> {
        self.programs.borrow_mut().add(path, name, program);
        let content = crate::program::executable(name);
        let mut kernel = self.kernel.borrow_mut();
        // A file that is there already is the program's own from an earlier call, or is replaced on purpose.
        kernel.put_file(path.as_bytes(), &content, 0o755)
    }

    pub(crate) fn program(&self, name: &str) -> Option<ProgramFn> {
        self.programs.borrow().get(name)
    }

    /// Starts a thread in a process.
    pub fn spawn_thread(
        self: &Rc<Self>,
        pid: Pid,
        make: impl FnOnce(Sys) -> ProgramFuture,
    ) -> Result<Rc<Thread>, Errno> {
        let tid = {
            let mut kernel = self.kernel.borrow_mut();
            if kernel.counted_threads() >= MAX_THREADS && pid != 1 {
                return Err(Errno::EAGAIN);
            }
            let first = kernel.proc(pid)?.threads.is_empty();
            let used = kernel.procs.get(&pid).is_some_and(|process| process.started_thread);
            let tid = if first && !used { pid } else { kernel.new_pid() };
            kernel.threads += 1;
            kernel.proc_mut(pid)?.started_thread = true;
            tid
        };
        let thread = self.world.add(self.clone(), |key| {
            let thread = Rc::new(Thread::new(key, pid, tid));
            let future = make(Sys::new(self.clone(), thread.clone()));
            (thread, future)
        });
        self.kernel.borrow_mut().proc_mut(pid)?.threads.push(thread.clone());
        Ok(thread)
    }

    /// Ends one thread from outside, whatever it waits for. Nothing of it runs any more; the process
    /// stays, even without threads.
    pub fn cancel_thread(&self, thread: &Rc<Thread>) {
        let mut kernel = self.kernel.borrow_mut();
        if kernel.remove_thread(thread) {
            self.world.drop_later(thread);
        }
    }

    /// Stops all threads until [`Machine::resume`].
    pub fn pause(&self) {
        self.paused.set(true);
        self.world.refreeze();
    }

    /// Lets them go on.
    pub fn resume(&self) {
        self.paused.set(false);
        self.world.refreeze();
    }

    /// Whether it is paused.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.paused.get()
    }

    /// Ends every thread at once, as when the power goes.
    pub fn power_off(&self) {
        self.resume();
        let mut kernel = self.kernel.borrow_mut();
        let pids: Vec<Pid> = kernel.procs.keys().copied().collect();
        for pid in pids.into_iter().rev() {
            kernel.end_process(pid, WaitStatus::Signalled(Signal::SIGKILL, false));
        }
    }

    pub(crate) fn deliver_signals(&self, thread: &Rc<Thread>) -> Delivered {
        let mut kernel = self.kernel.borrow_mut();
        match kernel.act_on_signals(thread) {
            Acted::GoOn => Delivered::GoOn,
            Acted::Stopped => Delivered::Stopped,
            Acted::Ended => Delivered::Ended,
        }
    }

    pub(crate) fn charge_cpu(&self, pid: Pid) {
        let mut kernel = self.kernel.borrow_mut();
        kernel.cpu_ns += STEP_NS;
        if let Ok(process) = kernel.proc_mut(pid) {
            process.cpu_ns += STEP_NS;
        }
    }

    /// A thread's program returned: the process exits with this code, unless the thread was an extra one.
    pub(crate) fn thread_returned(&self, thread: &Rc<Thread>, code: i32) {
        let mut kernel = self.kernel.borrow_mut();
        if thread.tid() == thread.pid() {
            kernel.end_process(thread.pid(), WaitStatus::Exited(code & 0xff));
        } else {
            kernel.remove_thread(thread);
        }
    }

    pub(crate) fn alarm_fired(self: &Rc<Self>, pid: Pid) {
        let mut kernel = self.kernel.borrow_mut();
        if let Ok(process) = kernel.proc_mut(pid) {
            process.alarm = None;
            let interval = process.alarm_interval;
            // An alarm whose process is still there can be set again; one whose process is gone is over.
            if interval > 0 {
                let _ = kernel.set_alarm(pid, Some(interval), interval, Rc::downgrade(self));
            }
        }
        kernel.send(pid, Signal::SIGALRM);
    }
}
