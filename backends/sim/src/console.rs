//! The console of a guest as its test sees it: one line from power-on to power-off, over resets.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use provium_agent::sync::until;
use provium_kernel::kernel::tty::Outside;
use provium_protocol::console::{ConsoleLog, ConsoleStreams, Look, whole};
use provium_protocol::limits::MAX_FRAME;
use provium_protocol::{Frame, OpError, StreamId};
use tokio::sync::Notify;

use crate::executor::GuestId;
use crate::world::Lab;

/// Bytes that can be typed at a guest while it is paused, before who types has to wait: what the sockets between a host and
/// its QEMU hold, roughly.
pub const TYPED_WHILE_PAUSED: usize = 64 << 10;

/// One guest's console, and what became of its kernel.
pub struct Console {
    lab: Rc<Lab>,
    guest: GuestId,
    log: RefCell<ConsoleLog>,
    streams: RefCell<ConsoleStreams>,
    /// Nothing follows.
    over: Cell<bool>,
    /// More was printed, or it is over, or a stream was closed.
    changed: Notify,
    panic: RefCell<Option<String>>,
}

impl Console {
    /// Of a guest that has printed nothing.
    pub fn new(lab: &Rc<Lab>, guest: GuestId) -> Console {
        Console {
            lab: lab.clone(),
            guest,
            log: RefCell::default(),
            streams: RefCell::default(),
            over: Cell::new(false),
            changed: Notify::new(),
            panic: RefCell::default(),
        }
    }

    /// A machine boots.
    pub fn goes_on(&self) {
        self.over.set(false);
        self.panic.take();
    }

    /// Nothing follows.
    pub fn ends(&self) {
        self.over.set(true);
        self.changed.notify_waiters();
    }

    /// Why the kernel panicked, if it did.
    pub fn panic(&self) -> Option<String> {
        self.panic.borrow().clone()
    }

    /// Opens a stream from the first byte.
    pub fn open(&self) -> StreamId {
        self.streams.borrow_mut().open()
    }

    /// Closes a stream.
    pub fn close(&self, stream: StreamId) {
        self.streams.borrow_mut().close(stream);
        self.changed.notify_waiters();
    }

    /// All that is kept.
    pub fn whole(&self) -> Vec<u8> {
        whole(self.log.borrow().read(0, usize::MAX))
    }

    /// The next piece of a stream. It is taken by the poll that returns it: dropping the future loses nothing.
    pub async fn next_frame(self: Rc<Self>, stream: StreamId) -> Result<Option<Frame>, OpError> {
        let look = || {
            let log = self.log.borrow();
            let looked = self.streams.borrow_mut().look(stream, self.over.get(), |at| log.read(at, MAX_FRAME));
            match looked {
                Ok(Look::Piece(frame)) => Some(Ok(Some(frame))),
                Ok(Look::End) => Some(Ok(None)),
                Ok(Look::Nothing) => None,
                Err(error) => Some(Err(error)),
            }
        };
        until(&self.changed, look).await
    }
}

impl Outside for Console {
    fn printed(&self, bytes: &[u8]) {
        self.log.borrow_mut().push(bytes);
        self.changed.notify_waiters();
    }

    fn panicked(&self, why: &str) {
        self.panic.borrow_mut().get_or_insert_with(|| why.to_owned());
        self.lab.agent_ended(self.guest);
    }
}
