//! Machines with a real kernel in them.

mod control;
mod ends;
mod guest;
mod left_behind;
mod start;
mod templates;
