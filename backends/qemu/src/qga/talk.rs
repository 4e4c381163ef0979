//! The conversation with `qemu-guest-agent`: one question at a time, in the order in which they were asked.
//!
//! A task of its own speaks with QGA, so that whoever gives up a question leaves the conversation whole: the answer is read
//! all the same. QGA has no numbers for its answers; what puts question and answer together is their order, and where that is in
//! doubt a `guest-sync-delimited` finds it again.
//!
//! Rejected: `qapi`'s own connection, which ends at the first answer that it cannot read or that nobody waits for. The
//! commands are `qapi`'s.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use provium_protocol::OpError;
use qapi::qga::{QgaCommand, guest_sync_delimited};
use qapi::{Execute, Never};
use serde::Deserialize;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use super::errors::Refused;
use super::frame::{Answer, DELIMITER, Frames, Unreadable};
use crate::link::UNRESPONSIVE_AFTER;

/// How long QGA may be silent until it is asked whether it is there. A QGA that starts anew has forgotten what it was asked.
const ASK_AGAIN: Duration = Duration::from_secs(2);

/// How often it is looked whether QGA still answers.
const LOOK: Duration = Duration::from_secs(1);

/// Bytes written at once: each piece that the guest takes is a sign of life.
const WRITE: usize = 16 << 10;

/// Bytes read at once.
const READ: usize = 64 << 10;

/// One question.
struct Question {
    line: Vec<u8>,
    answer: oneshot::Sender<Result<Value, Refused>>,
}

/// What the task and the callers share.
struct Shared {
    /// Since when QGA owes an answer and has not shown any sign of life.
    silent_since: Mutex<Option<Instant>>,
    paused: watch::Sender<bool>,
    /// Why nobody may ask any more.
    gone: watch::Sender<Option<OpError>>,
    /// The other side has closed the connection.
    closed: watch::Sender<bool>,
}

impl Shared {
    fn set_silent_since(&self, since: Option<Instant>) {
        *self.silent_since.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }

    fn silent_since(&self) -> Option<Instant> {
        *self.silent_since.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A handle on the conversation. It ends with the last handle.
#[derive(Clone)]
pub struct Talk {
    questions: mpsc::UnboundedSender<Question>,
    shared: Arc<Shared>,
}

impl Talk {
    /// Takes the conversation up on a connected socket. To be called within a runtime.
    pub fn open<S: AsyncRead + AsyncWrite + Send + 'static>(socket: S) -> Talk {
        let shared = Arc::new(Shared {
            silent_since: Mutex::default(),
            paused: watch::Sender::new(false),
            gone: watch::Sender::new(None),
            closed: watch::Sender::new(false),
        });
        let (read, write) = tokio::io::split(socket);
        let (questions, asked) = mpsc::unbounded_channel();
        let conversation = Conversation {
            read,
            write,
            buffer: vec![0; READ],
            frames: Frames::default(),
            shared: Arc::clone(&shared),
            last_sync: 0,
            sync: None,
            aligned: false,
        };
        tokio::spawn(conversation.hold(asked));
        Talk { questions, shared }
    }

    /// Has QGA carry a command out. Once asked, it is carried out, whether or not the future is dropped.
    pub async fn ask<C: QgaCommand>(&self, command: C) -> Result<C::Ok, Refused> {
        let (answer, answered) = oneshot::channel();
        // A command is plain data, which always has an encoding.
        let line = serde_json::to_vec(&Execute::<C, Never>::new(command, None)).unwrap_or_default();
        // Without the task there is nobody who answers, which is waited for below.
        let _ = self.questions.send(Question { line, answer });
        let value = tokio::select! {
            biased;
            error = self.failed() => return Err(Refused::Op(error)),
            Ok(answer) = answered => answer?,
        };
        C::Ok::deserialize(value).map_err(|error| {
            Refused::Op(OpError::agent(format!("qemu-guest-agent answers {} unlike any known one: {error}", C::NAME)))
        })
    }

    /// Ends when [`Talk::fail`] was called.
    pub async fn failed(&self) -> OpError {
        let mut gone = self.shared.gone.subscribe();
        match gone.wait_for(Option::is_some).await.map(|gone| gone.clone()) {
            Ok(Some(error)) => error,
            // The sender is in `self`.
            _ => std::future::pending().await,
        }
    }

    /// Ends everything that is under way with this error; what comes later ends with it, too.
    pub fn fail(&self, error: OpError) {
        self.shared.gone.send_if_modified(|gone| gone.is_none() && gone.replace(error).is_none());
    }

    /// Whether the guest cannot answer because nothing of it runs.
    pub fn set_paused(&self, paused: bool) {
        self.shared.paused.send_replace(paused);
    }

    /// Ends when the other side has closed the connection.
    pub async fn closed(&self) {
        // An error would mean that the sender is gone, which is in `self`.
        let _ = self.shared.closed.subscribe().wait_for(|closed| *closed).await;
    }

    /// Ends when QGA owes an answer and shows no sign of life for [`UNRESPONSIVE_AFTER`].
    pub async fn unresponsive(&self) {
        loop {
            tokio::time::sleep(LOOK).await;
            match self.shared.silent_since() {
                Some(_) if *self.shared.paused.borrow() => self.shared.set_silent_since(Some(Instant::now())),
                Some(since) if since.elapsed() >= UNRESPONSIVE_AFTER => return,
                _ => {}
            }
        }
    }
}

/// The task's side.
struct Conversation<S> {
    read: ReadHalf<S>,
    write: WriteHalf<S>,
    buffer: Vec<u8>,
    frames: Frames,
    shared: Arc<Shared>,
    last_sync: i64,
    /// What comes before the answer to this one belongs to nobody.
    sync: Option<i64>,
    /// Nothing came that was not asked for.
    aligned: bool,
}

impl<S: AsyncRead + AsyncWrite> Conversation<S> {
    async fn hold(mut self, mut asked: mpsc::UnboundedReceiver<Question>) {
        loop {
            let question = tokio::select! {
                biased;
                question = asked.recv() => question,
                came = self.overhear() => match came {
                    Ok(()) => continue,
                    Err(_) => break,
                },
            };
            let Some(question) = question else { break };
            self.shared.set_silent_since(Some(Instant::now()));
            let outcome = self.answer(&question.line).await;
            self.shared.set_silent_since(None);
            match outcome {
                Ok(answer) => {
                    // Who asked may have given up.
                    let _ = question.answer.send(answer);
                }
                Err(_) => break,
            }
        }
        self.shared.closed.send_replace(true);
    }

    /// Reads what comes while nothing was asked: the rest of an earlier conversation.
    async fn overhear(&mut self) -> io::Result<()> {
        self.read_some().await?;
        self.forget_unasked();
        Ok(())
    }

    /// Throws away what nobody asked for, and notes it unless it belongs to a synchronisation.
    fn forget_unasked(&mut self) {
        while let Some(answer) = self.frames.next() {
            let of_sync = match &answer.said {
                Ok(value) => answer.delimited && self.is_sync(value),
                Err(Unreadable::Error(said)) => said.is_parse_error() && self.sync.is_some(),
                Err(Unreadable::Garbage) => false,
            };
            self.aligned &= of_sync;
        }
        // Half an answer must not become the beginning of the next one.
        self.aligned &= self.frames.is_empty();
    }

    async fn answer(&mut self, line: &[u8]) -> io::Result<Result<Value, Refused>> {
        self.align().await?;
        for piece in line.chunks(WRITE) {
            self.write.write_all(piece).await?;
            self.shared.set_silent_since(Some(Instant::now()));
        }
        self.write.write_all(b"\n").await?;
        loop {
            let Some(answer) = self.next().await? else {
                self.send_sync().await?;
                continue;
            };
            match answer.said {
                Ok(value) if answer.delimited => {
                    if self.is_sync(&value) {
                        return Ok(Err(Refused::Disturbed));
                    }
                }
                Ok(value) => return Ok(Ok(value)),
                // That of the delimiter.
                Err(Unreadable::Error(said)) if said.is_parse_error() && self.sync.is_some() => {}
                Err(Unreadable::Error(said)) => {
                    if said.is_parse_error() {
                        self.send_sync().await?;
                    }
                    return Ok(Err(Refused::Said(said)));
                }
                Err(Unreadable::Garbage) => {
                    if self.sync.is_none() {
                        self.send_sync().await?;
                    }
                }
            }
        }
    }

    /// Makes sure that the next answer is that to the next question.
    async fn align(&mut self) -> io::Result<()> {
        self.forget_unasked();
        if !std::mem::replace(&mut self.aligned, true) {
            self.send_sync().await?;
        }
        while self.sync.is_some() {
            match self.next().await? {
                None => self.send_sync().await?,
                Some(answer) => {
                    if let (true, Ok(value)) = (answer.delimited, &answer.said) {
                        self.is_sync(value);
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether this answers the last synchronisation, which is over then.
    fn is_sync(&mut self, value: &Value) -> bool {
        let is = self.sync.is_some() && value.as_i64() == self.sync;
        if is {
            self.sync = None;
        }
        is
    }

    async fn send_sync(&mut self) -> io::Result<()> {
        self.last_sync += 1;
        self.sync = Some(self.last_sync);
        let mut line = vec![DELIMITER];
        let command = Execute::<_, Never>::new(guest_sync_delimited { id: self.last_sync }, None);
        serde_json::to_writer(&mut line, &command)?;
        line.push(b'\n');
        // No sign of life, unlike a piece of a long question: it only waits to be read.
        self.write.write_all(&line).await
    }

    /// The next answer; nothing when none came for a while in which the guest could have answered.
    async fn next(&mut self) -> io::Result<Option<Answer>> {
        loop {
            if let Some(answer) = self.frames.next() {
                return Ok(Some(answer));
            }
            match tokio::time::timeout(ASK_AGAIN, self.read_some()).await {
                Ok(read) => read?,
                Err(_) if *self.shared.paused.borrow() => {}
                Err(_) => return Ok(None),
            }
        }
    }

    async fn read_some(&mut self) -> io::Result<()> {
        let read = self.read.read(&mut self.buffer).await?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if self.shared.silent_since().is_some() {
            self.shared.set_silent_since(Some(Instant::now()));
        }
        self.frames.feed(&self.buffer[..read]);
        Ok(())
    }
}
