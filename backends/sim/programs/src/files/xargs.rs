//! xargs(1).

use provium_kernel::flags::{O_CLOEXEC, O_RDONLY, O_RDWR};
use provium_kernel::{Errno, Pid, WaitFor, WaitOptions, WaitStatus};

use super::xargs_input::{Arguments, Separator, Trouble};
use crate::shared::exec::{cannot_run, exec_path};
use crate::shared::tool::{STDERR, STDIN, text_of};
use crate::shared::{Exit, LineReader, Opt, Outcome, Parsed, Spec, Tool};

const SPEC: Spec = Spec::new(
    "[OPTION]... COMMAND [INITIAL-ARGS]...",
    &[
        Opt::flag("0", "null"),
        Opt::value("a", "arg-file"),
        Opt::value("d", "delimiter"),
        Opt::value("E", ""),
        Opt::optional("e", "eof"),
        Opt::value("I", ""),
        Opt::optional("i", "replace"),
        Opt::value("L", ""),
        Opt::optional("l", "max-lines"),
        Opt::value("n", "max-args"),
        Opt::flag("o", "open-tty"),
        Opt::value("P", "max-procs"),
        Opt::flag("p", "interactive"),
        Opt::unsupported("", "process-slot-var"),
        Opt::flag("r", "no-run-if-empty"),
        Opt::value("s", "max-chars"),
        Opt::unsupported("", "show-limits"),
        Opt::flag("t", "verbose"),
        Opt::flag("x", "exit"),
    ],
)
.stop_at_operand();

/// Bytes of one command line unless `-s` says otherwise, as xargs takes it: 128 KiB.
const COMMAND_BYTES: usize = 128 << 10;

/// Some command exited with 1 to 125.
const SOME_FAILED: i32 = 123;
/// A command exited with 255.
const STOPPED: i32 = 124;
/// A signal ended a command.
const KILLED: i32 = 125;

struct Run {
    tool: Tool,
    command: Vec<Vec<u8>>,
    replace: Option<Vec<u8>>,
    max_args: Option<usize>,
    max_lines: Option<usize>,
    max_bytes: usize,
    exit_if_too_long: bool,
    parallel: usize,
    running: Vec<Pid>,
    verbose: bool,
    ask: bool,
    code: i32,
    warned: bool,
}

pub(super) async fn run(tool: Tool) -> Outcome {
    let parsed = tool.parse(&SPEC).await?;
    let (mut separator, mut end) = (Separator::Blanks, None);
    let (mut replace, mut max_args, mut max_lines) = (None, None, None);
    for (option, value) in &parsed.options {
        let value = value.as_deref();
        match *option {
            "null" => separator = Separator::Byte(0),
            "delimiter" => separator = Separator::Byte(delimiter(&tool, value.unwrap_or_default()).await?),
            "E" => end = value.filter(|text| !text.is_empty()).map(<[u8]>::to_vec),
            "eof" => end = value.map(<[u8]>::to_vec),
            "I" | "replace" => {
                replace = Some(value.unwrap_or(b"{}").to_vec());
                let own = "--replace/-I/-i";
                clash(&tool, own, "--max-args", max_args.take().is_some()).await;
                clash(&tool, own, "--max-lines", max_lines.take().is_some()).await;
            }
            "L" | "max-lines" => {
                let short = *option == "L";
                let text = value.unwrap_or(b"1");
                max_lines = Some(number(&tool, text, if short { "L" } else { "l" }, 1).await?);
                let own = if short { "-L" } else { "--max-lines/-l" };
                clash(&tool, own, "--max-args", max_args.take().is_some()).await;
                clash(&tool, own, "--replace", replace.take().is_some()).await;
            }
            "max-args" => {
                let count = number(&tool, value.unwrap_or_default(), "n", 1).await?;
                let own = "--max-args/-n";
                clash(&tool, own, "--max-lines", max_lines.take().is_some()).await;
                // One argument at a time is what replacing does anyway.
                if !(count == 1 && replace.is_some()) {
                    max_args = Some(count);
                    clash(&tool, own, "--replace", replace.take().is_some()).await;
                }
            }
            _ => {}
        }
    }
    let parallel = match parsed.value("max-procs") {
        None => 1,
        Some(text) => match number(&tool, text, "P", 0).await? {
            0 => usize::MAX,
            count => count,
        },
    };
    let max_bytes = match parsed.value("max-chars") {
        None => COMMAND_BYTES,
        Some(text) => number(&tool, text, "s", 1).await?.min(COMMAND_BYTES),
    };
    let fd = match parsed.value("arg-file") {
        None | Some(b"-") => STDIN,
        Some(path) => match tool.sys.open(path, O_RDONLY | O_CLOEXEC, 0).await {
            Ok(fd) => fd,
            Err(errno) => {
                let text = format!("Cannot open input file {}", crate::shared::quoteaf(path));
                return Err(tool.fail_errno(1, text, errno).await);
            }
        },
    };
    if replace.is_some() && separator == Separator::Blanks {
        separator = Separator::Lines;
    }
    let Parsed { operands, .. } = &parsed;
    let command = if operands.is_empty() { vec![b"echo".to_vec()] } else { operands.clone() };
    let sys = tool.sys.clone();
    let mut arguments = Arguments::new(sys, fd, separator, end);
    let mut run = Run {
        exit_if_too_long: parsed.has("exit") || replace.is_some() || max_lines.is_some(),
        verbose: parsed.has("verbose") || parsed.has("interactive"),
        ask: parsed.has("interactive"),
        tool,
        command,
        replace,
        max_args,
        max_lines,
        max_bytes,
        parallel,
        running: Vec::new(),
        code: 0,
        warned: false,
    };
    let ended = run.all(&mut arguments, !parsed.has("no-run-if-empty"), fd != STDIN).await;
    run.wait_all().await?;
    ended?;
    Ok(run.code)
}

/// Warns that an option takes the place of an earlier one.
async fn clash(tool: &Tool, option: &str, earlier: &str, was_given: bool) {
    if was_given {
        let text = format!(
            "warning: options {earlier} and {option} are mutually exclusive, ignoring previous {earlier} value"
        );
        tool.error(text).await;
    }
}

async fn delimiter(tool: &Tool, text: &[u8]) -> Result<u8, Exit> {
    let byte = match text {
        [byte] => Some(*byte),
        [b'\\', letter] => match letter {
            b'a' => Some(7),
            b'b' => Some(8),
            b'f' => Some(12),
            b'n' => Some(b'\n'),
            b'r' => Some(b'\r'),
            b't' => Some(b'\t'),
            b'v' => Some(11),
            b'\\' => Some(b'\\'),
            b'0'..=b'7' => Some(letter - b'0'),
            _ => None,
        },
        [b'\\', b'x', hex @ ..] => std::str::from_utf8(hex).ok().and_then(|hex| u8::from_str_radix(hex, 16).ok()),
        [b'\\', octal @ ..] => std::str::from_utf8(octal).ok().and_then(|octal| u8::from_str_radix(octal, 8).ok()),
        _ => None,
    };
    match byte {
        Some(byte) => Ok(byte),
        None => {
            let shown = String::from_utf8_lossy(text);
            let text = if text.starts_with(b"\\") {
                format!("Invalid escape sequence {shown} in input delimiter specification.")
            } else {
                format!(
                    "Invalid input delimiter specification {shown}: the delimiter must be either a single character or an escape sequence starting with \\."
                )
            };
            Err(tool.fail(1, text).await)
        }
    }
}

async fn number(tool: &Tool, text: &[u8], option: &str, least: usize) -> Result<usize, Exit> {
    let shown = String::from_utf8_lossy(text).into_owned();
    match shown.parse::<i64>() {
        Ok(value) => match usize::try_from(value).ok().filter(|value| *value >= least) {
            Some(value) => Ok(value),
            None => {
                let text = format!("value {shown} for -{option} option should be >= {least}");
                Err(tool.usage_error(1, text).await)
            }
        },
        Err(_) => Err(tool.usage_error(1, format!("invalid number \"{shown}\" for -{option} option")).await),
    }
}

impl Run {
    async fn all(&mut self, arguments: &mut Arguments, even_if_empty: bool, keep_stdin: bool) -> Result<(), Exit> {
        let own: usize = self.command.iter().map(|word| word.len() + 1).sum();
        let mut gathered: Vec<Vec<u8>> = Vec::new();
        let (mut bytes, mut lines, mut ran) = (own, 0, false);
        loop {
            let argument = match arguments.next().await {
                Ok(Some(argument)) => argument,
                Ok(None) => break,
                Err(trouble) => {
                    self.flush(&mut gathered, keep_stdin).await?;
                    return Err(self.trouble(trouble).await);
                }
            };
            if arguments.saw_nul && !self.warned {
                self.warned = true;
                let text = "WARNING: a NUL character occurred in the input.  It cannot be passed through in the argument list.  Did you mean to use the --null option?";
                self.tool.error(text).await;
            }
            if let Some(marker) = self.replace.clone() {
                let words: Vec<Vec<u8>> =
                    self.command.iter().map(|word| replaced(word, &marker, &argument.text)).collect();
                if words.iter().map(|word| word.len() + 1).sum::<usize>() > self.max_bytes {
                    return Err(self.too_long().await);
                }
                self.start(words, keep_stdin).await?;
                ran = true;
                continue;
            }
            let size = argument.text.len() + 1;
            if bytes + size > self.max_bytes {
                if gathered.is_empty() || self.exit_if_too_long {
                    return Err(self.too_long().await);
                }
                self.flush(&mut gathered, keep_stdin).await?;
                (bytes, lines, ran) = (own, 0, true);
                if bytes + size > self.max_bytes {
                    return Err(self.too_long().await);
                }
            }
            bytes += size;
            lines += usize::from(argument.ends_line);
            gathered.push(argument.text);
            let full = self.max_args.is_some_and(|max| gathered.len() >= max)
                || self.max_lines.is_some_and(|max| lines >= max);
            if full {
                self.flush(&mut gathered, keep_stdin).await?;
                (bytes, lines, ran) = (own, 0, true);
            }
        }
        if !gathered.is_empty() || !ran && even_if_empty && self.replace.is_none() {
            let mut words = self.command.clone();
            words.append(&mut gathered);
            self.start(words, keep_stdin).await?;
        }
        Ok(())
    }

    async fn flush(&mut self, gathered: &mut Vec<Vec<u8>>, keep_stdin: bool) -> Result<(), Exit> {
        if gathered.is_empty() {
            return Ok(());
        }
        let mut words = self.command.clone();
        words.append(gathered);
        self.start(words, keep_stdin).await
    }

    async fn too_long(&self) -> Exit {
        self.tool.fail(1, "argument line too long").await
    }

    async fn trouble(&self, trouble: Trouble) -> Exit {
        let quotes = "by default quotes are special to xargs unless you use the -0 option";
        match trouble {
            Trouble::Read(errno) => self.tool.fail_errno(1, "read error", errno).await,
            Trouble::SingleQuote => self.tool.fail(1, format!("unmatched single quote; {quotes}")).await,
            Trouble::DoubleQuote => self.tool.fail(1, format!("unmatched double quote; {quotes}")).await,
            Trouble::TooLong => self.too_long().await,
        }
    }

    async fn start(&mut self, words: Vec<Vec<u8>>, keep_stdin: bool) -> Result<(), Exit> {
        if self.verbose {
            let shown: Vec<String> = words.iter().map(crate::shared::quote::shell_escaped).collect();
            let line = shown.join(" ");
            if self.ask {
                self.tool.stderr(format!("{line}?...")).await;
                if !self.agreed().await {
                    return Ok(());
                }
            } else {
                self.tool.stderr(format!("{line}\n")).await;
            }
        }
        while self.running.len() >= self.parallel {
            self.wait_one().await?;
        }
        let env = self.tool.env.clone();
        let name = self.tool.name().to_vec();
        let forked = self.tool.sys.fork(move |sys| {
            Box::pin(async move {
                // The command must not eat what xargs reads.
                if !keep_stdin && let Ok(null) = sys.open("/dev/null", O_RDONLY, 0).await {
                    let _moved = sys.dup2(null, STDIN).await;
                    if null != STDIN {
                        let _closed = sys.close(null).await;
                    }
                }
                let shown = crate::shared::quotef(words.first().map_or(&[][..], Vec::as_slice));
                let errno = exec_path(&sys, words, env).await;
                let text = format!("{}: {shown}: {}\n", String::from_utf8_lossy(&name), text_of(errno));
                let _lost = sys.write_all(STDERR, text.as_bytes()).await;
                cannot_run(errno)
            })
        });
        match forked.await {
            Ok(child) => self.running.push(child),
            Err(errno) => return Err(self.tool.fail_errno(1, "cannot fork", errno).await),
        }
        if self.parallel == 1 {
            self.wait_one().await?;
        }
        Ok(())
    }

    async fn agreed(&self) -> bool {
        let Ok(terminal) = self.tool.sys.open("/dev/tty", O_RDWR | O_CLOEXEC, 0).await else { return false };
        let answer = LineReader::new(self.tool.sys.clone(), terminal).line().await.ok().flatten().unwrap_or_default();
        let _closed = self.tool.sys.close(terminal).await;
        matches!(answer.first(), Some(b'y' | b'Y'))
    }

    async fn wait_all(&mut self) -> Result<(), Exit> {
        let mut ended = Ok(());
        while !self.running.is_empty() {
            // The first trouble decides, but nobody is left behind.
            ended = ended.and(self.wait_one().await);
        }
        ended
    }

    async fn wait_one(&mut self) -> Result<(), Exit> {
        let waited = self.tool.sys.wait(WaitFor::Any, WaitOptions::default()).await;
        let (pid, status) = match waited {
            Ok(Some(ended)) => ended,
            Ok(None) | Err(Errno::EINTR) => return Ok(()),
            Err(errno) => {
                self.running.clear();
                return Err(self.tool.fail_errno(1, "error waiting for child process", errno).await);
            }
        };
        self.running.retain(|running| *running != pid);
        let command = crate::shared::quotef(self.command.first().map_or(&[][..], Vec::as_slice));
        match status {
            WaitStatus::Exited(0) => Ok(()),
            WaitStatus::Exited(code @ (126 | 127)) => Err(Exit(code)),
            WaitStatus::Exited(255) => {
                Err(self.tool.fail(STOPPED, format!("{command}: exited with status 255; aborting")).await)
            }
            WaitStatus::Exited(_) => {
                self.code = SOME_FAILED;
                Ok(())
            }
            WaitStatus::Signalled(signal, _) => {
                Err(self.tool.fail(KILLED, format!("{command}: terminated by signal {}", signal.0)).await)
            }
            WaitStatus::Stopped(_) | WaitStatus::Continued => Ok(()),
        }
    }
}

/// A word of the command with the argument in the place of each marker.
fn replaced(word: &[u8], marker: &[u8], argument: &[u8]) -> Vec<u8> {
    if marker.is_empty() {
        return word.to_vec();
    }
    let mut text = Vec::new();
    let mut rest = word;
    while let Some(at) = rest.windows(marker.len()).position(|window| window == marker) {
        text.extend_from_slice(&rest[..at]);
        text.extend_from_slice(argument);
        rest = &rest[at + marker.len()..];
    }
    text.extend_from_slice(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::replaced;

    #[test]
    fn markers_are_replaced_wherever_they_stand() {
        assert_eq!(replaced(b"a@b@", b"@", b"x y"), b"ax ybx y");
        assert_eq!(replaced(b"a", b"", b"x"), b"a");
    }
}
