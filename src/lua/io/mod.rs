//! `io`: files of the host, read whole when they are opened.
//!
//! A test may read what lies beside it: tables of inputs, expected outputs. Each opening is one question to
//! [`HostInputs`](crate::runner::inputs::HostInputs), so that a recording holds what the test read. Paths are relative to
//! the directory of the test file, as in `vm:push_file`: a test must not depend on where it was started. Nothing is
//! written: what a test has to say it logs, and what it makes it makes in its guests.

mod reader;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use mlua::{
    AnyUserData, Lua, LuaString, MetaMethod, MultiValue, Table, UserData, UserDataFields, UserDataMethods, Value, ffi,
};
use provium_protocol::Errno;

use self::reader::{Format, Piece, Reader};
use super::args::{Named, type_name};
use super::call::{Call, Class, Returned, nothing, now, one};
use super::fault::Fault;
use super::host::Host;
use crate::runner::inputs::HostError;

/// The largest host file that `io` opens, in bytes (64 MiB): it is held whole in the memory of the test's Lua, which
/// has 512 MiB.
const MAX_FILE: u64 = 64 << 20;

/// The most formats that `f:lines` and `io.lines` take, as in Lua.
const MAX_FORMATS: usize = 250;

pub static IO: Class = Class {
    prefix: "io.",
    entries: &[
        now("open", 2, open),
        now("lines", 1 + MAX_FORMATS, lines_of_path),
        now("type", 1, type_of),
        now("close", 1, |call| match call.arg(1) {
            Value::Nil => Err(refused("io.close without a file", "there is no default output to close")),
            Value::UserData(file) => match file.borrow::<Handle>() {
                Ok(file) => close(call, &file),
                Err(_) => Err(no_file(call)),
            },
            _ => Err(no_file(call)),
        }),
        now("write", 1_000, |call| match standard(call.lua, b"stdout")? {
            Value::UserData(stdout) => write(call, stdout),
            _ => nothing(),
        }),
        now("read", MAX_FORMATS, |_| Err(refused("io.read", "a test has no input; io.open reads a file of the host"))),
        now("input", 1, |_| Err(refused("io.input", "a test has no input; io.open reads a file of the host"))),
        now("output", 1, |_| Err(refused("io.output", "a test writes by t:log, or into files of its guests"))),
        now("popen", 2, |_| Err(refused("io.popen", "a test runs commands in its guests: vm:run(cmd)"))),
        now("tmpfile", 0, |_| Err(refused("io.tmpfile", "use a file in a guest"))),
    ],
};

static FILE: Class = Class {
    prefix: "f:",
    entries: &[
        now("read", MAX_FORMATS, |call| {
            let file = this(call)?;
            let formats = formats(call, 1)?;
            file.read_all(call, &formats)
        }),
        now("lines", MAX_FORMATS, |call| {
            let file = this(call)?;
            file.check_open()?;
            let formats = formats(call, 1)?;
            one(call.lua, line_iterator(call, file, formats, false)?)
        }),
        now("seek", 2, seek),
        now("close", 0, |call| close(call, &this(call)?)),
        now("write", 1_000, |call| write(call, call.this_value()?)),
        now("flush", 0, |call| {
            this(call)?.check_open()?;
            one(call.lua, call.this_value()?)
        }),
        now("setvbuf", 2, |call| {
            this(call)?.check_open()?;
            one(call.lua, true)
        }),
    ],
};

fn refused(what: &str, instead: &str) -> Fault {
    Fault::usage(format!("{what} is not there in a test: {instead}"))
}

/// What a handle stands for.
enum What {
    /// A host file; nothing once it is closed.
    File { path: String, content: RefCell<Option<LuaString>>, position: Cell<usize> },
    /// `io.stdout`, `io.stderr`: what is written is logged.
    Output(&'static str),
    /// `io.stdin`.
    Input,
}

/// The userdata of a file of the host.
#[derive(Clone)]
struct Handle(Rc<What>);

impl UserData for Handle {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_meta_field(MetaMethod::Type, "FILE*");
        fields.add_meta_field_with(MetaMethod::Index, |lua| FILE.lazy_table(lua));
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_meta_method(MetaMethod::ToString, |_, this, ()| {
            Ok(match &*this.0 {
                What::File { path, content, .. } if content.borrow().is_some() => format!("file ({path})"),
                What::File { .. } => "file (closed)".to_owned(),
                What::Output(name) => format!("file ({name})"),
                What::Input => "file (stdin)".to_owned(),
            })
        });
        methods.add_meta_method(MetaMethod::Close, |_, this, _: Value| {
            this.forget();
            Ok(())
        });
    }
}

impl Handle {
    fn forget(&self) {
        if let What::File { content, .. } = &*self.0 {
            content.borrow_mut().take();
        }
    }

    fn check_open(&self) -> Result<(), Fault> {
        match &*self.0 {
            What::File { content, .. } if content.borrow().is_none() => {
                Err(Fault::usage("attempt to use a closed file"))
            }
            _ => Ok(()),
        }
    }

    /// Reads one piece for each format; stops after the first that is not there.
    fn read_all(&self, call: &Call, formats: &[Format]) -> Result<MultiValue, Fault> {
        let (content, position) = match &*self.0 {
            What::File { content, position, .. } => (content, position),
            What::Output(name) => return Err(refused(&format!("reading from io.{name}"), "a test has no input")),
            What::Input => {
                return Err(refused("reading from io.stdin", "a test has no input; io.open reads a file of the host"));
            }
        };
        self.check_open()?;
        let content = content.borrow();
        let Some(content) = &*content else { return Ok(MultiValue::new()) };
        let bytes = content.as_bytes();
        let mut reader = Reader::at(&bytes, position.get());
        let mut values = Vec::with_capacity(formats.len());
        for format in formats {
            let piece = reader.read(*format);
            position.set(reader.position);
            let value = match piece {
                Piece::Bytes(bytes) => Value::String(call.lua.create_string(bytes)?),
                Piece::Numeral(text) => number(call, text)?,
                Piece::Nothing => Value::Nil,
            };
            let is_over = value.is_nil();
            values.push(value);
            if is_over {
                break;
            }
        }
        Ok(values.into_iter().collect())
    }
}

/// What Lua makes of a numeral; `nil` if it is none.
fn number(call: &Call, text: &[u8]) -> Result<Value, Fault> {
    let text = call.lua.create_string(text)?;
    // SAFETY: the closure is called with the string alone above the caller's part of the stack and room for three
    // more values; it pushes exactly one and removes the string below it, which kept its bytes alive meanwhile. The
    // bytes end with a NUL, as all strings of Lua do, and `lua_stringtonumber` pushes nothing when it returns 0.
    let value: Value = unsafe {
        call.lua.exec_raw(text, |state| {
            let bytes = ffi::lua_tostring(state, -1);
            if ffi::lua_stringtonumber(state, bytes) == 0 {
                ffi::lua_pushnil(state);
            }
            ffi::lua_remove(state, -2);
        })?
    };
    Ok(value)
}

fn no_file(call: &Call) -> Fault {
    call.usage(format!("argument 1 (file): expected a file that io.open returned, got {}", type_name(call.arg(1))))
}

fn this(call: &Call) -> Result<Handle, Fault> {
    call.this::<Handle>()
}

/// `nil`, what went wrong, and its number: how `io` fails.
fn failure(call: &Call, message: &str, errno: i32) -> Returned {
    let message = Value::String(call.lua.create_string(message)?);
    Ok([Value::Nil, message, Value::Integer(errno.into())].into_iter().collect())
}

fn read_host(call: &Call, path: &provium_protocol::exec::ByteString) -> Result<Result<Handle, HostError>, Fault> {
    let setup = &call.host.setup;
    Ok(match setup.inputs.read_file(&setup.run, path, MAX_FILE) {
        Ok(file) => {
            let content = RefCell::new(Some(call.lua.create_string(file.content)?));
            let path = String::from_utf8_lossy(&path.0).into_owned();
            Ok(Handle(Rc::new(What::File { path, content, position: Cell::new(0) })))
        }
        Err(error) => Err(error),
    })
}

/// `io.open(path, mode?)`.
fn open(call: &Call) -> Returned {
    let path = call.read(1, "path", Named::path)?;
    let mode = call.read_optional(2, "mode", Named::bytes)?.unwrap_or_else(|| b"r".to_vec());
    // As in Lua: one of three letters, perhaps a plus, and `b`s, which mean nothing.
    let known = mode.first().is_some_and(|first| b"rwa".contains(first));
    let plus = mode.get(1) == Some(&b'+');
    if !known || mode.iter().skip(1 + usize::from(plus)).any(|byte| *byte != b'b') {
        return Err(call.usage(format!("argument 2 (mode): invalid mode `{}`; valid: r, rb", mode.escape_ascii())));
    }
    if plus || mode.first() != Some(&b'r') {
        return Err(call.usage(
            "a test does not write files of the host: log what it has to say (t:log), or write into a guest \
             (vm:write_file)",
        ));
    }
    match read_host(call, &path)? {
        Ok(file) => one(call.lua, call.lua.create_userdata(file)?),
        Err(error) => {
            let message = format!("{}: {}", String::from_utf8_lossy(&path.0), error.message);
            failure(call, &message, error.errno)
        }
    }
}

fn formats(call: &Call, first: usize) -> Result<Vec<Format>, Fault> {
    let last = call.count();
    if last < first {
        return Ok(vec![Format::Line { keep_end: false }]);
    }
    (first..=last)
        .map(|position| {
            let format = match call.arg(position) {
                Value::String(name) => Format::named(&name.as_bytes()),
                number @ (Value::Integer(_) | Value::Number(_)) => {
                    let named = Named { value: number.clone(), name: format!("argument {position} (format)").into() };
                    let count = named.integer_in(0..=i64::MAX).map_err(|fault| fault.prefixed(&call.name()))?;
                    Some(Format::Count(usize::try_from(count).unwrap_or(usize::MAX)))
                }
                _ => None,
            };
            format.ok_or_else(|| {
                call.usage(format!(
                    "argument {position} (format): invalid format; valid: \"n\", \"l\", \"L\", \"a\", a number of bytes"
                ))
            })
        })
        .collect()
}

fn line_iterator(call: &Call, file: Handle, formats: Vec<Format>, closes: bool) -> Result<mlua::Function, Fault> {
    static NEXT: Class = Class { prefix: "", entries: &[now("lines", MAX_FORMATS, |_| nothing())] };
    let entry = &NEXT.entries[0];
    Ok(call.lua.create_function(move |lua, _: MultiValue| {
        let call = Call::new(lua, &NEXT, entry, MultiValue::new());
        if file.check_open().is_err() {
            return Err(call.located(Fault::usage("file is already closed")).into());
        }
        let values = file.read_all(&call, &formats).map_err(|fault| mlua::Error::from(call.located(fault)))?;
        if !values.front().is_none_or(Value::is_nil) {
            return Ok(values);
        }
        if closes {
            file.forget();
        }
        Ok(MultiValue::new())
    })?)
}

/// `io.lines(path, …)`: the file is closed at its end, or when the loop is left.
fn lines_of_path(call: &Call) -> Returned {
    if call.arg(1).is_nil() {
        return Err(refused("io.lines without a path", "a test has no input; name a file of the host"));
    }
    let path = call.read(1, "path", Named::path)?;
    let formats = formats(call, 2)?;
    let file = match read_host(call, &path)? {
        Ok(file) => file,
        Err(error) => {
            let mut fault = Fault::usage(format!("{}: {}", String::from_utf8_lossy(&path.0), error.message));
            fault.errno = Some(Errno(error.errno));
            return Err(fault);
        }
    };
    let iterator = line_iterator(call, file.clone(), formats, true)?;
    let file = Value::UserData(call.lua.create_userdata(file)?);
    Ok([Value::Function(iterator), Value::Nil, Value::Nil, file].into_iter().collect())
}

/// `io.type(value)`.
fn type_of(call: &Call) -> Returned {
    let Value::UserData(value) = call.arg(1) else { return one(call.lua, Value::Nil) };
    match value.borrow::<Handle>() {
        Ok(file) => one(call.lua, if file.check_open().is_ok() { "file" } else { "closed file" }),
        Err(_) => one(call.lua, Value::Nil),
    }
}

fn close(call: &Call, file: &Handle) -> Returned {
    file.check_open()?;
    if !matches!(&*file.0, What::File { .. }) {
        return Err(call.usage("the standard streams cannot be closed"));
    }
    file.forget();
    one(call.lua, true)
}

/// `f:seek(whence?, offset?)` → the new position.
fn seek(call: &Call) -> Returned {
    let file = this(call)?;
    let whence = call.read_optional(1, "whence", Named::bytes)?.unwrap_or_else(|| b"cur".to_vec());
    let offset = call.read_optional(2, "offset", Named::integer)?.unwrap_or(0);
    file.check_open()?;
    let What::File { content, position, .. } = &*file.0 else {
        return failure(call, Errno::ESPIPE.text(), Errno::ESPIPE.0);
    };
    let length = content.borrow().as_ref().map_or(0, |content| content.as_bytes().len());
    let from = match &*whence {
        b"set" => 0,
        b"cur" => position.get(),
        b"end" => length,
        other => {
            let other = other.escape_ascii();
            return Err(call.usage(format!("argument 1 (whence): invalid option `{other}`; valid: set, cur, end")));
        }
    };
    let to = i64::try_from(from).ok().and_then(|from| from.checked_add(offset));
    match to.and_then(|to| usize::try_from(to).ok()) {
        Some(to) => {
            position.set(to);
            one(call.lua, to as i64)
        }
        None => failure(call, Errno::EINVAL.text(), Errno::EINVAL.0),
    }
}

/// `io.write(…)`, `io.stdout:write(…)`: one line of the log.
fn write(call: &Call, file: AnyUserData) -> Returned {
    let writable = file.borrow::<Handle>().is_ok_and(|file| matches!(&*file.0, What::Output(_)));
    if !writable {
        return Err(call.usage(
            "files of the host are only read: log what the test has to say (t:log), or write into a guest \
             (vm:write_file)",
        ));
    }
    let mut text = String::new();
    for position in 1..=call.count() {
        match call.arg(position) {
            Value::String(piece) => text.push_str(&piece.to_string_lossy()),
            value @ (Value::Integer(_) | Value::Number(_)) => text.push_str(&value.to_string()?),
            other => {
                let got = type_name(other);
                return Err(call.usage(format!("argument {position}: expected a string or a number, got {got}")));
            }
        }
    }
    call.host.log(text.strip_suffix('\n').unwrap_or(&text).to_owned());
    one(call.lua, file)
}

/// The library.
pub fn table(lua: &Lua) -> mlua::Result<Table> {
    IO.lazy_table_with(lua, standard)
}

/// The standard streams, each made when it is first asked for.
fn standard(lua: &Lua, name: &[u8]) -> mlua::Result<Value> {
    let (name, what) = match name {
        b"stdin" => ("stdin", What::Input),
        b"stdout" => ("stdout", What::Output("stdout")),
        b"stderr" => ("stderr", What::Output("stderr")),
        _ => return Ok(Value::Nil),
    };
    Host::of(lua).cached(lua, "io", name, || Ok(Value::UserData(lua.create_userdata(Handle(Rc::new(what)))?)))
}
