//! Waiting for a text.

use std::rc::Rc;

use mlua::Lua;
use provium_protocol::Nanos;

use super::reader::{Reader, fault};
use super::{READ_TIMEOUT, Stream};
use crate::exec::wait::within;
use crate::lua::args::Named;
use crate::lua::call::{Answer, Call, Returned, one};
use crate::lua::exchange::note_frames;
use crate::lua::fault::Fault;
use crate::lua::host::Host;
use crate::runner::describe;
use crate::runner::place::Place;

/// `read_until` and `expect`: both return what came up to and including the text.
pub fn read_until(call: &Call) -> Result<Answer, Fault> {
    let wanted = Wanted::read(call, READ_TIMEOUT)?;
    let reader = Reader::of(call)?;
    Ok(Box::pin(search(call.lua.clone(), Rc::clone(&call.host), reader, wanted, call.place())))
}

/// What a stream is searched for.
pub struct Wanted {
    text: Vec<u8>,
    timeout: Nanos,
    /// The call, for messages: `stream:expect`.
    name: String,
    method: &'static str,
}

impl Wanted {
    /// The arguments of `expect(text, timeout)`.
    pub fn read(call: &Call, timeout: Nanos) -> Result<Wanted, Fault> {
        let text = call.read(1, "text", Named::bytes)?;
        let timeout = call.read_optional(2, "timeout", Named::duration)?.unwrap_or(timeout);
        if text.is_empty() {
            return Err(call.usage("argument 1 (text): the text to wait for is empty"));
        }
        Ok(Wanted { text, timeout, name: call.name(), method: call.method() })
    }

    /// The call, for messages.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Searches what comes of a stream, which nobody else may read meanwhile.
pub async fn expect(lua: Lua, host: Rc<Host>, stream: Rc<Stream>, wanted: Wanted, at: Option<Place>) -> Returned {
    let reader = Reader::new(stream, &wanted.name)?;
    search(lua, host, reader, wanted, at).await
}

async fn search(lua: Lua, host: Rc<Host>, reader: Reader, wanted: Wanted, at: Option<Place>) -> Returned {
    let Wanted { text, timeout, name, method } = wanted;
    let shown = describe::quoted(&text);
    let operation = format!("{method}({}, {shown})", reader.0.id);
    let note = note_frames(&host, &reader.0.open.speaker, operation, at);
    let found = within(&*host.backend, Some(timeout), reader.find(&text, &shown)).await;
    let now = host.backend.now();
    match found {
        Some(Ok(Some(end))) => {
            let taken = reader.take(end);
            note.end(describe::quoted(&taken), now);
            one(&lua, lua.create_string(taken)?)
        }
        Some(Ok(None)) => {
            note.end("the end".to_owned(), now);
            let (noun, seen) = (reader.0.noun, reader.last_lines());
            let fault = Fault::state(format!("{name}: the {noun} ended before {shown} came; {seen}"));
            Err(fault.of_vm(&reader.0.open.speaker.vm.name))
        }
        None => {
            note.end("timed out".to_owned(), now);
            let (limit, seen) = (crate::units::format_duration(timeout), reader.last_lines());
            let fault = Fault::timeout(format!("{name}: {shown} did not come within {limit}; {seen}"));
            Err(fault.of_vm(&reader.0.open.speaker.vm.name))
        }
        Some(Err(error)) => Err(fault(error, &name, &reader)),
    }
}
