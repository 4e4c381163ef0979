//! A program that does what its arguments say, one after another:
//!
//! `out:TEXT` and `err:TEXT` write a line, `fill:N` writes N bytes, `yes` writes for ever, `cat` copies its
//! input, `sleep:MS`, `exit:CODE`, `kill:SIGNAL` to itself, `ignore:SIGNAL`, `trap:SIGNAL:CODE` exits
//! when the signal comes, `setsid`, `[ … ]` in a child of its own, `wait` for a child, `env:NAME`, `pwd`,
//! `hostname`, `open:PATH`, `add:PATH:TEXT` appends a line, `lock:PATH`, `spin`.

use provium_kernel::flags::{LOCK_EX, O_APPEND, O_CREAT, O_RDONLY, O_RDWR, O_WRONLY};
use provium_kernel::{Errno, Invocation, ProgramFuture, SigAction, Signal, Sys, WaitFor, WaitOptions};

pub fn program(sys: Sys, invocation: Invocation) -> ProgramFuture {
    Box::pin(async move {
        let Invocation { argv, env } = invocation;
        let actions = argv.iter().skip(1).map(|word| String::from_utf8_lossy(word).into_owned()).collect();
        act(sys, actions, env).await
    })
}

fn act(sys: Sys, actions: Vec<String>, env: Vec<Vec<u8>>) -> ProgramFuture {
    Box::pin(async move {
        let mut traps: Vec<(Signal, i32)> = Vec::new();
        let mut at = 0;
        while at < actions.len() {
            let (verb, rest) = actions[at].split_once(':').unwrap_or((&actions[at], ""));
            at += 1;
            let done = match verb {
                "[" => {
                    let end = closing(&actions, at);
                    let (inner, env) = (actions[at..end].to_vec(), env.clone());
                    at = end + 1;
                    sys.fork(|child| act(child, inner, env)).await.map(drop)
                }
                "exit" => return rest.parse().unwrap_or(99),
                "trap" => {
                    let (name, code) = rest.split_once(':').unwrap_or((rest, "0"));
                    let signal = Signal::parse(name).unwrap_or(Signal::SIGTERM);
                    traps.push((signal, code.parse().unwrap_or(0)));
                    sys.sigaction(signal, SigAction::Catch).await.map(drop)
                }
                _ => simple(&sys, verb, rest, &env).await,
            };
            for caught in sys.take_caught() {
                if let Some((_, code)) = traps.iter().find(|(signal, _)| *signal == caught) {
                    return *code;
                }
            }
            if let Err(errno) = done {
                let _ = sys.write_all(2, format!("{verb}: {errno}\n").as_bytes()).await;
                return 1;
            }
        }
        0
    })
}

fn closing(actions: &[String], from: usize) -> usize {
    let mut depth = 1;
    for (at, action) in actions.iter().enumerate().skip(from) {
        depth += match action.as_str() {
            "[" => 1,
            "]" => -1,
            _ => 0,
        };
        if depth == 0 {
            return at;
        }
    }
    actions.len()
}

async fn simple(sys: &Sys, verb: &str, rest: &str, env: &[Vec<u8>]) -> Result<(), Errno> {
    let number = || rest.parse::<u64>().unwrap_or(0);
    match verb {
        "out" => sys.write_all(1, format!("{rest}\n").as_bytes()).await,
        "err" => sys.write_all(2, format!("{rest}\n").as_bytes()).await,
        "fill" => sys.write_all(1, &vec![b'x'; number() as usize]).await,
        "yes" => loop {
            sys.write_all(1, b"y\n").await?;
        },
        "cat" => loop {
            let data = sys.read(0, 4096).await?;
            if data.is_empty() {
                return Ok(());
            }
            sys.write_all(1, &data).await?;
        },
        "sleep" => sys.nanosleep(number() * 1_000_000).await,
        "spin" => loop {
            sys.step().await;
        },
        "kill" => sys.kill(sys.pid(), Signal::parse(rest)).await,
        "ignore" => sys.sigaction(Signal::parse(rest).ok_or(Errno::EINVAL)?, SigAction::Ignore).await.map(drop),
        "setsid" => sys.setsid().await.map(drop),
        "wait" => sys.wait(WaitFor::Any, WaitOptions::default()).await.map(drop),
        "env" => {
            let wanted = format!("{rest}=");
            let found = env.iter().find_map(|entry| entry.strip_prefix(wanted.as_bytes())).unwrap_or(b"unset");
            sys.write_all(1, &[found, b"\n"].concat()).await
        }
        "hostname" => sys.write_all(1, format!("{}\n", sys.uname().await.nodename).as_bytes()).await,
        "pwd" => sys.write_all(1, &[&sys.getcwd().await?[..], b"\n"].concat()).await,
        "open" => sys.open(rest, O_RDONLY, 0).await.map(drop),
        "add" => {
            let (path, text) = rest.split_once(':').unwrap_or((rest, ""));
            let fd = sys.open(path, O_WRONLY | O_CREAT | O_APPEND, 0o644).await?;
            sys.write_all(fd, format!("{text}\n").as_bytes()).await?;
            sys.close(fd).await
        }
        "lock" => {
            let fd = sys.open(rest, O_RDWR | O_CREAT, 0o644).await?;
            sys.flock(fd, LOCK_EX).await
        }
        _ => Err(Errno::ENOSYS),
    }
}
