//! Commands that run in processes of their own: pipelines, subshells, background jobs, substitutions.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use provium_kernel::flags::O_RDONLY;
use provium_kernel::{Errno, Fd, Pid};

use super::Mode;
use super::redirect::Prepared;
use crate::shell::flow::{Eval, Flow};
use crate::shell::options::Opt;
use crate::shell::start::in_frames;
use crate::shell::state::Shell;
use crate::shell::syntax::ast::Node;

/// The most output of one command substitution, in bytes: as for the values of variables.
const MAX_SUBSTITUTION: usize = 64 << 20;

/// Bytes asked for in one read of a substitution's output.
const CHUNK: usize = 4 << 10;

/// What a child process does with its shell.
pub(super) type Body = Box<dyn FnOnce(&mut Shell) -> Pin<Box<dyn Future<Output = Eval> + '_>>>;

/// What a child does with its descriptors first: the ends of the pipes that it keeps, and its redirections.
#[derive(Debug, Default)]
struct Plumbing {
    /// Becomes standard input.
    input: Option<Fd>,
    /// Becomes standard output.
    output: Option<Fd>,
    /// The end that only the parent reads from.
    foreign: Option<Fd>,
    /// These are the child's own, and not undone.
    redirects: Vec<Prepared>,
}

impl Shell {
    /// fork(2): the child runs `body` with a copy of this shell, then ends.
    pub(super) async fn fork(&mut self, in_background: bool, body: Body) -> Result<Pid, Flow> {
        self.made_call = true;
        let mut child = self.for_child();
        let forked = self.sys.fork(move |sys| {
            Box::pin(in_frames(async move |frames| {
                child.sys = sys;
                child.frames = frames;
                child.reset_traps().await;
                if in_background {
                    child.ignore_interrupts().await;
                }
                let ended = body(&mut child).await;
                child.end(ended).await
            }))
        });
        match forked.await {
            Ok(pid) => Ok(pid),
            Err(_) => Err(self.error("Cannot fork").await),
        }
    }

    /// Forks a child that evaluates a command.
    async fn fork_command(&mut self, node: &Rc<Node>, plumbing: Plumbing, in_background: bool) -> Result<Pid, Flow> {
        let node = Rc::clone(node);
        let no_input = in_background && plumbing.input.is_none();
        self.fork(
            in_background,
            Box::new(move |shell| {
                Box::pin(async move {
                    if no_input {
                        shell.read_nothing().await;
                    }
                    shell.connect(&plumbing).await;
                    shell.redirect(&plumbing.redirects, None).await?;
                    let mode = Mode { last: true, tested: false };
                    match &*node {
                        // The child is the subshell.
                        Node::Subshell(body, _) => shell.eval(body, mode).await,
                        _ => shell.eval(&node, mode).await,
                    }
                })
            }),
        )
        .await
    }

    /// A background job does not take what is typed.
    async fn read_nothing(&mut self) {
        let _maybe_closed = self.sys.close(0).await;
        let _stays_closed_then = self.sys.open("/dev/null", O_RDONLY, 0).await;
    }

    async fn connect(&mut self, plumbing: &Plumbing) {
        if let Some(foreign) = plumbing.foreign {
            let _just_opened = self.sys.close(foreign).await;
        }
        for (end, fd) in [(plumbing.input, 0), (plumbing.output, 1)] {
            if let Some(end) = end.filter(|end| *end != fd) {
                let _just_opened = self.sys.dup2(end, fd).await;
                let _just_opened = self.sys.close(end).await;
            }
        }
    }

    /// `( a )`; its redirections are done by the child.
    pub(super) async fn subshell(&mut self, body: &Rc<Node>, redirects: Vec<Prepared>, mode: Mode) -> Eval {
        if mode.last && !self.traps.any() {
            self.redirect(&redirects, None).await?;
            return self.eval(body, mode).await;
        }
        let tested = mode.tested;
        let body = Rc::clone(body);
        let pid = self
            .fork(
                false,
                Box::new(move |shell| {
                    Box::pin(async move {
                        shell.redirect(&redirects, None).await?;
                        shell.eval(&body, Mode { last: true, tested }).await
                    })
                }),
            )
            .await?;
        Ok(self.wait_in_front(&[pid]).await.pop().unwrap_or_default())
    }

    /// `a &`
    pub(super) async fn background(&mut self, body: &Rc<Node>) -> Eval {
        let pids = match &**body {
            Node::Pipeline(commands) => self.fork_pipeline(commands, true).await?,
            Node::Redirected(command) => {
                self.line = command.line;
                let redirects = self.prepare_redirects(&command.redirects).await?;
                let plumbing = Plumbing { redirects, ..Plumbing::default() };
                vec![self.fork_command(&command.body, plumbing, true).await?]
            }
            _ => vec![self.fork_command(body, Plumbing::default(), true).await?],
        };
        self.last_background = pids.last().copied();
        self.jobs.add(pids);
        Ok(0)
    }

    /// `a | b`
    pub(super) async fn pipeline(&mut self, commands: &[Rc<Node>]) -> Eval {
        let pids = self.fork_pipeline(commands, false).await?;
        let statuses = self.wait_in_front(&pids).await;
        let failed = statuses.iter().rev().copied().find(|status| *status != 0);
        Ok(match failed {
            Some(status) if self.has(Opt::PipeFail) => status,
            _ => statuses.last().copied().unwrap_or_default(),
        })
    }

    async fn fork_pipeline(&mut self, commands: &[Rc<Node>], in_background: bool) -> Result<Vec<Pid>, Flow> {
        let mut pids = Vec::with_capacity(commands.len());
        let mut input = None;
        for (index, command) in commands.iter().enumerate() {
            let mut plumbing = Plumbing { input, ..Plumbing::default() };
            if index + 1 < commands.len() {
                match self.sys.pipe(0).await {
                    Ok((reading, writing)) => {
                        plumbing.output = Some(writing);
                        plumbing.foreign = Some(reading);
                    }
                    Err(_) => return Err(self.error("Pipe call failed").await),
                }
            }
            let (output, foreign) = (plumbing.output, plumbing.foreign);
            pids.push(self.fork_command(command, plumbing, in_background).await?);
            for end in [input, output].into_iter().flatten() {
                let _just_opened = self.sys.close(end).await;
            }
            input = foreign;
        }
        Ok(pids)
    }

    /// The output of a command, without the newlines at its end; NUL bytes cannot be kept.
    pub(in crate::shell) async fn substitute(&mut self, body: &Rc<Node>) -> Result<Vec<u8>, Flow> {
        let (reading, writing) = match self.sys.pipe(0).await {
            Ok(ends) => ends,
            Err(_) => return Err(self.error("Pipe call failed").await),
        };
        let plumbing = Plumbing { output: Some(writing), foreign: Some(reading), ..Plumbing::default() };
        let pid = self.fork_command(body, plumbing, false).await?;
        let _just_opened = self.sys.close(writing).await;
        let mut output = Vec::new();
        loop {
            match self.sys.read(reading, CHUNK).await {
                Ok(part) if part.is_empty() => break,
                Ok(part) => output.extend(part.into_iter().filter(|byte| *byte != 0)),
                Err(Errno::EINTR) => self.note_signals(),
                Err(_) => break,
            }
            if output.len() > MAX_SUBSTITUTION {
                let _just_opened = self.sys.close(reading).await;
                return Err(self.error("Out of space").await);
            }
        }
        let _just_opened = self.sys.close(reading).await;
        self.substitution_status = self.wait_in_front(&[pid]).await.pop().unwrap_or_default();
        while output.last() == Some(&b'\n') {
            output.pop();
        }
        Ok(output)
    }
}
