//! More of everything than usual: on simulated guests, and on real ones.

use crate::real;
use crate::simulated::record;

const FILE: &str = "plenty.test.lua";

#[test]
fn plenty_on_simulated_guests() {
    let (_, _, events) = record(&real::file(FILE), None);
    real::check(&events);
}

#[test]
fn plenty_on_real_guests() {
    real::passes(FILE);
}
