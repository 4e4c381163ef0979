//! What there is to call, read off the types for editors, which a test holds against the bindings: for `help`, and for
//! completion.

use std::fmt::Write;

/// The types for editors.
const TYPES: &str = include_str!("../../../docs/provium.d.lua");

/// A function or a method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Function {
    /// What it belongs to: `VM`, `co`; empty for a global.
    pub owner: &'static str,
    /// `:`, `.`, or nothing.
    pub separator: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Its parameters with their types.
    parameters: Vec<(&'static str, &'static str)>,
    returns: Vec<&'static str>,
    about: Vec<&'static str>,
}

impl Function {
    /// As it is called on a thing of this name.
    pub fn signature(&self, thing: &str) -> String {
        let names: Vec<&str> = self.parameters.iter().map(|(name, _)| *name).collect();
        let mut text = format!("{thing}{}{}({})", self.separator, self.name, names.join(", "));
        if !self.returns.is_empty() {
            let _ = write!(text, " -> {}", self.returns.join(", "));
        }
        text
    }

    /// All that there is to say of it.
    pub fn described(&self, thing: &str) -> String {
        let mut text = self.signature(thing);
        for (name, of) in &self.parameters {
            let _ = write!(text, "\n  {name}: {of}");
        }
        for line in &self.about {
            let _ = write!(text, "\n{line}");
        }
        text
    }
}

/// What an object is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Class {
    name: &'static str,
    parent: Option<&'static str>,
    fields: Vec<(&'static str, &'static str)>,
}

/// All of it.
pub(super) struct Reference {
    functions: Vec<Function>,
    classes: Vec<Class>,
}

impl Reference {
    /// Reads it.
    pub fn new() -> Reference {
        let mut reference = Reference { functions: Vec::new(), classes: Vec::new() };
        let (mut about, mut parameters, mut returns) = (Vec::new(), Vec::new(), Vec::new());
        for line in TYPES.lines() {
            if let Some(class) = line.strip_prefix("---@class ") {
                let (name, parent) = class.split_once(": ").map_or((class, None), |(name, of)| (name, Some(of)));
                reference.classes.push(Class { name, parent, fields: Vec::new() });
            } else if let Some((name, of)) = line.strip_prefix("---@field ").and_then(|field| field.split_once(' ')) {
                if let Some(class) = reference.classes.last_mut().filter(|_| !name.starts_with('[')) {
                    class.fields.push((name.trim_end_matches('?'), of));
                }
            } else if let Some((name, of)) = line.strip_prefix("---@param ").and_then(|param| param.split_once(' ')) {
                parameters.push((name, of));
            } else if let Some(of) = line.strip_prefix("---@return ") {
                returns.push(of);
            } else if let Some(text) = line.strip_prefix("---").filter(|text| !text.starts_with('@')) {
                about.push(text);
            } else if !line.starts_with("---") {
                if let Some((path, _)) = line.strip_prefix("function ").and_then(|call| call.split_once('(')) {
                    let at = path.rfind([':', '.']);
                    let (owner, separator, name) = match at {
                        Some(at) => (&path[..at], &path[at..=at], &path[at + 1..]),
                        None => ("", "", path),
                    };
                    let (parameters, returns) = (std::mem::take(&mut parameters), std::mem::take(&mut returns));
                    let about = std::mem::take(&mut about);
                    reference.functions.push(Function { owner, separator, name, parameters, returns, about });
                }
                (about, parameters, returns) = (Vec::new(), Vec::new(), Vec::new());
            }
        }
        reference
    }

    fn class(&self, name: &str) -> Option<&Class> {
        self.classes.iter().find(|class| class.name.eq_ignore_ascii_case(name))
    }

    /// The class of this name, whichever its case, and those that it is made from.
    fn line(&self, name: &str) -> Vec<&Class> {
        let mut found = Vec::new();
        let mut next = self.class(name);
        while let Some(class) = next.filter(|class| !found.contains(class)) {
            found.push(class);
            next = class.parent.and_then(|parent| self.class(parent));
        }
        found
    }

    /// What can be called on an object of this class, or in this table.
    pub fn functions(&self, owner: &str) -> Vec<&Function> {
        let line = self.line(owner);
        let owned = |function: &&Function| {
            let of = function.owner;
            of == owner || line.iter().any(|class| class.name == of)
        };
        self.functions.iter().filter(owned).collect()
    }

    /// What can be read of an object of this class: name and type.
    pub fn fields(&self, owner: &str) -> Vec<(&'static str, &'static str)> {
        self.line(owner).iter().flat_map(|class| class.fields.iter().copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_types_are_read() {
        let reference = Reference::new();
        let run = reference.functions("VM").into_iter().find(|function| function.name == "run").expect("vm:run");
        assert_eq!(run.signature("vm"), "vm:run(command, options?) -> RunResult");
        assert!(run.described("vm").contains("\n  command: string\n"));
        let root: Vec<&str> = reference.functions("Provium").iter().map(|function| function.name).collect();
        assert!(root.contains(&"barrier"), "{root:?}");
        assert!(reference.fields("runresult").iter().any(|(name, _)| *name == "stdout"));
        assert!(reference.functions("").iter().any(|function| function.name == "wait_until"));
        assert!(reference.functions("nothing").is_empty());
    }
}
