//! Lua that computes: it costs time of the lab, and no deadline waits for it.
//!
//! A hook runs every [`EVERY`] instructions. It charges the clock, so that a busy loop meets its deadline in
//! virtual time too; at the deadline it makes the coroutine yield, and nobody ever resumes it. A `pcall` cannot
//! catch that. Where Lua cannot yield (inside `table.sort` and the like) it raises an error instead, and goes on
//! raising and yielding in turn, from then on at every instruction, until the task is out of there: a loop around
//! a `pcall` has an instruction or two where it can be stopped.
//!
//! What is one instruction to Lua and can still take long is a pattern to match: [`pattern`](super::pattern) looks at the
//! clock by itself.

use mlua::{HookTriggers, Lua, VmState};
use provium_protocol::Nanos;

use super::fault::Fault;
use super::host::{Host, Interrupt};
use super::place;

/// Instructions between two looks at the clock: often enough for any deadline, seldom enough to cost nothing.
pub const EVERY: u32 = 1_000;

/// What one Lua instruction costs by the lab's clock: slow for a real machine, so that an endless loop ends after
/// a second of real time and not after thirty.
pub const INSTRUCTION_NS: Nanos = 100;

/// What the instructions between two looks at the clock cost.
pub const SLICE_NS: Nanos = EVERY as Nanos * INSTRUCTION_NS;

/// Slices that a simulated program may compute where it cannot be preempted (10 s of the lab's clock): sorting and
/// replacing take less, and an endless comparison function must not hang the run.
const MAX_STUCK_SLICES: u32 = 100_000;

/// Sets the hook; coroutines made from now on inherit it.
pub fn install(lua: &Lua) -> mlua::Result<()> {
    set(lua, EVERY)
}

fn set(lua: &Lua, every: u32) -> mlua::Result<()> {
    lua.set_global_hook(HookTriggers::new().every_nth_instruction(every), move |lua, _| {
        let host = Host::of(lua);
        host.mind_memory(lua);
        if host.in_program.get() {
            return program_slice(&host);
        }
        if !time_is_up(lua, &host, 1)? {
            return Ok(VmState::Continue);
        }
        if host.interrupt.replace(Interrupt::Deadline) == Interrupt::None {
            return Ok(VmState::Yield);
        }
        host.interrupt.set(Interrupt::None);
        Err(host.time_is_up().into())
    })
}

/// Charges a task for so many slices; whether it may not go on: its deadline has come, or it was asked to stop.
fn time_is_up(lua: &Lua, host: &Host, slices: u32) -> mlua::Result<bool> {
    host.backend.compute(Nanos::from(slices) * SLICE_NS);
    host.looks.set(host.looks.get() + 1);
    let Some(section) = host.current.borrow().as_ref().map(|task| std::rc::Rc::clone(&task.section)) else {
        return Ok(false);
    };
    if !host.is_stopped() && !host.backend.overdue(section.deadline.get(), host.looks.get()) {
        return Ok(false);
    }
    if section.interrupted_at.borrow().is_none() {
        let look = host.looks.get();
        host.setup.observers.tell(|observer| observer.interrupted(look));
        *section.interrupted_at.borrow_mut() = place::caller(lua, host);
    }
    if !host.hook_is_fine.replace(true) {
        set(lua, 1)?;
    }
    Ok(true)
}

/// A look at the clock by a function that computes for long without any instruction of Lua's. `can_yield` is whether it
/// can yield; returns whether it must, and an error when it must and cannot. Inside a simulated program, which goes on
/// after its slice, it is not made to: what waits there is the function's own middle.
pub fn look(lua: &Lua, slices: u32, can_yield: bool) -> mlua::Result<bool> {
    let host = Host::of(lua);
    host.mind_memory(lua);
    if host.in_program.get() {
        return stuck(&host, slices).map(|()| false);
    }
    if !time_is_up(lua, &host, slices)? {
        return Ok(false);
    }
    if can_yield {
        host.interrupt.set(Interrupt::Deadline);
        return Ok(true);
    }
    host.interrupt.set(Interrupt::None);
    let mut fault = host.time_is_up();
    fault.at = place::caller(lua, &host);
    Err(fault.into())
}

/// Sets the hook back after a section that was interrupted.
pub fn reset(lua: &Lua, host: &Host) -> mlua::Result<()> {
    host.interrupt.set(Interrupt::None);
    if host.hook_is_fine.replace(false) { install(lua) } else { Ok(()) }
}

fn program_slice(host: &Host) -> mlua::Result<VmState> {
    if host.interrupt.replace(Interrupt::Slice) == Interrupt::None {
        host.stuck.set(0);
        return Ok(VmState::Yield);
    }
    // The last request to yield was not met: this is inside a C function.
    stuck(host, 1).map(|()| VmState::Continue)
}

/// A simulated program computes so many slices where it cannot be preempted.
fn stuck(host: &Host, slices: u32) -> mlua::Result<()> {
    host.backend.compute(Nanos::from(slices) * SLICE_NS);
    let so_far = host.stuck.get() + slices;
    if so_far < MAX_STUCK_SLICES {
        host.stuck.set(so_far);
        return Ok(());
    }
    host.stuck.set(0);
    Err(Fault::timeout("a simulated program computed for 10s inside a function that cannot be preempted").into())
}
