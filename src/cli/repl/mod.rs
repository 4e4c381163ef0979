//! `provium repl [PROFILE]`: a guest, and a prompt that has all of Lua.

mod console;
mod edit;
mod reference;
mod screen;
mod signals;
mod terminal;
mod words;

use std::cell::RefCell;
use std::io::{self, BufRead, IsTerminal};
use std::path::Path;
use std::rc::Rc;
use std::time::Instant;

use clap::Args;
use provium_protocol::Nanos;

use self::edit::{Asked, LineEditor};
use self::reference::Reference;
use self::screen::Screen;
use self::signals::Signals;
use self::terminal::Terminal;
use self::words::Word;
use super::args::{self, Colour};
use super::backend::{self, BackendName, Backends};
use crate::config::Project;
use crate::error::{CommandError, Exit};
use crate::exec::Stop;
use crate::runner::file::FileToRun;
use crate::runner::inputs::Disk;
use crate::runner::repl::{Fed, REPL_FILE, Repl, ReplOptions};

/// What the session's guest is.
#[derive(Args, Clone, Debug)]
pub(super) struct ReplArgs {
    /// The kind of guest, as provium.toml has it
    #[arg(value_name = "PROFILE", default_value = "linux")]
    profile: String,
    /// What drives the guests: sim, qemu
    #[arg(long, value_name = "NAME", value_parser = backend::parse, default_value = "sim", hide_default_value = true)]
    backend: BackendName,
    /// Attach the terminal to the guest's console, with a shell on it, instead of taking Lua
    #[arg(long)]
    console: bool,
    /// Boot real guests from the beginning instead of cloning ones that have booted
    #[arg(long)]
    cold_boot: bool,
    /// Run under the random schedule number N; the same N and the same lines are the same run
    #[arg(long, value_name = "N", value_parser = args::seed, allow_negative_numbers = true)]
    seed: Option<u64>,
    /// When to use colours
    #[arg(long, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    color: Colour,
}

/// Runs a session on the terminal, or what stands on standard input.
pub(super) fn repl(args: &ReplArgs) -> Result<Exit, CommandError> {
    let (project, here) = super::project()?;
    if !project.profiles.contains_key(&args.profile) {
        let known = project.profiles.keys().cloned().collect();
        return Err(CommandError::Profile { name: args.profile.clone(), known });
    }
    let screen = Screen::new(args.color.on());
    if args.console {
        return console::attach(args, &project, screen);
    }
    if io::stdin().is_terminal() {
        interactive(args, &project, &here, screen)
    } else {
        script(args, &project, &here, screen)
    }
}

fn open(args: &ReplArgs, project: &Project, here: &Path, stop: Stop) -> Result<Repl, CommandError> {
    let backend = Backends::open(args.backend, project, args.cold_boot)?.make(args.seed, None, None);
    let mut roots = project.roots.clone();
    if !roots.contains(&project.dir) {
        roots.push(project.dir.clone());
    }
    let options = ReplOptions {
        file: FileToRun { name: REPL_FILE.to_owned(), path: here.join(REPL_FILE), roots },
        profiles: project.profiles.clone(),
        seed: args.seed,
        inputs: Rc::new(Disk),
        stop,
    };
    Repl::new(options, backend).map_err(|failure| CommandError::Session(failure.message))
}

/// Lines from a file or a pipe: a script. What goes wrong in one stops none of the others.
fn script(args: &ReplArgs, project: &Project, here: &Path, mut screen: Screen) -> Result<Exit, CommandError> {
    let mut repl = open(args, project, here, Stop::new())?;
    let reference = Reference::new();
    let booted = repl.boot(&args.profile, &mut |event| screen.event(&event));
    if let Fed::Failed(failure) = &booted {
        screen.failure(failure, &repl, true);
        repl.finish(&mut |event| screen.event(&event));
        return Ok(Exit::CouldNotRun);
    }
    let mut failed = false;
    for line in io::stdin().lock().split(b'\n') {
        let line = line.map_err(CommandError::Input)?;
        let line = line.strip_suffix(b"\r").unwrap_or(&line);
        let Ok(line) = std::str::from_utf8(line) else {
            repl.pass_over("");
            screen.complain("this line is not UTF-8, and was left out; Lua writes any byte as \\xNN");
            failed = true;
            continue;
        };
        match words::word(line, &repl) {
            Some(Word::Exit) => break,
            Some(word) => say(&word, &mut repl, &reference, &mut screen, line),
            None => {
                let width = screen.width();
                let fed = repl.feed(line, width, &mut |event| screen.event(&event));
                failed |= matches!(fed, Fed::Failed(_));
                screen.fed(&fed, &repl, true);
            }
        }
        if screen.is_gone() {
            break;
        }
    }
    if let Some(first) = repl.give_up() {
        screen.complain(&format!("the input ends within the chunk that begins in line {first}"));
        failed = true;
    }
    repl.finish(&mut |event| screen.event(&event));
    Ok(if failed { Exit::TestFailed } else { Exit::Passed })
}

/// Does what a word asks for, `exit` aside.
fn say(word: &Word, repl: &mut Repl, reference: &Reference, screen: &mut Screen, line: &str) {
    match word {
        Word::Help(topic) => screen.line(&words::help(topic.as_deref(), repl, reference)),
        Word::All => screen.line(&repl.last_whole(screen.width())),
        Word::Exit => {}
    }
    repl.pass_over(line);
}

/// Lines from a person.
fn interactive(args: &ReplArgs, project: &Project, here: &Path, mut screen: Screen) -> Result<Exit, CommandError> {
    let terminal = Terminal::found();
    let mut editor = LineEditor::open().map_err(CommandError::Input)?;
    let stop = Stop::new();
    // After the editor, which has handlers of its own.
    let signals = Signals::install(stop.clone(), terminal).map_err(CommandError::Input)?;
    let mut repl = open(args, project, here, stop)?;
    let reference = Rc::new(Reference::new());
    let began = Instant::now();
    let booted = repl.boot(&args.profile, &mut |event| screen.event(&event));
    match &booted {
        Fed::Ran { .. } => {
            let took = Nanos::try_from(began.elapsed().as_nanos()).unwrap_or(Nanos::MAX);
            screen.greet(&args.profile, args.backend.as_str(), took);
        }
        other => {
            screen.fed(other, &repl, false);
            screen.note("the guest is not booted; `vm:boot()` tries again");
        }
    }
    let repl = Rc::new(RefCell::new(repl));
    editor.completes(&repl, &reference);
    converse(&repl, &mut editor, &reference, &mut screen);
    signals.closing();
    // It holds the session for its completions.
    drop(editor);
    if let Some(repl) = Rc::into_inner(repl) {
        repl.into_inner().finish(&mut |event| screen.event(&event));
    }
    Ok(Exit::Passed)
}

/// Asks, and answers, until there is no more to ask.
fn converse(repl: &RefCell<Repl>, editor: &mut LineEditor, reference: &Reference, screen: &mut Screen) {
    let mut typed: Vec<String> = Vec::new();
    let mut hinted = false;
    loop {
        let prompt = if repl.borrow().is_within() { ">> " } else { "> " };
        let line = match editor.ask(prompt) {
            Ok(Asked::Line(line)) => line,
            Ok(ended) => {
                let within = repl.borrow_mut().give_up().is_some();
                remember(editor, &mut typed, screen);
                match (ended, within) {
                    (Asked::Interrupted, false) => screen.note("Ctrl-D or `exit` ends the session"),
                    (_, true) => screen.note("what was typed of this chunk is forgotten"),
                    _ => return,
                }
                continue;
            }
            Err(error) => {
                screen.complain(&format!("the terminal cannot be read: {error}"));
                return;
            }
        };
        // What was pasted has several.
        for line in line.split('\n') {
            typed.push(line.to_owned());
            let mut repl = repl.borrow_mut();
            match words::word(line, &repl) {
                Some(Word::Exit) => {
                    drop(repl);
                    return remember(editor, &mut typed, screen);
                }
                Some(word) => say(&word, &mut repl, reference, screen, line),
                None => {
                    let width = screen.width();
                    let fed = repl.feed(line, width, &mut |event| screen.event(&event));
                    screen.fed(&fed, &repl, typed.len() > 1);
                    if let Fed::Ran { locals: true, .. } = fed
                        && !std::mem::replace(&mut hinted, true)
                    {
                        screen.note("this `local` has ended with its line; without `local` the variable stays");
                    }
                }
            }
            let within = repl.is_within();
            drop(repl);
            if !within {
                remember(editor, &mut typed, screen);
            }
        }
    }
}

fn remember(editor: &mut LineEditor, typed: &mut Vec<String>, screen: &mut Screen) {
    if let Err(warning) = editor.remember(&std::mem::take(typed).join("\n")) {
        screen.note(&warning);
    }
}
