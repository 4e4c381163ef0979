//! A Lua function that runs as a task: the driver between Lua's coroutines and Rust's futures.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use mlua::{Function, Lua, MultiValue, Thread, Value};
use provium_protocol::program::ProgramProcess;

use super::call::{Answer, interrupted_mark, waiting_mark};
use super::fault::Fault;
use super::hook;
use super::host::{Host, Interrupt, Pending};
use super::place;
use crate::runner::place::Place;
use crate::runner::section::TaskState;

/// An error that ended a task.
#[derive(Clone)]
pub struct Thrown {
    /// What was raised.
    pub value: Value,
    /// The Lua lines where it was raised, innermost first.
    pub stack: Vec<Place>,
}

/// On whose behalf a thread runs.
#[derive(Clone)]
pub enum Owner {
    /// A task of a test or of the file's top level.
    Task(Rc<TaskState>),
    /// A simulated program: it waits for its own guest only.
    Program(Rc<dyn ProgramProcess>),
}

/// Runs one Lua function to its end.
pub struct LuaThread {
    /// Keeps the state for as long as something runs in it: a program's guest may outlive its test file.
    lua: Lua,
    host: Rc<Host>,
    owner: Owner,
    thread: Thread,
    /// What the thread is resumed with next; absent while an answer is awaited.
    input: Option<MultiValue>,
    waiting: Option<Pending>,
    /// The deadline has come while Lua computed: it is never resumed.
    stopped: bool,
}

impl LuaThread {
    /// The function with its arguments, not yet begun.
    pub fn new(lua: &Lua, owner: Owner, function: Function, args: MultiValue) -> mlua::Result<LuaThread> {
        let host = Host::of(lua);
        let thread = lua.create_thread(host.prelude_function("protected")?)?;
        let mut input = args;
        input.push_front(Value::Function(function));
        Ok(LuaThread { lua: lua.clone(), host, owner, thread, input: Some(input), waiting: None, stopped: false })
    }

    fn resume(&self, input: MultiValue) -> mlua::Result<MultiValue> {
        let task = match &self.owner {
            Owner::Task(task) => {
                *task.waits.borrow_mut() = None;
                Some(Rc::clone(task))
            }
            Owner::Program(_) => None,
        };
        self.host.mind_memory(&self.lua);
        let in_program = self.host.in_program.replace(task.is_none());
        let before = self.host.current.replace(task);
        let output = self.thread.resume::<MultiValue>(input);
        self.host.current.replace(before);
        self.host.in_program.set(in_program);
        output
    }

    fn thrown(&self, value: Value) -> Thrown {
        Thrown { value, stack: std::mem::take(&mut *self.host.error_stack.borrow_mut()) }
    }

    /// What the thread was interrupted for.
    fn interrupted(&mut self, interrupt: Interrupt) {
        match (interrupt, &self.owner) {
            (Interrupt::Slice, Owner::Program(process)) => {
                let computing = process.compute(hook::SLICE_NS);
                let answer: Answer = Box::pin(async move {
                    computing.await;
                    Ok(MultiValue::new())
                });
                self.waiting = Some(Pending { answer, op: "compute", at: None });
            }
            _ => self.stopped = true,
        }
    }
}

impl Future for LuaThread {
    type Output = Result<MultiValue, Thrown>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.host.looks.set(0);
        loop {
            if this.stopped {
                return Poll::Pending;
            }
            if let Some(pending) = &mut this.waiting {
                let Poll::Ready(answer) = pending.answer.as_mut().poll(cx) else { return Poll::Pending };
                let pending = this.waiting.take();
                this.input = Some(match answer {
                    Ok(mut values) => {
                        values.push_front(Value::Boolean(true));
                        values
                    }
                    Err(mut fault) => {
                        if let Some(pending) = pending {
                            locate(&mut fault, &pending);
                        }
                        let error = match fault.raised.take() {
                            Some(value) => value,
                            None => Value::Error(Box::new(fault.into())),
                        };
                        [Value::Boolean(false), error].into_iter().collect()
                    }
                });
            }
            let Some(input) = this.input.take() else { return Poll::Pending };
            let mut output = match this.resume(input) {
                Ok(output) => output,
                Err(error) => return Poll::Ready(Err(this.thrown(Value::Error(Box::new(error))))),
            };
            if !this.thread.is_resumable() {
                let ok = matches!(output.pop_front(), Some(Value::Boolean(true)));
                if ok {
                    return Poll::Ready(Ok(output));
                }
                let value = output.pop_front().unwrap_or(Value::Nil);
                return Poll::Ready(Err(this.thrown(value)));
            }
            let interrupt = this.host.interrupt.replace(Interrupt::None);
            let marked = |mark| matches!(output.front(), Some(Value::LightUserData(first)) if *first == mark);
            if marked(interrupted_mark()) || (interrupt != Interrupt::None && output.is_empty()) {
                this.interrupted(interrupt);
                continue;
            }
            let marked = marked(waiting_mark());
            this.waiting = match this.host.pending.take() {
                Some(pending) if marked => Some(pending),
                // `coroutine.yield` outside of any coroutine of the test lets the others go on.
                _ => {
                    let answer: Answer = Box::pin(async {
                        crate::exec::wait::yield_now().await;
                        Ok(MultiValue::new())
                    });
                    Some(Pending { answer, op: "yield", at: None })
                }
            };
        }
    }
}

fn locate(fault: &mut Fault, pending: &Pending) {
    if fault.at.is_none() {
        fault.at.clone_from(&pending.at);
    }
    if fault.op.is_none() {
        fault.op = Some(pending.op.into());
    }
}

/// The message handler of every task: remembers where the error was raised, leaves the error as it is.
pub fn message_handler(lua: &Lua) -> mlua::Result<Function> {
    lua.create_function(|lua, error: Value| {
        let host = Host::of(lua);
        let stack = place::stack(lua, &host);
        *host.error_stack.borrow_mut() = stack;
        Ok(error)
    })
}
