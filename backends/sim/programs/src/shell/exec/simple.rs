//! Simple commands.

use std::rc::Rc;

use super::children::Body;
use super::find::Found;
use super::redirect::Undo;
use super::{MAX_FUNCTION_DEPTH, Mode};
use crate::shell::builtins::{self, Builtin, Call, Place};
use crate::shell::flow::{Eval, Flow};
use crate::shell::options::Opt;
use crate::shell::state::{ERROR, Shell};
use crate::shell::syntax::ast::{Assignment, Function, Node, Part, Simple, Word, is_name};

/// The path that `command -p` looks in.
pub(in crate::shell) const STANDARD_PATH: &[u8] = b"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The status of a command that is not found, even if something else has its name.
const NOT_FOUND: i32 = 127;

/// The words of a command, and what its name means before anything is looked up.
#[derive(Debug)]
struct Words {
    /// `command` and its options, which `set -x` shows.
    prefix: Vec<Vec<u8>>,
    /// The command's own words.
    argv: Vec<Vec<u8>>,
    /// Functions are passed over, and special builtins are nothing special: `command` stood before it.
    is_plain: bool,
    /// `command -p`
    standard_path: bool,
}

impl Words {
    /// Whether assignments last and errors end the shell: a special builtin, or no command at all.
    fn is_special(&self) -> bool {
        self.argv.first().is_none_or(|name| !self.is_plain && builtins::is_special(name))
    }

    fn is_exec(&self) -> bool {
        self.argv.first().is_some_and(|name| name == b"exec")
    }

    /// `exec` without a command changes the descriptors of the shell itself.
    fn is_exec_alone(&self) -> bool {
        self.is_exec() && self.argv.iter().skip(1).all(|word| word == b"--")
    }
}

impl Shell {
    pub(super) async fn simple(&mut self, command: &Simple, mode: Mode) -> Eval {
        self.line = command.line;
        self.substitution_status = 0;
        let argv = self.expand_command(&command.words).await?;
        let words = self.without_prefix(argv);
        let prepared = self.prepare_redirects(&command.redirects).await?;
        let mut undo = Undo::default();
        let redirected = self.redirect(&prepared, if words.is_exec_alone() { None } else { Some(&mut undo) }).await;
        let ended = match redirected {
            Ok(()) => self.with_scope(command, words, mode).await,
            Err(flow) if words.is_special() && !words.argv.is_empty() => {
                self.status = ERROR;
                Err(flow)
            }
            Err(_) => Ok(ERROR),
        };
        if !undo.is_empty() {
            self.undo_redirects(undo).await;
        }
        self.pass_time().await;
        ended
    }

    /// Runs a command; assignments before one that is not special end with it.
    async fn with_scope(&mut self, command: &Simple, words: Words, mode: Mode) -> Eval {
        if words.is_special() {
            return self.assign_and_run(command, words, mode).await;
        }
        self.variables.enter();
        let ended = self.assign_and_run(command, words, mode).await;
        self.leave_scope();
        if command.assignments.iter().any(|assignment| *assignment.name == *b"PATH") {
            self.found = Rc::default();
        }
        ended
    }

    fn leave_scope(&mut self) {
        let counts = self.variables.is_local(b"OPTIND");
        if let Some(options) = self.variables.leave() {
            self.options = options;
        }
        if counts {
            self.getopts = self.variables.get(b"OPTIND").and_then(|value| Place::of(value)).unwrap_or_default();
        }
    }

    /// Makes the assignments one after the other, each of which sees those before it; then runs the command.
    async fn assign_and_run(&mut self, command: &Simple, words: Words, mode: Mode) -> Eval {
        let is_special = words.is_special();
        let exports = !is_special || words.is_exec();
        let mut traced = Vec::new();
        for Assignment { name, value } in &command.assignments {
            let value = self.expand_assignment(value).await?;
            if !is_special {
                self.variables.localise(name);
            }
            self.assign(name, &value, exports).await?;
            if self.has(Opt::XTrace) {
                traced.push([name, &b"="[..], &value].concat());
            }
        }
        if self.has(Opt::XTrace) {
            traced.extend(words.prefix.iter().chain(&words.argv).cloned());
            if !traced.is_empty() {
                self.trace(&traced).await?;
            }
        }
        let Some(name) = words.argv.first() else { return Ok(self.substitution_status) };
        let path = words.standard_path.then_some(STANDARD_PATH);
        match self.find(name, !words.is_plain, path).await {
            Found::Nothing(reason) => {
                self.complain([name, ": ".as_bytes(), reason.as_bytes()].concat()).await;
                Ok(NOT_FOUND)
            }
            Found::Builtin(builtin) => self.run_builtin(builtin, is_special, words.argv, mode).await,
            Found::Function(function) => self.call_function(&function, words.argv, mode).await,
            Found::File(place) => self.run_file_command(words.argv, place, path, mode).await,
        }
    }

    /// Expands the words of a command. Operands of `export`, `readonly` and `local` that look like assignments
    /// are expanded like them.
    async fn expand_command(&mut self, words: &[Word]) -> Result<Vec<Vec<u8>>, Flow> {
        let Some(literal) = words.iter().map(literal).find(|literal| *literal != Some(b"command")) else {
            return self.expand_fields(words).await;
        };
        if !matches!(literal, Some(b"export" | b"readonly" | b"local")) {
            return self.expand_fields(words).await;
        }
        let mut argv = Vec::with_capacity(words.len());
        for word in words {
            match word.parts.first() {
                Some(Part::Text(text)) if begins_with_name_and_equals(text) => {
                    argv.push(self.expand_assignment_word(word).await?);
                }
                _ => argv.extend(self.expand_fields(std::slice::from_ref(word)).await?),
            }
        }
        Ok(argv)
    }

    /// Takes `command` and its options away, if what follows is a command to run.
    fn without_prefix(&self, mut argv: Vec<Vec<u8>>) -> Words {
        let mut at = 0;
        let mut standard_path = false;
        while argv.get(at).is_some_and(|name| name == b"command") && !self.functions.contains_key(&b"command"[..]) {
            let mut next = at + 1;
            let mut standard_path_here = false;
            let is_run = loop {
                match argv.get(next).map(Vec::as_slice) {
                    Some(b"-p") => standard_path_here = true,
                    Some(b"--") => {
                        next += 1;
                        break next < argv.len();
                    }
                    // `command -v` and wrong options are the builtin's.
                    Some([b'-', _, ..]) | None => break false,
                    Some(_) => break true,
                }
                next += 1;
            };
            if !is_run {
                break;
            }
            standard_path |= standard_path_here;
            at = next;
        }
        let rest = argv.split_off(at);
        Words { is_plain: !argv.is_empty(), prefix: argv, argv: rest, standard_path }
    }

    /// `set -x`: in as many writes as dash makes.
    async fn trace(&mut self, words: &[Vec<u8>]) -> Result<(), Flow> {
        let prompt = self.expand_prompt(b"PS4").await?;
        self.write_error(&prompt).await;
        for (index, word) in words.iter().enumerate() {
            let word = if index > 0 { [b" ", word.as_slice()].concat() } else { word.clone() };
            self.write_error(&word).await;
        }
        self.write_error(b"\n").await;
        Ok(())
    }

    async fn run_file_command(
        &mut self,
        argv: Vec<Vec<u8>>,
        place: Option<usize>,
        path: Option<&'static [u8]>,
        mode: Mode,
    ) -> Eval {
        if mode.last && !self.traps.any() {
            return Err(self.become_command(argv, place, path).await);
        }
        let become_it: Body =
            Box::new(move |shell| Box::pin(async move { Err(shell.become_command(argv, place, path).await) }));
        let pid = self.fork(false, become_it).await?;
        Ok(self.wait_in_front(&[pid]).await.pop().unwrap_or_default())
    }

    async fn run_builtin(&mut self, builtin: &'static Builtin, special: bool, argv: Vec<Vec<u8>>, mode: Mode) -> Eval {
        let name = argv.first().map(|name| name.as_slice().into());
        let outer = std::mem::replace(&mut self.command, name);
        let mut call = Call { argv, out: Vec::new(), mode };
        let mut ended = (builtin.run)(self, &mut call).await;
        if !call.out.is_empty() && self.write(1, &call.out).await.is_err() {
            let name = self.command.clone().unwrap_or_default();
            self.complain([&name[..], b": I/O error"].concat()).await;
            ended = ended.map(|status| status | 1);
        }
        self.command = outer;
        match ended {
            Err(Flow::Error(status)) if !special => Ok(status),
            ended => ended,
        }
    }

    async fn call_function(&mut self, function: &Rc<Node>, argv: Vec<Vec<u8>>, mode: Mode) -> Eval {
        let Node::Function(Function { body, .. }) = &**function else { return self.current() };
        self.enter_depth().await?;
        self.variables.enter();
        let mut parameters = argv;
        parameters.remove(0);
        let parameters = std::mem::replace(&mut self.parameters, Rc::new(parameters));
        let loops = std::mem::take(&mut self.loops);
        let was_in_function = std::mem::replace(&mut self.in_function, true);
        let place = std::mem::take(&mut self.getopts);
        let ended = self.eval(body, mode.inner()).await;
        self.getopts = place;
        self.in_function = was_in_function;
        self.loops = loops;
        self.parameters = parameters;
        self.leave_scope();
        self.depth -= 1;
        match ended {
            Err(Flow::Return(status)) => Ok(status),
            ended => ended,
        }
    }

    /// One more function, `eval` or file inside of the others.
    pub(in crate::shell) async fn enter_depth(&mut self) -> Result<(), Flow> {
        if self.depth >= MAX_FUNCTION_DEPTH {
            self.status = ERROR;
            let message = format!("Maximum function recursion depth ({MAX_FUNCTION_DEPTH}) reached");
            return Err(self.error(message).await);
        }
        self.depth += 1;
        Ok(())
    }
}

/// The text of a word that is written without quotes or expansions.
fn literal(word: &Word) -> Option<&[u8]> {
    match word.parts.as_slice() {
        [Part::Text(text)] => Some(text),
        _ => None,
    }
}

fn begins_with_name_and_equals(text: &[u8]) -> bool {
    text.iter().position(|&byte| byte == b'=').is_some_and(|equals| is_name(&text[..equals]))
}
