//! The orders of `sort`.

use std::cmp::Ordering;

use md5::{Digest, Md5};

use super::super::common::{is_blank, is_space};
use super::key::{Kind, Order};
use super::options::Job;
use crate::shared::{strnum, version_order};

impl Job {
    /// The order of two lines: by the keys, and byte by byte if they are equal.
    pub(super) fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        let order = self.compare_keys(a, b);
        if order != Ordering::Equal || self.stable || self.unique {
            return order;
        }
        let order = a.cmp(b);
        if self.reverse { order.reverse() } else { order }
    }

    /// The order of two lines by the keys alone.
    pub(super) fn compare_keys(&self, a: &[u8], b: &[u8]) -> Ordering {
        if self.keys.is_empty() {
            let order = a.cmp(b);
            return if self.reverse { order.reverse() } else { order };
        }
        for key in &self.keys {
            let (left, right) = (key.of(a, self.separator), key.of(b, self.separator));
            let order = self.compare_texts(left, right, &key.order);
            if order != Ordering::Equal {
                return if key.order.reverse { order.reverse() } else { order };
            }
        }
        Ordering::Equal
    }

    fn compare_texts(&self, a: &[u8], b: &[u8], order: &Order) -> Ordering {
        match order.kind {
            Kind::Numeric => numeric(a, b),
            Kind::General => general(a, b),
            Kind::Human => human(a, b),
            Kind::Month => month(a).cmp(&month(b)),
            _ if order.dictionary || order.printable || order.fold => {
                let (a, b) = (filtered(a, order), filtered(b, order));
                self.plain(&a, &b, order.kind)
            }
            kind => self.plain(a, b, kind),
        }
    }

    fn plain(&self, a: &[u8], b: &[u8], kind: Kind) -> Ordering {
        match kind {
            Kind::Version => version_order::compare(a, b),
            Kind::Random => self.hash(a).cmp(&self.hash(b)).then_with(|| a.cmp(b)),
            _ => a.cmp(b),
        }
    }

    fn hash(&self, text: &[u8]) -> Vec<u8> {
        let mut hash = Md5::new();
        hash.update(&self.salt);
        hash.update(text);
        hash.finalize().to_vec()
    }
}

fn filtered(text: &[u8], order: &Order) -> Vec<u8> {
    text.iter()
        .copied()
        .filter(|byte| !order.dictionary || byte.is_ascii_alphanumeric() || is_blank(*byte))
        .filter(|byte| !order.printable || (b' '..=b'~').contains(byte))
        .map(|byte| if order.fold { byte.to_ascii_uppercase() } else { byte })
        .collect()
}

/// A decimal number at the start of a text: sign, digits before and after the point, and the rest.
fn decimal(text: &[u8]) -> (bool, &[u8], &[u8], &[u8]) {
    let start = text.iter().take_while(|byte| is_blank(**byte) || **byte == b'\n').count();
    let text = &text[start..];
    let (negative, text) = match text.strip_prefix(b"-") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let zeros = text.iter().take_while(|byte| **byte == b'0').count();
    let text = &text[zeros..];
    let whole = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (whole, rest) = text.split_at(whole);
    let (fraction, rest) = match rest.strip_prefix(b".") {
        Some(after) => after.split_at(after.iter().take_while(|byte| byte.is_ascii_digit()).count()),
        None => (&[][..], rest),
    };
    let used = fraction.iter().rposition(|byte| *byte != b'0').map_or(0, |last| last + 1);
    let fraction = &fraction[..used];
    (negative && !(whole.is_empty() && fraction.is_empty()), whole, fraction, rest)
}

fn numeric(a: &[u8], b: &[u8]) -> Ordering {
    let (a_negative, a_whole, a_fraction, _) = decimal(a);
    let (b_negative, b_whole, b_fraction, _) = decimal(b);
    magnitude((a_negative, a_whole, a_fraction), (b_negative, b_whole, b_fraction))
}

fn magnitude(a: (bool, &[u8], &[u8]), b: (bool, &[u8], &[u8])) -> Ordering {
    let order = a.1.len().cmp(&b.1.len()).then_with(|| a.1.cmp(b.1)).then_with(|| a.2.cmp(b.2));
    match (a.0, b.0) {
        (false, false) => order,
        (true, true) => order.reverse(),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
    }
}

fn human(a: &[u8], b: &[u8]) -> Ordering {
    let (a_negative, a_whole, a_fraction, a_rest) = decimal(a);
    let (b_negative, b_whole, b_fraction, b_rest) = decimal(b);
    let unit = |negative: bool, whole: &[u8], fraction: &[u8], rest: &[u8]| -> i32 {
        if whole.is_empty() && fraction.is_empty() {
            return 0;
        }
        let power = match rest.first() {
            Some(b'K' | b'k') => 1,
            Some(unit) => b"KMGTPEZY".iter().position(|known| known == unit).map_or(0, |at| at as i32 + 1),
            None => 0,
        };
        if negative { -power } else { power }
    };
    let a_unit = unit(a_negative, a_whole, a_fraction, a_rest);
    let b_unit = unit(b_negative, b_whole, b_fraction, b_rest);
    a_unit.cmp(&b_unit).then_with(|| magnitude((a_negative, a_whole, a_fraction), (b_negative, b_whole, b_fraction)))
}

/// Texts that are no numbers first, then NaN, then numbers.
fn general(a: &[u8], b: &[u8]) -> Ordering {
    let (a, b) = (strnum::float(a), strnum::float(b));
    match (a.used == 0, b.used == 0) {
        (true, true) => return Ordering::Equal,
        (true, false) => return Ordering::Less,
        (false, true) => return Ordering::Greater,
        (false, false) => {}
    }
    match a.value.partial_cmp(&b.value) {
        Some(order) => order,
        None => b.value.is_nan().cmp(&a.value.is_nan()),
    }
}

/// 0 for what is no month.
fn month(text: &[u8]) -> usize {
    const MONTHS: [&[u8]; 12] =
        [b"JAN", b"FEB", b"MAR", b"APR", b"MAY", b"JUN", b"JUL", b"AUG", b"SEP", b"OCT", b"NOV", b"DEC"];
    let start = text.iter().take_while(|byte| is_space(**byte)).count();
    let Some(name) = text.get(start..start + 3) else { return 0 };
    MONTHS.iter().position(|month| name.eq_ignore_ascii_case(month)).map_or(0, |at| at + 1)
}
