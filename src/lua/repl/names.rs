//! Completion: what the word before the cursor may become. No code of the session's runs for it.

use std::rc::Rc;

use mlua::{Lua, Table, Value};

use super::line::is_name;
use crate::lua::call::Class;
use crate::lua::host::Host;
use crate::lua::lab::LabRef;
use crate::lua::{io, sandbox};

/// Lua's own words, as far as they are long enough to be completed.
const KEYWORDS: &[&str] = &[
    "break", "else", "elseif", "false", "function", "local", "nil", "repeat", "return", "then", "true", "until",
    "while",
];

/// What the word before the cursor may become.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candidates {
    /// What of the word is there already.
    pub word: String,
    /// Names that there are, not yet matched against the word.
    pub names: Vec<String>,
    /// The type of the object in front of the `.` or `:`, whose methods are candidates too.
    pub object: Option<String>,
}

/// The candidates after this text.
pub fn candidates(lua: &Lua, host: &Rc<Host>, before: &str) -> Candidates {
    if in_text(before) {
        return Candidates::default();
    }
    let word_at = before.trim_end_matches(is_name).len();
    let (path, word) = before.split_at(word_at);
    let word = word.to_owned();
    let Some(path) = path.strip_suffix(['.', ':']) else {
        let mut names = names_in(&lua.globals());
        names.extend(KEYWORDS.iter().map(|word| (*word).to_owned()));
        return Candidates { word, names, object: None };
    };
    let is_part = |c: char| is_name(c) || c == '.';
    let path = &path[path.trim_end_matches(is_part).len()..];
    match owner(lua, path) {
        Some(Value::Table(table)) => {
            let mut names = names_in(&table);
            // These make their functions when they are first looked up.
            names.extend(library(path).iter().flat_map(|class| class.entries).map(|entry| entry.name.to_owned()));
            Candidates { word, names, object: None }
        }
        Some(Value::String(_)) => Candidates { word, names: string_methods(lua), object: None },
        Some(Value::UserData(object)) => {
            let (mut names, mut kind) = (Vec::new(), object.type_name().ok().map(|name| name.to_string_lossy()));
            if let Ok(lab) = object.borrow::<LabRef>() {
                match &*lab {
                    LabRef::Root => {
                        names = host.root_lab().names();
                        kind = Some("Provium".to_owned());
                    }
                    LabRef::Sub(lab) => names = lab.names(),
                }
            }
            Candidates { word, names, object: kind }
        }
        _ => Candidates { word, ..Candidates::default() },
    }
}

/// What a path of names stands for.
fn owner(lua: &Lua, path: &str) -> Option<Value> {
    let mut parts = path.split('.');
    let mut value: Value = lua.globals().raw_get(parts.next().filter(|first| !first.is_empty())?).ok()?;
    for part in parts {
        value = match &value {
            Value::Table(table) => table.raw_get(part).ok()?,
            // Objects are provium's own, and so is what their look-up does.
            Value::UserData(object) => mlua::ObjectLike::get(object, part).ok()?,
            _ => return None,
        };
    }
    Some(value)
}

fn names_in(table: &Table) -> Vec<String> {
    let keys = table.pairs::<Value, Value>().filter_map(|pair| match pair {
        Ok((Value::String(name), _)) => name.to_str().ok().map(|name| name.to_owned()),
        _ => None,
    });
    keys.filter(|name| !name.is_empty() && name.chars().all(is_name)).collect()
}

fn string_methods(lua: &Lua) -> Vec<String> {
    lua.globals().raw_get::<Table>("string").map(|table| names_in(&table)).unwrap_or_default()
}

fn library(path: &str) -> Option<&'static Class> {
    match path {
        "os" => Some(&sandbox::OS),
        "io" => Some(&io::IO),
        "debug" => Some(&sandbox::DEBUG),
        _ => None,
    }
}

/// Whether the end of the text is inside a string or a comment.
fn in_text(text: &str) -> bool {
    let mut quote = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(_), '\\') => {
                chars.next();
            }
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '-') if chars.peek() == Some(&'-') => return true,
            _ => {}
        }
    }
    quote.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_and_comments_are_no_code() {
        for (text, inside) in [
            ("vm:run(\"ls", true),
            ("vm:run(\"ls\")", false),
            ("x = 'it\\'s", true),
            ("x = \"it's\" .. y", false),
            ("-- vm", true),
            ("a - b", false),
        ] {
            assert_eq!(in_text(text), inside, "{text}");
        }
    }
}
