//! The shell in a simulated guest, where the host's shell can be no measure.

#[expect(dead_code, reason = "each test uses a part of it")]
mod common;

use common::run_script;

#[test]
fn hello() {
    let outcome = run_script("echo hello; x=5; echo $((x+1)) | cat; for i in a b; do (echo $i); done; nosuch; exit 3");
    assert_eq!(String::from_utf8_lossy(&outcome.stdout), "hello\n6\na\nb\n");
    assert_eq!(String::from_utf8_lossy(&outcome.stderr), "sh: 1: nosuch: not found\n");
    assert_eq!(outcome.code, 3);
}
