//! The command on a file with one test, from the start of its process to its end.
//!
//! `cargo bench --bench cold_start`

use std::path::PathBuf;
use std::process::{Command, Stdio};

use criterion::{Criterion, criterion_group, criterion_main};

fn cold_start(criterion: &mut Criterion) {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let run = |file: &str| {
        let status = Command::new(env!("CARGO_BIN_EXE_provium"))
            .arg(root.join(file))
            .current_dir(&root)
            .stdout(Stdio::null())
            .status()
            .expect("the command starts");
        assert!(status.success(), "{file} must pass");
    };
    let mut group = criterion.benchmark_group("cold_start");
    group.sample_size(50);
    group.bench_function("one small test", |bencher| bencher.iter(|| run("benches/lua/small.test.lua")));
    group.bench_function("the concurrent writers", |bencher| {
        bencher.iter(|| run("tests/lua/concurrent_writers.test.lua"));
    });
    group.finish();
}

criterion_group!(benches, cold_start);
criterion_main!(benches);
