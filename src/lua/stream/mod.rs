//! Stream: bytes that a guest pushes.

mod reader;
mod search;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use mlua::{MetaMethod, MultiValue, UserData, UserDataFields, UserDataMethods, Value};
use provium_protocol::{Frame, Guest, LocalFuture, Nanos, Op, OpError, Reply, StreamId, time};

use super::args::Named;
use super::call::{Answer, Call, Class, Returned, later, nothing, now, one};
use super::exchange::note_frames;
use super::fault::Fault;
use super::held::Held;
use super::machine::OpenThing;
use super::ops::{self, Ground, mismatch, say_with};
use crate::exec::wait::within;
use crate::runner::describe;
use crate::runner::scope::{Kind, Resource};
use reader::{Reader, fault};
use search::read_until;
pub use search::{Wanted, expect};

/// How long `next`, `read_until` and `expect` wait unless they are told.
const READ_TIMEOUT: Nanos = 10 * time::SECOND;

/// How long `drain` waits for more unless it is told.
const DRAIN_TIMEOUT: Nanos = 500 * time::MILLISECOND;

type NextFrame = LocalFuture<Result<Option<Frame>, OpError>>;

/// A stream as the bindings know it.
pub struct Stream {
    id: StreamId,
    open: OpenThing,
    /// Came, not yet handed to the test.
    buffer: RefCell<Vec<u8>>,
    /// The end of what was handed to the test.
    seen: RefCell<Vec<u8>>,
    ended: Cell<bool>,
    /// Kept from one call to the next, so that a timeout loses nothing.
    next: RefCell<Option<NextFrame>>,
    being_read: Cell<bool>,
    /// What it is called in messages: a stream, or a console.
    noun: &'static str,
    /// Whose console it is a stream of: that can be read when the guest has ended, or when there is another.
    console_of: Option<ConsoleOf>,
}

/// A guest whose console is read.
struct ConsoleOf {
    guest: Rc<dyn Guest>,
    number: u32,
}

/// The userdata of a Stream.
#[derive(Clone)]
pub struct StreamRef(Rc<Stream>);

static CLASS: Class = Class {
    prefix: "stream:",
    entries: &[
        later("next", 1, next),
        later("read_until", 2, read_until),
        later("expect", 2, read_until),
        later("drain", 1, drain),
        now("eof", 0, |call| {
            let stream = this(call)?;
            one(call.lua, stream.ended.get() && stream.buffer.borrow().is_empty())
        }),
        later("close", 0, close),
        now("creation_site", 0, creation_site),
    ],
};

impl UserData for StreamRef {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_meta_field(MetaMethod::Type, "Stream");
        fields.add_meta_field_with(MetaMethod::Index, |lua| CLASS.lazy_table(lua));
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_meta_method(MetaMethod::ToString, |_, this, ()| Ok(this.0.open.label.clone()));
    }
}

/// A stream was opened: registers it with the scope and makes its object.
pub fn open(ground: &Ground, reply: Reply, label: &str) -> Result<Value, Fault> {
    let Reply::Stream(id) = reply else { return Err(mismatch("stream", ground, &reply)) };
    let vm = &ground.speaker.vm;
    let label = format!("stream of {label} of vm `{}`", vm.name);
    let open = OpenThing::new(&ground.speaker, Kind::Stream, label, ground.at.clone());
    registered(ground, Stream::new(id, open))
}

/// A stream of the console was opened: the same, but it goes on when its guest does not.
pub fn open_console(ground: &Ground, reply: Reply) -> Result<Value, Fault> {
    registered(ground, console(ground, reply, "stream")?)
}

/// A stream of the console that belongs to nobody.
pub fn console(ground: &Ground, reply: Reply, noun: &'static str) -> Result<Stream, Fault> {
    let Reply::Stream(id) = reply else { return Err(mismatch("stream", ground, &reply)) };
    let vm = &ground.speaker.vm;
    let label = format!("stream of the console of vm `{}`", vm.name);
    let mut stream = Stream::new(id, OpenThing::of_console(&ground.speaker, label, ground.at.clone()));
    stream.noun = noun;
    stream.console_of = vm.last_guest().map(|guest| ConsoleOf { guest, number: vm.guest_number() });
    Ok(stream)
}

fn registered(ground: &Ground, stream: Stream) -> Result<Value, Fault> {
    let stream = Rc::new(stream);
    ground.section.scope.register(stream.clone());
    Ok(Value::UserData(ground.lua.create_userdata(StreamRef(stream))?))
}

impl Stream {
    fn new(id: StreamId, open: OpenThing) -> Stream {
        Stream {
            id,
            open,
            buffer: RefCell::default(),
            seen: RefCell::default(),
            ended: Cell::new(false),
            next: RefCell::default(),
            being_read: Cell::new(false),
            noun: "stream",
            console_of: None,
        }
    }

    /// The guest that gives its frames, and its number.
    fn source(&self) -> Option<(Rc<dyn Guest>, u32)> {
        match &self.console_of {
            Some(of) => Some((Rc::clone(&of.guest), of.number)),
            None => {
                let guest = self.open.speaker.vm.guest().or_else(|| self.open.lost_guest())?;
                Some((guest, self.open.speaker.vm.guest_number()))
            }
        }
    }

    /// Whether nobody has to be told that it is closed: its guest made way for another.
    fn is_forgotten(&self) -> bool {
        let last = self.open.speaker.vm.last_guest();
        self.console_of.as_ref().is_some_and(|of| !last.is_some_and(|last| Rc::ptr_eq(&last, &of.guest)))
    }

    /// It is the cursor of a console, which is no open stream of the test.
    pub fn uncounted(self) -> Rc<Stream> {
        self.open.uncount();
        Rc::new(self)
    }
}

fn this(call: &Call) -> Result<Rc<Stream>, Fault> {
    Ok(call.this::<StreamRef>()?.0)
}

fn next(call: &Call) -> Result<Answer, Fault> {
    let timeout = call.read_optional(1, "timeout", Named::duration)?.unwrap_or(READ_TIMEOUT);
    let reader = Reader::of(call)?;
    let (lua, host, name) = (call.lua.clone(), Rc::clone(&call.host), call.name());
    let note = note_frames(&call.host, &reader.0.open.speaker, format!("next({})", reader.0.id), call.place());
    Ok(Box::pin(async move {
        if reader.0.buffer.borrow().is_empty() {
            match within(&*host.backend, Some(timeout), reader.fill()).await {
                Some(Ok(true)) => {}
                Some(Ok(false)) => {
                    note.end("the end".to_owned(), host.backend.now());
                    return nothing_to_read();
                }
                None => {
                    note.end("timed out".to_owned(), host.backend.now());
                    return nothing_to_read();
                }
                Some(Err(error)) => return Err(fault(error, &name, &reader)),
            }
        }
        let taken = reader.take(usize::MAX);
        note.end(describe::quoted(&taken), host.backend.now());
        one(&lua, lua.create_string(taken)?)
    }))
}

fn nothing_to_read() -> Returned {
    Ok([Value::Nil].into_iter().collect::<MultiValue>())
}

fn drain(call: &Call) -> Result<Answer, Fault> {
    let timeout = call.read_optional(1, "timeout", Named::duration)?.unwrap_or(DRAIN_TIMEOUT);
    let reader = Reader::of(call)?;
    let (lua, host, name) = (call.lua.clone(), Rc::clone(&call.host), call.name());
    let note = note_frames(&call.host, &reader.0.open.speaker, format!("drain({})", reader.0.id), call.place());
    Ok(Box::pin(async move {
        let pieces = lua.create_table()?;
        loop {
            if !reader.0.buffer.borrow().is_empty() {
                pieces.raw_push(lua.create_string(reader.take(usize::MAX))?)?;
            }
            match within(&*host.backend, Some(timeout), reader.fill()).await {
                Some(Ok(true)) => {}
                Some(Ok(false)) | None => break,
                Some(Err(error)) => return Err(fault(error, &name, &reader)),
            }
        }
        note.end(format!("{} pieces", pieces.raw_len()), host.backend.now());
        one(&lua, pieces)
    }))
}

fn close(call: &Call) -> Result<Answer, Fault> {
    let stream = this(call)?;
    if stream.open.is_closed() {
        stream.open.set_closed();
        return Ok(ops::ready(Value::Nil));
    }
    if stream.console_of.is_some() {
        let closed = Rc::clone(&stream).close();
        let (name, vm) = (call.name(), Rc::clone(&stream.open.speaker.vm.name));
        return Ok(Box::pin(async move {
            closed.await.map_err(|error| Fault::state(format!("{name}: {error}")).of_vm(&vm))?;
            nothing()
        }));
    }
    stream.open.speaker.vm.require_booted(call.method())?;
    stream.open.set_closed();
    let speaker = stream.open.speaker.clone();
    Ok(say_with(call, &speaker, Op::StreamClose(stream.id), ops::unit))
}

fn creation_site(call: &Call) -> Returned {
    match &this(call)?.open.at {
        Some(at) => {
            let site = call.lua.create_table_with_capacity(0, 2)?;
            site.raw_set("file", &*at.file)?;
            site.raw_set("line", at.line)?;
            one(call.lua, site)
        }
        None => nothing(),
    }
}

impl Held for Stream {
    fn open(&self) -> &OpenThing {
        &self.open
    }

    fn closing(&self) -> Option<Op> {
        (!self.is_forgotten()).then_some(Op::StreamClose(self.id))
    }

    fn let_go(&self) {
        self.next.replace(None);
    }
}
