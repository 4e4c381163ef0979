//! `read_file` of 64 MiB, next to a program that writes as many bytes to the same kind of port.

use std::sync::Arc;

use provium_protocol::{Op, Reply};
use provium_qemu::backend::Host;

use super::drive::{self, ask, run};
use super::raw::Raw;
use super::stats::{Times, print_rate, timed};

const SIZE: usize = 64 << 20;

const TURNS: usize = 12;

/// Bytes of a read on the raw link: what provium's own end asks for.
const BUFFER: usize = 256 << 10;

pub fn bench(host: &Arc<Host>) {
    let backend = drive::backend(host);
    let guest = drive::boot(&backend, "bench");
    run(&backend, &*guest, &format!("head -c {SIZE} /dev/zero | tr '\\0' x > /tmp/large"));
    let mut raw = Raw::echo();
    let mut buffer = vec![0; BUFFER];
    let (mut links, mut files) = (Vec::new(), Vec::new());
    for turn in 0..=TURNS {
        // The first warms everything up.
        let keep = turn > 0;
        let (time, ()) = timed(|| raw.receive(SIZE, &mut buffer));
        links.extend(keep.then_some(time));
        let (time, reply) = timed(|| ask(&backend, &*guest, Op::ReadFile("/tmp/large".into())));
        assert!(matches!(&reply, Reply::Bytes(bytes) if bytes.len() == SIZE), "the file is not whole");
        files.extend(keep.then_some(time));
    }
    let links = Times::new("64 MiB over the raw link", links);
    let files = Times::new("read_file of 64 MiB", files);
    links.print();
    files.print();
    print_rate("raw link", SIZE, links.median());
    print_rate("read_file", SIZE, files.median());
    files.print_ratio(&links, "at most 2");
}
