//! `provium repl --console`: a guest's console, as somebody has it who sits in front of the machine.

mod attached;
mod escape;
mod keyboard;
mod shell;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use provium_protocol::exec::ExitStatus;
use provium_protocol::profile::BootSpec;
use provium_protocol::{Backend, Lane, LocalFuture, Nanos, Op};

use self::attached::{Attached, Left};
use self::escape::HELP;
use self::keyboard::Keyboard;
use super::ReplArgs;
use super::screen::Screen;
use super::signals::Signals;
use super::terminal::Terminal;
use crate::cli::backend::Backends;
use crate::config::Project;
use crate::error::{CommandError, Exit};
use crate::exec::{Executor, Ran, Stop};
use crate::runner::observe::Observers;

/// How far a virtual clock goes at most before a real one has gone as far: too short for anybody to notice.
const SLICE: Duration = Duration::from_millis(20);

/// The guest's name.
const VM: &str = "vm";

/// Boots a guest, and connects its console to standard input and output until somebody leaves.
pub(super) fn attach(args: &ReplArgs, project: &Project, mut screen: Screen) -> Result<Exit, CommandError> {
    let terminal = Terminal::found();
    // Ctrl-C is a key like any other once the console is attached; before, and from elsewhere, it ends everything.
    Signals::install(Stop::new(), terminal).map_err(CommandError::Input)?.closing();
    let backend = Backends::open(args.backend, project, args.cold_boot)?.make(args.seed, None, None);
    let executor = Executor::new(Rc::clone(&backend), Observers::default(), None);
    let profile = project.profiles.get(&args.profile).cloned().unwrap_or_default();
    let spec = BootSpec { vm: VM.to_owned(), profile, ..BootSpec::default() };
    let host = spec.hostname().to_owned();
    let guest = match finish(&executor, backend.boot(spec)) {
        Some(Ok(guest)) => guest,
        Some(Err(error)) => return Err(CommandError::Session(error.to_string())),
        None => return Err(CommandError::Session("the guest can never have booted".to_owned())),
    };
    let what = format!("the console of a guest of profile `{}` ({})", args.profile, args.backend.as_str());
    let virtual_clock = args.backend.has_virtual_clock();
    let attached = Attached::new(&backend, &guest, host);
    let left = if let Some(terminal) = terminal {
        screen.aside(&format!("{what}; {HELP}"));
        let keyboard = Keyboard::keys().map_err(CommandError::Input)?;
        let raw = terminal.raw().map_err(CommandError::Input)?;
        attached.converse(&executor, keyboard, terminal_size());
        let left = until_left(&executor, &backend, &attached, virtual_clock);
        drop(raw);
        screen.returns();
        left
    } else {
        let keyboard = Keyboard::lines().map_err(CommandError::Input)?;
        attached.dictate(&executor, keyboard, virtual_clock);
        until_left(&executor, &backend, &attached, false)
    };
    executor.cancel_all();
    let exit = tell(&left, terminal.is_some(), &mut screen);
    // It may be off, or lost, already.
    let _ = finish(&executor, guest.call(Lane::Main, Op::Shutdown));
    Ok(exit)
}

/// Lets the guest go on until somebody leaves. A virtual clock that is `paced` does not run ahead of the real one.
fn until_left(executor: &Executor, backend: &Rc<dyn Backend>, attached: &Rc<Attached>, paced: bool) -> Left {
    let slice = Nanos::try_from(SLICE.as_nanos()).unwrap_or(Nanos::MAX);
    loop {
        let began = Instant::now();
        let deadline = paced.then(|| backend.now().saturating_add(slice));
        match executor.run(deadline, &mut || attached.has_left()) {
            Ran::Deadline => std::thread::park_timeout(SLICE.saturating_sub(began.elapsed())),
            // Nothing goes on before somebody types; who does so unparks.
            Ran::Stalled => std::thread::park(),
            Ran::Done | Ran::Stopped => {}
        }
        if let Some(left) = attached.left() {
            return left;
        }
    }
}

/// Says why it is over, if nobody meant to leave, and what the command tells its caller.
fn tell(left: &Left, is_terminal: bool, screen: &mut Screen) -> Exit {
    match left {
        Left::Keys | Left::Unread => Exit::Passed,
        Left::Shell(status) => {
            if is_terminal {
                screen.aside("the shell on the console has ended");
            }
            if is_terminal || *status == ExitStatus::Exited(0) { Exit::Passed } else { Exit::TestFailed }
        }
        Left::Quiet => Exit::CouldNotRun,
        Left::Gone(how) => {
            screen.aside(how);
            // A person sees it; who sent lines may have had some for a guest that was not there any more.
            if is_terminal { Exit::Passed } else { Exit::CouldNotRun }
        }
        Left::Lost(why) => {
            screen.complain(why);
            Exit::CouldNotRun
        }
    }
}

/// The terminal's rows and columns.
fn terminal_size() -> Option<(u16, u16)> {
    terminal_size::terminal_size().map(|(columns, rows)| (rows.0, columns.0))
}

/// Drives one future to its end; `None` when it has none.
fn finish<T: 'static>(executor: &Executor, future: LocalFuture<T>) -> Option<T> {
    let ended = Rc::new(RefCell::new(None));
    let slot = Rc::clone(&ended);
    executor.spawn("console", None, async move {
        let value = future.await;
        *slot.borrow_mut() = Some(value);
    });
    executor.run(None, &mut || ended.borrow().is_some());
    ended.take()
}
