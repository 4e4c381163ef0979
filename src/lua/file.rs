//! File: an open file of a guest.

use std::rc::Rc;

use mlua::{MetaMethod, UserData, UserDataFields, UserDataMethods, Value};
use provium_protocol::fs::{FileHandle, LockKind, Whence};
use provium_protocol::{Op, limits};

use super::args::Named;
use super::call::{Answer, Call, Class, later, now, one};
use super::fault::Fault;
use super::held::Held;
use super::machine::OpenThing;
use super::ops::{self, Ground, say_with};
use super::stream;
use crate::runner::scope::Kind;

/// An open file as the bindings know it.
pub struct File {
    handle: FileHandle,
    fd: i32,
    path: String,
    open: OpenThing,
}

/// The userdata of a File.
#[derive(Clone)]
pub struct FileRef(pub Rc<File>);

static CLASS: Class = Class {
    prefix: "file:",
    entries: &[
        later("read", 1, read),
        later("read_all", 0, |call| simple(call, Op::FileReadAll, ops::bytes)),
        later("write", 1, |call| write(call, false)),
        later("write_all", 1, |call| write(call, true)),
        later("seek", 2, seek),
        later("tell", 0, |call| {
            simple(call, |file| Op::FileSeek { file, offset: 0, whence: Whence::Current }, ops::count)
        }),
        later("sync", 0, |call| simple(call, Op::FileSync, ops::unit)),
        later("truncate", 1, truncate),
        later("lock", 2, lock),
        later("unlock", 0, |call| simple(call, Op::FileUnlock, ops::unit)),
        now("fd", 0, |call| {
            let file = this(call)?;
            one(call.lua, if file.open.is_closed() { 0 } else { file.fd })
        }),
        later("close", 0, close),
        later("tail_stream", 0, tail_stream),
    ],
};

impl UserData for FileRef {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_meta_field(MetaMethod::Type, "File");
        fields.add_meta_field_with(MetaMethod::Index, |lua| CLASS.lazy_table(lua));
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_meta_method(MetaMethod::ToString, |_, this, ()| Ok(this.0.open.label.clone()));
    }
}

/// A file was opened: registers it with the scope and makes its object.
pub fn open(ground: &Ground, handle: FileHandle, fd: i32, path: &str) -> Result<Value, Fault> {
    let vm = &ground.speaker.vm;
    let label = format!("file `{path}` of vm `{}`", vm.name);
    let file = Rc::new(File {
        handle,
        fd,
        path: path.to_owned(),
        open: OpenThing::new(&ground.speaker, Kind::File, label, ground.at.clone()),
    });
    ground.section.scope.register(file.clone());
    Ok(Value::UserData(ground.lua.create_userdata(FileRef(file))?))
}

fn this(call: &Call) -> Result<Rc<File>, Fault> {
    Ok(call.this::<FileRef>()?.0)
}

impl File {
    /// What a stream of it reads; an error if it is closed.
    pub fn stream_source(&self) -> Result<(FileHandle, String), Fault> {
        self.open.check("file")?;
        Ok((self.handle, self.path.clone()))
    }
}

/// The file, open and in a guest that answers.
fn live(call: &Call) -> Result<Rc<File>, Fault> {
    let file = this(call)?;
    file.open.check("file").map_err(|fault| fault.prefixed(&call.name()))?;
    file.open.speaker.vm.require_booted(call.method())?;
    Ok(file)
}

type Decode = fn(&Ground, provium_protocol::Reply) -> Result<Value, Fault>;

fn simple(call: &Call, op: fn(FileHandle) -> Op, decode: Decode) -> Result<Answer, Fault> {
    let file = live(call)?;
    Ok(say_with(call, &file.open.speaker, op(file.handle), decode))
}

fn read(call: &Call) -> Result<Answer, Fault> {
    let most = i64::try_from(limits::MAX_READ).unwrap_or(i64::MAX);
    let len = call.read(1, "count", |named| named.integer_in(0..=most))?;
    let file = live(call)?;
    let op = Op::FileRead { file: file.handle, len: len.unsigned_abs() };
    Ok(say_with(call, &file.open.speaker, op, ops::bytes))
}

fn write(call: &Call, all: bool) -> Result<Answer, Fault> {
    let data = call.read(1, "data", Named::bytes)?;
    let file = live(call)?;
    Ok(say_with(call, &file.open.speaker, Op::FileWrite { file: file.handle, data, all }, ops::count))
}

fn seek(call: &Call) -> Result<Answer, Fault> {
    let offset = call.read(1, "offset", Named::integer)?;
    let whence = match call.read_optional(2, "whence", Named::text)?.as_deref() {
        None | Some("set") => Whence::Set,
        Some("cur") => Whence::Current,
        Some("end") => Whence::End,
        Some(other) => {
            return Err(call.usage(format!("argument 2 (whence): `{other}` is none of \"set\", \"cur\", \"end\"")));
        }
    };
    let file = live(call)?;
    Ok(say_with(call, &file.open.speaker, Op::FileSeek { file: file.handle, offset, whence }, ops::count))
}

fn truncate(call: &Call) -> Result<Answer, Fault> {
    let len = call.read(1, "length", |named| named.integer_in(0..=i64::MAX))?;
    let file = live(call)?;
    Ok(say_with(call, &file.open.speaker, Op::FileTruncate { file: file.handle, len: len.unsigned_abs() }, ops::unit))
}

fn lock(call: &Call) -> Result<Answer, Fault> {
    let kind = match call.read(1, "kind", Named::text)?.as_str() {
        "shared" => LockKind::Shared,
        "exclusive" => LockKind::Exclusive,
        other => {
            return Err(call.usage(format!("argument 1 (kind): `{other}` is neither \"shared\" nor \"exclusive\"")));
        }
    };
    let block = call.options(2, &["block"])?.flag("block", true).map_err(|fault| fault.prefixed(&call.name()))?;
    let file = live(call)?;
    Ok(say_with(call, &file.open.speaker, Op::FileLock { file: file.handle, kind, block }, ops::unit))
}

fn close(call: &Call) -> Result<Answer, Fault> {
    let file = this(call)?;
    if file.open.is_closed() {
        return Ok(ops::ready(Value::Nil));
    }
    file.open.speaker.vm.require_booted(call.method())?;
    let speaker = file.open.speaker.clone();
    let op = Op::FileClose(file.handle);
    // From now on it is closed for everybody else, whatever the guest says of its last write.
    file.open.set_closed();
    Ok(say_with(call, &speaker, op, ops::unit))
}

fn tail_stream(call: &Call) -> Result<Answer, Fault> {
    let file = live(call)?;
    let label = format!("tail of `{}`", file.path);
    Ok(say_with(call, &file.open.speaker, Op::FileTail(file.handle), move |ground, reply| {
        stream::open(ground, reply, &label)
    }))
}

impl Held for File {
    fn open(&self) -> &OpenThing {
        &self.open
    }

    fn closing(&self) -> Option<Op> {
        Some(Op::FileClose(self.handle))
    }
}
