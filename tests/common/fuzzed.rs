//! A fuzzer's corpus, through the function that it fuzzes, without the fuzzer.

use std::fs;
use std::path::{Path, PathBuf};

/// Where the corpus of a fuzz target is.
pub fn directory(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target)
}

/// Gives all of a corpus to `exhaust`, and what it begins with, which has to be in it; `WRITE_CORPUS=1` writes that anew. What
/// the fuzzer finds is added by hand.
pub fn exhausted(target: &str, seeds: &[(String, Vec<u8>)], exhaust: impl Fn(&[u8])) {
    let directory = directory(target);
    if std::env::var_os("WRITE_CORPUS").is_some() {
        fs::create_dir_all(&directory).expect("a directory");
        for (name, bytes) in seeds {
            fs::write(directory.join(name), bytes).expect("a file");
        }
    }
    let mut count = 0;
    for entry in fs::read_dir(&directory).expect("the corpus is there") {
        exhaust(&fs::read(entry.expect("an entry").path()).expect("a file"));
        count += 1;
    }
    assert!(count >= seeds.len(), "only {count} files in the corpus");
    for (name, bytes) in seeds {
        assert!(directory.join(name).exists(), "{name} is missing");
        exhaust(bytes);
    }
}
