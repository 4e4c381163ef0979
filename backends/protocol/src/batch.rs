//! What a batch holds, as it comes from outside: no batch, and no more than [`MAX_BATCH`]. Whoever sends another cannot
//! make us nest as deep as there are bytes, nor make small bytes large operations without end.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

use crate::limits::MAX_BATCH;

thread_local! {
    /// Whether this thread is inside of a batch. Serde hands nothing down from value to value.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Leaves the batch, also when an element of it is wrong.
struct Inside;

impl Drop for Inside {
    fn drop(&mut self) {
        INSIDE.set(false);
    }
}

/// Deserializes the elements of a batch.
pub(crate) fn flat<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    if INSIDE.replace(true) {
        return Err(D::Error::custom("a batch holds a batch"));
    }
    let _inside = Inside;
    deserializer.deserialize_seq(Elements(PhantomData))
}

struct Elements<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Elements<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at most {MAX_BATCH} elements of a batch")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = seq.next_element()? {
            if elements.len() == MAX_BATCH {
                return Err(A::Error::custom(format_args!("a batch holds more than {MAX_BATCH} (MAX_BATCH)")));
            }
            elements.push(element);
        }
        Ok(elements)
    }
}
