//! Evaluation of the syntax tree.

mod children;
mod find;
mod redirect;
mod simple;

use std::rc::Rc;

use super::flow::{Apart, Eval, Flow};
use super::options::Opt;
use super::pattern::Pattern;
use super::state::{ERROR, Shell};
use super::syntax::ast::{Case, Connector, For, Node, Until};

pub(super) use find::Found;
pub(super) use redirect::{FIRST_PRIVATE_FD, open_failure};
pub(super) use simple::STANDARD_PATH;

/// Functions inside of one another, as dash limits them.
pub const MAX_FUNCTION_DEPTH: usize = 1000;

/// What a command is evaluated for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mode {
    /// Nothing comes after it in this process, which it may therefore replace.
    pub(super) last: bool,
    /// Its status is asked for: `set -e` lets it fail.
    pub(super) tested: bool,
}

impl Mode {
    /// For a condition.
    pub(super) const TESTED: Mode = Mode { last: false, tested: true };

    /// For a command that others come after.
    pub(super) fn inner(self) -> Mode {
        Mode { last: false, ..self }
    }
}

impl Shell {
    /// Evaluates a command; `$?` is then its status.
    pub(super) fn eval(&mut self, node: &Rc<Node>, mode: Mode) -> Apart<'_, Eval> {
        let node = Rc::clone(node);
        self.apart(async move |shell: &mut Shell| shell.eval_here(&node, mode).await)
    }

    async fn eval_here(&mut self, node: &Rc<Node>, mode: Mode) -> Eval {
        if self.has(Opt::NoExec) {
            return self.current();
        }
        self.run_traps().await?;
        let mut may_fail_shell = false;
        let status = match &**node {
            Node::Simple(simple) => {
                may_fail_shell = true;
                self.simple(simple, mode).await?
            }
            Node::Pipeline(commands) => {
                may_fail_shell = true;
                self.pipeline(commands).await?
            }
            Node::Subshell(body, line) => {
                may_fail_shell = true;
                self.line = *line;
                self.subshell(body, Vec::new(), mode).await?
            }
            Node::Background(body) => {
                may_fail_shell = true;
                self.background(body).await?
            }
            Node::Not(command) => i32::from(self.eval(command, Mode::TESTED).await? == 0),
            Node::AndOr(first, rest) => self.and_or(first, rest, mode).await?,
            Node::List(commands) => self.list(commands, mode).await?,
            Node::Redirected(redirected) => {
                self.line = redirected.line;
                if let Node::Subshell(body, line) = &*redirected.body {
                    may_fail_shell = true;
                    let redirects = self.prepare_redirects(&redirected.redirects).await?;
                    self.line = *line;
                    self.subshell(body, redirects, mode).await?
                } else {
                    match self.redirected(redirected, mode).await? {
                        Some(status) => status,
                        None => {
                            may_fail_shell = true;
                            ERROR
                        }
                    }
                }
            }
            Node::If(arms, otherwise) => self.if_command(arms, otherwise.as_ref(), mode).await?,
            Node::Loop(until, condition, body) => self.while_loop(*until, condition, body, mode).await?,
            Node::For(command) => self.for_loop(command, mode).await?,
            Node::Case(command) => self.case_command(command, mode).await?,
            Node::Function(function) => {
                Rc::make_mut(&mut self.functions).insert(Rc::clone(&function.name), Rc::clone(node));
                self.found_anew(&function.name);
                self.pass_time().await;
                0
            }
        };
        self.status = status;
        self.run_traps().await?;
        if may_fail_shell && status != 0 && !mode.tested && self.has(Opt::ErrExit) {
            return Err(Flow::Exit(status));
        }
        self.current()
    }

    async fn and_or(&mut self, first: &Rc<Node>, rest: &[(Connector, Rc<Node>)], mode: Mode) -> Eval {
        let mut status = self.eval(first, if rest.is_empty() { mode } else { Mode::TESTED }).await?;
        for (index, (connector, command)) in rest.iter().enumerate() {
            if (status == 0) == (*connector == Connector::And) {
                let is_last = index + 1 == rest.len();
                status = self.eval(command, if is_last { mode } else { Mode::TESTED }).await?;
            }
        }
        Ok(status)
    }

    async fn list(&mut self, commands: &[Rc<Node>], mode: Mode) -> Eval {
        let mut status = 0;
        for (index, command) in commands.iter().enumerate() {
            let is_last = index + 1 == commands.len();
            status = self.eval(command, if is_last { mode } else { mode.inner() }).await?;
        }
        Ok(status)
    }

    async fn if_command(&mut self, arms: &[(Rc<Node>, Rc<Node>)], otherwise: Option<&Rc<Node>>, mode: Mode) -> Eval {
        for (condition, body) in arms {
            if self.eval(condition, Mode::TESTED).await? == 0 {
                return self.eval(body, mode).await;
            }
        }
        match otherwise {
            Some(body) => self.eval(body, mode).await,
            None => Ok(0),
        }
    }

    async fn while_loop(&mut self, until: Until, condition: &Rc<Node>, body: &Rc<Node>, mode: Mode) -> Eval {
        self.loops += 1;
        let ended = self.while_turns(until, condition, body, mode).await;
        self.loops -= 1;
        ended
    }

    async fn while_turns(&mut self, until: Until, condition: &Rc<Node>, body: &Rc<Node>, mode: Mode) -> Eval {
        let mut status = 0;
        loop {
            match self.eval(condition, Mode::TESTED).await {
                Ok(truth) if (truth == 0) == until => return Ok(status),
                Ok(_) => {}
                flow => match out_of_turn(flow)? {
                    Turn::Next => continue,
                    Turn::End => return Ok(status),
                    Turn::Done(_) => {}
                },
            }
            match out_of_turn(self.eval(body, mode.inner()).await)? {
                Turn::Done(done) => status = done,
                Turn::Next => status = self.status,
                Turn::End => return Ok(self.status),
            }
        }
    }

    async fn for_loop(&mut self, command: &For, mode: Mode) -> Eval {
        self.line = command.line;
        let values = match &command.words {
            Some(words) => self.expand_fields(words).await?,
            None => self.parameters.to_vec(),
        };
        self.loops += 1;
        let ended = self.for_turns(command, values, mode).await;
        self.loops -= 1;
        ended
    }

    async fn for_turns(&mut self, command: &For, values: Vec<Vec<u8>>, mode: Mode) -> Eval {
        let mut status = 0;
        for value in values {
            self.assign(&command.name, &value, false).await?;
            match out_of_turn(self.eval(&command.body, mode.inner()).await)? {
                Turn::Done(done) => status = done,
                Turn::Next => status = self.status,
                Turn::End => return Ok(self.status),
            }
        }
        Ok(status)
    }

    async fn case_command(&mut self, command: &Case, mode: Mode) -> Eval {
        self.line = command.line;
        let subject = self.expand_text(&command.word).await?;
        for arm in &command.arms {
            for pattern in &arm.patterns {
                let pattern = self.expand_pattern(pattern).await?;
                if Pattern::new(&pattern).matches(&subject) {
                    return match &arm.body {
                        Some(body) => self.eval(body, mode).await,
                        None => Ok(0),
                    };
                }
            }
        }
        Ok(0)
    }
}

/// How a turn of a loop ended.
enum Turn {
    Done(i32),
    Next,
    End,
}

/// What `break` and `continue` mean to the loop whose body this was.
fn out_of_turn(ended: Eval) -> Result<Turn, Flow> {
    match ended {
        Ok(status) => Ok(Turn::Done(status)),
        Err(Flow::Break(1)) => Ok(Turn::End),
        Err(Flow::Break(levels)) => Err(Flow::Break(levels - 1)),
        Err(Flow::Continue(1)) => Ok(Turn::Next),
        Err(Flow::Continue(levels)) => Err(Flow::Continue(levels - 1)),
        Err(flow) => Err(flow),
    }
}
