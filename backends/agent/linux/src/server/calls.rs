//! Operations and streams that are under way.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use provium_agent::sync::until;
use provium_agent::{Agent, Pieces};
use provium_protocol::limits::FRAMES_IN_FLIGHT;
use provium_protocol::wire::{FromAgent, MAX_CHUNK, Outbox, Sending};
use provium_protocol::{Errno, Lane, LocalFuture, Op, OpError, Reply, StreamId};
use tokio::sync::{Notify, Semaphore};
use tokio::task::AbortHandle;

use crate::os::{LinuxOs, has_room};

/// The flow of what belongs to no call.
pub const CONTROL: u64 = 0;

/// Messages on their way to the host.
#[derive(Default)]
pub struct Outgoing {
    outbox: RefCell<Outbox>,
    /// Something was put in.
    filled: Notify,
    /// Little is left.
    drained: Notify,
}

impl Outgoing {
    /// Sends a message behind the others of its flow; says so when it is too large.
    pub fn send(&self, flow: u64, message: &FromAgent) -> Result<(), String> {
        self.outbox.borrow_mut().put(flow, message)?;
        self.filled.notify_waiters();
        Ok(())
    }

    /// Sends a message of a call that ends in no bytes, and these instead of them, without a copy.
    fn send_bytes(&self, id: u64, message: &FromAgent, data: Vec<u8>) -> Result<(), String> {
        self.outbox.borrow_mut().put_with_tail(id, message, data)?;
        self.filled.notify_waiters();
        Ok(())
    }

    /// Takes what is to be sent next, about so many bytes at once.
    pub fn take(&self, sending: &mut Sending, about: usize) {
        let mut outbox = self.outbox.borrow_mut();
        outbox.fill(sending, about);
        if outbox.bytes() <= AHEAD {
            self.drained.notify_waiters();
        }
    }

    /// Ends when so little waits that more may be read for it.
    async fn drained(&self) {
        until(&self.drained, || (self.outbox.borrow().bytes() <= AHEAD).then_some(())).await;
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.outbox.borrow().is_empty()
    }

    /// Ends when there is something to send.
    pub async fn filled(&self) {
        until(&self.filled, || (!self.is_empty()).then_some(())).await;
    }

    /// Forgets what waits: it is for somebody who has gone.
    pub fn clear(&self) {
        self.outbox.borrow_mut().clear();
    }
}

/// Bytes that may wait for the link before more pieces of an answer are read: what it takes while they are being read.
const AHEAD: usize = 2 * MAX_CHUNK;

/// Bytes of a piece: many whole chunks, beside what the message says; all but the first are sent from where they are.
const PIECE: usize = 16 * MAX_CHUNK - 64;

/// Puts the pieces of an answer into its call's flow.
struct Beginning {
    id: u64,
    outgoing: Rc<Outgoing>,
}

impl Pieces for Beginning {
    fn size(&self) -> usize {
        PIECE
    }

    fn put(&self, data: Vec<u8>) -> LocalFuture<()> {
        // A piece is small.
        let _ = self.outgoing.send_bytes(self.id, &FromAgent::Piece { id: self.id, data: Vec::new() }, data);
        let outgoing = self.outgoing.clone();
        Box::pin(async move { outgoing.drained().await })
    }
}

/// Bytes of a reply above which is asked whether there is memory for its message.
const LARGE: usize = 1 << 20;

struct Pump {
    credit: Rc<Semaphore>,
    task: AbortHandle,
}

/// What is under way in one conversation.
pub struct Calls {
    agent: Agent<LinuxOs>,
    outgoing: Rc<Outgoing>,
    running: RefCell<BTreeMap<u64, AbortHandle>>,
    pumps: RefCell<BTreeMap<StreamId, Pump>>,
    /// The conversation is over: nothing is sent any more.
    over: Cell<bool>,
}

impl Calls {
    /// Nothing yet.
    pub fn new(agent: Agent<LinuxOs>, outgoing: Rc<Outgoing>) -> Rc<Calls> {
        Rc::new(Calls {
            agent,
            outgoing,
            running: RefCell::default(),
            pumps: RefCell::default(),
            over: Cell::new(false),
        })
    }

    /// Carries an operation out.
    pub fn begin(self: &Rc<Calls>, id: u64, lane: Lane, op: Op) {
        let calls = self.clone();
        let taker: Rc<dyn Pieces> = Rc::new(Beginning { id, outgoing: self.outgoing.clone() });
        let mut call = Box::pin(self.agent.call_in_pieces(lane, op, Some(taker)));
        // Many need not wait for anything. For those that do the task polls again: who wakes whom is settled then.
        if let Poll::Ready(result) = call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            self.cancel(id);
            self.reply(id, result);
            return;
        }
        let task = tokio::task::spawn_local(async move {
            let result = call.await;
            calls.running.borrow_mut().remove(&id);
            calls.reply(id, result);
        });
        let earlier = self.running.borrow_mut().insert(id, task.abort_handle());
        if let Some(earlier) = earlier {
            // A host that counts does not do that.
            earlier.abort();
        }
    }

    /// Whether an operation or a stream is under way.
    pub fn is_busy(&self) -> bool {
        !self.running.borrow().is_empty() || !self.pumps.borrow().is_empty()
    }

    /// Gives an operation up.
    pub fn cancel(&self, id: u64) {
        let running = self.running.borrow_mut().remove(&id);
        if let Some(running) = running {
            running.abort();
        }
    }

    /// Lets a stream send more.
    pub fn credit(&self, stream: StreamId, frames: u32) {
        if let Some(pump) = self.pumps.borrow().get(&stream) {
            // What is above could not be in flight: the host is mistaken.
            let most = FRAMES_IN_FLIGHT.saturating_sub(pump.credit.available_permits());
            pump.credit.add_permits(usize::try_from(frames).unwrap_or(most).min(most));
        }
    }

    /// Takes back what a reply handed out.
    pub fn discard(&self, reply: Reply) {
        self.agent.discard(reply);
    }

    /// Ends all that is under way.
    pub fn end_all(&self) {
        let running = std::mem::take(&mut *self.running.borrow_mut());
        let pumps = std::mem::take(&mut *self.pumps.borrow_mut());
        for task in running.into_values() {
            task.abort();
        }
        for (stream, pump) in pumps {
            pump.task.abort();
            self.agent.discard(Reply::Stream(stream));
        }
    }

    /// Ends all that is under way, for good.
    pub fn end(&self) {
        self.over.set(true);
        self.end_all();
    }

    fn reply(self: &Rc<Calls>, id: u64, mut result: Result<Reply, OpError>) {
        if self.over.get() {
            if let Ok(reply) = result {
                self.agent.discard(reply);
            }
            return;
        }
        // The message is a copy, but bytes alone are sent as they are.
        let bytes = match &result {
            Ok(Reply::Bytes(_)) | Err(_) => 0,
            Ok(reply) => bulk(reply),
        };
        if bytes > LARGE
            && !has_room(bytes as u64)
            && let Ok(reply) = result
        {
            self.agent.discard(reply);
            result = Err(OpError::os(Errno::ENOMEM, format!("make a message of the reply's {} MiB", bytes >> 20)));
        }
        let mut streams = Vec::new();
        if let Ok(reply) = &result {
            opened(reply, &mut streams);
        }
        let sent = match result {
            Ok(Reply::Bytes(data)) => {
                let message = FromAgent::Reply { id, result: Ok(Reply::Bytes(Vec::new())) };
                self.outgoing.send_bytes(id, &message, data)
            }
            result => {
                let message = FromAgent::Reply { id, result };
                let sent = self.outgoing.send(id, &message);
                if let (Err(_), FromAgent::Reply { result: Ok(reply), .. }) = (&sent, message) {
                    self.agent.discard(reply);
                }
                sent
            }
        };
        if let Err(why) = sent {
            // An error is small.
            let _ = self.outgoing.send(id, &FromAgent::Reply { id, result: Err(OpError::limit(why)) });
            return;
        }
        for stream in streams {
            self.pump(id, stream);
        }
    }

    /// Pushes what a stream gives, in the flow of the call that opened it: no frame comes before the reply.
    fn pump(self: &Rc<Calls>, flow: u64, stream: StreamId) {
        let credit = Rc::new(Semaphore::new(FRAMES_IN_FLIGHT));
        let (calls, permits) = (self.clone(), credit.clone());
        let task = tokio::task::spawn_local(async move {
            loop {
                match permits.acquire().await {
                    Ok(permit) => permit.forget(),
                    Err(_) => return,
                }
                let frame = calls.agent.next_frame(stream).await;
                let ends = !matches!(frame, Ok(Some(_)));
                // A frame is small.
                let _ = calls.outgoing.send(flow, &FromAgent::Frame { stream, frame });
                if ends {
                    calls.pumps.borrow_mut().remove(&stream);
                    return;
                }
            }
        });
        self.pumps.borrow_mut().insert(stream, Pump { credit, task: task.abort_handle() });
    }
}

/// How many bytes a reply has, small things aside.
fn bulk(reply: &Reply) -> usize {
    match reply {
        Reply::Bytes(bytes) => bytes.len(),
        Reply::Run(run) => run.stdout.len() + run.stderr.len(),
        Reply::Syscall(syscall) => syscall.bufs.iter().map(|buf| buf.0.len()).sum(),
        Reply::Batch(outcomes) => outcomes.iter().flatten().map(bulk).sum(),
        _ => 0,
    }
}

/// The streams that a reply hands out.
fn opened(reply: &Reply, streams: &mut Vec<StreamId>) {
    match reply {
        Reply::Stream(stream) => streams.push(*stream),
        Reply::Batch(outcomes) => outcomes.iter().flatten().for_each(|reply| opened(reply, streams)),
        _ => {}
    }
}
