//! Text utilities: they read bytes, change them, and write bytes.

mod awk;
mod base64;
mod cksum;
mod cmp;
mod comm;
mod common;
mod count;
mod cut;
mod diff;
mod digest;
mod expand;
mod fold;
mod grep;
mod head;
mod nl;
mod od;
mod paste;
mod rev;
mod sed;
mod seq;
mod sort;
mod tac;
mod tail;
mod tr;
mod uniq;
mod wc;
mod words;
mod xxd;

use provium_kernel::{ProgramFn, ProgramTable};

use crate::shared::program;

/// Puts the programs of this module into `table`.
pub fn install(table: &mut ProgramTable) {
    let programs: [(&str, ProgramFn); 30] = [
        ("[", program(words::run_bracket)),
        ("base64", program(base64::run)),
        ("cksum", program(cksum::run)),
        ("cmp", program(cmp::run)),
        ("comm", program(comm::run)),
        ("cut", program(cut::run)),
        ("diff", program(diff::run)),
        ("echo", program(words::run_echo)),
        ("egrep", program(grep::run_extended)),
        ("expand", program(expand::run_expand)),
        ("fgrep", program(grep::run_fixed)),
        ("fold", program(fold::run)),
        ("grep", program(grep::run)),
        ("head", program(head::run)),
        ("nl", program(nl::run)),
        ("od", program(od::run)),
        ("paste", program(paste::run)),
        ("printf", program(words::run_printf)),
        ("rev", program(rev::run)),
        ("sed", program(sed::run)),
        ("seq", program(seq::run)),
        ("sort", program(sort::run)),
        ("tac", program(tac::run)),
        ("tail", program(tail::run)),
        ("test", program(words::run_test)),
        ("tr", program(tr::run)),
        ("unexpand", program(expand::run_unexpand)),
        ("uniq", program(uniq::run)),
        ("wc", program(wc::run)),
        ("xxd", program(xxd::run)),
    ];
    for (name, run) in programs.into_iter().chain(digest::programs()) {
        table.add(&format!("/bin/{name}"), name, run);
    }
    table.add("/usr/bin/awk", "awk", program(awk::run));
}
