//! Lines from a terminal: edited, completed, remembered.

use std::cell::RefCell;
use std::io;
use std::path::PathBuf;
use std::rc::Rc;

use rustyline::completion::{Completer, Pair};
use rustyline::config::CompletionType;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::Validator;
use rustyline::{Config, Context, Editor, Helper};

use super::reference::Reference;
use crate::runner::repl::Repl;

/// Lines that are remembered: more than anybody scrolls through.
const REMEMBERED: usize = 2_000;

/// What came of asking for a line.
pub(super) enum Asked {
    /// A line.
    Line(String),
    /// Ctrl-C.
    Interrupted,
    /// Ctrl-D.
    End,
}

/// Asks for lines on a terminal.
pub(super) struct LineEditor {
    editor: Editor<Completion, FileHistory>,
    history: Option<PathBuf>,
}

impl LineEditor {
    /// With the lines of earlier sessions.
    ///
    /// # Errors
    /// When the terminal cannot be used.
    pub fn open() -> io::Result<LineEditor> {
        let config = Config::builder().completion_type(CompletionType::List).auto_add_history(false);
        let config = config.max_history_size(REMEMBERED).map_err(to_io)?.build();
        let mut editor = Editor::with_config(config).map_err(to_io)?;
        let history = history();
        if let Some(path) = &history {
            // There is none yet, or it cannot be read: then there is nothing to remember.
            let _ = editor.load_history(path);
        }
        Ok(LineEditor { editor, history })
    }

    /// From now on names are completed.
    pub fn completes(&mut self, repl: &Rc<RefCell<Repl>>, reference: &Rc<Reference>) {
        self.editor.set_helper(Some(Completion { repl: Rc::clone(repl), reference: Rc::clone(reference) }));
    }

    /// The next line.
    ///
    /// # Errors
    /// When the terminal has gone away.
    pub fn ask(&mut self, prompt: &str) -> io::Result<Asked> {
        match self.editor.readline(prompt) {
            Ok(line) => Ok(Asked::Line(line)),
            Err(ReadlineError::Interrupted) => Ok(Asked::Interrupted),
            Err(ReadlineError::Eof) => Ok(Asked::End),
            Err(error) => Err(to_io(error)),
        }
    }

    /// Remembers what was typed, of one line or several; what is wrong with the file, the first time that something is.
    pub fn remember(&mut self, typed: &str) -> Result<(), String> {
        if typed.trim().is_empty() || !self.editor.add_history_entry(typed).unwrap_or(false) {
            return Ok(());
        }
        let Some(path) = self.history.take() else { return Ok(()) };
        let made = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        let written = made.map_err(ReadlineError::from).and_then(|()| self.editor.append_history(&path));
        match written {
            Ok(()) => {
                self.history = Some(path);
                Ok(())
            }
            Err(error) => Err(format!("the history cannot be kept in `{}`: {error}", path.display())),
        }
    }
}

fn to_io(error: ReadlineError) -> io::Error {
    match error {
        ReadlineError::Io(error) => error,
        other => io::Error::other(other.to_string()),
    }
}

/// Where lines are remembered: `$XDG_STATE_HOME/provium/history`, or below the home directory.
fn history() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let state = set("XDG_STATE_HOME").filter(|path| path.is_absolute());
    let state = state.or_else(|| set("HOME").map(|home| home.join(".local/state")))?;
    Some(state.join("provium/history"))
}

struct Completion {
    repl: Rc<RefCell<Repl>>,
    reference: Rc<Reference>,
}

impl Completion {
    /// What the word at the end of the text may become, and how long it is.
    fn find(&self, before: &str) -> (usize, Vec<Pair>) {
        let Ok(repl) = self.repl.try_borrow() else { return (0, Vec::new()) };
        let found = repl.candidates(before);
        let is_method_call = before[..before.len() - found.word.len()].ends_with(':');
        let mut names: Vec<(String, bool)> = found.names.into_iter().map(|name| (name, false)).collect();
        if let Some(object) = &found.object {
            if !is_method_call {
                names.extend(self.reference.fields(object).iter().map(|(name, _)| ((*name).to_owned(), false)));
            } else {
                names.clear();
                let methods = self.reference.functions(object);
                names.extend(methods.iter().map(|function| (function.name.to_owned(), true)));
            }
        }
        names.retain(|(name, _)| name.starts_with(&found.word));
        names.sort();
        names.dedup();
        let pair = |(name, method): (String, bool)| Pair {
            replacement: if method { format!("{name}(") } else { name.clone() },
            display: name,
        };
        (found.word.len(), names.into_iter().map(pair).collect())
    }
}

impl Completer for Completion {
    type Candidate = Pair;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let (length, pairs) = self.find(&line[..pos]);
        Ok((pos - length, pairs))
    }
}

impl Hinter for Completion {
    type Hint = String;
}

impl Highlighter for Completion {}

impl Validator for Completion {}

impl Helper for Completion {}
