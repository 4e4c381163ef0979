//! Simple commands.

use std::rc::Rc;

use provium_kernel::Pid;

use super::find::Found;
use super::redirect::Undo;
use super::{MAX_FUNCTION_DEPTH, Mode};
use crate::shell::builtins::{Builtin, Call};
use crate::shell::flow::{Eval, Flow};
use crate::shell::options::Opt;
use crate::shell::shell::{ERROR, Shell};
use crate::shell::syntax::ast::{Function, Node, Part, Simple, Text, Word, is_name};

/// The path that `command -p` looks in.
pub(in crate::shell) const STANDARD_PATH: &[u8] = b"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What stands before a command's own words.
#[derive(Debug, Default)]
struct Prefix {
    /// `command`: functions are passed over, and special builtins are nothing special.
    is_command: bool,
    /// `command -p`
    standard_path: bool,
}

impl Shell {
    pub(super) async fn simple(&mut self, command: &Simple, mode: Mode) -> Eval {
        self.line = command.line;
        self.substitution_status = 0;
        let argv = self.expand_command(&command.words).await?;
        let prepared = self.prepare_redirects(&command.redirects).await?;
        let keeps_redirects = is_exec_alone(&argv);
        let mut undo = Undo::default();
        let redirected = self.redirect(&prepared, if keeps_redirects { None } else { Some(&mut undo) }).await;
        let ended = self.after_redirects(command, argv, redirected, mode).await;
        if !undo.is_empty() {
            self.undo_redirects(undo).await;
        }
        self.pass_time().await;
        ended
    }

    async fn after_redirects(
        &mut self,
        command: &Simple,
        argv: Vec<Vec<u8>>,
        redirected: Result<(), Flow>,
        mode: Mode,
    ) -> Eval {
        let mut assignments = Vec::with_capacity(command.assignments.len());
        for assignment in &command.assignments {
            assignments.push((Rc::clone(&assignment.name), self.expand_assignment(&assignment.value).await?));
        }
        if self.has(Opt::XTrace) && (!argv.is_empty() || !assignments.is_empty()) {
            self.trace(&assignments, &argv).await?;
        }
        let (argv, prefix) = match self.command_prefix(argv) {
            Ok(split) => split,
            Err(argv) => (argv, Prefix::default()),
        };
        let Some(name) = argv.first() else {
            if let Err(flow) = redirected {
                return self.failed_redirect(flow, false);
            }
            for (name, value) in &assignments {
                self.assign(name, value, false).await?;
            }
            return Ok(self.substitution_status);
        };
        let path = self.search_path(&prefix, &assignments);
        let found = self.find(name, !prefix.is_command, path.as_deref()).await;
        if let Err(flow) = redirected {
            let is_special = matches!(&found, Found::Builtin(builtin) if builtin.special && !prefix.is_command);
            return self.failed_redirect(flow, is_special);
        }
        match found {
            Found::Nothing(reason, status) => {
                self.complain([name, ": ".as_bytes(), reason.as_bytes()].concat()).await;
                Ok(status)
            }
            Found::Builtin(builtin) => {
                let special = builtin.special && !prefix.is_command;
                self.run_builtin(builtin, special, &assignments, argv, mode).await
            }
            Found::Function(function) => self.call_with(&function, &assignments, argv, mode).await,
            Found::File(place) => self.run_file_command(argv, place, path, assignments, mode).await,
        }
    }

    fn failed_redirect(&mut self, flow: Flow, is_special: bool) -> Eval {
        self.status = ERROR;
        if is_special { Err(flow) } else { Ok(ERROR) }
    }

    /// The `PATH` that a command is looked for in, if it is not that of the shell.
    fn search_path(&self, prefix: &Prefix, assignments: &[(Text, Vec<u8>)]) -> Option<Vec<u8>> {
        if prefix.standard_path {
            return Some(STANDARD_PATH.to_vec());
        }
        assignments.iter().rev().find(|(name, _)| **name == *b"PATH").map(|(_, path)| path.clone())
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
    fn command_prefix(&self, argv: Vec<Vec<u8>>) -> Result<(Vec<Vec<u8>>, Prefix), Vec<Vec<u8>>> {
        let mut prefix = Prefix::default();
        let mut at = 0;
        while argv.get(at).is_some_and(|name| name == b"command") && !self.functions.contains_key(&b"command"[..]) {
            let mut next = at + 1;
            let mut standard_path = false;
            loop {
                match argv.get(next).map(Vec::as_slice) {
                    Some(b"-p") => standard_path = true,
                    Some(b"--") => {
                        next += 1;
                        break;
                    }
                    Some([b'-', _, ..]) => return self.without_prefix(argv, at, prefix),
                    _ => break,
                }
                next += 1;
            }
            if next >= argv.len() {
                return self.without_prefix(argv, at, prefix);
            }
            prefix = Prefix { is_command: true, standard_path: prefix.standard_path || standard_path };
            at = next;
        }
        self.without_prefix(argv, at, prefix)
    }

    fn without_prefix(
        &self,
        mut argv: Vec<Vec<u8>>,
        at: usize,
        prefix: Prefix,
    ) -> Result<(Vec<Vec<u8>>, Prefix), Vec<Vec<u8>>> {
        if at == 0 { Err(argv) } else { Ok((argv.split_off(at), prefix)) }
    }

    /// `set -x`: in as many writes as dash makes.
    async fn trace(&mut self, assignments: &[(Text, Vec<u8>)], argv: &[Vec<u8>]) -> Result<(), Flow> {
        let prompt = self.expand_prompt(b"PS4").await?;
        self.write_error(&prompt).await;
        let assignments = assignments.iter().map(|(name, value)| [name, &b"="[..], value].concat());
        let words: Vec<Vec<u8>> = assignments.chain(argv.iter().cloned()).collect();
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
        path: Option<Vec<u8>>,
        assignments: Vec<(Text, Vec<u8>)>,
        mode: Mode,
    ) -> Eval {
        if mode.last && !self.traps.any() {
            self.export_all(&assignments).await?;
            return Err(self.become_command(argv, place, path.as_deref()).await);
        }
        // Refused assignments end the shell itself, not only the child.
        for (name, _) in &assignments {
            if self.variables.find(name).is_some_and(|variable| variable.readonly) {
                return Err(self.error([name, &b": is read only"[..]].concat()).await);
            }
        }
        let pid: Pid = self
            .fork(
                false,
                Box::new(move |shell| {
                    Box::pin(async move {
                        shell.export_all(&assignments).await?;
                        Err(shell.become_command(argv, place, path.as_deref()).await)
                    })
                }),
            )
            .await?;
        Ok(self.wait_in_front(&[pid]).await.pop().unwrap_or_default())
    }

    async fn export_all(&mut self, assignments: &[(Text, Vec<u8>)]) -> Result<(), Flow> {
        for (name, value) in assignments {
            self.assign(name, value, true).await?;
        }
        Ok(())
    }

    async fn run_builtin(
        &mut self,
        builtin: &'static Builtin,
        special: bool,
        assignments: &[(Text, Vec<u8>)],
        argv: Vec<Vec<u8>>,
        mode: Mode,
    ) -> Eval {
        let outer = self.command.take();
        if special {
            for (name, value) in assignments {
                self.assign(name, value, false).await?;
            }
        } else {
            self.variables.enter();
            if let Err(flow) = self.assign_locally(assignments).await {
                self.leave_scope();
                return Err(flow);
            }
        }
        self.command = argv.first().map(|name| name.as_slice().into());
        let mut call = Call { argv, out: Vec::new(), mode };
        let mut ended = (builtin.run)(self, &mut call).await;
        if !call.out.is_empty() && self.write(1, &call.out).await.is_err() {
            let name = self.command.clone().unwrap_or_default();
            self.complain([&name[..], b": I/O error"].concat()).await;
            ended = ended.map(|status| status | 1);
        }
        self.command = outer;
        if !special {
            self.leave_scope();
        }
        match ended {
            Err(Flow::Error(status)) if !special => Ok(status),
            ended => ended,
        }
    }

    async fn assign_locally(&mut self, assignments: &[(Text, Vec<u8>)]) -> Result<(), Flow> {
        for (name, value) in assignments {
            self.variables.localise(name);
            self.assign(name, value, true).await?;
        }
        Ok(())
    }

    fn leave_scope(&mut self) {
        if let Some(options) = self.variables.leave() {
            self.options = options;
        }
    }

    /// Calls a function.
    async fn call_with(
        &mut self,
        function: &Rc<Node>,
        assignments: &[(Text, Vec<u8>)],
        argv: Vec<Vec<u8>>,
        mode: Mode,
    ) -> Eval {
        let Node::Function(Function { body, .. }) = &**function else { return self.current() };
        self.enter_depth().await?;
        self.variables.enter();
        let ended = match self.assign_locally(assignments).await {
            Ok(()) => {
                let mut parameters = argv;
                parameters.remove(0);
                let outer = std::mem::replace(&mut self.parameters, Rc::new(parameters));
                let loops = std::mem::take(&mut self.loops);
                let was_in_function = std::mem::replace(&mut self.in_function, true);
                let offset = std::mem::take(&mut self.getopts_offset);
                let ended = self.eval(body, Mode { last: false, tested: mode.tested }).await;
                self.getopts_offset = offset;
                self.in_function = was_in_function;
                self.loops = loops;
                self.parameters = outer;
                ended
            }
            Err(flow) => Err(flow),
        };
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

/// `exec` without a command changes the descriptors of the shell itself.
fn is_exec_alone(argv: &[Vec<u8>]) -> bool {
    let mut words = argv.iter().map(Vec::as_slice).skip_while(|word| matches!(*word, b"command" | b"--"));
    words.next() == Some(b"exec") && matches!(words.next(), None | Some(b"--")) && words.next().is_none()
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
