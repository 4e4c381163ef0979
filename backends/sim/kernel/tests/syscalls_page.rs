//! `docs/syscalls.md` says what the table of raw system calls says.
#![expect(clippy::disallowed_methods, reason = "a test of the project, not of a guest: it reads a file of the host")]

use std::path::Path;

#[test]
fn the_page_is_made_from_the_table() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/syscalls.md");
    let page = provium_kernel::raw::page::page();
    if std::env::var_os("UPDATE_PAGES").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, page).unwrap();
        return;
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(written == page, "docs/syscalls.md is out of date; UPDATE_PAGES=1 rewrites it");
}
