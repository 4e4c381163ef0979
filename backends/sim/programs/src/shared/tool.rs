//! A process as a utility sees it: its arguments, its output, and how it reports and ends.

use std::future::Future;
use std::rc::Rc;

use provium_kernel::{Errno, Fd, Invocation, ProgramFn, Sys};

use super::args::{Parsed, Spec, Stopped};
use super::out::Out;

/// Standard input.
pub const STDIN: Fd = 0;
/// Standard output.
pub const STDOUT: Fd = 1;
/// Standard error.
pub const STDERR: Fd = 2;

/// The end of a tool after something that it has already reported, with its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit(pub i32);

/// What a utility's main function returns: its exit code, by either way.
pub type Outcome = Result<i32, Exit>;

/// A running utility.
pub struct Tool {
    /// Its system calls.
    pub sys: Sys,
    /// The arguments after the program's name.
    pub args: Vec<Vec<u8>>,
    /// The environment as `NAME=value`.
    pub env: Vec<Vec<u8>>,
    /// Standard output; flushed when the utility returns.
    pub out: Out,
    name: Rc<[u8]>,
}

/// Makes a program out of a utility's main function.
pub fn program<F, Fut>(run: F) -> ProgramFn
where
    F: Fn(Tool) -> Fut + 'static,
    Fut: Future<Output = Outcome> + 'static,
{
    Rc::new(move |sys, invocation| {
        let tool = Tool::new(sys, invocation);
        let out = tool.out.clone();
        let ended = run(tool);
        Box::pin(async move {
            let (Ok(code) | Err(Exit(code))) = ended.await;
            match out.flush().await {
                Ok(()) => code & 0xff,
                Err(Exit(failure)) => failure,
            }
        })
    })
}

impl Tool {
    /// The utility that an invocation starts.
    #[must_use]
    pub fn new(sys: Sys, invocation: Invocation) -> Tool {
        let mut argv = invocation.argv.into_iter();
        let name: Rc<[u8]> = argv.next().unwrap_or_default().into();
        let out = Out::new(sys.clone(), STDOUT, Rc::clone(&name));
        Tool { sys, args: argv.collect(), env: invocation.env, out, name }
    }

    /// The name it was called by, as it stands in messages: all of `argv[0]`.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// The last component of the name it was called by.
    #[must_use]
    pub fn short_name(&self) -> &[u8] {
        self.name.rsplit(|&byte| byte == b'/').next().unwrap_or_default()
    }

    /// Calls itself by the last component of its name from now on, as util-linux and procps do.
    pub fn use_short_name(&mut self) {
        let short: Rc<[u8]> = self.short_name().into();
        self.rename(&short);
    }

    /// Calls itself by another name from now on.
    pub fn rename(&mut self, name: &[u8]) {
        self.name = name.into();
        self.out.rename(Rc::clone(&self.name));
    }

    /// The value of an environment variable.
    #[must_use]
    pub fn env_var(&self, name: &str) -> Option<&[u8]> {
        env_var(&self.env, name)
    }

    /// Writes `NAME: MESSAGE` to standard error, after what standard output holds.
    pub async fn error(&self, message: impl AsRef<[u8]>) {
        self.report(message.as_ref(), None).await;
    }

    /// Writes `NAME: MESSAGE: text of errno` to standard error, after what standard output holds.
    pub async fn error_errno(&self, message: impl AsRef<[u8]>, errno: Errno) {
        self.report(message.as_ref(), Some(errno)).await;
    }

    /// [`Tool::error`], and the end.
    pub async fn fail(&self, code: i32, message: impl AsRef<[u8]>) -> Exit {
        self.report(message.as_ref(), None).await;
        Exit(code)
    }

    /// [`Tool::error_errno`], and the end.
    pub async fn fail_errno(&self, code: i32, message: impl AsRef<[u8]>, errno: Errno) -> Exit {
        self.report(message.as_ref(), Some(errno)).await;
        Exit(code)
    }

    /// The line that GNU tools end a usage error with, and the end.
    pub async fn usage_hint(&self, code: i32) -> Exit {
        let mut line = b"Try '".to_vec();
        line.extend_from_slice(&self.name);
        line.extend_from_slice(b" --help' for more information.\n");
        self.stderr(&line).await;
        Exit(code)
    }

    /// An error in the arguments: the message, the hint, and the end.
    pub async fn usage_error(&self, code: i32, message: impl AsRef<[u8]>) -> Exit {
        self.report(message.as_ref(), None).await;
        self.usage_hint(code).await
    }

    /// Writes to standard error as it is. Nothing can be done if that fails.
    pub async fn stderr(&self, text: impl AsRef<[u8]>) {
        let _lost = self.sys.write_all(STDERR, text.as_ref()).await;
    }

    /// Reads the options and operands of this invocation; a wrong one is reported, `--help` and
    /// `--version` are answered.
    pub async fn parse(&self, spec: &Spec) -> Result<Parsed, Exit> {
        self.parse_args(spec, self.args.clone()).await
    }

    /// [`Tool::parse`] for arguments that were changed first (`head -5`).
    pub async fn parse_args(&self, spec: &Spec, args: Vec<Vec<u8>>) -> Result<Parsed, Exit> {
        match spec.parse(args) {
            Ok(parsed) => Ok(parsed),
            Err(Stopped::Help) => {
                self.out.write(spec.help(&String::from_utf8_lossy(&self.name))).await?;
                Err(Exit(0))
            }
            Err(Stopped::Version) => {
                self.out.write(self.short_name()).await?;
                self.out.write(concat!(" (provium simulated guest) ", env!("CARGO_PKG_VERSION"), "\n")).await?;
                Err(Exit(0))
            }
            Err(Stopped::Unsupported(option)) => {
                let message = format!("option '{option}' is not supported by the simulated guest");
                self.error(message).await;
                Err(Exit(spec.failure_code()))
            }
            Err(Stopped::Wrong(message)) => {
                // getopt writes its line in one piece, unlike error(3).
                let mut line = self.name.to_vec();
                line.extend_from_slice(b": ");
                line.extend_from_slice(&message);
                line.push(b'\n');
                self.stderr(&line).await;
                Err(self.usage_hint(spec.failure_code()).await)
            }
        }
    }

    /// What GNU tools say when operands are lacking: none at all, or none after the last one given.
    pub async fn missing_operand(&self, code: i32, after: Option<&[u8]>) -> Exit {
        match after {
            None => self.usage_error(code, "missing operand").await,
            Some(last) => self.usage_error(code, format!("missing operand after {}", super::quote(last))).await,
        }
    }

    /// What GNU tools say when there is an operand too many.
    pub async fn extra_operand(&self, code: i32, operand: &[u8]) -> Exit {
        self.usage_error(code, format!("extra operand {}", super::quote(operand))).await
    }

    async fn report(&self, message: &[u8], errno: Option<Errno>) {
        // error(3) flushes standard output first, so that both streams of one tool keep their order.
        let _reported_there = self.out.flush().await;
        report(&self.sys, &self.name, message, errno).await;
    }
}

/// The value of a variable in an environment of `NAME=value` entries.
#[must_use]
pub fn env_var<'a>(env: &'a [Vec<u8>], name: &str) -> Option<&'a [u8]> {
    env.iter().find_map(|entry| entry.strip_prefix(name.as_bytes())?.strip_prefix(b"="))
}

/// Writes an error message in the pieces that error(3) writes it in: standard error has no buffer, so
/// messages of two processes can mix.
pub(crate) async fn report(sys: &Sys, name: &[u8], message: &[u8], errno: Option<Errno>) {
    let mut prefix = name.to_vec();
    prefix.extend_from_slice(b": ");
    let _lost = sys.write_all(STDERR, &prefix).await;
    let _lost = sys.write_all(STDERR, message).await;
    if let Some(errno) = errno {
        let _lost = sys.write_all(STDERR, format!(": {}", text_of(errno)).as_bytes()).await;
    }
    let _lost = sys.write_all(STDERR, b"\n").await;
}

/// strerror(3): the text of an error number, also of one that has no name.
#[must_use]
pub fn text_of(errno: Errno) -> String {
    match errno.name() {
        Some(_) => errno.text().to_owned(),
        None => format!("Unknown error {}", errno.0),
    }
}
