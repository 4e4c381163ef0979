//! Tasks of a test: `t:spawn`, `co.wrap`, `co.sleep`, `co.yield`.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use mlua::{Function, MetaMethod, MultiValue, UserData, UserDataFields, UserDataMethods};

use super::args::Named;
use super::call::{Answer, Call, Class, Returned, later, nothing, now, one, prelude};
use super::fault::Fault;
use super::task::{LuaThread, Owner, Thrown};
use crate::exec::wait::{Waiters, within, yield_now};
use crate::runner::place::Place;
use crate::runner::section::TaskState;

/// Tasks of one section at once: each is a Lua stack and a future, and more than this is a loop gone wrong.
const MAX_TASKS: usize = 10_000;

/// How a task ended.
#[derive(Clone)]
enum End {
    Returned(MultiValue),
    Raised(Thrown),
    Cancelled,
}

struct Task {
    state: Rc<TaskState>,
    end: RefCell<Option<End>>,
    waiters: Waiters,
    joined: Cell<bool>,
}

/// The userdata of a Task.
#[derive(Clone)]
pub struct TaskRef(Rc<Task>);

static CLASS: Class =
    Class { prefix: "task:", entries: &[later("join", 1, join), now("done", 0, done), now("cancel", 0, cancel)] };

/// The global `co`.
pub static CO: Class = Class {
    prefix: "co.",
    entries: &[prelude("wrap", 1, "co_wrap"), later("sleep", 1, sleep), later("yield", 0, yield_)],
};

impl UserData for TaskRef {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_meta_field(MetaMethod::Type, "Task");
        fields.add_meta_field_with(MetaMethod::Index, |lua| CLASS.lazy_table(lua));
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_meta_method(MetaMethod::ToString, |_, this, ()| Ok(format!("task {}", this.0.state.path)));
    }
}

fn this(call: &Call) -> Result<Rc<Task>, Fault> {
    Ok(call.this::<TaskRef>()?.0)
}

/// Starts a function as a task of the running section.
pub fn spawn(call: &Call, function: Function, args: MultiValue) -> Returned {
    let host = &call.host;
    let Some(parent) = host.current.borrow().clone() else {
        return Err(Fault::state("a simulated program cannot spawn tasks of the test"));
    };
    let section = Rc::clone(&parent.section);
    if section.tasks.borrow().iter().filter(|task| !task.over.get()).count() >= MAX_TASKS {
        let mut fault = Fault::state(format!("{}: {MAX_TASKS} tasks run already", call.name()));
        fault.kind = super::fault::FaultKind::Op(provium_protocol::ErrorKind::Limit);
        return Err(fault);
    }
    let state = section.add_task(Some(&parent), call.place());
    let thread = LuaThread::new(call.lua, Owner::Task(Rc::clone(&state)), function, args)?;
    let task = Rc::new(Task {
        state: Rc::clone(&state),
        end: RefCell::default(),
        waiters: Waiters::default(),
        joined: Cell::new(false),
    });
    let ended = Rc::clone(&task);
    let id = host.executor.spawn(&state.path, state.at.as_ref(), async move {
        let end = match thread.await {
            Ok(values) => End::Returned(values),
            Err(thrown) => End::Raised(thrown),
        };
        ended.finish(end);
    });
    state.id.set(Some(id));
    host.remember_task(Rc::clone(&task) as Rc<dyn Spawned>);
    one(call.lua, TaskRef(task))
}

/// A spawned task, as the end of its section looks at it.
pub trait Spawned {
    /// What a test forgot: an error that nobody asked for.
    fn unseen_error(&self) -> Option<Thrown>;
    /// Its state.
    fn state(&self) -> &Rc<TaskState>;
    /// Its future is gone: who joins it learns so.
    fn was_cancelled(&self);
}

impl Spawned for Task {
    fn unseen_error(&self) -> Option<Thrown> {
        match &*self.end.borrow() {
            Some(End::Raised(thrown)) if !self.joined.get() => Some(thrown.clone()),
            _ => None,
        }
    }

    fn state(&self) -> &Rc<TaskState> {
        &self.state
    }

    fn was_cancelled(&self) {
        if self.end.borrow().is_none() {
            self.finish(End::Cancelled);
        }
    }
}

impl Task {
    fn finish(&self, end: End) {
        self.state.over.set(true);
        *self.state.waits.borrow_mut() = None;
        *self.end.borrow_mut() = Some(end);
        self.waiters.wake_all();
    }
}

fn join(call: &Call) -> Result<Answer, Fault> {
    let task = this(call)?;
    let timeout = call.read_optional(1, "timeout", Named::duration)?;
    let itself = call.host.current.borrow().as_ref().is_some_and(|current| Rc::ptr_eq(current, &task.state));
    if itself {
        return Err(call.usage("a task cannot join itself"));
    }
    let path = Rc::clone(&task.state.path);
    call.describe_wait(move || format!("the end of task {path}"));
    let host = Rc::clone(&call.host);
    Ok(Box::pin(async move {
        let ended = poll_fn(|cx| {
            if task.end.borrow().is_none() {
                task.waiters.register(cx);
                return Poll::Pending;
            }
            Poll::Ready(())
        });
        if within(&*host.backend, timeout, ended).await.is_none() {
            let limit = crate::units::format_duration(timeout.unwrap_or_default());
            return Err(Fault::timeout(format!("task:join: task {} still runs after {limit}", task.state.path)));
        }
        task.joined.set(true);
        let end = task.end.borrow().clone();
        match end {
            Some(End::Returned(values)) => Ok(values),
            Some(End::Raised(thrown)) => Err(rethrown(&thrown)),
            Some(End::Cancelled) | None => {
                Err(Fault::state(format!("task:join: task {} was cancelled", task.state.path)))
            }
        }
    }))
}

/// The error of a task, to be raised as it is by who joins it.
fn rethrown(thrown: &Thrown) -> Fault {
    let mut fault = Fault::state("a task raised an error");
    fault.raised = Some(thrown.value.clone());
    fault
}

fn done(call: &Call) -> Returned {
    one(call.lua, this(call)?.end.borrow().is_some())
}

fn cancel(call: &Call) -> Returned {
    let task = this(call)?;
    if task.end.borrow().is_some() {
        return one(call.lua, false);
    }
    if let Some(id) = task.state.id.get() {
        call.host.executor.cancel(id);
    }
    task.finish(End::Cancelled);
    one(call.lua, true)
}

fn sleep(call: &Call) -> Result<Answer, Fault> {
    let duration = call.read(1, "duration", Named::duration)?;
    let sleeping = call.host.backend.sleep(duration);
    Ok(Box::pin(async move {
        sleeping.await;
        nothing()
    }))
}

fn yield_(_: &Call) -> Result<Answer, Fault> {
    Ok(Box::pin(async {
        yield_now().await;
        nothing()
    }))
}

/// Where a task was spawned, for a warning.
pub fn spawned_at(task: &TaskState) -> String {
    let at = |place: &Place| format!(" (spawned at {place})");
    format!("task {}{}", task.path, task.at.as_ref().map(at).unwrap_or_default())
}
