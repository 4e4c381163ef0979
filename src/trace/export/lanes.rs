//! Who does what for how long: the processes that tests start in guests, and spans laid out so that none overlaps
//! another in its row.

use std::collections::BTreeMap;

use provium_protocol::process::{ProcHandle, ProcStatus};
use provium_protocol::{Nanos, Op, Reply};

use crate::runner::describe;
use crate::trace::record::{GuestNo, Seq};
use crate::trace::timeline::{Ask, Exchange, Timeline};

/// A process that a test started and did not wait for at once.
#[derive(Clone, Debug)]
pub(super) struct Process {
    /// In which guest.
    pub guest: GuestNo,
    /// Its process id there.
    pub pid: i32,
    /// What runs, in a few words.
    pub command: String,
    /// The exchange that started it.
    pub spawn: Seq,
    /// The first exchange that waited for its end and saw it.
    pub wait: Option<Seq>,
    /// When.
    pub started: Nanos,
    /// When it was over, as far as the trace tells.
    pub ended: Nanos,
    /// How it ended, if the trace tells.
    pub status: Option<String>,
}

/// The processes, in the order in which they were started.
pub(super) fn processes(timeline: &Timeline) -> Vec<Process> {
    let mut over: Vec<&Exchange> = timeline.exchanges.iter().filter(|exchange| exchange.ended.is_some()).collect();
    over.sort_by_key(|exchange| exchange.over_record);
    let mut known = Known { processes: Vec::new(), by_handle: BTreeMap::new(), open: Vec::new() };
    for exchange in over {
        if let (Ask::Op(op), Some((when, Ok(reply)))) = (&exchange.ask, &exchange.ended) {
            known.take(exchange, op, *when, reply);
        }
    }
    for at in std::mem::take(&mut known.open) {
        if let Some(process) = known.processes.get_mut(at) {
            process.ended = timeline.end.max(process.started);
        }
    }
    known.processes
}

struct Known {
    processes: Vec<Process>,
    by_handle: BTreeMap<(GuestNo, ProcHandle), usize>,
    /// Those that are not known to be over.
    open: Vec<usize>,
}

impl Known {
    fn take(&mut self, exchange: &Exchange, op: &Op, when: Nanos, reply: &Reply) {
        let guest = exchange.guest;
        match (op, reply) {
            (Op::Spawn(spec), Reply::Spawned { proc, pid }) => {
                let whole = describe::operation(&Op::Spawn(spec.clone()));
                let command = whole.split_once('(').map_or(whole.as_str(), |(_, rest)| rest.trim_end_matches(')'));
                self.by_handle.insert((guest, *proc), self.processes.len());
                self.open.push(self.processes.len());
                self.processes.push(Process {
                    guest,
                    pid: *pid,
                    command: command.to_owned(),
                    spawn: exchange.seq,
                    wait: None,
                    started: when,
                    ended: when,
                    status: None,
                });
            }
            (Op::ProcWait { proc, .. }, Reply::Run(run)) => {
                // The guest measured how long it ran; the test may have asked much later.
                let status = describe::exit_status(run.status);
                self.end(guest, *proc, |started| started.saturating_add(run.duration_ns).min(when), Some(status));
                if let Some(&at) = self.by_handle.get(&(guest, *proc))
                    && let Some(process) = self.processes.get_mut(at)
                {
                    process.wait.get_or_insert(exchange.seq);
                }
            }
            (Op::ProcStatus(proc), Reply::ProcStatus(ProcStatus::Ended(status))) => {
                self.end(guest, *proc, |_| when, Some(describe::exit_status(*status)));
            }
            (Op::ProcClose(proc), _) => self.end(guest, *proc, |_| when, None),
            (Op::WorkerJoin { .. } | Op::WorkerClose, Reply::Joined(summary)) => {
                for child in &summary.children {
                    self.end(guest, child.handle, |_| when, Some(describe::exit_status(child.status)));
                }
            }
            (Op::Shutdown | Op::PowerButton | Op::Reset, _) => {
                for at in self.open.clone() {
                    self.end_at(at, |_| when, None, |process| process.guest == guest);
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, guest: GuestNo, proc: ProcHandle, when: impl Fn(Nanos) -> Nanos, status: Option<String>) {
        if let Some(&at) = self.by_handle.get(&(guest, proc)) {
            self.end_at(at, when, status, |_| true);
        }
    }

    fn end_at(
        &mut self,
        at: usize,
        when: impl Fn(Nanos) -> Nanos,
        status: Option<String>,
        which: impl Fn(&Process) -> bool,
    ) {
        if let Some(open) = self.open.iter().position(|open| *open == at)
            && let Some(process) = self.processes.get_mut(at).filter(|process| which(process))
        {
            process.ended = when(process.started).max(process.started);
            process.status = status;
            self.open.remove(open);
        }
    }
}

/// Gives each span (begin and end, in order of begin) the first row in which no other is in its way.
pub(super) fn rows(spans: impl IntoIterator<Item = (u64, u64)>) -> Vec<usize> {
    let mut free: Vec<u64> = Vec::new();
    let place = |(begin, end): (u64, u64)| {
        let row = free.iter().position(|free| *free <= begin).unwrap_or(free.len());
        if row == free.len() {
            free.push(end);
        } else {
            free[row] = end;
        }
        row
    };
    spans.into_iter().map(place).collect()
}
