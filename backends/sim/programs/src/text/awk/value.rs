//! Values and arrays.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use super::number;
use crate::shared::posix_regex::Regex;

/// Bytes that several values may share.
pub(super) type Text = Rc<[u8]>;

/// An array that several variables may name: arrays are passed to functions by reference.
pub(super) type ArrayRef = Rc<RefCell<Array>>;

/// What a variable or a place on the stack holds.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// Nothing yet: empty text and zero at once.
    Unset,
    Number(f64),
    Text(Text),
    /// Text from outside, which is a number too if it looks like one.
    Input(Text),
    /// A pattern that was written as one.
    Regex(Rc<Regex>),
    Array(ArrayRef),
    /// Nothing yet, but passed to a function, which may use it as an array: then it is this one.
    Maybe(ArrayRef),
}

/// What a value is when it is compared.
pub(super) enum Compared<'a> {
    /// Unset compares as zero with numbers and as empty text with text.
    Unset,
    Number(f64),
    Text(&'a [u8]),
}

impl Value {
    pub(super) fn text(bytes: &[u8]) -> Value {
        Value::Text(bytes.into())
    }

    pub(super) fn truth(value: bool) -> Value {
        Value::Number(f64::from(u8::from(value)))
    }

    pub(super) fn number(&self) -> f64 {
        match self {
            Value::Number(value) => *value,
            Value::Text(text) | Value::Input(text) => number::prefix(text).0,
            Value::Unset | Value::Regex(_) | Value::Array(_) | Value::Maybe(_) => 0.0,
        }
    }

    pub(super) fn is_true(&self) -> bool {
        match self {
            Value::Number(value) => *value != 0.0,
            Value::Text(text) => !text.is_empty(),
            Value::Input(text) => match number::whole(text) {
                Some(value) => value != 0.0,
                None => !text.is_empty(),
            },
            Value::Unset | Value::Regex(_) | Value::Array(_) | Value::Maybe(_) => false,
        }
    }

    pub(super) fn compared(&self) -> Compared<'_> {
        match self {
            Value::Number(value) => Compared::Number(*value),
            Value::Text(text) => Compared::Text(text),
            Value::Input(text) => match number::whole(text) {
                Some(value) => Compared::Number(value),
                None => Compared::Text(text),
            },
            Value::Unset | Value::Regex(_) | Value::Array(_) | Value::Maybe(_) => Compared::Unset,
        }
    }

    /// Its text; numbers that are not whole by `format`.
    pub(super) fn to_text(&self, format: &[u8]) -> Text {
        match self {
            Value::Number(value) => number::text(*value, format),
            Value::Text(text) | Value::Input(text) => Rc::clone(text),
            Value::Unset | Value::Regex(_) | Value::Array(_) | Value::Maybe(_) => Rc::new([]),
        }
    }

    /// Bytes that it keeps, beyond its own size.
    fn held(&self) -> usize {
        match self {
            Value::Text(text) | Value::Input(text) => text.len(),
            _ => 0,
        }
    }
}

/// Bytes that one element takes beside its index and its text, about.
const ELEMENT: usize = 96;

#[derive(Debug)]
struct Slot {
    /// When it was created: that is the order of `for (k in a)`.
    number: u64,
    value: Value,
}

/// An associative array. `for (k in a)` sees its elements in the order of their creation.
#[derive(Debug)]
pub(super) struct Array {
    slots: BTreeMap<Text, Slot>,
    next: u64,
    /// Bytes in this array.
    own: usize,
    /// Bytes in all arrays of the program.
    total: Rc<Cell<usize>>,
}

impl Array {
    pub(super) fn new(total: &Rc<Cell<usize>>) -> Array {
        Array { slots: BTreeMap::new(), next: 0, own: 0, total: Rc::clone(total) }
    }

    fn account(&mut self, less: usize, more: usize) {
        self.own = (self.own + more).saturating_sub(less);
        self.total.set((self.total.get() + more).saturating_sub(less));
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn contains(&self, key: &[u8]) -> bool {
        self.slots.contains_key(key)
    }

    /// The element; `None` if there is none, and none is created.
    pub(super) fn peek(&self, key: &[u8]) -> Option<&Value> {
        self.slots.get(key).map(|slot| &slot.value)
    }

    /// The element, created if there is none: referring to it is enough for that.
    pub(super) fn get(&mut self, key: &Text) -> Value {
        match self.slots.get(key) {
            Some(slot) => slot.value.clone(),
            None => {
                self.set(key, Value::Unset);
                Value::Unset
            }
        }
    }

    pub(super) fn set(&mut self, key: &Text, value: Value) {
        let more = value.held();
        if let Some(slot) = self.slots.get_mut(key) {
            let less = slot.value.held();
            slot.value = value;
            self.account(less, more);
        } else {
            self.account(0, more + key.len() + ELEMENT);
            self.slots.insert(Rc::clone(key), Slot { number: self.next, value });
            self.next += 1;
        }
    }

    pub(super) fn remove(&mut self, key: &[u8]) {
        if let Some(slot) = self.slots.remove(key) {
            self.account(slot.value.held() + key.len() + ELEMENT, 0);
        }
    }

    pub(super) fn clear(&mut self) {
        self.slots.clear();
        self.account(self.own, 0);
    }

    /// The indices, in the order of their creation.
    pub(super) fn keys(&self) -> Vec<Text> {
        let mut keys: Vec<(u64, &Text)> = self.slots.iter().map(|(key, slot)| (slot.number, key)).collect();
        keys.sort_unstable_by_key(|(number, _)| *number);
        keys.into_iter().map(|(_, key)| Rc::clone(key)).collect()
    }
}

impl Drop for Array {
    fn drop(&mut self) {
        self.account(self.own, 0);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use super::{Array, Compared, Value};

    #[test]
    fn input_that_looks_like_a_number_is_one() {
        assert!(matches!(Value::Input(b" 10 "[..].into()).compared(), Compared::Number(10.0)));
        assert!(matches!(Value::text(b"10").compared(), Compared::Text(b"10")));
        assert!(!Value::Input(b"0.0"[..].into()).is_true());
        assert!(Value::text(b"0").is_true());
        assert!(Value::Input(b" "[..].into()).is_true());
        assert!(!Value::Unset.is_true());
    }

    #[test]
    fn arrays_keep_the_order_of_creation_and_count_their_bytes() {
        let total = Rc::new(Cell::new(0));
        let mut array = Array::new(&total);
        for key in [&b"b"[..], b"a", b"c"] {
            array.set(&key.into(), Value::text(b"xyz"));
        }
        array.set(&b"b"[..].into(), Value::Number(1.0));
        array.remove(b"a");
        array.set(&b"a"[..].into(), Value::Unset);
        assert_eq!(array.keys(), [b"b"[..].into(), b"c"[..].into(), b"a"[..].into()] as [Rc<[u8]>; 3]);
        assert!(total.get() > 3);
        drop(array);
        assert_eq!(total.get(), 0);
    }
}
