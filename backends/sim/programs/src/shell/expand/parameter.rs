//! Parameter expansion.

use std::rc::Rc;

use super::fields::{BREAK, EMPTY, text_of};
use super::{Purpose, Tilde, push_value};
use crate::shell::flow::Flow;
use crate::shell::options::Opt;
use crate::shell::pattern::{Pattern, QUOTED, SPLITS, Symbol};
use crate::shell::state::Shell;
use crate::shell::syntax::ast::{Name, Operation, Parameter, Side, Text, is_name};

/// The value of a parameter.
enum Value {
    Text(Text),
    /// `$@` or `$*`.
    List {
        joined_in_quotes: bool,
    },
}

impl Shell {
    pub(super) async fn expand_parameter(
        &mut self,
        parameter: &Rc<Parameter>,
        purpose: Purpose,
        symbols: &mut Vec<Symbol>,
    ) -> Result<(), Flow> {
        if parameter.operation == Operation::Bad {
            return Err(self.error("Bad substitution").await);
        }
        let value = self.value_of(&parameter.name);
        let is_null = |shell: &Shell| match &value {
            Some(Value::Text(text)) => text.is_empty(),
            Some(Value::List { .. }) => shell.parameters.iter().all(Vec::is_empty) && shell.parameters.len() < 2,
            None => true,
        };
        let lacks = |shell: &Shell, colon: bool| value.is_none() || (colon && is_null(shell));
        match parameter.operation {
            Operation::Default(colon) if lacks(self, colon) => {
                return self.expand_result(parameter, purpose, symbols).await;
            }
            Operation::Alternative(colon) if !lacks(self, colon) => {
                return self.expand_result(parameter, purpose, symbols).await;
            }
            Operation::Alternative(_) => {
                push_value(symbols, b"", parameter.quoted, purpose);
                return Ok(());
            }
            Operation::Assign(colon) if lacks(self, colon) => {
                let text = self.assign_default(parameter, purpose).await?;
                push_value(symbols, &text, parameter.quoted, purpose);
                return Ok(());
            }
            Operation::Demand(colon) if lacks(self, colon) => {
                return Err(self.demanded(parameter, colon).await);
            }
            Operation::Value | Operation::Length | Operation::Trim(..) if value.is_none() && self.has(Opt::NoUnset) => {
                let message = [&shown(&parameter.name)[..], b": parameter not set"].concat();
                return Err(self.error(message).await);
            }
            _ => {}
        }
        match parameter.operation {
            Operation::Length => {
                let length = self.single(value.as_ref(), b" ").len().to_string();
                push_value(symbols, length.as_bytes(), parameter.quoted, purpose);
            }
            Operation::Trim(side, longest) => {
                let text = self.single(value.as_ref(), b" ");
                let purpose_of_pattern = Purpose { splits: false, is_result: false, tilde: Tilde::Start };
                let mut pattern = Vec::new();
                self.expand_inner(parameter, purpose_of_pattern, &mut pattern).await?;
                pattern.retain(|symbol| symbol & EMPTY == 0);
                push_value(symbols, trimmed(&text, &pattern, side, longest), parameter.quoted, purpose);
            }
            _ => match value {
                Some(Value::List { joined_in_quotes }) => {
                    self.push_list(symbols, joined_in_quotes, parameter.quoted, purpose);
                }
                Some(Value::Text(text)) => push_value(symbols, &text, parameter.quoted, purpose),
                None => push_value(symbols, b"", parameter.quoted, purpose),
            },
        }
        Ok(())
    }

    /// The word of `${x-word}` where it is the result.
    async fn expand_result(
        &mut self,
        parameter: &Rc<Parameter>,
        purpose: Purpose,
        symbols: &mut Vec<Symbol>,
    ) -> Result<(), Flow> {
        if parameter.word.parts.is_empty() {
            push_value(symbols, b"", parameter.quoted, purpose);
        }
        let tilde = if parameter.quoted { Tilde::Nowhere } else { purpose.tilde };
        self.expand_inner(parameter, Purpose { is_result: true, tilde, ..purpose }, symbols).await
    }

    async fn assign_default(&mut self, parameter: &Rc<Parameter>, purpose: Purpose) -> Result<Vec<u8>, Flow> {
        let mut value = Vec::new();
        let tilde = if parameter.quoted { Tilde::Nowhere } else { purpose.tilde };
        self.expand_inner(parameter, Purpose { splits: false, tilde, is_result: true }, &mut value).await?;
        let value = text_of(&value);
        let name = shown(&parameter.name);
        if !is_name(&name) {
            return Err(self.error([&name[..], b": bad variable name"].concat()).await);
        }
        self.assign(&name, &value, false).await?;
        Ok(value)
    }

    async fn demanded(&mut self, parameter: &Rc<Parameter>, colon: bool) -> Flow {
        let message = if parameter.word.parts.is_empty() {
            if colon { b"parameter not set or null".to_vec() } else { b"parameter not set".to_vec() }
        } else {
            let mut message = Vec::new();
            if let Err(flow) = self.expand_inner(parameter, Purpose::TEXT, &mut message).await {
                return flow;
            }
            text_of(&message)
        };
        self.error([&shown(&parameter.name)[..], b": ", &message].concat()).await
    }

    fn value_of(&self, name: &Name) -> Option<Value> {
        let number = |number: i64| Some(Value::Text(number.to_string().into_bytes().into()));
        match name {
            Name::Variable(name) if **name == *b"LINENO" => number(i64::try_from(self.line).unwrap_or_default()),
            Name::Variable(name) => self.variables.get(name).map(|value| Value::Text(Rc::clone(value))),
            Name::Positional(position) => {
                let value = self.parameters.get(position - 1)?;
                Some(Value::Text(value.as_slice().into()))
            }
            Name::Special(b'@') => Some(Value::List { joined_in_quotes: false }),
            Name::Special(b'*') => Some(Value::List { joined_in_quotes: true }),
            Name::Special(b'#') => number(i64::try_from(self.parameters.len()).unwrap_or_default()),
            Name::Special(b'?') => number(i64::from(self.status)),
            Name::Special(b'$') => number(i64::from(self.root_pid)),
            Name::Special(b'!') => number(i64::from(self.last_background?)),
            Name::Special(b'-') => Some(Value::Text(self.options.letters().into())),
            Name::Special(_) => Some(Value::Text(Rc::clone(&self.name))),
        }
    }

    /// A value as one text, lists with a separator between their elements.
    fn single(&self, value: Option<&Value>, separator: &[u8]) -> Text {
        match value {
            Some(Value::Text(text)) => Rc::clone(text),
            Some(Value::List { .. }) => self.parameters.join(separator).into(),
            None => Text::from([]),
        }
    }

    fn push_list(&self, symbols: &mut Vec<Symbol>, joined_in_quotes: bool, quoted: bool, purpose: Purpose) {
        let first_separator = match self.variables.get(b"IFS") {
            None => Some(b' '),
            Some(separators) => separators.first().copied(),
        };
        if !purpose.splits || (quoted && joined_in_quotes) {
            let separator: Vec<u8> = first_separator.into_iter().collect();
            push_value(symbols, &self.parameters.join(&separator[..]), quoted, purpose);
            return;
        }
        let flags = if quoted { QUOTED } else { SPLITS };
        for (index, parameter) in self.parameters.iter().enumerate() {
            if index > 0 {
                symbols.push(BREAK);
            }
            if quoted && parameter.is_empty() {
                symbols.push(EMPTY);
            }
            symbols.extend(parameter.iter().map(|&byte| Symbol::from(byte) | flags));
        }
    }
}

/// A parameter as error messages call it.
fn shown(name: &Name) -> Vec<u8> {
    match name {
        Name::Variable(name) => name.to_vec(),
        Name::Positional(position) => position.to_string().into_bytes(),
        Name::Special(byte) => vec![*byte],
    }
}

fn trimmed<'t>(text: &'t [u8], pattern: &[Symbol], side: Side, longest: bool) -> &'t [u8] {
    let pattern = Pattern::new(pattern);
    match side {
        Side::Left => &text[pattern.prefix(text, longest).unwrap_or_default()..],
        Side::Right => &text[..text.len() - pattern.suffix(text, longest).unwrap_or_default()],
    }
}
