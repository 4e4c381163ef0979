//! The start of a shell: its command line, and where its commands come from.

use std::cell::Cell;
use std::rc::Rc;

use provium_kernel::{Errno, Invocation, Sys};

use super::exec::{Mode, open_failure};
use super::flow::{Eval, Flow, Frames, drive};
use super::options::Opt;
use super::state::{ERROR, Shell};

/// The program.
pub(super) async fn main(sys: Sys, invocation: Invocation) -> i32 {
    in_frames(async move |frames| {
        let mut argv = invocation.argv;
        let name = if argv.is_empty() { b"sh".to_vec() } else { argv.remove(0) };
        let mut shell = Shell::start(sys, frames, &name, &invocation.env).await;
        let ended = shell.run(argv).await;
        shell.end(ended).await
    })
    .await
}

/// Runs the body of a process, which may evaluate commands within others.
pub(super) async fn in_frames(body: impl AsyncFnOnce(Rc<Frames>) -> i32 + 'static) -> i32 {
    let frames = Rc::new(Frames::default());
    let code = Rc::new(Cell::new(ERROR));
    let (inner, result) = (Rc::clone(&frames), Rc::clone(&code));
    drive(frames, Box::pin(async move { result.set(body(inner).await) })).await;
    code.get()
}

impl Shell {
    async fn run(&mut self, args: Vec<Vec<u8>>) -> Eval {
        let mut out = Vec::new();
        let rest = self.read_options(args, true, &mut out).await?;
        if !out.is_empty() && self.write(1, &out).await.is_err() {
            return Ok(ERROR);
        }
        let mut operands = rest.operands.unwrap_or_default().into_iter();
        if rest.is_command {
            let Some(script) = operands.next() else {
                return Err(self.error("-c requires an argument").await);
            };
            if let Some(name) = operands.next() {
                self.name = name.into();
            }
            self.parameters = Rc::new(operands.collect());
            // The last command is a child, too: dash 0.5.12 does not become it, as some shells do.
            let status = self.run_text(script.into(), Mode { last: false, tested: false }).await?;
            return if self.has(Opt::Stdin) { self.run_input().await } else { Ok(status) };
        }
        if self.has(Opt::Stdin) || operands.len() == 0 {
            self.options.set(Opt::Stdin, true);
            self.parameters = Rc::new(operands.collect());
            return self.run_input().await;
        }
        let script = operands.next().unwrap_or_default();
        self.parameters = Rc::new(operands.collect());
        let fd = match self.open_script(&script).await {
            Ok(fd) => fd,
            Err(errno) => return Err(self.no_script(&script, errno).await),
        };
        self.name = script.into();
        self.run_file(fd).await
    }

    async fn no_script(&mut self, script: &[u8], errno: Errno) -> Flow {
        self.error([b"cannot open ", script, b": ", open_failure(errno).as_bytes()].concat()).await
    }
}
