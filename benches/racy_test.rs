//! A whole small racy test, from a fresh Lua state and a fresh guest to its verdict, under a random
//! schedule.
//!
//! `cargo bench --bench racy_test`

use std::path::PathBuf;
use std::rc::Rc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use provium::runner::file::{FileOptions, FileToRun, run_file};
use provium_protocol::choice::Seeded;
use provium_protocol::profile::Profile;
use provium_sim::SimBackend;

fn runs(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("racy_test");
    group.throughput(Throughput::Elements(1));
    for name in ["racy_files", "racy_shell"] {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("benches/lua").join(format!("{name}.test.lua"));
        let file = FileToRun { name: format!("{name}.test.lua"), path, roots: Vec::new() };
        let profile = Profile { name: "linux".into(), ..Profile::default() };
        let mut seed = 0;
        let (mut passed, mut failed) = (0, 0);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                seed += 1;
                let backend = Rc::new(SimBackend::new(Rc::new(Seeded::new(seed))));
                let options = FileOptions {
                    profiles: [("linux".to_owned(), profile.clone())].into(),
                    seed: Some(seed),
                    ..FileOptions::default()
                };
                let summary = run_file(&file, &options, backend, &mut |_| {});
                assert!(!summary.broken, "the test file must load");
                passed += summary.passed;
                failed += summary.failed;
            });
        });
        println!("{name}: the race was lost in {failed} of {} runs", passed + failed);
    }
    group.finish();
}

criterion_group!(benches, runs);
criterion_main!(benches);
