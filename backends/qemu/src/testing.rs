//! What every test with a real guest asks first: is there what it needs?
//!
//! A host without QEMU still runs all other tests, so such a test then says on standard error that it did not run. Where
//! it must run, `PROVIUM_REQUIRE_QEMU=1` makes that a failure: CI sets it, so that a broken installation never looks like a
//! passed test.

use std::fmt::Display;

use crate::machine::Qemu;

/// Makes a missing QEMU, kernel package or network a failure.
pub const REQUIRE_VARIABLE: &str = "PROVIUM_REQUIRE_QEMU";

/// What is needed, or `None` after saying that the test did not run and why.
///
/// # Panics
///
/// When the environment says that the test must run.
pub fn available<T, E: Display>(what: &str, found: Result<T, E>) -> Option<T> {
    let why = match found {
        Ok(found) => return Some(found),
        Err(why) => why,
    };
    let required = std::env::var_os(REQUIRE_VARIABLE).is_some_and(|value| !value.is_empty() && value != "0");
    assert!(!required, "{REQUIRE_VARIABLE} is set, and there is no {what}: {why}");
    eprintln!("NOT RUN: there is no {what} ({REQUIRE_VARIABLE}=1 makes this a failure): {why}");
    None
}

/// The QEMU of this host.
pub async fn qemu() -> Option<Qemu> {
    available("QEMU", Qemu::find().await)
}
