//! kill(1) of procps.

use provium_kernel::Signal;

use crate::shared::tool::text_of;
use crate::shared::{Outcome, Tool};

pub(super) async fn run(mut tool: Tool) -> Outcome {
    tool.use_short_name();
    let mut args = tool.args.clone();
    let mut signal = Some(Signal::SIGTERM);
    match args.first().map(Vec::as_slice) {
        None => {
            tool.stderr("\nUsage:\n kill [options] <pid> [...]\n").await;
            return Ok(1);
        }
        Some(b"-l" | b"--list" | b"-L" | b"--table") => return list(&tool, args.get(1)).await,
        Some(b"-s" | b"-n" | b"--signal") => {
            let Some(name) = args.get(1).cloned() else {
                return Err(tool.fail(1, "option requires an argument -- 's'").await);
            };
            signal = read(&tool, &name).await?;
            args.drain(..2);
        }
        Some(b"--") => {}
        Some(first) if first.len() > 1 && first[0] == b'-' => {
            let name = first[1..].to_vec();
            signal = read(&tool, &name).await?;
            args.remove(0);
        }
        Some(_) => {}
    }
    if args.first().is_some_and(|first| first == b"--") {
        args.remove(0);
    }
    if args.is_empty() {
        tool.stderr("\nUsage:\n kill [options] <pid> [...]\n").await;
        return Ok(1);
    }
    let mut code = 0;
    for arg in &args {
        let text = String::from_utf8_lossy(arg).into_owned();
        let Ok(pid) = text.parse::<i32>() else {
            tool.error(format!("failed to parse argument: '{text}'")).await;
            code = 1;
            continue;
        };
        if let Err(errno) = tool.sys.kill(pid, signal).await {
            tool.error(format!("({pid}): {}", text_of(errno))).await;
            code = 1;
        }
    }
    Ok(code)
}

/// A signal by name or number; 0 only asks.
pub(super) async fn read(tool: &Tool, name: &[u8]) -> Result<Option<Signal>, crate::shared::Exit> {
    let text = String::from_utf8_lossy(name).into_owned();
    if text == "0" || text.eq_ignore_ascii_case("EXIT") {
        return Ok(None);
    }
    match Signal::parse(&text) {
        Some(signal) => Ok(Some(signal)),
        None => Err(tool.fail(1, format!("unknown signal name {text}")).await),
    }
}

async fn list(tool: &Tool, which: Option<&Vec<u8>>) -> Outcome {
    let bare = |signal: Signal| signal.name().trim_start_matches("SIG").to_owned();
    let text = match which {
        None => {
            let names: Vec<String> = Signal::ALL.iter().map(|(signal, _)| bare(*signal)).collect();
            names.join(" ")
        }
        Some(which) => {
            let text = String::from_utf8_lossy(which).into_owned();
            match text.parse::<i64>() {
                // An exit code above 128 stands for the signal that caused it.
                Ok(number) => match Signal::from_number(if number > 128 { number - 128 } else { number }) {
                    Some(signal) => bare(signal),
                    None => return Err(tool.fail(1, format!("unknown signal name {text}")).await),
                },
                Err(_) => match Signal::parse(&text) {
                    Some(signal) => signal.0.to_string(),
                    None => return Err(tool.fail(1, format!("unknown signal name {text}")).await),
                },
            }
        }
    };
    tool.out.write(format!("{text}\n")).await?;
    Ok(0)
}
