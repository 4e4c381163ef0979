//! Any bytes whatever as what a guest says: for fuzzers, and for tests that run what they found.

use provium_protocol::OpError;
use provium_protocol::limits::FRAMES_IN_FLIGHT;
use provium_protocol::wire::check::streams;

use super::state::{Pending, State};

/// Calls that are under way when the guest begins to speak, of which some were given up.
const CALLS: u64 = 8;

/// Bytes that may wait for the guest: what it handed out is given back, at most once for each call.
const MOST_SENT: usize = 1 << 20;

/// Takes an input as what comes from the agent of a guest that has fallen into the wrong hands.
///
/// # Panics
/// When it makes the host keep more than calls and streams account for.
pub fn exhaust(input: &[u8]) {
    for stream in streams(input) {
        let mut state = State::after(CALLS);
        for id in (1..=CALLS).step_by(2) {
            state.calls.insert(id, Pending::default());
        }
        for piece in &stream {
            // There is nobody to wake.
            drop(state.take(piece));
            within_bounds(&state, input.len());
        }
        drop(state.fail(OpError::lost("the end")));
    }
}

fn within_bounds(state: &State, input: usize) {
    assert_eq!(state.calls.len() as u64, CALLS.div_ceil(2), "calls come and go by their callers only");
    for (stream, flow) in &state.flows {
        assert!(flow.waiting() <= FRAMES_IN_FLIGHT + 1, "{stream:?} holds {} pieces", flow.waiting());
    }
    // A reply comes back as it came, and no more often than there are calls.
    assert!(state.outbox.bytes() <= MOST_SENT + input, "{} bytes for the guest", state.outbox.bytes());
}

#[cfg(test)]
mod tests {
    use provium_protocol::limits::MAX_FRAME;
    use provium_protocol::wire::{FromAgent, Outbox};
    use provium_protocol::{Frame, Reply, StreamId, codec};

    use super::*;

    fn said(messages: &[FromAgent]) -> Vec<u8> {
        let (mut outbox, mut bytes) = (Outbox::default(), Vec::new());
        for message in messages {
            outbox.put(0, message).unwrap();
        }
        while outbox.next_chunk(&mut bytes) {}
        bytes
    }

    fn frame(stream: u64, bytes: usize) -> FromAgent {
        FromAgent::Frame { stream: StreamId(stream), frame: Ok(Some(Frame { data: vec![7; bytes] })) }
    }

    fn state() -> State {
        let mut state = State::after(CALLS);
        state.calls.insert(1, Pending::default());
        state
    }

    fn opened(stream: u64) -> FromAgent {
        FromAgent::Reply { id: 1, result: Ok(Reply::Stream(StreamId(stream))) }
    }

    #[test]
    fn frames_that_nobody_asked_for_are_not_kept() {
        let mut state = state();
        let frames: Vec<FromAgent> = (0..1000).map(|stream| frame(stream, 100)).collect();
        state.take(&said(&frames));
        assert!(state.flows.is_empty(), "{} streams", state.flows.len());
    }

    #[test]
    fn a_stream_holds_no_more_than_its_credit() {
        for (frames, bytes) in [(FRAMES_IN_FLIGHT + 5, 1), (1, MAX_FRAME + 1)] {
            let mut state = state();
            state.take(&said(&[opened(3)]));
            state.take(&said(&vec![frame(3, bytes); frames]));
            let flow = &state.flows[&StreamId(3)];
            assert!(flow.waiting() <= FRAMES_IN_FLIGHT + 1, "{} pieces", flow.waiting());
        }
        let mut state = state();
        state.take(&said(&[opened(3)]));
        state.take(&said(&vec![frame(3, MAX_FRAME); FRAMES_IN_FLIGHT]));
        assert_eq!(state.flows[&StreamId(3)].waiting(), FRAMES_IN_FLIGHT);
    }

    #[test]
    fn no_more_is_given_back_than_was_asked_for() {
        let mut state = state();
        let reply = FromAgent::Reply { id: 2, result: Ok(Reply::Spawned { proc: 1, pid: 7 }) };
        state.take(&said(&vec![reply; 1000]));
        let mut one = Vec::new();
        codec::encode(
            &provium_protocol::wire::ToAgent::Discard(Box::new(Reply::Spawned { proc: 1, pid: 7 })),
            &mut one,
        )
        .unwrap();
        assert_eq!(state.outbox.bytes(), one.len() * CALLS as usize);
    }

    #[test]
    fn answers_to_greetings_do_not_pile_up() {
        let mut state = state();
        let refused = FromAgent::Refused { nonce: 1, versions: (9, 9) };
        state.take(&said(&vec![refused; 1000]));
        assert!(state.welcomes.len() < 100, "{} answers", state.welcomes.len());
    }
}
