//! Functions that need nothing from outside.

use std::rc::Rc;

use super::code::{Function, Place, Variable, special};
use super::machine::Machine;
use super::record::{MAX_FIELDS, MAX_STRING};
use super::regex::{self, Fault, Fields};
use super::value::Value;

/// Random numbers: splitmix64 from the seed, so that a program repeats itself unless it says `srand()`.
#[derive(Debug, Default)]
pub(super) struct Random {
    seed: f64,
    state: u64,
}

impl Random {
    /// Starts again from a seed; returns the one before.
    pub(super) fn seed(&mut self, seed: f64) -> f64 {
        self.state = seed.to_bits();
        std::mem::replace(&mut self.seed, seed)
    }

    fn next(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        // 53 bits are what a double holds.
        (mixed >> 11) as f64 / (1_u64 << 53) as f64
    }
}

impl Machine {
    pub(super) fn function(&mut self, function: Function) -> Result<(), Fault> {
        let value = match function {
            Function::Atan2 => {
                let x = self.pop_number();
                let y = self.pop_number();
                Value::Number(libm::atan2(y, x))
            }
            Function::Cos => Value::Number(libm::cos(self.pop_number())),
            Function::Exp => Value::Number(libm::exp(self.pop_number())),
            Function::Int => Value::Number(self.pop_number().trunc()),
            Function::Log => Value::Number(libm::log(self.pop_number())),
            Function::Sin => Value::Number(libm::sin(self.pop_number())),
            Function::Sqrt => Value::Number(self.pop_number().sqrt()),
            Function::Rand => Value::Number(self.random.next()),
            Function::Srand => {
                let seed = self.pop_number();
                Value::Number(self.random.seed(seed))
            }
            Function::Length => {
                let text = self.pop_text();
                Value::Number(text.len() as f64)
            }
            Function::Tolower => {
                let text = self.pop_text();
                self.charge(text.len());
                Value::Text(text.to_ascii_lowercase().into())
            }
            Function::Toupper => {
                let text = self.pop_text();
                self.charge(text.len());
                Value::Text(text.to_ascii_uppercase().into())
            }
            Function::Index => {
                let wanted = self.pop_text();
                let text = self.pop_text();
                self.charge(text.len());
                Value::Number(find(&text, &wanted).map_or(0, |at| at + 1) as f64)
            }
            Function::Match => {
                let pattern = self.pop();
                let text = self.pop_text();
                self.charge(text.len());
                let found = regex::find(&*self.pattern(&pattern)?, &text, 0)?;
                let (start, length) = found.map_or((0.0, -1.0), |(low, high)| ((low + 1) as f64, (high - low) as f64));
                self.set_variable(Variable::Global(special::RSTART), Value::Number(start))?;
                self.set_variable(Variable::Global(special::RLENGTH), Value::Number(length))?;
                Value::Number(start)
            }
            Function::SubstrFrom => {
                let from = self.pop_number();
                let text = self.pop_text();
                Value::text(part(&text, from, f64::INFINITY))
            }
            Function::Substr => {
                let length = self.pop_number();
                let from = self.pop_number();
                let text = self.pop_text();
                Value::text(part(&text, from, length))
            }
        };
        self.push(value);
        Ok(())
    }

    pub(super) fn split(&mut self, array: Variable, with: bool) -> Result<(), Fault> {
        let separator = if with {
            match self.pop() {
                Value::Regex(regex) => Rc::new(Fields::Regex(regex)),
                other => {
                    let text = self.text(&other);
                    Rc::new(Fields::new(&text, false, &mut self.patterns)?)
                }
            }
        } else {
            self.separator()?
        };
        let text = self.pop_text();
        self.charge(text.len());
        let fields = separator.split(&text, MAX_FIELDS)?;
        let count = fields.len();
        let array = self.array(array)?;
        let mut array = array.borrow_mut();
        array.clear();
        for (number, field) in (1_usize..).zip(fields) {
            array.set(&number.to_string().into_bytes().into(), field);
        }
        drop(array);
        self.check_held()?;
        self.charge(count.saturating_mul(64));
        self.push(Value::Number(count as f64));
        Ok(())
    }

    pub(super) fn substitute(&mut self, place: Place, global: bool) -> Result<(), Fault> {
        let replacement = self.pop_text();
        let pattern = self.pop();
        let pattern = self.pattern(&pattern)?;
        let index = match place {
            Place::Variable(_) => Value::Unset,
            _ => self.pop(),
        };
        let value = self.load(place, &index)?;
        let text = self.text(&value);
        self.charge(text.len());
        let (result, count) = regex::substitute(&pattern, &replacement, &text, global, MAX_STRING)?;
        if count > 0 {
            self.charge(result.len());
            self.store(place, &index, Value::Text(result.into()))?;
        }
        self.push(Value::Number(count as f64));
        Ok(())
    }
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    if wanted.is_empty() {
        return Some(0);
    }
    let first = wanted[0];
    let last = text.len().checked_sub(wanted.len())?;
    (0..=last).find(|&at| text[at] == first && text[at..].starts_with(wanted))
}

/// Bytes from a position counted from one; both numbers are rounded, and what lies outside is left out.
fn part(text: &[u8], from: f64, length: f64) -> &[u8] {
    let from = from.round_ties_even();
    let end = if length == f64::INFINITY { f64::INFINITY } else { from + length.round_ties_even() };
    let low = from.max(1.0);
    let high = end.min(text.len() as f64 + 1.0);
    if low.is_nan() || high.is_nan() || from.is_nan() || length.is_nan() || high <= low {
        return &[];
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and the length plus one")]
    let (low, high) = (low as usize - 1, high as usize - 1);
    text.get(low..high).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Random, find, part};

    #[test]
    fn parts_of_text_are_rounded_and_clipped() {
        let part = |from, length| String::from_utf8_lossy(part(b"hello", from, length)).into_owned();
        assert_eq!(part(2.0, 3.0), "ell");
        assert_eq!(part(0.0, 2.0), "h");
        assert_eq!(part(-1.0, 3.0), "h");
        assert_eq!(part(4.0, 100.0), "lo");
        assert_eq!(part(1.5, 1.0), "e");
        assert_eq!(part(2.0, -1.0), "");
        assert_eq!(part(f64::NAN, 1.0), "");
        assert_eq!(part(-1e300, 1e301), "hello");
        assert_eq!(part(f64::NEG_INFINITY, f64::INFINITY), "hello");
        assert_eq!(part(9.0, f64::INFINITY), "");
    }

    #[test]
    fn text_is_found_in_text() {
        assert_eq!(find(b"foobar", b"ba"), Some(3));
        assert_eq!(find(b"a", b"ab"), None);
        assert_eq!(find(b"a", b""), Some(0));
    }

    #[test]
    fn the_same_seed_gives_the_same_numbers() {
        let mut random = Random::default();
        random.seed(42.0);
        let first: Vec<f64> = (0..5).map(|_| random.next()).collect();
        assert_eq!(random.seed(42.0), 42.0);
        assert_eq!((0..5).map(|_| random.next()).collect::<Vec<_>>(), first);
        assert!(first.iter().all(|value| (0.0..1.0).contains(value)));
    }
}
