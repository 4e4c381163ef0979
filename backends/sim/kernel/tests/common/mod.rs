//! Runs one program as the first real process of a fresh guest.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use provium_kernel::vfs::root::RootTree;
use provium_kernel::{Machine, MachineConfig, ProgramTable, Sys, World};
use provium_protocol::choice::Fixed;
use provium_protocol::{Choices, Idle};

/// Runs `body` as process 2 (process 1 does nothing) until nothing can happen any more, and returns what
/// it returned.
pub fn run_with<T: 'static>(
    choices: Rc<dyn Choices>,
    body: impl FnOnce(Sys) -> Pin<Box<dyn Future<Output = T>>> + 'static,
) -> T {
    let world = World::new(choices);
    let programs = ProgramTable::new();
    let config = MachineConfig::default();
    let tree = RootTree::new(&programs, config.memory / 2, config.boot_time);
    let machine = Machine::boot(&world, config, programs, tree, "init").unwrap();
    let result = Rc::new(RefCell::new(None));
    let slot = result.clone();
    machine
        .spawn_thread(1, move |init| {
            Box::pin(async move {
                init.fork(move |sys| {
                    Box::pin(async move {
                        let value = body(sys).await;
                        *slot.borrow_mut() = Some(value);
                        0
                    })
                })
                .await
                .unwrap();
                // The first process reaps what it inherits; with no child left it sleeps for good.
                while init.wait(provium_kernel::WaitFor::Any, Default::default()).await.is_ok() {}
                init.pause().await;
                0
            })
        })
        .unwrap();
    while result.borrow().is_none() {
        if world.has_step() {
            world.step();
        } else {
            assert_eq!(
                world.idle(None),
                Idle::Woken,
                "nothing can happen any more: {:?}",
                machine.kernel().borrow().wait_graph(1)
            );
        }
    }
    world.clear();
    let value = result.borrow_mut().take();
    value.unwrap()
}

/// With the first-in-first-out schedule.
pub fn run<T: 'static>(body: impl FnOnce(Sys) -> Pin<Box<dyn Future<Output = T>>> + 'static) -> T {
    run_with(Rc::new(Fixed::default()), body)
}
