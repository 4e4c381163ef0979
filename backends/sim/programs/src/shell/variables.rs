//! The variables of a shell. Copies share everything until one of them changes something, so that a
//! subshell costs nothing.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::options::Options;
use super::syntax::ast::{Text, is_name};

/// Bytes in all variables of one shell: a loop that collects output must come to an end before the host's
/// memory does.
pub const MAX_BYTES: usize = 256 << 20;

/// A variable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variable {
    /// Its value, unless it is unset and only has attributes.
    pub value: Option<Text>,
    /// Whether commands get it in their environment.
    pub exported: bool,
    /// Whether it can be changed no more.
    pub readonly: bool,
}

/// Why a variable cannot be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It is read only.
    ReadOnly,
    /// There is no room, see [`MAX_BYTES`].
    OutOfSpace,
    /// It only takes numbers.
    IllegalNumber(Text),
}

/// What a function's end, or that of a command with assignments before it, gives back.
#[derive(Clone, Debug)]
enum Saved {
    Variable(Text, Option<Variable>),
    Options(Options),
}

/// The variables of a shell.
#[derive(Clone, Debug, Default)]
pub struct Variables {
    table: Rc<BTreeMap<Text, Variable>>,
    bytes: usize,
    scopes: Vec<Vec<Saved>>,
}

impl Variables {
    /// The value of a variable, if it is set.
    #[must_use]
    pub fn get(&self, name: &[u8]) -> Option<&Text> {
        self.table.get(name)?.value.as_ref()
    }

    /// All variables by name.
    pub fn iter(&self) -> impl Iterator<Item = (&Text, &Variable)> {
        self.table.iter()
    }

    /// Sets a variable.
    pub fn set(&mut self, name: &[u8], value: &[u8], export: bool) -> Result<(), Refused> {
        let old = self.table.get(name);
        if old.is_some_and(|variable| variable.readonly) {
            return Err(Refused::ReadOnly);
        }
        let freed = old.and_then(|variable| variable.value.as_ref()).map_or(0, |value| value.len());
        let bytes = self.bytes - freed + value.len();
        if bytes > MAX_BYTES {
            return Err(Refused::OutOfSpace);
        }
        self.bytes = bytes;
        let table = Rc::make_mut(&mut self.table);
        match table.get_mut(name) {
            Some(variable) => {
                variable.value = Some(value.into());
                variable.exported |= export;
            }
            None => {
                let variable = Variable { value: Some(value.into()), exported: export, readonly: false };
                table.insert(name.into(), variable);
            }
        }
        Ok(())
    }

    /// Marks a variable as exported or read only, set or not.
    pub fn mark(&mut self, name: &[u8], exported: bool, readonly: bool) {
        let variable = Rc::make_mut(&mut self.table).entry(name.into()).or_default();
        variable.exported |= exported;
        variable.readonly |= readonly;
    }

    /// Removes a variable.
    pub fn unset(&mut self, name: &[u8]) -> Result<(), Refused> {
        match self.table.get(name) {
            None => Ok(()),
            Some(variable) if variable.readonly => Err(Refused::ReadOnly),
            Some(_) => {
                self.put(name, None);
                Ok(())
            }
        }
    }

    fn put(&mut self, name: &[u8], variable: Option<Variable>) {
        let table = Rc::make_mut(&mut self.table);
        let size = |variable: &Option<Variable>| {
            variable.as_ref().and_then(|variable| variable.value.as_ref()).map_or(0, |value| value.len())
        };
        let added = size(&variable);
        let old = match variable {
            Some(variable) => table.insert(name.into(), variable),
            None => table.remove(name),
        };
        self.bytes = self.bytes + added - size(&old);
    }

    /// The environment of a command.
    #[must_use]
    pub fn environment(&self) -> Vec<Vec<u8>> {
        let exported = self.table.iter().filter(|(_, variable)| variable.exported);
        exported.filter_map(|(name, variable)| Some([name, &b"="[..], variable.value.as_ref()?].concat())).collect()
    }

    /// Begins a scope: what is made local from now on comes back at its end.
    pub fn enter(&mut self) {
        self.scopes.push(Vec::new());
    }

    /// Ends the innermost scope; options that were local are returned.
    pub fn leave(&mut self) -> Option<Options> {
        let mut options = None;
        for saved in self.scopes.pop().unwrap_or_default().into_iter().rev() {
            match saved {
                Saved::Variable(name, variable) => self.put(&name, variable),
                Saved::Options(saved) => options = Some(saved),
            }
        }
        options
    }

    /// Makes a variable local to the innermost scope; it keeps its value and its attributes.
    pub fn localise(&mut self, name: &[u8]) {
        if self.is_local(name) {
            return;
        }
        let old = self.table.get(name).cloned();
        if let Some(scope) = self.scopes.last_mut() {
            scope.push(Saved::Variable(name.into(), old));
        }
    }

    /// Whether the end of the innermost scope gives a variable back.
    #[must_use]
    pub fn is_local(&self, name: &[u8]) -> bool {
        let saved = self.scopes.last().map(Vec::as_slice).unwrap_or_default();
        saved.iter().any(|saved| matches!(saved, Saved::Variable(known, _) if **known == *name))
    }

    /// Makes the options local to the innermost scope.
    pub fn localise_options(&mut self, options: Options) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.push(Saved::Options(options));
        }
    }

    /// Takes the variables of an environment; what is no name is not taken.
    pub fn import(&mut self, environment: &[Vec<u8>]) {
        for entry in environment {
            if let Some(equals) = entry.iter().position(|&byte| byte == b'=')
                && is_name(&entry[..equals])
            {
                // An environment larger than the limit is cut off at it.
                let _too_large = self.set(&entry[..equals], &entry[equals + 1..], true);
            }
        }
    }
}

/// A value in quotes that the shell reads back, as dash writes it.
#[must_use]
pub fn quoted(value: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(value.len() + 2);
    let mut rest = value;
    loop {
        let plain = rest.iter().position(|&byte| byte == b'\'').unwrap_or(rest.len());
        text.push(b'\'');
        text.extend_from_slice(&rest[..plain]);
        text.push(b'\'');
        rest = &rest[plain..];
        let quotes = rest.iter().take_while(|byte| **byte == b'\'').count();
        if quotes == 0 {
            return text;
        }
        text.push(b'"');
        text.extend_from_slice(&rest[..quotes]);
        text.push(b'"');
        rest = &rest[quotes..];
        if rest.is_empty() {
            return text;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_BYTES, Refused, Variables, quoted};

    #[test]
    fn scopes_give_back_what_was_there() {
        let mut variables = Variables::default();
        variables.set(b"a", b"1", false).unwrap();
        variables.enter();
        variables.localise(b"a");
        variables.localise(b"b");
        variables.set(b"a", b"2", true).unwrap();
        variables.set(b"b", b"3", false).unwrap();
        let copy = variables.clone();
        variables.leave();
        assert_eq!(variables.get(b"a").map(|value| value.to_vec()), Some(b"1".to_vec()));
        assert_eq!(variables.get(b"b"), None);
        assert_eq!(copy.environment(), [b"a=2".to_vec()]);
        assert!(variables.environment().is_empty());
    }

    #[test]
    fn variables_can_be_refused() {
        let mut variables = Variables::default();
        variables.mark(b"r", false, true);
        assert_eq!(variables.set(b"r", b"1", false), Err(Refused::ReadOnly));
        assert_eq!(variables.unset(b"r"), Err(Refused::ReadOnly));
        let half = vec![b'x'; MAX_BYTES / 2];
        assert_eq!(variables.set(b"a", &half, false), Ok(()));
        assert_eq!(variables.set(b"b", &half, false), Ok(()));
        assert_eq!(variables.set(b"c", b"x", false), Err(Refused::OutOfSpace));
        assert_eq!(variables.unset(b"a"), Ok(()));
        assert_eq!(variables.set(b"c", b"x", false), Ok(()));
    }

    #[test]
    fn values_are_quoted_as_dash_does() {
        for (value, text) in
            [("", "''"), ("a b", "'a b'"), ("it's", "'it'\"'\"'s'"), ("'", "''\"'\""), ("''a", "''\"''\"'a'")]
        {
            assert_eq!(String::from_utf8(quoted(value.as_bytes())).unwrap(), text);
        }
    }
}
