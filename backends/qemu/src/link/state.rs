//! What a link knows: what is to be sent, who waits for what.

use std::collections::{BTreeMap, BTreeSet};
use std::task::Waker;
use tokio::time::Instant;

use provium_protocol::limits::{FRAMES_IN_FLIGHT, MAX_READ};
use provium_protocol::wire::{FromAgent, Inbox, Outbox, Received, ToAgent, VERSIONS, Welcome, decode_from_agent};
use provium_protocol::{OpError, Reply, StreamId};

use super::flow::{self, Flow};
use super::{Outcome, Piece};

/// Frames that a reader takes before the agent hears of it: a message for each would double the traffic of small frames.
const CREDIT_STEP: u32 = FRAMES_IN_FLIGHT as u32 / 4;

/// The flow of what is said about streams; calls have their own numbers from 1 on, and all else is flow 0.
const STREAMS: u64 = u64::MAX;

/// Answers to handshakes that nobody has looked at: a greeting is said again every second, and answered each time.
const WELCOMES: usize = 64;

/// A call that is under way.
#[derive(Default)]
pub struct Pending {
    pub outcome: Option<Outcome>,
    pub waker: Option<Waker>,
    /// Bytes of the answer that came before its end.
    beginning: Vec<u8>,
}

impl Pending {
    /// Takes the next bytes of the answer; returns whom to wake.
    fn begun(&mut self, data: Vec<u8>) -> Option<Waker> {
        if self.outcome.is_some() {
            return None;
        }
        // One that sends more than it may must not fill the host's memory.
        if (self.beginning.len() + data.len()) as u64 > MAX_READ {
            return self.end(Err(flow::too_much()));
        }
        self.beginning.extend_from_slice(&data);
        None
    }

    /// Takes the end of the answer; returns whom to wake.
    fn end(&mut self, mut outcome: Outcome) -> Option<Waker> {
        let mut beginning = std::mem::take(&mut self.beginning);
        if let Ok(Reply::Bytes(rest)) = &mut outcome
            && !beginning.is_empty()
        {
            beginning.append(rest);
            *rest = beginning;
        }
        self.outcome = Some(outcome);
        self.waker.take()
    }
}

/// See the module.
#[derive(Default)]
pub struct State {
    pub outbox: Outbox,
    pub inbox: Inbox,
    pub last_id: u64,
    pub calls: BTreeMap<u64, Pending>,
    pub flows: BTreeMap<StreamId, Flow>,
    pub closed_streams: BTreeSet<StreamId>,
    /// Answers to handshakes, by nonce.
    pub welcomes: Vec<(u64, Result<Welcome, OpError>)>,
    pub settled: Option<Result<(), OpError>>,
    /// Replies that were given back: no more than there were calls, whatever the guest says.
    discarded: u64,
    /// The other side has closed the connection.
    pub closed: bool,
    /// What [`super::Link::disturb`] wants to be written.
    pub garbage: Vec<u8>,
    gone: Option<OpError>,
    pub paused: bool,
    /// When a ping was sent that nothing has answered.
    pub pinged: Option<Instant>,
    pub pings: u64,
    /// The guest has shown a sign of life: it said something, or took some of what waits for it.
    pub heard: bool,
}

impl State {
    /// As it is after so many calls.
    pub fn after(calls: u64) -> State {
        State { last_id: calls, ..State::default() }
    }

    /// Whether the link still is one.
    pub fn alive(&self) -> Result<(), OpError> {
        match &self.gone {
            Some(error) => Err(error.clone()),
            None => Ok(()),
        }
    }

    /// Ends everything that is under way; returns whom to wake.
    fn end_all(&mut self, error: &OpError) -> Vec<Waker> {
        let mut wakers = Vec::new();
        for call in self.calls.values_mut() {
            if call.outcome.is_none() {
                call.outcome = Some(Err(error.clone()));
                wakers.extend(call.waker.take());
            }
        }
        for flow in self.flows.values_mut() {
            wakers.extend(flow.put(Err(error.clone())));
        }
        wakers
    }

    pub fn fail(&mut self, error: OpError) -> Vec<Waker> {
        let wakers = self.end_all(&error);
        self.gone.get_or_insert(error);
        wakers
    }

    pub fn restart(&mut self, error: OpError) -> Vec<Waker> {
        let wakers = self.end_all(&error);
        let ended = self.flows.keys().copied();
        self.closed_streams.extend(ended);
        self.outbox.clear();
        self.inbox = Inbox::default();
        self.welcomes.clear();
        self.settled = None;
        self.pinged = None;
        wakers
    }

    pub fn pause(&mut self, paused: bool) {
        self.paused = paused;
        self.pinged = None;
    }

    /// Something could not be understood: which operation it was about cannot be known.
    fn garbled(&mut self, why: &str) -> Vec<Waker> {
        self.inbox.forget_parts();
        let under_way: Vec<u64> =
            self.calls.iter().filter(|(_, call)| call.outcome.is_none()).map(|(id, _)| *id).collect();
        let wakers = self.end_all(&OpError::agent(format!(
            "the link to the guest was disturbed while the operation was under way ({why}); it may have been carried out"
        )));
        for id in under_way {
            // A cancellation always has an encoding and is small.
            let _ = self.outbox.put(id, &ToAgent::Cancel { id });
        }
        wakers
    }

    /// Takes bytes as they came; returns whom to wake.
    pub fn take(&mut self, bytes: &[u8]) -> Vec<Waker> {
        self.heard = true;
        self.pinged = None;
        self.inbox.feed(bytes);
        let mut wakers = Vec::new();
        while let Some(received) = self.inbox.receive() {
            match received {
                Received::Message(bytes) => match decode_from_agent(&bytes) {
                    Ok(message) => wakers.extend(self.message(message)),
                    Err(why) => wakers.extend(self.garbled(&why)),
                },
                Received::NoRoom { bytes, .. } => {
                    wakers
                        .extend(self.garbled(&format!("there was no memory for a message of more than {bytes} bytes")));
                }
                Received::Garbled { skipped, why } => {
                    wakers.extend(self.garbled(&format!("{why}, {skipped} bytes were skipped")));
                }
            }
        }
        wakers
    }

    fn message(&mut self, message: FromAgent) -> Vec<Waker> {
        match message {
            FromAgent::Reply { id, result } => self.reply(id, result).into_iter().collect(),
            FromAgent::Frame { stream, frame } => self.frame(stream, frame).into_iter().collect(),
            FromAgent::Garbled { why } => self.garbled(&why),
            // Of a call that nobody waits for any more, it is for nobody.
            FromAgent::Piece { id, data } => {
                self.calls.get_mut(&id).and_then(|call| call.begun(data)).into_iter().collect()
            }
            FromAgent::Pong(_) => Vec::new(),
            FromAgent::Welcome(welcome) => {
                self.welcome(welcome.nonce, Ok(welcome));
                Vec::new()
            }
            FromAgent::Refused { nonce, versions } => {
                let error = OpError::agent(format!(
                    "the guest's agent speaks versions {} to {} of the link, this provium {} to {}: use an agent of the same \
                     provium",
                    versions.0, versions.1, VERSIONS.0, VERSIONS.1
                ));
                self.welcome(nonce, Err(error));
                Vec::new()
            }
            FromAgent::Settled(result) => {
                self.settled = Some(result);
                Vec::new()
            }
        }
    }

    fn welcome(&mut self, nonce: u64, welcome: Result<Welcome, OpError>) {
        if self.welcomes.len() == WELCOMES {
            drop(self.welcomes.remove(0));
        }
        self.welcomes.push((nonce, welcome));
    }

    fn reply(&mut self, id: u64, result: Outcome) -> Option<Waker> {
        match self.calls.get_mut(&id) {
            Some(call) if call.outcome.is_none() => {
                if let Ok(reply) = &result {
                    open_streams(&mut self.flows, reply);
                }
                call.end(result)
            }
            // Nobody waits for it any more.
            _ => {
                self.discard(result);
                None
            }
        }
    }

    /// Gives back what an outcome handed out that nobody has seen.
    pub fn discard(&mut self, outcome: Outcome) {
        if let Ok(reply) = outcome
            && hands_out(&reply)
            && self.gone.is_none()
            && self.discarded < self.last_id
        {
            self.discarded += 1;
            close_streams(&mut self.flows, &reply);
            // It came in a message, so it fits into one.
            let _ = self.outbox.put(0, &ToAgent::Discard(Box::new(reply)));
        }
    }

    fn frame(&mut self, stream: StreamId, piece: Piece) -> Option<Waker> {
        // Of a stream that nobody has learnt of, or that is closed, it is for nobody.
        self.flows.get_mut(&stream)?.put(piece)
    }

    /// A frame of a stream was taken: the agent may send more.
    pub fn taken(&mut self, stream: StreamId) {
        let Some(flow) = self.flows.get_mut(&stream) else { return };
        flow.taken += 1;
        if flow.taken >= CREDIT_STEP {
            let frames = std::mem::take(&mut flow.taken);
            // A credit is small.
            let _ = self.outbox.put(STREAMS, &ToAgent::Credit { stream, frames });
        }
    }

    /// A stream is being closed: what still comes of it is for nobody.
    pub fn close_stream(&mut self, stream: StreamId) {
        self.closed_streams.insert(stream);
        if let Some(mut flow) = self.flows.remove(&stream)
            && let Some(waker) = flow.put(Err(flow::closed()))
        {
            waker.wake();
        }
    }
}

/// Frames come behind the reply that has opened their stream.
fn open_streams(flows: &mut BTreeMap<StreamId, Flow>, reply: &Reply) {
    match reply {
        Reply::Stream(stream) => {
            flows.entry(*stream).or_default();
        }
        Reply::Batch(outcomes) => outcomes.iter().flatten().for_each(|reply| open_streams(flows, reply)),
        _ => {}
    }
}

/// Nobody is going to read the streams of a reply that is given back.
fn close_streams(flows: &mut BTreeMap<StreamId, Flow>, reply: &Reply) {
    match reply {
        Reply::Stream(stream) => drop(flows.remove(stream)),
        Reply::Batch(outcomes) => outcomes.iter().flatten().for_each(|reply| close_streams(flows, reply)),
        _ => {}
    }
}

/// Whether a reply hands something out that would be left behind.
fn hands_out(reply: &Reply) -> bool {
    match reply {
        Reply::Spawned { .. } | Reply::Opened { .. } | Reply::Stream(_) | Reply::Worker(_) => true,
        Reply::Batch(outcomes) => outcomes.iter().flatten().any(hands_out),
        _ => false,
    }
}
