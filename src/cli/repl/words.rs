//! Words that are for the session and not for Lua, unless a variable is called so.

use super::reference::{Function, Reference};
use crate::runner::repl::Repl;

/// What a word asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// `help`, `help TOPIC`.
    Help(Option<String>),
    /// `all`: the last value, whole.
    All,
    /// `exit`, `quit`.
    Exit,
}

/// The word that a line is, if it is one.
pub(super) fn word(line: &str, repl: &Repl) -> Option<Word> {
    if repl.is_within() {
        return None;
    }
    let word = read(line)?;
    let name = line.trim().split(|c: char| !c.is_ascii_alphanumeric()).next()?;
    (!repl.has_global(name)).then_some(word)
}

fn read(line: &str) -> Option<Word> {
    let line = line.trim();
    Some(match line {
        "help" | "help()" => Word::Help(None),
        "all" => Word::All,
        "exit" | "exit()" | "quit" | "quit()" => Word::Exit,
        _ => {
            let topic = line.strip_prefix("help ")?.trim();
            let plain = |c: char| c.is_ascii_alphanumeric() || "_.:".contains(c);
            let topic = topic.trim_end_matches("()");
            return topic.chars().all(plain).then(|| Word::Help((!topic.is_empty()).then(|| topic.to_owned())));
        }
    })
}

/// `help` alone.
const HELP: &str = "\
Each line is Lua, run as a test would run it; a line that is not whole goes on at `>>`.
  vm                  the guest:  vm:run(\"uname -a\")   vm:read_file(\"/etc/passwd\")   vm:spawn_worker()
  provium             its lab:    provium:vm(\"other\", \"linux\"):boot()
  t                   assertions and tasks:  t:assert_eq(1, 1)   t:spawn(function() … end)
  wait_until, co, json, require, test        as in a test file
  _                   what the last line came to
What a line comes to is shown after `=`, unless it ends with `;`.
A `local` at the beginning of a line is left out, so the variable stays.

  help vm             what can be called on vm, or on any other variable or class: help Process, help json
  help vm:run         one of them
  all                 the last value, however long
  exit                ends the session and closes all that it opened; so does Ctrl-D
  Ctrl-C              ends what a line does

docs/lua.md has all of Lua, docs/repl.md all of this.";

/// What there is to say of a topic.
pub(super) fn help(topic: Option<&str>, repl: &Repl, reference: &Reference) -> String {
    let Some(topic) = topic else { return HELP.to_owned() };
    let owner = |thing: &str| repl.candidates(&format!("{thing}:")).object.unwrap_or_else(|| thing.to_owned());
    if let Some(at) = topic.rfind([':', '.']) {
        let (thing, name) = (&topic[..at], &topic[at + 1..]);
        let found = reference.functions(&owner(thing)).into_iter().find(|function| function.name == name);
        if let Some(function) = found {
            return function.described(thing);
        }
    }
    if let Some(function) = reference.functions("").into_iter().find(|function| function.name == topic) {
        return function.described("");
    }
    let class = owner(topic);
    let (functions, fields) = (reference.functions(&class), reference.fields(&class));
    if functions.is_empty() && fields.is_empty() {
        return format!("nothing is known of `{topic}`; `help` alone says what there is");
    }
    let thing = if class.eq_ignore_ascii_case(topic) { topic.to_ascii_lowercase() } else { topic.to_owned() };
    let fields = fields.iter().map(|(name, of)| format!("{thing}.{name}: {of}"));
    fields.chain(functions.iter().map(|function: &&Function| function.signature(&thing))).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_whole_lines() {
        assert_eq!(read(" help "), Some(Word::Help(None)));
        assert_eq!(read("help vm:run()"), Some(Word::Help(Some("vm:run".to_owned()))));
        assert_eq!(read("quit()"), Some(Word::Exit));
        assert_eq!(read("all"), Some(Word::All));
        for line in ["", "helper", "all = 1", "exit(1)", "return help", "help = 1"] {
            assert_eq!(read(line), None, "{line}");
        }
    }
}
