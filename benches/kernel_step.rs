//! What one step of the simulated kernel costs: the scheduler's choice, the switch and the system call.
//!
//! `cargo bench --bench kernel_step`

use std::rc::Rc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use provium_kernel::flags::{O_CREAT, O_RDWR};
use provium_kernel::vfs::root::RootTree;
use provium_kernel::{Machine, MachineConfig, ProgramTable, Sys, World};
use provium_protocol::Choices;
use provium_protocol::choice::{Fixed, Seeded};

/// Steps in one measured iteration.
const STEPS: u64 = 10_000;

async fn busy(sys: Sys) -> i32 {
    let Ok(fd) = sys.open("/tmp/file", O_CREAT | O_RDWR, 0o644).await else { return 1 };
    loop {
        let written = sys.pwrite(fd, b"x", 0).await;
        let read = sys.pread(fd, 1, 0).await;
        if written.is_err() || read.is_err() || sys.getppid().await.is_err() {
            return 1;
        }
    }
}

fn world(choices: Rc<dyn Choices>, processes: usize) -> Rc<World> {
    let world = World::new(choices);
    let programs = ProgramTable::new();
    let config = MachineConfig::default();
    let tree = RootTree::new(&programs, config.memory / 2, config.boot_time);
    let machine = Machine::boot(&world, config, programs, tree, "init").expect("a fresh guest boots");
    let init = machine.spawn_thread(1, move |sys| {
        Box::pin(async move {
            for _ in 0..processes {
                if sys.fork(|child| Box::pin(busy(child))).await.is_err() {
                    return 1;
                }
            }
            sys.pause().await;
            0
        })
    });
    init.expect("a fresh guest has room for a thread");
    world
}

fn steps(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("kernel_step");
    group.throughput(Throughput::Elements(STEPS));
    type Source = fn() -> Rc<dyn Choices>;
    let sources: [(&str, Source); 2] = [("fifo", || Rc::new(Fixed::default())), ("random", || Rc::new(Seeded::new(1)))];
    for (name, source) in sources {
        for processes in [2, 16] {
            let world = world(source(), processes);
            group.bench_function(format!("{name}/{processes} processes"), |bencher| {
                bencher.iter(|| {
                    for _ in 0..STEPS {
                        world.step();
                    }
                });
            });
            world.clear();
        }
    }
    group.finish();
}

criterion_group!(benches, steps);
criterion_main!(benches);
