//! What goes on between a guest's console and who sits in front of it.

use std::cell::{Cell, RefCell};
use std::io::{self, Write};
use std::rc::Rc;

use provium_protocol::exec::ExitStatus;
use provium_protocol::{Backend, Guest, Lane, Nanos, Op, OpError, Reply, time};

use super::escape::Escape;
use super::keyboard::Keyboard;
use super::shell;
use crate::exec::Executor;

/// A console that has printed nothing for so long waits for a line.
const QUIET: Nanos = 100 * time::MILLISECOND;

/// How long a shell may take until it prompts, before what is to be typed is typed anyway.
const PROMPTS_WITHIN: Nanos = 10 * time::SECOND;

/// How long the console is quiet at first, after the end of the input, before the end is typed again; twice as long each time.
const ENDS_WITHIN: Nanos = time::SECOND;

/// How often the end is typed: the last is waited for about an hour.
const ENDS: u32 = 12;

/// Why it is over.
#[derive(Clone, Debug)]
pub(super) enum Left {
    /// Somebody typed the keys that leave, or the terminal has gone away.
    Keys,
    /// The shell has ended.
    Shell(ExitStatus),
    /// There is no shell, and all was typed.
    Quiet,
    /// The guest is gone, and how.
    Gone(String),
    /// It cannot go on.
    Lost(String),
    /// Nobody reads what the console prints.
    Unread,
}

/// A guest's console that is being used.
pub(super) struct Attached {
    backend: Rc<dyn Backend>,
    guest: Rc<dyn Guest>,
    host: String,
    left: RefCell<Option<Left>>,
    /// When the console last printed something.
    printed_at: Cell<Nanos>,
    /// How many pieces it has printed.
    printed: Cell<u64>,
    /// How many it had printed when a shell was started.
    shell_after: Cell<Option<u64>>,
    /// There is none, and it was said.
    no_shell: Cell<bool>,
}

impl Attached {
    /// A console of which nothing was read, of a guest with this host name.
    pub fn new(backend: &Rc<dyn Backend>, guest: &Rc<dyn Guest>, host: String) -> Rc<Attached> {
        Rc::new(Attached {
            backend: Rc::clone(backend),
            guest: Rc::clone(guest),
            host,
            left: RefCell::default(),
            printed_at: Cell::new(backend.now()),
            printed: Cell::default(),
            shell_after: Cell::default(),
            no_shell: Cell::default(),
        })
    }

    /// Whether it is over.
    pub fn has_left(&self) -> bool {
        self.left.borrow().is_some()
    }

    /// Why it is over, if it is.
    pub fn left(&self) -> Option<Left> {
        self.left.borrow().clone()
    }

    /// Starts what a person needs, with a terminal of this many rows and columns.
    pub fn converse(self: &Rc<Self>, executor: &Executor, keyboard: Keyboard, size: Option<(u16, u16)>) {
        self.start(executor, size);
        let this = Rc::clone(self);
        executor.spawn("keyboard", None, async move { this.type_keys(&keyboard).await });
    }

    /// Starts what lines on standard input need. With a clock that may stand still it does until there is a line, so that
    /// the same lines are the same session.
    pub fn dictate(self: &Rc<Self>, executor: &Executor, keyboard: Keyboard, stands_still: bool) {
        self.start(executor, None);
        let this = Rc::clone(self);
        executor.spawn("keyboard", None, async move { this.type_lines(&keyboard, stands_still).await });
    }

    fn start(self: &Rc<Self>, executor: &Executor, size: Option<(u16, u16)>) {
        let this = Rc::clone(self);
        executor.spawn("screen", None, async move { this.show().await });
        let this = Rc::clone(self);
        executor.spawn("shell", None, async move { this.run_shell(size).await });
    }

    fn leave(&self, why: Left) {
        self.left.borrow_mut().get_or_insert(why);
    }

    async fn say(&self, op: Op) -> Result<Reply, OpError> {
        self.guest.call(Lane::Main, op).await
    }

    /// Shows what the console prints, from its first byte.
    async fn show(&self) {
        let stream = match self.say(Op::ConsoleStream).await {
            Ok(Reply::Stream(stream)) => stream,
            Ok(_) => {
                return self.leave(Left::Lost("the console cannot be read: this is a defect in provium".to_owned()));
            }
            Err(error) => return self.leave(Left::Lost(error.to_string())),
        };
        loop {
            match self.guest.next_frame(stream).await {
                Ok(Some(frame)) => {
                    self.printed_at.set(self.backend.now());
                    self.printed.set(self.printed.get() + 1);
                    let mut out = io::stdout().lock();
                    if out.write_all(&frame.data).and_then(|()| out.flush()).is_err() {
                        return self.leave(Left::Unread);
                    }
                }
                Ok(None) => return self.leave(Left::Gone(self.how_it_went().await)),
                Err(error) => return self.leave(Left::Lost(error.to_string())),
            }
        }
    }

    /// How a guest was lost, which it says to whatever is asked of it. The last lines of the console, which follow, were
    /// shown.
    async fn how_it_went(&self) -> String {
        match self.say(Op::Inspect).await {
            Ok(_) => "the guest is off".to_owned(),
            Err(error) => error.to_string().lines().next().unwrap_or_default().to_owned(),
        }
    }

    /// Runs a shell on the console, and leaves with it.
    async fn run_shell(&self, size: Option<(u16, u16)>) {
        let proc = match self.say(Op::Spawn(shell::spec(&self.host, size))).await {
            Ok(Reply::Spawned { proc, .. }) => proc,
            Ok(_) => return self.has_no_shell("this is a defect in provium"),
            Err(error) => return self.has_no_shell(&error.to_string()),
        };
        self.shell_after.set(Some(self.printed.get()));
        // Whatever becomes of the guest ends the console's stream, too, and is told then, behind what it printed.
        if let Ok(Reply::Run(ended)) = self.say(Op::ProcWait { proc, timeout_ns: None, kill: false }).await {
            match shell::why_not(&ended) {
                Some(why) => self.has_no_shell(&why),
                None => {
                    // What it printed at last is still to be shown.
                    self.quiet(QUIET).await;
                    self.leave(Left::Shell(ended.status));
                }
            }
        }
    }

    /// The console is shown nevertheless.
    fn has_no_shell(&self, why: &str) {
        self.no_shell.set(true);
        // The terminal may be one that does not return by itself.
        let _ = write!(io::stderr(), "provium: the guest has no shell on its console: {why}\r\n");
    }

    /// Types what is for the guest.
    async fn type_at(&self, data: Vec<u8>) -> bool {
        match self.say(Op::ConsoleWrite { data }).await {
            Ok(_) => true,
            Err(error) => {
                // If the guest is off, that is what the end of the console's stream says.
                self.quiet(QUIET).await;
                self.leave(Left::Lost(error.to_string()));
                false
            }
        }
    }

    async fn type_keys(&self, keyboard: &Keyboard) {
        let mut escape = Escape::default();
        while let Some(Ok(keys)) = keyboard.next().await {
            let keys = escape.keys(&keys);
            if !keys.typed.is_empty() && !self.type_at(keys.typed).await {
                return;
            }
            if keys.leaves {
                break;
            }
        }
        self.leave(Left::Keys);
    }

    async fn type_lines(&self, keyboard: &Keyboard, stands_still: bool) {
        self.prompted().await;
        let mut within = false;
        loop {
            let line = if stands_still { keyboard.wait() } else { keyboard.next().await };
            match line {
                Some(Ok(line)) => {
                    within = !line.ends_with(b"\n");
                    if !self.type_at(line).await {
                        return;
                    }
                }
                Some(Err(error)) => return self.leave(Left::Lost(format!("standard input cannot be read: {error}"))),
                // The last line may lack its end.
                None if within => {
                    within = false;
                    if !self.type_at(b"\n".to_vec()).await {
                        return;
                    }
                }
                None => break,
            }
            self.quiet(QUIET).await;
        }
        if self.no_shell.get() {
            self.quiet(ENDS_WITHIN).await;
            return self.leave(Left::Quiet);
        }
        // A program that reads lines takes an end for its own, and one that is busy may lose it.
        for tries in 0..ENDS {
            if !self.type_at(shell::END.to_vec()).await {
                return;
            }
            self.quiet(ENDS_WITHIN << tries).await;
        }
        self.leave(Left::Lost("the shell on the console has not ended, an hour after the end of the input".to_owned()));
    }

    /// Waits until a shell asks for a line, or there is none.
    async fn prompted(&self) {
        let until = self.backend.now().saturating_add(PROMPTS_WITHIN);
        while self.backend.now() < until && !self.no_shell.get() {
            if self.shell_after.get().is_some_and(|before| self.printed.get() > before) {
                break;
            }
            self.backend.sleep(QUIET).await;
        }
        self.quiet(QUIET).await;
    }

    /// Waits until the console has printed nothing for so long.
    async fn quiet(&self, long: Nanos) {
        let mut since = self.backend.now();
        loop {
            let now = self.backend.now();
            since = since.max(self.printed_at.get());
            let until = since.saturating_add(long);
            if now >= until {
                return;
            }
            self.backend.sleep(until - now).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use provium_protocol::choice::Fixed;
    use provium_protocol::profile::BootSpec;

    use super::*;
    use crate::cli::backend::simulator;
    use crate::exec::Ran;
    use crate::runner::observe::Observers;

    #[test]
    fn a_guest_without_a_shell_keeps_its_console() {
        let backend = simulator(Rc::new(Fixed::default()));
        let executor = Executor::new(Rc::clone(&backend), Observers::default(), None);
        let tried = Rc::new(RefCell::new(None));
        let (slot, lab) = (Rc::clone(&tried), Rc::clone(&backend));
        executor.spawn("test", None, async move {
            let guest = lab.boot(BootSpec { vm: "vm".to_owned(), ..BootSpec::default() }).await.expect("a guest");
            let gone = guest.call(Lane::Main, Op::Unlink("/bin/sh".into())).await;
            assert_eq!(gone, Ok(Reply::Unit));
            let attached = Attached::new(&lab, &guest, "vm".to_owned());
            attached.run_shell(None).await;
            *slot.borrow_mut() = Some(attached);
        });
        assert_eq!(executor.run(None, &mut || tried.borrow().is_some()), Ran::Done);
        let attached = tried.take().expect("it was tried");
        assert!(attached.no_shell.get());
        assert!(!attached.has_left());
    }
}
