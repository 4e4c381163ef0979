//! The record and its fields.

use std::rc::Rc;

use super::regex::{Fault, Fields};
use super::value::{Text, Value};

/// The most fields of a record, and the largest number of a field: `$1e9 = 1` must not fill the memory.
pub(super) const MAX_FIELDS: usize = 1 << 20;

/// The longest string, in bytes: `s = s s` in a loop must not fill the host's memory.
pub(super) const MAX_STRING: usize = 64 << 20;

/// The current record. It is split when a field or NF is asked for, and put together again when the
/// record is asked for after a field was changed.
#[derive(Debug)]
pub(super) struct Record {
    text: Value,
    fields: Vec<Value>,
    /// Whether `fields` are those of `text`.
    split: bool,
    /// Whether a field was changed since `text` was made.
    changed: bool,
    /// What separates the fields: as it was when the record was read.
    separator: Rc<Fields>,
}

impl Record {
    pub(super) fn new() -> Record {
        Record {
            text: Value::Unset,
            fields: Vec::new(),
            split: true,
            changed: false,
            separator: Rc::new(Fields::Blanks),
        }
    }

    /// Sets the whole record.
    pub(super) fn set(&mut self, text: Value, separator: Rc<Fields>) {
        self.text = text;
        self.separator = separator;
        self.split = false;
        self.changed = false;
    }

    fn split(&mut self) -> Result<(), Fault> {
        if !self.split {
            let text = self.text.to_text(b"");
            self.fields = self.separator.split(&text, MAX_FIELDS)?;
            self.split = true;
        }
        Ok(())
    }

    pub(super) fn count(&mut self) -> Result<usize, Fault> {
        self.split()?;
        Ok(self.fields.len())
    }

    /// Sets NF: fields are dropped, or empty ones added.
    pub(super) fn set_count(&mut self, count: f64) -> Result<(), Fault> {
        if count < 0.0 {
            return Err("negative value assigned to NF".to_owned());
        }
        let count = field_number(count)?;
        self.split()?;
        self.fields.resize(count, Value::Unset);
        self.changed = true;
        Ok(())
    }

    /// A field other than the whole record.
    pub(super) fn field(&mut self, number: usize) -> Result<Value, Fault> {
        self.split()?;
        Ok(number.checked_sub(1).and_then(|index| self.fields.get(index)).cloned().unwrap_or(Value::Unset))
    }

    pub(super) fn set_field(&mut self, number: usize, value: Value) -> Result<(), Fault> {
        self.split()?;
        if number > self.fields.len() {
            self.fields.resize(number, Value::Unset);
        }
        if let Some(field) = number.checked_sub(1).and_then(|index| self.fields.get_mut(index)) {
            *field = value;
        }
        self.changed = true;
        Ok(())
    }

    /// Whether the whole record must be put together before it can be had.
    pub(super) fn is_stale(&self) -> bool {
        self.changed
    }

    /// Puts the record together from its fields.
    pub(super) fn join(&mut self, between: &[u8], format: &[u8]) -> Result<(), Fault> {
        let mut text = Vec::new();
        for (index, field) in self.fields.iter().enumerate() {
            if index > 0 {
                text.extend_from_slice(between);
            }
            text.extend_from_slice(&field.to_text(format));
            if text.len() > MAX_STRING {
                return Err(format!("a record of more than {MAX_STRING} bytes"));
            }
        }
        self.text = Value::Input(text.into());
        self.changed = false;
        Ok(())
    }

    /// The whole record as it was read or joined.
    pub(super) fn whole(&self) -> Value {
        self.text.clone()
    }

    /// The text of the whole record.
    pub(super) fn whole_text(&self, format: &[u8]) -> Text {
        self.text.to_text(format)
    }
}

/// The number of a field; negative ones are faults.
pub(super) fn field_number(value: f64) -> Result<usize, Fault> {
    if value <= -1.0 {
        return Err(format!("negative field index ${}", value.trunc()));
    }
    if value > MAX_FIELDS as f64 {
        return Err(format!("field index ${value} is larger than {MAX_FIELDS}"));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and MAX_FIELDS")]
    Ok(value.max(0.0) as usize)
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::{MAX_FIELDS, Record, field_number};
    use crate::text::awk::regex::Fields;
    use crate::text::awk::value::Value;

    #[test]
    fn changed_fields_make_a_new_record() {
        let mut record = Record::new();
        record.set(Value::text(b"a b  c"), Rc::new(Fields::Blanks));
        assert_eq!(record.count(), Ok(3));
        record.set_field(5, Value::text(b"e")).unwrap();
        assert!(record.is_stale());
        record.join(b"-", b"").unwrap();
        assert_eq!(&*record.whole_text(b""), b"a-b-c--e");
        record.set_count(2.0).unwrap();
        record.join(b" ", b"").unwrap();
        assert_eq!(&*record.whole_text(b""), b"a b");
    }

    #[test]
    fn field_numbers_have_bounds() {
        assert_eq!(field_number(2.9), Ok(2));
        assert_eq!(field_number(f64::NAN), Ok(0));
        assert!(field_number(-1.0).is_err());
        assert!(field_number(MAX_FIELDS as f64 + 1.0).is_err());
    }
}
