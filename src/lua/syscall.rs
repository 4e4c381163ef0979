//! Raw system calls: `x:syscall(nr, …)` in both its forms, and `vm:ioctl`.

use mlua::{Lua, Table, Value};
use provium_protocol::syscall::{PtrTarget, SyscallBuf, SyscallReply, SyscallSpec};
use provium_protocol::{Op, Reply, limits, syscall_names};

use super::args::{Named, Options, sequence_length, type_name};
use super::call::Call;
use super::fault::Fault;
use super::ops::{Prepared, mismatch};

/// The number of ioctl(2) on x86-64.
const IOCTL: u64 = 16;

/// `x:syscall(nr, a1 … a6)` or `x:syscall(nr, {args, bufs, ptrs})`.
pub fn syscall(call: &Call) -> Result<Prepared, Fault> {
    let nr = number(call)?;
    let spec = match call.arg(2) {
        Value::Table(_) => {
            if call.count() > 2 {
                return Err(call.usage("the form with a table takes nothing after the table"));
            }
            let options = call.options(2, &["args", "bufs", "ptrs"])?;
            from_table(nr, &options).map_err(|fault| fault.prefixed(&call.name()))?
        }
        _ => {
            let mut args = [0; limits::MAX_SYSCALL_ARGS];
            let given = call.count().saturating_sub(1);
            if given > args.len() {
                return Err(call.usage(format!("a system call takes at most {} arguments, got {given}", args.len())));
            }
            for (index, slot) in args.iter_mut().enumerate().take(call.count().saturating_sub(1)) {
                *slot = call.read(index + 2, &format!("a{}", index + 1), Named::integer)?;
            }
            SyscallSpec { nr, args, bufs: Vec::new(), ptrs: Vec::new() }
        }
    };
    Ok(prepared(spec))
}

/// `vm:ioctl(fd, request, data?, options?)`: `data` is an integer, or a string whose bytes are handed over and
/// come back in `out_bufs[1]`; `size` makes the buffer at least so large.
pub fn ioctl(call: &Call) -> Result<Prepared, Fault> {
    let fd = call.read(1, "fd", Named::integer)?;
    let request = call.read(2, "request", Named::integer)?;
    let options = call.options(4, &["size"])?;
    let most = i64::try_from(limits::MAX_SYSCALL_BUF).unwrap_or(i64::MAX);
    let size = options.get("size", |named| named.integer_in(0..=most)).map_err(|fault| fault.prefixed("vm:ioctl"))?;
    let mut args = [0; limits::MAX_SYSCALL_ARGS];
    (args[0], args[1]) = (fd, request);
    let buffer = match call.arg(3) {
        Value::Nil => size.map(|_| Vec::new()),
        Value::Integer(value) => {
            args[2] = *value;
            None
        }
        Value::String(data) => Some(data.as_bytes().to_vec()),
        other => {
            let got = type_name(other);
            return Err(call.usage(format!("argument 3 (data): expected an integer or a string, got {got}")));
        }
    };
    let mut spec = SyscallSpec { nr: IOCTL, args, bufs: Vec::new(), ptrs: Vec::new() };
    if let Some(mut data) = buffer {
        let size = usize::try_from(size.unwrap_or(0)).unwrap_or(0);
        if data.len() < size {
            data.resize(size, 0);
        }
        spec.bufs.push(SyscallBuf(data));
        spec.ptrs.push(PtrTarget::Arg(2));
    }
    Ok(prepared(spec))
}

fn prepared(spec: SyscallSpec) -> Prepared {
    Prepared::new(Op::Syscall(spec), |ground, reply| match reply {
        Reply::Syscall(reply) => Ok(Value::Table(reply_table(&ground.lua, reply)?)),
        other => Err(mismatch("syscall", ground, &other)),
    })
}

fn number(call: &Call) -> Result<u64, Fault> {
    match call.arg(1) {
        Value::String(name) => {
            let name = name.to_string_lossy();
            syscall_names::number(&name)
                .ok_or_else(|| call.usage(format!("unknown system call `{name}`; names are those of x86-64 Linux")))
        }
        _ => Ok(call.read(1, "nr", |named| named.integer_in(0..=i64::from(i32::MAX)))?.unsigned_abs()),
    }
}

fn from_table(nr: u64, options: &Options) -> Result<SyscallSpec, Fault> {
    let mut args = [0; limits::MAX_SYSCALL_ARGS];
    if let Some(given) = options.get("args", integers)? {
        if given.len() > args.len() {
            return Err(Fault::usage(format!(
                "option `args`: a system call takes at most {} arguments, got {}",
                args.len(),
                given.len()
            )));
        }
        args[..given.len()].copy_from_slice(&given);
    }
    let bufs = options.get("bufs", buffers)?.unwrap_or_default();
    let ptrs = options.get("ptrs", pointers)?.unwrap_or_default();
    if ptrs.len() > bufs.len() {
        return Err(Fault::usage(format!(
            "option `ptrs`: there are {} pointers for {} buffers; ptrs[i] says where the address of bufs[i] goes",
            ptrs.len(),
            bufs.len()
        )));
    }
    for (index, target) in ptrs.iter().enumerate() {
        let PtrTarget::Buf { buf, offset } = target else { continue };
        let room = bufs.get(*buf as usize).map(|buffer| buffer.0.len());
        if room.is_none_or(|room| (*offset as usize).checked_add(8).is_none_or(|end| end > room)) {
            return Err(Fault::usage(format!(
                "option `ptrs`: entry {} puts an address at offset {offset} of buffer {buf}, which has no room for it",
                index + 1
            )));
        }
    }
    Ok(SyscallSpec { nr, args, bufs, ptrs })
}

fn items<'a>(named: &'a Named, what: &str) -> Result<(&'a Table, usize), Fault> {
    let Value::Table(table) = &named.value else { return Err(named.expected(what)) };
    Ok((table, sequence_length(table, &named.name)?))
}

fn integers(named: &Named) -> Result<Vec<i64>, Fault> {
    let (table, length) = items(named, "an array of integers")?;
    (1..=length)
        .map(|index| {
            let value: Value = table.raw_get(index)?;
            Named { value, name: format!("{}[{index}]", named.name).into() }.integer()
        })
        .collect()
}

fn buffers(named: &Named) -> Result<Vec<SyscallBuf>, Fault> {
    let (table, length) = items(named, "an array of strings")?;
    if length > limits::MAX_SYSCALL_BUFS {
        let most = limits::MAX_SYSCALL_BUFS;
        return Err(Fault::usage(format!("{}: at most {most} buffers, got {length}", named.name)));
    }
    (1..=length)
        .map(|index| {
            let value: Value = table.raw_get(index)?;
            let named = Named { value, name: format!("{}[{index}]", named.name).into() };
            let bytes = named.bytes()?;
            if bytes.len() > limits::MAX_SYSCALL_BUF {
                let most = limits::MAX_SYSCALL_BUF;
                return Err(Fault::usage(format!("{}: a buffer is at most {most} bytes", named.name)));
            }
            Ok(SyscallBuf(bytes))
        })
        .collect()
}

fn pointers(named: &Named) -> Result<Vec<PtrTarget>, Fault> {
    let (table, length) = items(named, "an array of argument slots")?;
    let last = limits::MAX_SYSCALL_ARGS as i64 - 1;
    (1..=length)
        .map(|index| {
            let value: Value = table.raw_get(index)?;
            let name = format!("{}[{index}]", named.name);
            if let Value::Table(_) = &value {
                let options = Options::read(&value, &["buf", "offset"]).map_err(|fault| fault.prefixed(&name))?;
                let number = |key| {
                    let number = options.get(key, |named| named.integer_in(0..=i64::from(u32::MAX)));
                    number.map(|number| number.unwrap_or(0) as u32)
                };
                return Ok(PtrTarget::Buf { buf: number("buf")?, offset: number("offset")? });
            }
            let slot = Named { value, name: name.into() }.integer_in(0..=last)?;
            Ok(PtrTarget::Arg(slot as u8))
        })
        .collect()
}

fn reply_table(lua: &Lua, reply: SyscallReply) -> mlua::Result<Table> {
    let table = lua.create_table_with_capacity(0, 4)?;
    // The kernel's own convention: -4095 to -1 is an error number.
    let failed = (-4095..0).contains(&reply.raw);
    table.raw_set("ret", if failed { -1 } else { reply.raw })?;
    table.raw_set("result", reply.raw)?;
    table.raw_set("errno", if failed { -reply.raw } else { 0 })?;
    let bufs = lua.create_table_with_capacity(reply.bufs.len(), 0)?;
    for buffer in reply.bufs {
        bufs.raw_push(lua.create_string(buffer.0)?)?;
    }
    table.raw_set("out_bufs", bufs)?;
    Ok(table)
}
