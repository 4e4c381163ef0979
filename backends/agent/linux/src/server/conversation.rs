//! What is said, and what is done about it.

use std::cell::RefCell;
use std::rc::Rc;

use provium_agent::Agent;
use provium_protocol::wire::{
    FromAgent, Hello, Inbox, Received, ToAgent, VERSIONS, Welcome, agree, call_of, capability, decode_to_agent,
};
use provium_protocol::{Errno, OpError};

use super::calls::{CONTROL, Calls, Outgoing};
use super::settle::{self, Power};
use crate::os::{LinuxOs, has_room};

fn new_inbox() -> Inbox {
    Inbox::with_room(|bytes| has_room(bytes as u64))
}

/// The agent as the link sees it: bytes in, messages out.
pub struct Conversation {
    agent: Agent<LinuxOs>,
    power: Rc<Power>,
    pub outgoing: Rc<Outgoing>,
    inbox: RefCell<Inbox>,
    /// `None` before the first `Hello`.
    calls: RefCell<Option<Rc<Calls>>>,
}

impl Conversation {
    /// Nobody has said anything yet.
    pub fn new(agent: Agent<LinuxOs>, power: Rc<Power>) -> Rc<Conversation> {
        Rc::new(Conversation {
            agent,
            power,
            outgoing: Rc::default(),
            inbox: RefCell::new(new_inbox()),
            calls: RefCell::default(),
        })
    }

    /// The host has gone. What it left stays until somebody says `Hello` again: it may be the same one.
    pub fn disconnected(&self) {
        *self.inbox.borrow_mut() = new_inbox();
        self.outgoing.clear();
        self.end_calls();
    }

    /// Takes bytes as they come; says whether anything is under way that has to wait.
    pub async fn take(&self, bytes: &[u8]) -> bool {
        self.inbox.borrow_mut().feed(bytes);
        let mut trouble = None;
        loop {
            let received = self.inbox.borrow_mut().receive();
            match received {
                None => break,
                Some(Received::Message(bytes)) => match decode_to_agent(&bytes) {
                    Ok(message) => self.message(message).await,
                    Err(why) => trouble = Some(why),
                },
                Some(Received::Garbled { skipped, why }) => {
                    trouble = Some(format!("{why}, {skipped} bytes were skipped"));
                }
                Some(Received::NoRoom { beginning, bytes }) => match call_of(&beginning) {
                    Some(id) => self.no_room(id, bytes),
                    None => trouble = Some("there was no memory for a message".to_owned()),
                },
            }
        }
        // One answer to all the trouble of one read: a flood of garbage must not become a flood of answers.
        if let Some(why) = trouble {
            self.garbled(why);
        }
        self.calls().is_none_or(|calls| calls.is_busy())
    }

    fn no_room(&self, id: u64, bytes: usize) {
        let doing = format!("take the operation in (no memory for its data after the first {} MiB)", bytes >> 20);
        self.answer(&FromAgent::Reply { id, result: Err(OpError::os(Errno::ENOMEM, doing)) });
    }

    fn garbled(&self, why: String) {
        self.inbox.borrow_mut().forget_parts();
        if let Some(calls) = &*self.calls.borrow() {
            calls.end_all();
        }
        // So many words are small.
        let _ = self.outgoing.send(CONTROL, &FromAgent::Garbled { why });
    }

    fn end_calls(&self) {
        let calls = self.calls.borrow_mut().take();
        if let Some(calls) = calls {
            calls.end();
        }
    }

    fn answer(&self, message: &FromAgent) {
        // Answers that are no replies are small.
        let _ = self.outgoing.send(CONTROL, message);
    }

    async fn message(&self, message: ToAgent) {
        match message {
            ToAgent::Hello(hello) => self.hello(hello).await,
            ToAgent::Ping(number) => self.answer(&FromAgent::Pong(number)),
            ToAgent::Call { id, lane, op } => match self.calls() {
                Some(calls) => calls.begin(id, lane, op),
                None => {
                    let error = OpError::agent("the agent was asked for something before it was greeted");
                    self.answer(&FromAgent::Reply { id, result: Err(error) });
                }
            },
            ToAgent::Cancel { id } => {
                if let Some(calls) = self.calls() {
                    calls.cancel(id);
                }
            }
            ToAgent::Credit { stream, frames } => {
                if let Some(calls) = self.calls() {
                    calls.credit(stream, frames);
                }
            }
            ToAgent::Discard(reply) => {
                if let Some(calls) = self.calls() {
                    calls.discard(*reply);
                }
            }
            ToAgent::Settle(settings) => {
                let (power, outgoing) = (self.power.clone(), self.outgoing.clone());
                tokio::task::spawn_local(async move {
                    let settled = settle::settle(&power, *settings).await;
                    // An error is small.
                    let _ = outgoing.send(CONTROL, &FromAgent::Settled(settled));
                });
            }
            ToAgent::PowerOff { patience_ns } => {
                let power = self.power.clone();
                tokio::task::spawn_local(async move { power.off(patience_ns).await });
            }
        }
    }

    fn calls(&self) -> Option<Rc<Calls>> {
        self.calls.borrow().clone()
    }

    async fn hello(&self, hello: Hello) {
        self.end_calls();
        self.outgoing.clear();
        let Some(version) = agree(VERSIONS, hello.versions) else {
            self.answer(&FromAgent::Refused { nonce: hello.nonce, versions: VERSIONS });
            return;
        };
        // Calls that were aborted are dropped when their tasks are next looked at.
        tokio::task::yield_now().await;
        self.agent.reset(hello.boot).await;
        *self.calls.borrow_mut() = Some(Calls::new(self.agent.clone(), self.outgoing.clone()));
        let mut capabilities = vec![capability::INOTIFY.to_owned(), capability::RAW_SYSCALLS.to_owned()];
        if self.power.owns_the_machine() {
            capabilities.extend([capability::POWER.to_owned(), capability::SETTINGS.to_owned()]);
        }
        self.answer(&FromAgent::Welcome(Welcome {
            nonce: hello.nonce,
            version,
            capabilities,
            kernel: settle::kernel_release(),
            agent: env!("CARGO_PKG_VERSION").to_owned(),
        }));
        self.power.greeted();
    }
}
