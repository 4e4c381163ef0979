//! tee(1): what it reads goes to standard output and then to each file.

use provium_kernel::flags::{O_APPEND, O_CREAT, O_TRUNC, O_WRONLY};
use provium_kernel::{Errno, Fd, SigAction, Signal};

use crate::shared::tool::{STDIN, STDOUT};
use crate::shared::{Opt, Outcome, Spec, Tool, quote, quotef};

const SPEC: Spec = Spec::new(
    "[OPTION]... [FILE]...",
    &[
        Opt::flag("a", "append"),
        Opt::flag("i", "ignore-interrupts"),
        Opt::flag("p", ""),
        Opt::optional("", "output-error"),
    ],
);

/// Bytes that tee asks for in one read: `BUFSIZ`.
const BLOCK: usize = 8192;

/// What happens when an output fails.
#[derive(Clone, Copy, PartialEq, Eq)]
struct OnError {
    /// A pipe nobody reads counts as failure, and no signal kills.
    pipes_too: bool,
    exit: bool,
}

struct Output {
    name: Vec<u8>,
    fd: Fd,
}

pub(super) async fn run(tool: Tool) -> Outcome {
    let parsed = tool.parse(&SPEC).await?;
    let mut mode = None;
    for (option, value) in &parsed.options {
        match (*option, value.as_deref()) {
            ("p", _) | ("output-error", None | Some(b"warn-nopipe")) => mode = Some((false, false)),
            ("output-error", Some(b"warn")) => mode = Some((true, false)),
            ("output-error", Some(b"exit")) => mode = Some((true, true)),
            ("output-error", Some(b"exit-nopipe")) => mode = Some((false, true)),
            ("output-error", Some(other)) => {
                let text = format!("invalid argument {} for '--output-error'", quote(other));
                tool.error(text).await;
                tool.stderr("Valid arguments are:\n  - 'warn'\n  - 'warn-nopipe'\n  - 'exit'\n  - 'exit-nopipe'\n")
                    .await;
                return Err(tool.usage_hint(1).await);
            }
            _ => {}
        }
    }
    if parsed.has("ignore-interrupts") {
        let _set = tool.sys.sigaction(Signal::SIGINT, SigAction::Ignore).await;
    }
    if mode.is_some() {
        let _set = tool.sys.sigaction(Signal::SIGPIPE, SigAction::Ignore).await;
    }
    let on_error =
        mode.map_or(OnError { pipes_too: false, exit: false }, |(pipes_too, exit)| OnError { pipes_too, exit });

    let mut code = 0;
    let mut outputs = vec![Output { name: b"standard output".to_vec(), fd: STDOUT }];
    let flags = O_WRONLY | O_CREAT | if parsed.has("append") { O_APPEND } else { O_TRUNC };
    for file in parsed.operands {
        match tool.sys.open(&file, flags, 0o666).await {
            Ok(fd) => outputs.push(Output { name: file, fd }),
            Err(errno) => {
                code = 1;
                tool.error_errno(quotef(&file), errno).await;
                if on_error.exit {
                    return Ok(code);
                }
            }
        }
    }
    while !outputs.is_empty() {
        let data = match tool.sys.read(STDIN, BLOCK).await {
            Ok(data) => data,
            Err(errno) => return Err(tool.fail_errno(1, "read error", errno).await),
        };
        if data.is_empty() {
            break;
        }
        let mut index = 0;
        while let Some(output) = outputs.get(index) {
            match tool.sys.write_all(output.fd, &data).await {
                Ok(()) => index += 1,
                Err(errno) => {
                    if errno != Errno::EPIPE || on_error.pipes_too {
                        tool.error_errno(quotef(&output.name), errno).await;
                        code = 1;
                        if on_error.exit {
                            return Ok(code);
                        }
                    }
                    outputs.remove(index);
                }
            }
        }
    }
    for output in outputs.iter().filter(|output| output.fd != STDOUT) {
        if let Err(errno) = tool.sys.close(output.fd).await {
            tool.error_errno(quotef(&output.name), errno).await;
            code = 1;
        }
    }
    Ok(code)
}
