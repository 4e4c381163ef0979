//! `json.encode`, `json.decode`.
//!
//! A table is an array if its keys are 1 to n (so an empty table is `[]`), else an object, whose keys are
//! written in order. Integers are exact to 64 bits. `null` reads as `nil` in an object and at the top, and as
//! `json.null` in an array, where it must keep its place.

use std::cell::Cell;
use std::fmt;

use mlua::{Lua, Table, Value};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::args::{Named, type_name};
use super::call::{Call, Class, Returned, now, one};
use super::display::sorted_pairs;
use super::fault::Fault;

/// Levels of nesting in either direction: what the parser allows, and far above real data.
const MAX_DEPTH: usize = 120;

/// The global `json`.
pub static CLASS: Class = Class { prefix: "json.", entries: &[now("encode", 1, encode), now("decode", 1, decode)] };

/// The global `json` as a table.
pub fn table(lua: &Lua) -> mlua::Result<Table> {
    let table = CLASS.full_table(lua)?;
    table.raw_set("null", Value::NULL)?;
    Ok(table)
}

fn encode(call: &Call) -> Returned {
    let mut out = String::new();
    write(call.arg(1), 0, &mut out).map_err(|problem| call.usage(problem))?;
    one(call.lua, out)
}

fn write(value: &Value, depth: usize, out: &mut String) -> Result<(), String> {
    match value {
        Value::Nil => out.push_str("null"),
        Value::Boolean(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Integer(number) => out.push_str(&number.to_string()),
        Value::Number(number) if number.is_finite() => {
            let text = serde_json::to_string(number).map_err(|error| error.to_string())?;
            out.push_str(&text);
        }
        Value::Number(number) => return Err(format!("JSON has no {number}")),
        Value::String(text) => write_string(&text.as_bytes(), out)?,
        Value::Table(table) => write_table(table, depth, out)?,
        value if value.is_null() => out.push_str("null"),
        other => return Err(format!("a {} has no form in JSON", type_name(other))),
    }
    Ok(())
}

fn write_string(bytes: &[u8], out: &mut String) -> Result<(), String> {
    let text = std::str::from_utf8(bytes).map_err(|_| {
        format!("the string {} is not UTF-8, and JSON holds only text", crate::runner::describe::quoted(bytes))
    })?;
    out.push_str(&serde_json::to_string(text).map_err(|error| error.to_string())?);
    Ok(())
}

fn write_table(table: &Table, depth: usize, out: &mut String) -> Result<(), String> {
    if depth >= MAX_DEPTH {
        return Err(format!("the table is nested more than {MAX_DEPTH} deep, or holds itself"));
    }
    let pairs = sorted_pairs(table);
    let is_array = pairs.iter().zip(1..).all(|((key, _), index)| *key == Value::Integer(index));
    out.push(if is_array { '[' } else { '{' });
    for (at, (key, value)) in pairs.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        if !is_array {
            match key {
                Value::String(key) => write_string(&key.as_bytes(), out)?,
                Value::Integer(number) => write_string(number.to_string().as_bytes(), out)?,
                other => return Err(format!("a {} cannot be a key in JSON", type_name(other))),
            }
            out.push(':');
        }
        write(value, depth + 1, out)?;
    }
    out.push(if is_array { ']' } else { '}' });
    Ok(())
}

fn decode(call: &Call) -> Returned {
    let text = call.read(1, "text", Named::bytes)?;
    let seed = Seed { lua: call.lua, in_array: false, depth: &Cell::new(0) };
    let mut parser = serde_json::Deserializer::from_slice(&text);
    let value = seed.deserialize(&mut parser).and_then(|value| parser.end().map(|()| value));
    one(call.lua, value.map_err(|error| -> Fault { call.usage(error) })?)
}

struct Seed<'a> {
    lua: &'a Lua,
    in_array: bool,
    depth: &'a Cell<usize>,
}

impl Seed<'_> {
    fn inside<E: serde::de::Error>(&self, in_array: bool) -> Result<Seed<'_>, E> {
        if self.depth.get() >= MAX_DEPTH {
            return Err(E::custom(format!("nested more than {MAX_DEPTH} deep")));
        }
        Ok(Seed { lua: self.lua, in_array, depth: self.depth })
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(if self.in_array { Value::NULL } else { Value::Nil })
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Boolean(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        // What does not fit an integer becomes a float, as in Lua's own source text.
        Ok(i64::try_from(value).map_or(Value::Number(value as f64), Value::Integer))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Number(value))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Value, E> {
        self.lua.create_string(text).map(Value::String).map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let table = self.lua.create_table().map_err(A::Error::custom)?;
        self.depth.set(self.depth.get() + 1);
        while let Some(item) = items.next_element_seed(self.inside(true)?)? {
            table.raw_push(item).map_err(A::Error::custom)?;
        }
        self.depth.set(self.depth.get() - 1);
        Ok(Value::Table(table))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let table = self.lua.create_table().map_err(A::Error::custom)?;
        self.depth.set(self.depth.get() + 1);
        while let Some(key) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(self.inside(false)?)?;
            table.raw_set(key, value).map_err(A::Error::custom)?;
        }
        self.depth.set(self.depth.get() - 1);
        Ok(Value::Table(table))
    }
}
