//! `vm:batch(fn(b))`: many operations in one exchange.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use mlua::{MetaMethod, UserData, UserDataFields, Value};
use provium_protocol::{Op, Reply, limits};

use super::call::{Answer, Call, Class, Entry, How, Returned, later, nothing, one};
use super::exchange::Speaker;
use super::fault::Fault;
use super::machine::Vm;
use super::ops::{Decode, Prepared, mismatch, say_with};
use super::vm::live;
use super::{exec, fs, syscall};

struct Batch {
    vm: Rc<Vm>,
    open: Cell<bool>,
    prepared: RefCell<Vec<Prepared>>,
}

/// The userdata of the `b` that the function gets.
#[derive(Clone)]
pub struct BatchRef(Rc<Batch>);

const fn add(name: &'static str, most: usize, function: fn(&Call) -> Returned) -> Entry {
    Entry { name, most, how: How::Now(function) }
}

static CLASS: Class = Class {
    prefix: "batch:",
    entries: &[
        add("run", 2, |call| put(call, exec::run)),
        add("run_async", 2, |call| put(call, exec::run_async)),
        add("read_file", 1, |call| put(call, fs::read_file)),
        add("write_file", 3, |call| put(call, fs::write_file)),
        add("stat", 1, |call| put(call, fs::stat)),
        add("lstat", 1, |call| put(call, fs::lstat)),
        add("listdir", 1, |call| put(call, fs::listdir)),
        add("mkdir", 2, |call| put(call, fs::mkdir)),
        add("unlink", 1, |call| put(call, fs::unlink)),
        add("rename", 2, |call| put(call, fs::rename)),
        add("symlink", 2, |call| put(call, fs::symlink)),
        add("readlink", 1, |call| put(call, fs::readlink)),
        add("chmod", 2, |call| put(call, fs::chmod)),
        add("open_file", 2, |call| put(call, fs::open_file)),
        add("syscall", 1_000, |call| put(call, syscall::syscall)),
    ],
};

/// What the prelude says a batch with, once the function has filled it.
pub static SEND: Class = Class { prefix: "vm.", entries: &[later("batch", 1, send)] };

impl UserData for BatchRef {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_meta_field(MetaMethod::Type, "Batch");
        fields.add_meta_field_with(MetaMethod::Index, |lua| CLASS.lazy_table(lua));
    }
}

/// An empty batch of a VM, for the prelude.
pub fn new(call: &Call) -> Returned {
    let vm = live(call, 1)?;
    one(call.lua, BatchRef(Rc::new(Batch { vm, open: Cell::new(true), prepared: RefCell::default() })))
}

fn put(call: &Call, prepare: fn(&Call) -> Result<Prepared, Fault>) -> Returned {
    let batch = call.this::<BatchRef>()?.0;
    if !batch.open.get() {
        return Err(Fault::state(format!("{}: the batch has been sent", call.name())));
    }
    let prepared = prepare(call)?;
    let mut list = batch.prepared.borrow_mut();
    if list.len() == limits::MAX_BATCH {
        let mut fault = call.usage(format!("a batch has at most {} operations", limits::MAX_BATCH));
        fault.kind = super::fault::FaultKind::Op(provium_protocol::ErrorKind::Limit);
        return Err(fault);
    }
    list.push(prepared);
    nothing()
}

fn send(call: &Call) -> Result<Answer, Fault> {
    let Value::UserData(batch) = call.arg(1) else { return Err(call.usage("expected a batch")) };
    let batch = batch.borrow::<BatchRef>()?.0.clone();
    batch.open.set(false);
    let (ops, decodes): (Vec<Op>, Vec<Decode>) =
        batch.prepared.take().into_iter().map(|prepared| (prepared.op, prepared.decode)).unzip();
    let names: Vec<&'static str> = ops.iter().map(Op::name).collect();
    let speaker = Speaker::main(&batch.vm);
    if ops.is_empty() {
        return Ok(super::ops::ready(Value::Table(call.lua.create_table()?)));
    }
    Ok(say_with(call, &speaker, Op::Batch(ops), move |ground, reply| {
        let Reply::Batch(results) = reply else { return Err(mismatch("batch", ground, &reply)) };
        let list = ground.lua.create_table_with_capacity(results.len(), 0)?;
        for ((result, decode), name) in results.into_iter().zip(decodes).zip(names) {
            let item = ground.lua.create_table_with_capacity(0, 1)?;
            let decoded = result
                .map_err(|error| Fault::from_op(error, &format!("batch:{name}"), &ground.speaker.vm.name))
                .and_then(|reply| decode(ground, reply));
            match decoded {
                // Done, with nothing to tell, is still told from failed.
                Ok(Value::Nil) => item.raw_set("ok", true)?,
                Ok(value) => item.raw_set("ok", value)?,
                Err(mut fault) => {
                    fault.op = Some(name.into());
                    fault.at.clone_from(&ground.at);
                    item.raw_set("err", Value::Error(Box::new(fault.into())))?;
                }
            }
            list.raw_push(item)?;
        }
        Ok(Value::Table(list))
    }))
}
