//! Any bytes whatever as what a host says to the agent: for fuzzers, and for tests that run what they found.
//!
//! The agent is the one of all guests; the system below is the simulated one, so that nothing it is told to do happens to the
//! machine that the fuzzer runs on.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::task::{Context, Waker};

use provium_protocol::choice::Fixed;
use provium_protocol::profile::{BootSpec, Profile};
use provium_protocol::wire::check::streams;
use provium_protocol::wire::{Inbox, Received, ToAgent, decode_to_agent};
use provium_protocol::{Backend, Guest, LocalFuture, OpError, Reply};

use crate::SimBackend;

/// Memory of the guest, in bytes: little, so that its end is met.
const MEMORY: u64 = 8 << 20;

/// Steps that the guest makes after each message, and at the end.
const STEPS: usize = 64;
const LAST_STEPS: usize = 512;

/// Calls that are under way at once; the oldest is given up then.
const CALLS: usize = 16;

/// A guest and what is under way in it.
struct Guested {
    sim: SimBackend,
    guest: Rc<dyn Guest>,
    calls: BTreeMap<u64, LocalFuture<Result<Reply, OpError>>>,
    answered: usize,
}

/// Takes an input as what comes from a host that has fallen into the wrong hands; says how many calls were answered.
///
/// # Panics
/// When it makes the agent, or the kernel below, panic.
pub fn exhaust(input: &[u8]) -> usize {
    let [raw, chunks] = streams(input);
    let mut messages = Vec::new();
    if let Ok(message) = decode_to_agent(&raw.concat()) {
        messages.push(message);
    }
    let mut inbox = Inbox::default();
    for piece in &chunks {
        inbox.feed(piece);
        while let Some(received) = inbox.receive() {
            if let Received::Message(bytes) = received
                && let Ok(message) = decode_to_agent(&bytes)
            {
                messages.push(message);
            }
        }
    }
    // A guest costs more than all the rest: only who is told something gets one.
    if messages.is_empty() { 0 } else { said(messages) }
}

fn said(messages: Vec<ToAgent>) -> usize {
    let sim = SimBackend::new(Rc::new(Fixed::default()));
    let profile = Profile { name: "linux".into(), memory: Some(MEMORY), ..Profile::default() };
    let spec = BootSpec { vm: "box".into(), profile, ..BootSpec::default() };
    let guest = sim.block_on(sim.boot(spec));
    let Some(Ok(guest)) = guest else { panic!("the guest does not boot") };
    let mut guest = Guested { sim, guest, calls: BTreeMap::new(), answered: 0 };
    for message in messages {
        guest.hear(message);
        guest.go_on(STEPS);
    }
    guest.go_on(LAST_STEPS);
    guest.answered
}

impl Guested {
    fn hear(&mut self, message: ToAgent) {
        match message {
            ToAgent::Call { id, lane, op } => {
                let call = self.guest.call(lane, op);
                self.calls.insert(id, call);
                if self.calls.len() > CALLS {
                    self.calls.pop_first();
                }
            }
            ToAgent::Cancel { id } => drop(self.calls.remove(&id)),
            // What else is said is the link's affair.
            _ => {}
        }
    }

    fn go_on(&mut self, steps: usize) {
        for _ in 0..steps {
            let context = &mut Context::from_waker(Waker::noop());
            let under_way = self.calls.len();
            self.calls.retain(|_, call| call.as_mut().poll(context).is_pending());
            self.answered += under_way - self.calls.len();
            if self.sim.has_step() {
                self.sim.step();
            } else if self.sim.idle(None) == provium_protocol::Idle::Stalled {
                return;
            }
        }
    }
}
