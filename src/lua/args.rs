//! Reads arguments and options: one reader each, strict everywhere, with errors that name the offender.

use mlua::{Function, LuaString, Table, Value};
use provium_protocol::exec::ByteString;
use provium_protocol::{Nanos, Signal};

use super::call::Call;
use super::fault::Fault;
use crate::units;

/// The longest name of a VM, lab, worker or barrier, in bytes: room for a sentence, and a line of a report still shows
/// what happened to it.
pub const MAX_NAME: usize = 128;

/// The type of a value as a test's author knows it.
pub fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Integer(_) | Value::Number(_) => "number",
        Value::UserData(_) | Value::LightUserData(_) | Value::Error(_) => "userdata",
        other => other.type_name(),
    }
}

/// A value with the name that errors call it by.
pub struct Named {
    /// The value.
    pub value: Value,
    /// `argument 1 (cmd)`, ``option `cwd` ``.
    pub name: std::borrow::Cow<'static, str>,
}

impl Named {
    /// Something else than was expected.
    pub fn expected(&self, what: &str) -> Fault {
        let got = match &self.value {
            Value::Nil => "nothing".to_owned(),
            Value::Number(number) => format!("the number {number}"),
            Value::Integer(number) => format!("the number {number}"),
            other => type_name(other).to_owned(),
        };
        Fault::usage(format!("{}: expected {what}, got {got}", self.name))
    }

    /// Any string.
    pub fn string(&self) -> Result<LuaString, Fault> {
        match &self.value {
            Value::String(text) => Ok(text.clone()),
            _ => Err(self.expected("a string")),
        }
    }

    /// Any string's bytes.
    pub fn bytes(&self) -> Result<Vec<u8>, Fault> {
        Ok(self.string()?.as_bytes().to_vec())
    }

    /// Text.
    pub fn text(&self) -> Result<String, Fault> {
        let text = self.string()?;
        let text = text.to_str().map_err(|_| Fault::usage(format!("{}: the string is not UTF-8", self.name)))?;
        Ok(text.to_owned())
    }

    /// The name of something that the test makes: not empty, no longer than [`MAX_NAME`], no control characters (reports
    /// show it on one line, and the guest may take it for its host name).
    pub fn name(&self) -> Result<String, Fault> {
        let name = self.text()?;
        let wrong = |problem: String| Err(Fault::usage(format!("{}: {problem}", self.name)));
        if name.is_empty() {
            return wrong("the name is empty".to_owned());
        }
        if name.len() > MAX_NAME {
            return wrong(format!("the name has {} bytes; the most is {MAX_NAME}", name.len()));
        }
        if let Some(control) = name.chars().find(|c| c.is_control()) {
            let (name, control) = (name.escape_debug(), control.escape_debug());
            return wrong(format!("the name `{name}` has the control character `{control}`"));
        }
        Ok(name)
    }

    /// A path or an argument: bytes without NUL.
    pub fn c_string(&self) -> Result<ByteString, Fault> {
        let bytes = self.bytes()?;
        if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
            return Err(Fault::usage(format!("{}: the string has a NUL byte at offset {at}", self.name)));
        }
        Ok(ByteString(bytes))
    }

    /// A path: not empty either, and no NUL.
    pub fn path(&self) -> Result<ByteString, Fault> {
        self.c_string()
    }

    /// True or false.
    pub fn boolean(&self) -> Result<bool, Fault> {
        match &self.value {
            Value::Boolean(value) => Ok(*value),
            _ => Err(self.expected("true or false")),
        }
    }

    /// A whole number.
    pub fn integer(&self) -> Result<i64, Fault> {
        match &self.value {
            Value::Integer(number) => Ok(*number),
            // Exact: whole, and inside the range of an integer.
            Value::Number(number) if number.fract() == 0.0 && (-9.2e18..9.2e18).contains(number) => Ok(*number as i64),
            _ => Err(self.expected("an integer")),
        }
    }

    /// A whole number in a range.
    pub fn integer_in(&self, range: std::ops::RangeInclusive<i64>) -> Result<i64, Fault> {
        let number = self.integer()?;
        if range.contains(&number) {
            return Ok(number);
        }
        let (low, high) = (range.start(), range.end());
        let bounds = if *high == i64::MAX { format!("at least {low}") } else { format!("between {low} and {high}") };
        Err(Fault::usage(format!("{}: expected an integer {bounds}, got {number}", self.name)))
    }

    /// Permission bits.
    pub fn permissions(&self) -> Result<u32, Fault> {
        // Set-user-ID, set-group-ID and sticky included.
        Ok(self.integer_in(0..=0o7777)? as u32)
    }

    /// A function.
    pub fn function(&self) -> Result<Function, Fault> {
        match &self.value {
            Value::Function(function) => Ok(function.clone()),
            _ => Err(self.expected("a function")),
        }
    }

    /// A duration in any of its forms.
    pub fn duration(&self) -> Result<Nanos, Fault> {
        let read = match &self.value {
            Value::Integer(seconds) => units::duration_from_secs(*seconds),
            Value::Number(seconds) => units::duration_from_secs_f64(*seconds),
            Value::String(text) => units::parse_duration(&text.to_string_lossy()),
            _ => return Err(self.expected(&format!("a duration ({})", units::DURATION_FORMS))),
        };
        read.map_err(|error| Fault::usage(format!("{}: {error}", self.name)))
    }

    /// A size in any of its forms.
    pub fn size(&self) -> Result<u64, Fault> {
        let read = match &self.value {
            Value::Integer(bytes) => units::size_from_integer(*bytes),
            Value::String(text) => units::parse_size(&text.to_string_lossy()),
            _ => return Err(self.expected(&format!("a size ({})", units::SIZE_FORMS))),
        };
        read.map_err(|error| Fault::usage(format!("{}: {error}", self.name)))
    }

    /// A signal in any of its forms; SIGTERM for `nil`.
    pub fn signal(&self) -> Result<Signal, Fault> {
        match &self.value {
            Value::Nil => Ok(Signal::SIGTERM),
            Value::Integer(number) => Signal::from_number(*number)
                .ok_or_else(|| Fault::usage(format!("unknown signal number {number}: Linux has 1 to {}", Signal::MAX))),
            Value::String(name) => {
                let name = name.to_string_lossy();
                Signal::parse(&name).ok_or_else(|| Fault::usage(format!("unknown signal name `{name}`")))
            }
            other => Err(Fault::usage(format!("expected integer or signal name, got {}", type_name(other)))),
        }
    }

    /// An array of strings without NUL.
    pub fn strings(&self) -> Result<Vec<ByteString>, Fault> {
        let Value::Table(table) = &self.value else { return Err(self.expected("an array of strings")) };
        let length = sequence_length(table, &self.name)?;
        (1..=length)
            .map(|index| {
                let value: Value = table.raw_get(index)?;
                // Numbers are what people write for arguments such as a count; Lua itself takes them for strings.
                let value = match value {
                    Value::Integer(number) => return Ok(ByteString::from(number.to_string().into_bytes())),
                    other => other,
                };
                Named { value, name: format!("{}[{index}]", self.name).into() }.c_string()
            })
            .collect()
    }
}

/// The length of an array; an error if the table has other keys than 1 to its length.
pub fn sequence_length(table: &Table, name: &str) -> Result<usize, Fault> {
    let length = table.raw_len();
    for pair in table.pairs::<Value, Value>() {
        let (key, _) = pair?;
        match &key {
            Value::Integer(index) if (1..=length as i64).contains(index) => {}
            other => {
                let key = show_key(other);
                return Err(Fault::usage(format!("{name}: expected an array, but it has the key {key}")));
            }
        }
    }
    Ok(length)
}

fn show_key(key: &Value) -> String {
    match key {
        Value::String(name) => format!("`{}`", name.to_string_lossy()),
        Value::Integer(index) => format!("[{index}]"),
        other => format!("[{}]", type_name(other)),
    }
}

impl Call<'_> {
    /// The argument at a position, by the name that the documentation gives it.
    pub fn named(&self, position: usize, name: &str) -> Named {
        Named { value: self.arg(position).clone(), name: format!("argument {position} ({name})").into() }
    }

    /// Reads one argument; an error says which call it was for.
    pub fn read<T>(
        &self,
        position: usize,
        name: &str,
        reader: impl FnOnce(&Named) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        reader(&self.named(position, name)).map_err(|fault| fault.prefixed(&self.name()))
    }

    /// The same for an argument that may be left out.
    pub fn read_optional<T>(
        &self,
        position: usize,
        name: &str,
        reader: impl FnOnce(&Named) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        if self.arg(position).is_nil() {
            return Ok(None);
        }
        self.read(position, name, reader).map(Some)
    }

    /// The options table at a position. Its keys are checked against `valid` at once.
    pub fn options(&self, position: usize, valid: &'static [&'static str]) -> Result<Options, Fault> {
        Options::read(self.arg(position), valid).map_err(|fault| fault.prefixed(&self.name()))
    }
}

/// A table of options, with all keys known.
pub struct Options {
    table: Option<Table>,
}

impl Options {
    /// No options for `nil`; else the table, whose keys must all be among `valid`.
    pub fn read(value: &Value, valid: &[&str]) -> Result<Options, Fault> {
        let table = match value {
            Value::Nil => return Ok(Options { table: None }),
            Value::Table(table) => table,
            other => return Err(Fault::usage(format!("expected a table of options, got {}", type_name(other)))),
        };
        let list = || valid.join(", ");
        for pair in table.pairs::<Value, Value>() {
            match pair?.0 {
                Value::String(key) if valid.iter().any(|valid| key.as_bytes() == valid.as_bytes()) => {}
                Value::Integer(index) => {
                    let list = list();
                    return Err(Fault::usage(format!(
                        "options have names, but there is an entry [{index}] without one; valid options: {list}"
                    )));
                }
                key => {
                    let (key, list) = (show_key(&key), list());
                    return Err(Fault::usage(format!("unknown option {key}; valid options: {list}")));
                }
            }
        }
        Ok(Options { table: Some(table.clone()) })
    }

    /// One option, if it is there.
    pub fn get<T>(
        &self,
        name: &'static str,
        reader: impl FnOnce(&Named) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        let Some(table) = &self.table else { return Ok(None) };
        let value: Value = table.raw_get(name)?;
        if value.is_nil() {
            return Ok(None);
        }
        reader(&Named { value, name: format!("option `{name}`").into() }).map(Some)
    }

    /// One option that is a flag.
    pub fn flag(&self, name: &'static str, default: bool) -> Result<bool, Fault> {
        Ok(self.get(name, Named::boolean)?.unwrap_or(default))
    }
}
