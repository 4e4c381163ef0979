//! kill(1) of procps.

use provium_kernel::{Pid, Signal};

use crate::shared::{Exit, Outcome, Tool, quote};

const USAGE: &str = "
Usage:
 kill [options] <pid> [...]

Options:
 <pid> [...]            send signal to every <pid> listed
 -<signal>, -s, --signal <signal>
                        specify the <signal> to be sent
 -q, --queue <value>    integer value to be sent with the signal
 -l, --list=[<signal>]  list all signal names, or convert one to a name
 -L, --table            list all signal names in a nice table

 -h, --help     display this help and exit
 -V, --version  output version information and exit

For more details see kill(1).
";

/// Columns of a screen.
const WIDTH: usize = 80;

/// What the command line asks for.
enum Asked {
    Send(Option<Signal>, Vec<Vec<u8>>),
    List,
    Table,
    Convert(Vec<u8>),
    Help,
}

pub(super) async fn run(tool: Tool) -> Outcome {
    match read(&tool).await? {
        Asked::Help => {
            tool.out.write(USAGE).await?;
            Ok(0)
        }
        Asked::List => {
            tool.out.write(list()).await?;
            Ok(0)
        }
        Asked::Table => {
            tool.out.write(table()).await?;
            Ok(0)
        }
        Asked::Convert(text) => convert(&tool, &text).await,
        Asked::Send(_, pids) if pids.is_empty() => Err(usage(&tool).await),
        Asked::Send(signal, pids) => send(&tool, signal, &pids).await,
    }
}

async fn usage(tool: &Tool) -> Exit {
    tool.stderr(USAGE).await;
    Exit(1)
}

async fn read(tool: &Tool) -> Result<Asked, Exit> {
    let mut signal = Some(Signal::SIGTERM);
    let mut pids = Vec::new();
    let mut args = tool.args.iter();
    let mut signal_given = false;
    while let Some(arg) = args.next() {
        match arg.as_slice() {
            b"--help" | b"-h" => return Ok(Asked::Help),
            b"-L" | b"--table" => return Ok(Asked::Table),
            b"-l" | b"--list" => {
                return Ok(args.next().map_or(Asked::List, |text| Asked::Convert(text.clone())));
            }
            b"-q" | b"--queue" => {
                return Err(tool.fail(1, "option '--queue' is not supported by the simulated guest").await);
            }
            b"-s" | b"--signal" => {
                let Some(text) = args.next() else {
                    tool.stderr([tool.name(), b": option requires an argument -- 's'\n"].concat()).await;
                    return Err(usage(tool).await);
                };
                signal = parse_signal(tool, text).await?;
                signal_given = true;
            }
            b"--" => {
                pids.extend(args.by_ref().cloned());
            }
            [b'-', text @ ..] if !text.is_empty() && !signal_given && pids.is_empty() => {
                if let Some(value) = arg.strip_prefix(b"--signal=") {
                    signal = parse_signal(tool, value).await?;
                } else if let Some(value) = arg.strip_prefix(b"-s") {
                    signal = parse_signal(tool, value).await?;
                } else {
                    match signal_of(text) {
                        Some(found) => signal = found,
                        None => {
                            let first = char::from(text[0]);
                            tool.error(format!("invalid argument {first}")).await;
                            return Err(usage(tool).await);
                        }
                    }
                }
                signal_given = true;
            }
            _ => pids.push(arg.clone()),
        }
    }
    Ok(Asked::Send(signal, pids))
}

/// A signal by name or number; 0 is none.
fn signal_of(text: &[u8]) -> Option<Option<Signal>> {
    if text == b"0" {
        return Some(None);
    }
    Signal::parse(std::str::from_utf8(text).ok()?).map(Some)
}

async fn parse_signal(tool: &Tool, text: &[u8]) -> Result<Option<Signal>, Exit> {
    match signal_of(text) {
        Some(signal) => Ok(signal),
        None => {
            tool.error(format!("unknown signal name {}", String::from_utf8_lossy(text))).await;
            Err(usage(tool).await)
        }
    }
}

async fn send(tool: &Tool, signal: Option<Signal>, pids: &[Vec<u8>]) -> Outcome {
    let mut code = 0;
    for text in pids {
        let Some(pid) = std::str::from_utf8(text).ok().and_then(|text| text.parse::<Pid>().ok()) else {
            tool.error(format!("failed to parse argument: {}", quote(text))).await;
            code = 1;
            continue;
        };
        if let Err(errno) = tool.sys.kill(pid, signal).await {
            tool.error_errno(format!("({pid})"), errno).await;
            code = 1;
        }
    }
    Ok(code)
}

fn short_names() -> Vec<(i32, String)> {
    let name = |(signal, name): &(Signal, &str)| {
        let short = if *signal == Signal::SIGIO { "POLL" } else { name.strip_prefix("SIG").unwrap_or(name) };
        (signal.0, short.to_owned())
    };
    Signal::ALL.iter().map(name).collect()
}

fn list() -> String {
    let mut text = String::new();
    let mut column = 0;
    for (_, name) in short_names() {
        if column > 0 {
            if column + name.len() + 1 > WIDTH - 2 {
                text.push('\n');
                column = 0;
            } else {
                text.push(' ');
                column += 1;
            }
        }
        text.push_str(&name);
        column += name.len();
    }
    text.push('\n');
    text
}

fn table() -> String {
    let mut text = String::new();
    for (number, name) in short_names() {
        text.push_str(&format!("{number:2} {name:<8}"));
        text.push_str(if number % 7 == 0 { "\n" } else { "" });
    }
    let lines: Vec<&str> =
        text.lines().enumerate().map(|(at, line)| if at < 4 { line.trim_end() } else { line }).collect();
    lines.join("\n") + "\n"
}

async fn convert(tool: &Tool, text: &[u8]) -> Outcome {
    let names = short_names();
    let word = String::from_utf8_lossy(text).into_owned();
    let shown = match word.parse::<i32>() {
        Ok(number) => names.iter().find(|(known, _)| *known == number).map(|(_, name)| name.clone()),
        Err(_) => Signal::parse(&word).map(|signal| signal.0.to_string()),
    };
    match shown {
        Some(shown) => {
            tool.out.write(shown + "\n").await?;
            Ok(0)
        }
        None => {
            tool.error(format!("unknown signal name {word}")).await;
            Err(usage(tool).await)
        }
    }
}
