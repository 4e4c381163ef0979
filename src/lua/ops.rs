//! Operations as the VM, a worker and a batch share them: read from a call's arguments, said, decoded.

use std::rc::Rc;

use mlua::{Lua, MultiValue, Value};
use provium_protocol::{Errno, Op, Reply};

use super::call::{Answer, Call, Returned};
use super::exchange::{Speaker, exchange};
use super::fault::Fault;
use super::host::Host;
use crate::runner::place::Place;
use crate::runner::section::Section;

/// What a reply is turned into a Lua value with.
pub struct Ground {
    /// The state.
    pub lua: Lua,
    /// The run.
    pub host: Rc<Host>,
    /// Who spoke.
    pub speaker: Speaker,
    /// The Lua line of the call.
    pub at: Option<Place>,
    /// To which what was opened belongs.
    pub section: Rc<Section>,
}

impl Ground {
    /// Of this call, spoken on this line.
    pub fn of(call: &Call, speaker: &Speaker) -> Ground {
        Ground {
            lua: call.lua.clone(),
            host: Rc::clone(&call.host),
            speaker: speaker.clone(),
            at: call.place(),
            section: call.host.section(),
        }
    }
}

/// Turns the reply into what the call returns.
pub type Decode = Box<dyn FnOnce(&Ground, Reply) -> Result<Value, Fault>>;

/// An operation that is ready to be said.
pub struct Prepared {
    /// The operation.
    pub op: Op,
    /// What to do with its reply.
    pub decode: Decode,
}

impl Prepared {
    /// An operation whose reply is decoded by a function that needs nothing else.
    pub fn new(op: Op, decode: fn(&Ground, Reply) -> Result<Value, Fault>) -> Prepared {
        Prepared { op, decode: Box::new(decode) }
    }
}

/// Something whose operations are the VM's or a worker's.
pub trait Speaks {
    /// On whose line the operations of this call are said; an error if it cannot speak now.
    fn speaker(call: &Call, operation: &str) -> Result<Speaker, Fault>;
}

/// The binding of an operation: prepares it, says it, decodes its reply.
pub fn say<S: Speaks>(call: &Call, prepare: fn(&Call) -> Result<Prepared, Fault>) -> Result<Answer, Fault> {
    let speaker = S::speaker(call, call.method())?;
    let prepared = prepare(call)?;
    Ok(say_prepared(call, speaker, prepared))
}

/// Says what was prepared.
pub fn say_prepared(call: &Call, speaker: Speaker, prepared: Prepared) -> Answer {
    let ground = Ground::of(call, &speaker);
    let name = call.name();
    let starts = matches!(prepared.op, Op::Run { .. } | Op::Spawn(_));
    let said = exchange(&call.host, &speaker, prepared.op, ground.at.clone());
    Box::pin(async move {
        let reply = said.await.map_err(|error| {
            let mut fault = Fault::from_op(error, &name, &ground.speaker.vm.name);
            if starts && fault.errno == Some(Errno::ENOENT) {
                fault.advice = missing_program(&ground.host);
            }
            fault
        })?;
        let value = (prepared.decode)(&ground, reply)?;
        Ok([value].into_iter().collect())
    })
}

/// What to do about a program that a simulated guest lacks; nothing to say of a real one.
pub fn missing_program(host: &Host) -> Option<&'static str> {
    (host.backend.name() == "sim").then_some(
        "the simulated guest has no such program: add one with provium.sim:program, or run this test on a real \
         guest (--backend qemu)",
    )
}

/// A reply of another kind than the operation's.
pub fn mismatch(op: &'static str, ground: &Ground, reply: &Reply) -> Fault {
    let error = provium_protocol::OpError::agent(format!("the guest answered {op} with something else: {}", {
        let text = format!("{reply:?}");
        text.chars().take(80).collect::<String>()
    }));
    Fault::from_op(error, op, &ground.speaker.vm.name)
}

/// `Unit` → nothing.
pub fn unit(ground: &Ground, reply: Reply) -> Result<Value, Fault> {
    match reply {
        Reply::Unit => Ok(Value::Nil),
        other => Err(mismatch("unit", ground, &other)),
    }
}

/// `Count` → an integer.
pub fn count(ground: &Ground, reply: Reply) -> Result<Value, Fault> {
    match reply {
        Reply::Count(count) => Ok(Value::Integer(count as i64)),
        other => Err(mismatch("count", ground, &other)),
    }
}

/// `Bool` → a boolean.
pub fn boolean(ground: &Ground, reply: Reply) -> Result<Value, Fault> {
    match reply {
        Reply::Bool(value) => Ok(Value::Boolean(value)),
        other => Err(mismatch("boolean", ground, &other)),
    }
}

/// `Bytes` → a string.
pub fn bytes(ground: &Ground, reply: Reply) -> Result<Value, Fault> {
    match reply {
        Reply::Bytes(bytes) => Ok(Value::String(ground.lua.create_string(bytes)?)),
        other => Err(mismatch("bytes", ground, &other)),
    }
}

/// An answer that is there already.
pub fn ready(value: Value) -> Answer {
    let values: MultiValue = [value].into_iter().collect();
    Box::pin(std::future::ready(Ok(values) as Returned))
}

/// An operation of an object in a guest (a process, a file): says it and decodes the reply in place.
pub fn say_with<F>(call: &Call, speaker: &Speaker, op: Op, decode: F) -> Answer
where
    F: FnOnce(&Ground, Reply) -> Result<Value, Fault> + 'static,
{
    say_prepared(call, speaker.clone(), Prepared { op, decode: Box::new(decode) })
}
