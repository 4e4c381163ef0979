use std::cmp::Ordering;

use proptest::prelude::*;

use super::key::{Key, Order};
use super::options::Job;

fn job(letters: &str, keys: &[&str]) -> Job {
    let mut order = Order::default();
    for letter in letters.bytes() {
        order.add(letter, true, true);
    }
    let mut keys: Vec<Key> = keys.iter().map(|key| Key::parse(key.as_bytes()).expect("valid")).collect();
    for key in &mut keys {
        if key.order.is_default() && !key.order.reverse {
            key.order = order;
        }
    }
    if keys.is_empty() && !order.is_default() {
        keys.push(Key::whole(order));
    }
    Job {
        keys,
        reverse: order.reverse,
        separator: None,
        unique: false,
        stable: false,
        merge: false,
        check: None,
        output: None,
        line_end: b'\n',
        salt: Vec::new(),
    }
}

fn sorted(job: &Job, lines: &[&str]) -> Vec<String> {
    let mut lines = lines.to_vec();
    lines.sort_by(|a, b| job.compare(a.as_bytes(), b.as_bytes()));
    lines.into_iter().map(str::to_owned).collect()
}

#[test]
fn orders_of_numbers() {
    assert_eq!(sorted(&job("n", &[]), &["10", "9", "-1", "x", "1.5", "1.25"]), ["-1", "x", "1.25", "1.5", "9", "10"]);
    assert_eq!(sorted(&job("h", &[]), &["1G", "2K", "1023", "-1K", "3M"]), ["-1K", "1023", "2K", "3M", "1G"]);
    assert_eq!(sorted(&job("g", &[]), &["1e3", "nan", "x", "2", "-inf"]), ["x", "nan", "-inf", "2", "1e3"]);
    assert_eq!(sorted(&job("M", &[]), &["dec", "Jan", "x", "feb"]), ["x", "Jan", "feb", "dec"]);
}

#[test]
fn options_of_text() {
    assert_eq!(sorted(&job("f", &[]), &["b", "A", "a", "B"]), ["A", "a", "B", "b"]);
    assert_eq!(sorted(&job("d", &[]), &["-b", "a", ".c"]), ["a", "-b", ".c"]);
    assert_eq!(sorted(&job("", &["2n", "1r"]), &["a 2", "b 2", "c 1"]), ["c 1", "b 2", "a 2"]);
    assert_eq!(sorted(&job("r", &["1,1"]), &["a 1", "a 2", "b 1"]), ["b 1", "a 2", "a 1"]);
}

proptest! {
    #[test]
    fn a_sorted_list_is_a_permutation_in_order(
        lines in prop::collection::vec("[ab0-2. -]{0,5}", 0..30),
        letters in prop::sample::select(vec!["", "r", "n", "nr", "f", "d", "h", "g", "V", "b"]),
    ) {
        let job = job(letters, &[]);
        let mut sorted = lines.clone();
        sorted.sort_by(|a, b| job.compare(a.as_bytes(), b.as_bytes()));
        for pair in sorted.windows(2) {
            prop_assert_ne!(job.compare(pair[0].as_bytes(), pair[1].as_bytes()), Ordering::Greater);
        }
        let (mut one, mut other) = (lines, sorted);
        one.sort();
        other.sort();
        prop_assert_eq!(one, other);
    }
}
