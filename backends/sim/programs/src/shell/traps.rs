//! Traps, and the signals that wait for theirs.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use provium_kernel::{SigAction, Signal};

use super::exec::Mode;
use super::flow::{Eval, Flow};
use super::state::Shell;
use super::syntax::ast::Text;

/// The number of the trap for the end of the shell.
pub const EXIT: i32 = 0;

/// The traps of a shell.
#[derive(Clone, Debug, Default)]
pub struct Traps {
    /// What is done, by signal; nothing is done for an empty text.
    actions: Rc<BTreeMap<i32, Text>>,
    /// Caught signals whose action has not run yet, each once however often it came.
    pending: BTreeSet<i32>,
    /// The first signal that came since traps were looked for last: those that came before have their turn.
    fresh: Option<i32>,
    /// Signals that were ignored when the shell began: no trap changes that.
    ignored: Rc<BTreeSet<i32>>,
    /// Signals that the shell has set before.
    known: Rc<BTreeSet<i32>>,
}

impl Traps {
    /// All traps by number of signal.
    pub fn iter(&self) -> impl Iterator<Item = (i32, &Text)> {
        self.actions.iter().map(|(signal, action)| (*signal, action))
    }

    /// Whether there is any trap, so that the shell must not vanish without running it.
    #[must_use]
    pub fn any(&self) -> bool {
        self.actions.values().any(|action| !action.is_empty())
    }

    /// The first caught signal that waits for its trap, and not for that of another signal to end.
    #[must_use]
    pub fn first_pending(&self) -> Option<i32> {
        self.fresh
    }
}

impl Shell {
    /// Notes the signals that were caught, so that calls sleep again.
    pub(super) fn note_signals(&mut self) {
        let caught = self.sys.take_caught();
        for signal in caught {
            self.traps.pending.insert(signal.0);
            self.traps.fresh.get_or_insert(signal.0);
        }
    }

    /// Sets the trap for a signal, or for the end of the shell; `None` takes it away.
    pub(super) async fn set_trap(&mut self, signal: i32, action: Option<Text>) {
        let disposition = match &action {
            None => SigAction::Default,
            // Children of a process that ignores this one leave no status, which the shell has to see.
            Some(action) if action.is_empty() && signal == Signal::SIGCHLD.0 => SigAction::Default,
            Some(action) if action.is_empty() => SigAction::Ignore,
            Some(_) => SigAction::Catch,
        };
        let actions = Rc::make_mut(&mut self.traps.actions);
        match action {
            Some(action) => actions.insert(signal, action),
            None => actions.remove(&signal),
        };
        if signal != EXIT && !self.traps.ignored.contains(&signal) {
            self.set_signal(signal, disposition).await;
        }
    }

    async fn set_signal(&mut self, signal: i32, disposition: SigAction) {
        let old = self.sys.sigaction(Signal(signal), disposition).await;
        let first = Rc::make_mut(&mut self.traps.known).insert(signal);
        if first && old == Ok(SigAction::Ignore) && disposition != SigAction::Ignore {
            Rc::make_mut(&mut self.traps.ignored).insert(signal);
            // SIGKILL and SIGSTOP cannot be set; nothing is lost then.
            let _ = self.sys.sigaction(Signal(signal), SigAction::Ignore).await;
        }
    }

    /// In a new subshell: traps are gone, ignored signals stay ignored.
    pub(super) async fn reset_traps(&mut self) {
        self.traps.pending.clear();
        self.traps.fresh = None;
        let caught: Vec<i32> =
            self.traps.iter().filter(|(_, action)| !action.is_empty()).map(|(signal, _)| signal).collect();
        if caught.is_empty() {
            return;
        }
        let actions = Rc::make_mut(&mut self.traps.actions);
        actions.retain(|_, action| action.is_empty());
        for signal in caught.into_iter().filter(|signal| *signal != EXIT) {
            if !self.traps.ignored.contains(&signal) {
                let _ = self.sys.sigaction(Signal(signal), SigAction::Default).await;
            }
        }
    }

    /// A background job does not see what is typed to interrupt the shell.
    pub(super) async fn ignore_interrupts(&mut self) {
        for signal in [Signal::SIGINT, Signal::SIGQUIT] {
            if Rc::make_mut(&mut self.traps.ignored).insert(signal.0) {
                let _ = self.sys.sigaction(signal, SigAction::Ignore).await;
            }
        }
    }

    /// Runs the traps of signals that came in, in the order of their numbers. Those that come during a trap
    /// have theirs within it.
    pub(super) async fn run_traps(&mut self) -> Result<(), Flow> {
        self.note_signals();
        // In the order of their numbers, whichever came first.
        if self.traps.fresh.take().is_none() {
            return Ok(());
        }
        let mut after = EXIT;
        while let Some(signal) = self.traps.pending.range(after + 1..).next().copied() {
            after = signal;
            self.traps.pending.remove(&signal);
            let action = self.traps.actions.get(&signal).cloned();
            if let Some(action) = action.filter(|action| !action.is_empty()) {
                let ended = self.run_trap(action).await;
                if ended.is_err() {
                    self.traps.fresh = self.traps.pending.first().copied();
                    return ended;
                }
            }
        }
        Ok(())
    }

    async fn run_trap(&mut self, action: Text) -> Result<(), Flow> {
        let status = self.status;
        let outer = self.status_before_trap.replace(status);
        let ended = self.run_text_apart(action, Mode::default()).await;
        self.status_before_trap = outer;
        self.status = status;
        ended.map(|_| ())
    }

    /// The end of the shell: its trap, then the status that is left.
    pub(super) async fn end(&mut self, ended: Eval) -> i32 {
        let (Ok(status) | Err(Flow::Return(status) | Flow::Exit(status) | Flow::Error(status))) = ended else {
            return self.end_with(self.status).await;
        };
        self.end_with(status).await
    }

    async fn end_with(&mut self, status: i32) -> i32 {
        self.status = status;
        let action = Rc::make_mut(&mut self.traps.actions).remove(&EXIT);
        let Some(action) = action.filter(|action| !action.is_empty()) else { return status & 0xff };
        self.command = None;
        match self.run_trap(action).await {
            Err(Flow::Exit(status) | Flow::Error(status)) => status & 0xff,
            _ => status & 0xff,
        }
    }
}
