//! From `boot` to the first operation that is answered.

use std::rc::Rc;
use std::sync::Arc;

use provium_protocol::{Backend, Guest, Lane, LocalFuture};
use provium_qemu::backend::Host;

use super::drive::{self, nothing};
use super::stats::{Times, timed};

const COLD_BOOTS: usize = 7;
const CLONES: usize = 30;
const EIGHTS: usize = 15;

/// Boots a guest and has it answer.
fn answered(backend: &Rc<dyn Backend>, vm: &str, cold: bool) -> LocalFuture<Rc<dyn Guest>> {
    let booting = backend.boot(drive::spec(vm, cold));
    Box::pin(async move {
        let guest = booting.await.expect("the guest boots");
        guest.call(Lane::Main, nothing()).await.expect("the guest answers");
        guest
    })
}

pub fn bench(host: &Arc<Host>) {
    let backend: Rc<dyn Backend> = Rc::new(drive::backend(host));
    // The image is in the page cache, and the template is there.
    drop(drive::one(&*backend, answered(&backend, "first", false)));
    let several = |rounds: usize, guests: usize, cold: bool| {
        let mut times = Vec::new();
        for _ in 0..rounds {
            let boots = || (0..guests).map(|at| answered(&backend, &format!("g{at}"), cold)).collect();
            let (time, guests) = timed(|| drive::all(&*backend, boots()));
            times.push(time);
            drop(guests);
            // The end of the last ones is not the beginning of the next.
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        times
    };
    let clones = Times::new("a clone (aim: below 150 ms)", several(CLONES, 1, false));
    let eights = Times::new("eight clones at once (aim: below 0.6 s)", several(EIGHTS, 8, false));
    let cold = Times::new("a boot from the beginning (aim: below 2.5 s)", several(COLD_BOOTS, 1, true));
    for times in [clones, eights, cold] {
        times.print();
    }
}
