//! Files by path: the operations of `vm:…` and of a batch.

use mlua::{Lua, Table, Value};
use provium_protocol::fs::{EntryType, FileStat, OpenMode, TailStart};
use provium_protocol::{Op, Reply};

use super::args::Named;
use super::call::{Answer, Call};
use super::fault::Fault;
use super::ops::{self, Ground, Prepared, Speaks, mismatch, say_with};
use super::{file, stream};

/// The largest host file that `push_file` reads, in bytes: it is held in memory, once here and once on its way.
const MAX_PUSH: u64 = 256 << 20;

fn path(call: &Call, position: usize) -> Result<provium_protocol::exec::ByteString, Fault> {
    call.read(position, "path", Named::path)
}

/// `x:read_file(path)`.
pub fn read_file(call: &Call) -> Result<Prepared, Fault> {
    Ok(Prepared::new(Op::ReadFile(path(call, 1)?), ops::bytes))
}

/// `x:write_file(path, data, {perm, append})`.
pub fn write_file(call: &Call) -> Result<Prepared, Fault> {
    let path = path(call, 1)?;
    let data = call.read(2, "data", Named::bytes)?;
    let options = call.options(3, &["perm", "append"])?;
    let perm = options.get("perm", Named::permissions).map_err(|fault| fault.prefixed(&call.name()))?;
    let append = options.flag("append", false).map_err(|fault| fault.prefixed(&call.name()))?;
    Ok(Prepared::new(Op::WriteFile { path, data, perm, append }, ops::count))
}

/// `vm:push_file(host_path, guest_path, {perm})`. Without `perm` the guest's file is 0755 if the host's owner may execute
/// it and 0644 if not: the other bits are the umask of whoever made the working copy.
pub fn push_file(call: &Call) -> Result<Prepared, Fault> {
    let host_path = call.read(1, "host path", Named::path)?;
    let path = path(call, 2)?;
    let options = call.options(3, &["perm"])?;
    let perm = options.get("perm", Named::permissions).map_err(|fault| fault.prefixed(&call.name()))?;
    let setup = &call.host.setup;
    let file = setup.inputs.read_file(&setup.run, &host_path, MAX_PUSH).map_err(|error| {
        let shown = crate::runner::describe::quoted(&host_path.0);
        call.usage(format!("cannot read the host file {shown}: {}", error.message))
    })?;
    let perm = perm.or(Some(if file.executable { 0o755 } else { 0o644 }));
    Ok(Prepared::new(Op::WriteFile { path, data: file.content, perm, append: false }, ops::count))
}

/// `x:stat(path)`.
pub fn stat(call: &Call) -> Result<Prepared, Fault> {
    Ok(Prepared::new(Op::Stat(path(call, 1)?), decode_stat))
}

/// `x:lstat(path)`.
pub fn lstat(call: &Call) -> Result<Prepared, Fault> {
    Ok(Prepared::new(Op::Lstat(path(call, 1)?), decode_stat))
}

fn decode_stat(ground: &Ground, reply: Reply) -> Result<Value, Fault> {
    match reply {
        Reply::Stat(stat) => Ok(Value::Table(stat_table(&ground.lua, &stat)?)),
        other => Err(mismatch("stat", ground, &other)),
    }
}

fn stat_table(lua: &Lua, stat: &FileStat) -> mlua::Result<Table> {
    let table = lua.create_table_with_capacity(0, 9)?;
    table.raw_set("size", stat.size)?;
    table.raw_set("mtime", stat.mtime_s)?;
    table.raw_set("mtime_ns", stat.mtime_ns)?;
    table.raw_set("perm", stat.mode & 0o7777)?;
    table.raw_set("entry_type", EntryType::from_mode(stat.mode).name())?;
    table.raw_set("uid", stat.uid)?;
    table.raw_set("gid", stat.gid)?;
    table.raw_set("nlink", stat.nlink)?;
    // Inode numbers above 2^63 do not occur; if one did, Lua shows the same 64 bits as a negative number.
    table.raw_set("ino", stat.ino as i64)?;
    Ok(table)
}

/// `x:listdir(path)`.
pub fn listdir(call: &Call) -> Result<Prepared, Fault> {
    Ok(Prepared::new(Op::ListDir(path(call, 1)?), |ground, reply| match reply {
        Reply::Entries(entries) => {
            let list = ground.lua.create_table_with_capacity(entries.len(), 0)?;
            for entry in entries {
                let item = ground.lua.create_table_with_capacity(0, 2)?;
                item.raw_set("name", ground.lua.create_string(&entry.name.0)?)?;
                item.raw_set("entry_type", entry.entry_type.name())?;
                list.raw_push(item)?;
            }
            Ok(Value::Table(list))
        }
        other => Err(mismatch("listdir", ground, &other)),
    }))
}

/// `x:mkdir(path, {parents, perm})`.
pub fn mkdir(call: &Call) -> Result<Prepared, Fault> {
    let path = path(call, 1)?;
    let options = call.options(2, &["parents", "perm"])?;
    let parents = options.flag("parents", false).map_err(|fault| fault.prefixed(&call.name()))?;
    let perm = options.get("perm", Named::permissions).map_err(|fault| fault.prefixed(&call.name()))?;
    Ok(Prepared::new(Op::Mkdir { path, parents, perm }, ops::unit))
}

/// `x:unlink(path)`.
pub fn unlink(call: &Call) -> Result<Prepared, Fault> {
    Ok(Prepared::new(Op::Unlink(path(call, 1)?), ops::unit))
}

/// `x:rename(from, to)`.
pub fn rename(call: &Call) -> Result<Prepared, Fault> {
    let (from, to) = (call.read(1, "from", Named::path)?, call.read(2, "to", Named::path)?);
    Ok(Prepared::new(Op::Rename { from, to }, ops::unit))
}

/// `x:symlink(target, path)`.
pub fn symlink(call: &Call) -> Result<Prepared, Fault> {
    let (target, path) = (call.read(1, "target", Named::path)?, path(call, 2)?);
    Ok(Prepared::new(Op::Symlink { target, path }, ops::unit))
}

/// `x:readlink(path)`.
pub fn readlink(call: &Call) -> Result<Prepared, Fault> {
    Ok(Prepared::new(Op::Readlink(path(call, 1)?), ops::bytes))
}

/// `x:chmod(path, mode)`.
pub fn chmod(call: &Call) -> Result<Prepared, Fault> {
    let path = path(call, 1)?;
    let mode = call.read(2, "mode", Named::permissions)?;
    Ok(Prepared::new(Op::Chmod { path, mode }, ops::unit))
}

const OPEN_OPTIONS: &[&str] = &["read", "write", "append", "create", "truncate", "exclusive", "perm"];

/// `x:open_file(path, mode)`.
pub fn open_file(call: &Call) -> Result<Prepared, Fault> {
    let path = path(call, 1)?;
    let mode = open_mode(call, 2)?;
    let label = String::from_utf8_lossy(&path.0).into_owned();
    Ok(Prepared {
        op: Op::OpenFile { path, mode },
        decode: Box::new(move |ground, reply| match reply {
            Reply::Opened { file, fd } => file::open(ground, file, fd, &label),
            other => Err(mismatch("open_file", ground, &other)),
        }),
    })
}

/// The table that says how a file is opened.
pub fn open_mode(call: &Call, position: usize) -> Result<OpenMode, Fault> {
    let options = call.options(position, OPEN_OPTIONS)?;
    let read = || -> Result<OpenMode, Fault> {
        Ok(OpenMode {
            read: options.flag("read", false)?,
            write: options.flag("write", false)?,
            append: options.flag("append", false)?,
            create: options.flag("create", false)?,
            truncate: options.flag("truncate", false)?,
            exclusive: options.flag("exclusive", false)?,
            perm: options.get("perm", Named::permissions)?,
        })
    };
    let mode = read().map_err(|fault| fault.prefixed(&call.name()))?;
    if !(mode.read || mode.write || mode.append) {
        return Err(call.usage("say how the file is opened: at least one of read, write, append must be true"));
    }
    Ok(mode)
}

/// `vm:tail_file(path, {start})`.
pub fn tail_file<S: Speaks>(call: &Call) -> Result<Answer, Fault> {
    let speaker = S::speaker(call, call.method())?;
    let path = path(call, 1)?;
    let options = call.options(2, &["start"])?;
    let start = options.get("start", tail_start).map_err(|fault| fault.prefixed(&call.name()))?;
    let label = format!("tail of `{}`", String::from_utf8_lossy(&path.0));
    let op = Op::TailFile { path, start: start.unwrap_or(TailStart::End) };
    Ok(say_with(call, &speaker, op, move |ground, reply| stream::open(ground, reply, &label)))
}

fn tail_start(named: &Named) -> Result<TailStart, Fault> {
    const FORMS: &str = "\"end\", \"beginning\", an offset, or a negative offset from the end";
    match &named.value {
        Value::String(word) => match &*word.as_bytes() {
            b"end" => Ok(TailStart::End),
            b"beginning" => Ok(TailStart::Beginning),
            other => {
                let word = String::from_utf8_lossy(other);
                Err(Fault::usage(format!("{}: `{word}` is none of {FORMS}", named.name)))
            }
        },
        Value::Integer(offset) => Ok(TailStart::Offset(*offset)),
        _ => Err(named.expected(FORMS)),
    }
}
