//! Any serde value as a tree of named fields, so that two of them can be compared field by field and shown as JSON in
//! which bytes are text.
//!
//! Made by serde and not by hand: an operation with a new field is compared and shown with that field from the day on
//! which it has it.

mod build;

use base64::Engine as _;
use serde::Serialize;
use serde_json::{Map, Number, Value};

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Field {
    /// `None`, or nothing to tell.
    Nothing,
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Int(i128),
    /// Another number.
    Float(f64),
    /// Text or bytes: the two are one thing in Lua.
    Bytes(Vec<u8>),
    /// Several in order.
    List(Vec<Field>),
    /// Named ones.
    Fields(Vec<(String, Field)>),
    /// One of several kinds, and what it holds.
    Kind(&'static str, Box<Field>),
}

/// The tree of a value.
pub fn of(value: &impl Serialize) -> Field {
    // The serializer never fails; a type of the protocol that made it fail would be shown as nothing.
    value.serialize(build::Builder).unwrap_or(Field::Nothing)
}

impl Field {
    /// For tools: bytes that are UTF-8 are a string, others `{"base64": "…"}`; a kind is its name, or an object with
    /// its name as the key.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match self {
            Field::Nothing => Value::Null,
            Field::Bool(value) => Value::Bool(*value),
            Field::Int(value) => integer(*value),
            Field::Float(value) => Number::from_f64(*value).map_or(Value::Null, Value::Number),
            Field::Bytes(bytes) => bytes_to_json(bytes),
            Field::List(list) => Value::Array(list.iter().map(Field::to_json).collect()),
            Field::Fields(fields) => {
                Value::Object(fields.iter().map(|(name, field)| (name.clone(), field.to_json())).collect())
            }
            Field::Kind(name, held) if **held == Field::Nothing => Value::String((*name).to_owned()),
            Field::Kind(name, held) => Value::Object(Map::from_iter([((*name).to_owned(), held.to_json())])),
        }
    }

    /// What a kind holds, or the value itself.
    #[must_use]
    pub fn held(&self) -> &Field {
        match self {
            Field::Kind(_, held) => held,
            other => other,
        }
    }
}

/// A number that JSON readers keep exactly, or its digits.
fn integer(value: i128) -> Value {
    if let Ok(value) = i64::try_from(value) {
        Value::Number(value.into())
    } else if let Ok(value) = u64::try_from(value) {
        Value::Number(value.into())
    } else {
        Value::String(value.to_string())
    }
}

/// Bytes for tools, see [`Field::to_json`].
#[must_use]
pub fn bytes_to_json(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => Value::String(text.to_owned()),
        Err(_) => {
            let encoded = base64::engine::general_purpose::STANDARD.encode(bytes);
            Value::Object(Map::from_iter([("base64".to_owned(), Value::String(encoded))]))
        }
    }
}

/// Where two trees differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The names that lead there, with points between them: `spec.command`, `args[2]`.
    pub path: String,
    /// On one side; `None` if it is not there at all.
    pub left: Option<Field>,
    /// On the other.
    pub right: Option<Field>,
}

/// All places where two trees differ, in order, at most `most` of them.
#[must_use]
pub fn differences(left: &Field, right: &Field, most: usize) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(String::new(), left, right, most, &mut found);
    found
}

fn compare(path: String, left: &Field, right: &Field, most: usize, found: &mut Vec<Difference>) {
    if found.len() >= most || left == right {
        return;
    }
    let join = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match (left, right) {
        (Field::Kind(a, left), Field::Kind(b, right)) if a == b => compare(path, left, right, most, found),
        (Field::Fields(a), Field::Fields(b)) => {
            for (name, left) in a {
                match b.iter().find(|(other, _)| other == name) {
                    Some((_, right)) => compare(join(name), left, right, most, found),
                    None => push(join(name), Some(left), None, most, found),
                }
            }
            for (name, right) in b.iter().filter(|(name, _)| a.iter().all(|(other, _)| other != name)) {
                push(join(name), None, Some(right), most, found);
            }
        }
        (Field::List(a), Field::List(b)) => {
            for at in 0..a.len().max(b.len()) {
                let path = format!("{path}[{}]", at + 1);
                match (a.get(at), b.get(at)) {
                    (Some(left), Some(right)) => compare(path, left, right, most, found),
                    (left, right) => push(path, left, right, most, found),
                }
            }
        }
        _ => push(path, Some(left), Some(right), most, found),
    }
}

fn push(path: String, left: Option<&Field>, right: Option<&Field>, most: usize, found: &mut Vec<Difference>) {
    if found.len() < most {
        found.push(Difference { path, left: left.cloned(), right: right.cloned() });
    }
}

#[cfg(test)]
mod tests {
    use provium_protocol::exec::{Command, ExecSpec};
    use provium_protocol::profile::BootSpec;
    use provium_protocol::{Errno, Op, OpError, Reply};
    use serde_json::json;

    use super::*;

    #[test]
    fn bytes_are_text_when_they_are_utf8() {
        let op = Op::FileWrite { file: 3, data: b"a\n".to_vec(), all: true };
        assert_eq!(of(&op).to_json(), json!({"FileWrite": {"file": 3, "data": "a\n", "all": true}}));
        let op = Op::FileWrite { file: 3, data: vec![0xff], all: true };
        assert_eq!(of(&op).to_json()["FileWrite"]["data"], json!({"base64": "/w=="}));
        assert_eq!(of(&Op::Pause).to_json(), json!("Pause"));
        assert_eq!(of(&Op::Stat("/a".into())).to_json(), json!({"Stat": "/a"}));
    }

    #[test]
    fn everything_of_the_protocol_has_a_tree() {
        let mut boot = BootSpec { vm: "a".into(), ..BootSpec::default() };
        boot.options.initial_time_ns = Some(i128::MAX);
        boot.notes.insert("k".into(), "v".into());
        let json = of(&boot).to_json();
        assert_eq!(json["options"]["initial_time_ns"], json!(i128::MAX.to_string()));
        assert_eq!(json["notes"], json!({"k": "v"}));
        let reply: Result<Reply, OpError> =
            Ok(Reply::Batch(vec![Err(OpError::os(Errno::ENOENT, "open")), Ok(Reply::Unit)]));
        assert_eq!(
            of(&reply).to_json(),
            json!({"Ok": {"Batch": [{"Err": {"kind": "Os", "message": "open", "errno": 2}}, {"Ok": "Unit"}]}})
        );
    }

    #[test]
    fn a_difference_is_named_by_the_way_there() {
        let run = |args: &[&str]| Op::Run {
            spec: ExecSpec::new(Command::Direct {
                program: "ls".into(),
                args: args.iter().map(|&arg| arg.into()).collect(),
            }),
            timeout_ns: None,
        };
        let found = differences(&of(&run(&["-l", "/a"])), &of(&run(&["-l", "/b", "/c"])), 10);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].path, "spec.command.args[2]");
        assert_eq!(found[0].right, Some(Field::Bytes(b"/b".to_vec())));
        assert_eq!((found[1].path.as_str(), &found[1].left), ("spec.command.args[3]", &None));
        assert_eq!(differences(&of(&run(&["-l"])), &of(&run(&["-l"])), 10), []);
        assert_eq!(differences(&of(&run(&["-l", "/a"])), &of(&run(&["-l", "/b", "/c"])), 1).len(), 1);
    }
}
