//! Values for people: in logs, in failed assertions, and how two of them differ.

use std::cmp::Ordering;

use mlua::{Table, Value};

use crate::runner::describe;

/// Levels of nesting that are shown or compared: deeper data has a cycle or is not meant to be read.
const MAX_DEPTH: usize = 12;

/// Characters of one value that are shown.
const MAX_LENGTH: usize = 2_000;

/// Entries of a table that are shown.
const MAX_ENTRIES: usize = 50;

/// Differences that are listed.
const MAX_DIFFERENCES: usize = 8;

/// A value as one would write it in Lua, shortened.
pub fn show(value: &Value) -> String {
    let mut text = String::new();
    write(value, 0, &mut Vec::new(), &mut text);
    if text.len() > MAX_LENGTH {
        let end = text.char_indices().map(|(at, _)| at).take_while(|at| *at <= MAX_LENGTH).last().unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}

/// A value for `t:log`: a string as it is, everything else as [`show`] does.
pub fn log(value: &Value) -> String {
    match value {
        Value::String(text) => text.to_string_lossy(),
        other => show(other),
    }
}

fn write(value: &Value, depth: usize, above: &mut Vec<Table>, out: &mut String) {
    match value {
        Value::String(text) => {
            let bytes = text.as_bytes();
            match std::str::from_utf8(&bytes) {
                Ok(text) if text.len() <= MAX_LENGTH => out.push_str(&format!("{text:?}")),
                _ => out.push_str(&describe::quoted(&bytes)),
            }
        }
        Value::Table(table) if !has_tostring(table) => write_table(table, depth, above, out),
        Value::Number(number) if number.fract() == 0.0 && number.abs() < 1e15 => out.push_str(&format!("{number:.1}")),
        Value::Function(_) => out.push_str("function"),
        Value::Thread(_) => out.push_str("thread"),
        Value::LightUserData(_) => out.push_str("json.null"),
        // Lua would show its address, which differs from run to run.
        Value::UserData(object)
            if !object.metatable().is_ok_and(|table| table.contains("__tostring").unwrap_or(false)) =>
        {
            match object.type_name() {
                Ok(name) => out.push_str(&name.to_string_lossy()),
                Err(_) => out.push_str("userdata"),
            }
        }
        other => match other.to_string() {
            Ok(text) => out.push_str(&text),
            Err(_) => out.push_str(other.type_name()),
        },
    }
}

pub fn has_tostring(table: &Table) -> bool {
    table.metatable().is_some_and(|metatable| !metatable.raw_get::<Value>("__tostring").unwrap_or(Value::Nil).is_nil())
}

fn write_table(table: &Table, depth: usize, above: &mut Vec<Table>, out: &mut String) {
    if above.contains(table) {
        out.push_str("{… a table above}");
        return;
    }
    if depth >= MAX_DEPTH {
        out.push_str("{…}");
        return;
    }
    above.push(table.clone());
    out.push('{');
    let length = table.raw_len();
    let pairs = sorted_pairs(table);
    let mut first = true;
    for (shown, (key, value)) in pairs.iter().enumerate() {
        if !first {
            out.push_str(", ");
        }
        first = false;
        if shown == MAX_ENTRIES || out.len() > MAX_LENGTH {
            out.push_str(&format!("… {} more", pairs.len() - shown));
            break;
        }
        match key {
            Value::Integer(index) if (1..=length as i64).contains(index) => {}
            key => {
                write_key(key, out);
                out.push_str(" = ");
            }
        }
        write(value, depth + 1, above, out);
    }
    out.push('}');
    above.pop();
}

pub fn write_key(key: &Value, out: &mut String) {
    if let Value::String(name) = key {
        let name = name.to_string_lossy();
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.chars().all(plain) && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            out.push_str(&name);
            return;
        }
    }
    out.push('[');
    write(key, MAX_DEPTH, &mut Vec::new(), out);
    out.push(']');
}

/// The entries of a table in an order that does not depend on the hash: numbers, strings, the rest as it comes.
pub fn sorted_pairs(table: &Table) -> Vec<(Value, Value)> {
    let mut pairs: Vec<(Value, Value)> = table.pairs::<Value, Value>().filter_map(Result::ok).collect();
    pairs.sort_by(|(a, _), (b, _)| compare_keys(a, b));
    pairs
}

fn compare_keys(a: &Value, b: &Value) -> Ordering {
    let rank = |value: &Value| match value {
        Value::Integer(_) | Value::Number(_) => 0,
        Value::String(_) => 1,
        Value::Boolean(_) => 2,
        _ => 3,
    };
    match (a, b) {
        (Value::Integer(a), Value::Integer(b)) => a.cmp(b),
        (Value::String(a), Value::String(b)) => a.as_bytes().cmp(&b.as_bytes()),
        (Value::Boolean(a), Value::Boolean(b)) => a.cmp(b),
        (a, b) => match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            _ => rank(a).cmp(&rank(b)),
        },
    }
}

/// Whether two values are equal: tables by what they hold. The error is one that their own `__eq` raised.
pub fn equal(a: &Value, b: &Value) -> mlua::Result<bool> {
    let mut differences = Differences { found: Vec::new(), most: 1, raised: None };
    differences.compare("", a, b, 0);
    match differences.raised {
        Some(error) => Err(error),
        None => Ok(differences.found.is_empty()),
    }
}

/// Where two tables differ, one line each; empty for values that are not tables or are equal.
pub fn differences(a: &Value, b: &Value) -> Vec<String> {
    if !matches!((a, b), (Value::Table(_), Value::Table(_))) {
        return Vec::new();
    }
    let mut differences = Differences { found: Vec::new(), most: MAX_DIFFERENCES + 1, raised: None };
    differences.compare("", a, b, 0);
    let mut found = differences.found;
    if found.len() > MAX_DIFFERENCES {
        found.truncate(MAX_DIFFERENCES);
        found.push("…".to_owned());
    }
    found
}

struct Differences {
    found: Vec<String>,
    most: usize,
    raised: Option<mlua::Error>,
}

impl Differences {
    fn compare(&mut self, path: &str, a: &Value, b: &Value, depth: usize) {
        if self.found.len() >= self.most {
            return;
        }
        let (Value::Table(left), Value::Table(right)) = (a, b) else {
            if !(a == b || self.equals(a, b)) {
                self.push(path, a, b);
            }
            return;
        };
        // Tables that are one, or that their own `__eq` calls equal, are equal; so is what is nested too deep to tell.
        if left == right || depth >= MAX_DEPTH || self.equals(a, b) {
            return;
        }
        for (key, value) in sorted_pairs(left) {
            let other: Value = right.raw_get(&key).unwrap_or(Value::Nil);
            self.compare(&step(path, &key), &value, &other, depth + 1);
        }
        for (key, other) in sorted_pairs(right) {
            if left.raw_get::<Value>(&key).is_ok_and(|value| value.is_nil()) {
                self.compare(&step(path, &key), &Value::Nil, &other, depth + 1);
            }
        }
    }

    fn equals(&mut self, a: &Value, b: &Value) -> bool {
        a.equals(b).unwrap_or_else(|error| {
            self.raised.get_or_insert(error);
            false
        })
    }

    fn push(&mut self, path: &str, a: &Value, b: &Value) {
        let show = |value: &Value| if value.is_nil() { "nothing".to_owned() } else { show(value) };
        self.found.push(format!("{path}: {} against {}", show(a), show(b)));
    }
}

fn step(path: &str, key: &Value) -> String {
    let mut text = path.to_owned();
    let mut name = String::new();
    write_key(key, &mut name);
    if !name.starts_with('[') && !text.is_empty() {
        text.push('.');
    }
    text.push_str(&name);
    text
}
