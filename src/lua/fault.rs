//! Errors as tests see them: values with fields, that read well through `tostring`.
//!
//! An error raised by Rust is mlua's own wrapper userdata. Its metatable, one per state, is given `__index`,
//! `__tostring` and `__concat` here, so every error that a binding raises has the fields, whichever way it
//! came, and `error("text")` of a test stays what it is.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::rc::Rc;

use mlua::{Lua, Table, Value, ffi};
use provium_protocol::{Errno, ErrorKind, OpError};

use crate::runner::place::Place;

/// What an error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// An operation failed, in one of the ways of the waist.
    Op(ErrorKind),
    /// An assertion of the test does not hold.
    Assertion,
    /// The test wants to be skipped.
    Skip,
}

impl FaultKind {
    fn name(self) -> &'static str {
        match self {
            FaultKind::Op(kind) => kind.name(),
            FaultKind::Assertion => "assertion",
            FaultKind::Skip => "skip",
        }
    }
}

/// An error that a binding raises. Boxed, because almost every function here may return one and hardly ever does.
#[derive(Clone, Debug)]
pub struct Fault(Box<Details>);

impl Deref for Fault {
    type Target = Details;

    fn deref(&self) -> &Details {
        &self.0
    }
}

impl DerefMut for Fault {
    fn deref_mut(&mut self) -> &mut Details {
        &mut self.0
    }
}

/// What there is to know of a [`Fault`].
#[derive(Clone, Debug)]
pub struct Details {
    /// `e.kind`.
    pub kind: FaultKind,
    /// `e.op`.
    pub op: Option<Rc<str>>,
    /// `e.vm`.
    pub vm: Option<Rc<str>>,
    /// `e.errno` and `e.errname`.
    pub errno: Option<Errno>,
    /// `e.message`: everything but the place.
    pub message: String,
    /// The Lua line that made the call.
    pub at: Option<Place>,
    /// What to try, for the failure's report.
    pub advice: Option<&'static str>,
    /// The very value to raise instead, when an error of the test's own is passed on.
    pub raised: Option<Value>,
}

impl Fault {
    /// An error of this kind.
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Fault {
        let message = message.into();
        let (op, vm, errno, at, advice, raised) = (None, None, None, None, None, None);
        Fault(Box::new(Details { kind, op, vm, errno, message, at, advice, raised }))
    }

    /// The call was wrong.
    pub fn usage(message: impl Into<String>) -> Fault {
        Fault::new(FaultKind::Op(ErrorKind::Usage), message)
    }

    /// The thing is not in a state that allows the call.
    pub fn state(message: impl Into<String>) -> Fault {
        Fault::new(FaultKind::Op(ErrorKind::State), message)
    }

    /// It took too long.
    pub fn timeout(message: impl Into<String>) -> Fault {
        Fault::new(FaultKind::Op(ErrorKind::Timeout), message)
    }

    /// An assertion does not hold.
    pub fn assertion(message: impl Into<String>) -> Fault {
        Fault::new(FaultKind::Assertion, message)
    }

    /// An operation failed. `call` is what the test called (`vm:run`).
    #[must_use]
    pub fn from_op(error: OpError, call: &str, vm: &Rc<str>) -> Fault {
        let message = if error.message.is_empty() { error.to_string() } else { format!("{call}: {error}") };
        let errno = error.errno;
        let mut fault = Fault::new(FaultKind::Op(error.kind), message);
        fault.vm = Some(Rc::clone(vm));
        fault.errno = errno;
        fault
    }

    /// What Lua itself or mlua raised on the way (no memory, a value of the wrong type).
    #[must_use]
    pub fn from_lua(error: &mlua::Error) -> Fault {
        match find_fault(error) {
            Some(fault) => fault.clone(),
            None => Fault::usage(plain_message(error)),
        }
    }

    /// It concerns this VM.
    #[must_use]
    pub fn of_vm(mut self, vm: &Rc<str>) -> Fault {
        self.vm = Some(Rc::clone(vm));
        self
    }

    /// In front of the message, once.
    #[must_use]
    pub fn prefixed(mut self, prefix: &str) -> Fault {
        if !self.message.starts_with(prefix) {
            self.message = format!("{prefix}: {}", self.message);
        }
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.at {
            Some(at) => write!(f, "{at}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for Fault {}

impl From<Fault> for mlua::Error {
    fn from(fault: Fault) -> mlua::Error {
        mlua::Error::external(fault)
    }
}

impl From<mlua::Error> for Fault {
    fn from(error: mlua::Error) -> Fault {
        Fault::from_lua(&error)
    }
}

/// The fault inside what mlua wraps around it.
pub fn find_fault(error: &mlua::Error) -> Option<&Fault> {
    match error {
        mlua::Error::CallbackError { cause, .. }
        | mlua::Error::WithContext { cause, .. }
        | mlua::Error::BadArgument { cause, .. } => find_fault(cause),
        mlua::Error::ExternalError(error) => error.downcast_ref(),
        _ => None,
    }
}

/// An error of Lua or mlua in one line, without the traceback that mlua adds.
pub fn plain_message(error: &mlua::Error) -> String {
    let text = match error {
        mlua::Error::CallbackError { cause, .. } => return plain_message(cause),
        mlua::Error::SyntaxError { message, .. }
        | mlua::Error::RuntimeError(message)
        | mlua::Error::MemoryError(message) => message.clone(),
        other => other.to_string(),
    };
    match text.find("\nstack traceback:") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

/// Gives raised errors their fields. Once per state.
pub fn install(lua: &Lua) -> mlua::Result<()> {
    let sample = Value::Error(Box::new(mlua::Error::runtime("sample")));
    // SAFETY: `exec_raw` calls the closure with the sample as the only value above the caller's part of the
    // stack and with room for three more; it is replaced by its metatable, which is what is returned. Neither
    // function can raise an error, and a userdata that mlua made always has a metatable.
    let metatable: Table = unsafe {
        lua.exec_raw(sample, |state| {
            ffi::lua_getmetatable(state, -1);
            ffi::lua_remove(state, -2);
        })?
    };
    metatable.raw_set("__index", lua.create_function(|lua, (error, key): (Value, Value)| field(lua, &error, &key))?)?;
    metatable.raw_set("__tostring", lua.create_function(|lua, error: Value| lua.create_string(error_text(&error)))?)?;
    let concat = lua.create_function(|lua, (left, right): (Value, Value)| {
        let mut joined = piece(lua, left)?;
        joined.extend_from_slice(&piece(lua, right)?);
        lua.create_string(joined)
    })?;
    metatable.raw_set("__concat", concat)
}

fn piece(lua: &Lua, value: Value) -> mlua::Result<Vec<u8>> {
    if let Value::Error(_) = value {
        return Ok(error_text(&value).into_bytes());
    }
    let type_name = value.type_name();
    match lua.coerce_string(value)? {
        Some(text) => Ok(text.as_bytes().to_vec()),
        None => Err(mlua::Error::runtime(format!("attempt to concatenate an error with a {type_name} value"))),
    }
}

fn error_text(error: &Value) -> String {
    match error {
        Value::Error(error) => match find_fault(error) {
            Some(fault) => fault.to_string(),
            None => plain_message(error),
        },
        _ => String::new(),
    }
}

fn field(lua: &Lua, error: &Value, key: &Value) -> mlua::Result<Value> {
    let (Value::Error(error), Value::String(key)) = (error, key) else { return Ok(Value::Nil) };
    let key = key.as_bytes();
    let string = |text: &str| lua.create_string(text).map(Value::String);
    let Some(fault) = find_fault(error) else {
        return match &*key {
            b"message" => string(&plain_message(error)),
            b"kind" => string(ErrorKind::Usage.name()),
            _ => Ok(Value::Nil),
        };
    };
    match &*key {
        b"kind" => string(fault.kind.name()),
        b"message" => string(&fault.message),
        b"op" => fault.op.as_deref().map_or(Ok(Value::Nil), string),
        b"vm" => fault.vm.as_deref().map_or(Ok(Value::Nil), string),
        b"errno" => Ok(fault.errno.map_or(Value::Nil, |errno| Value::Integer(errno.0.into()))),
        b"errname" => fault.errno.and_then(Errno::name).map_or(Ok(Value::Nil), string),
        b"file" => fault.at.as_ref().map_or(Ok(Value::Nil), |at| string(&at.file)),
        b"line" => Ok(fault.at.as_ref().map_or(Value::Nil, |at| Value::Integer(at.line.into()))),
        _ => Ok(Value::Nil),
    }
}
