//! `eval`, `.`, `exec` and `times`.

use provium_kernel::flags::{S_IFMT, S_IFREG};

use super::Call;
use crate::shell::exec::Mode;
use crate::shell::flow::{Eval, Flow};
use crate::shell::state::Shell;

/// Clock ticks of a second in `/proc/PID/stat`.
const TICKS: u64 = 100;

pub(super) async fn eval(shell: &mut Shell, call: &mut Call) -> Eval {
    let text = call.argv.get(1..).unwrap_or_default().join(&b' ');
    shell.enter_depth().await?;
    let mode = Mode { last: false, tested: call.mode.tested };
    let ended = shell.run_text_apart(text.into(), mode).await;
    shell.depth -= 1;
    ended
}

pub(super) async fn dot(shell: &mut Shell, call: &mut Call) -> Eval {
    let (_, operands) = shell.call_options(call, "").await?;
    let Some(name) = operands.into_iter().next() else { return Ok(0) };
    let file = if name.contains(&b'/') { Some(name.clone()) } else { find_script(shell, &name).await };
    let Some(file) = file else {
        return Err(shell.error([&name[..], b": not found"].concat()).await);
    };
    let fd = match shell.open_script(&file).await {
        Ok(fd) => fd,
        Err(errno) => {
            let reason = crate::shell::exec::open_failure(errno);
            return Err(shell.error([b"cannot open ", &file[..], b": ", reason.as_bytes()].concat()).await);
        }
    };
    shell.enter_depth().await?;
    let outer = shell.command.replace(file.into());
    let ended = shell.apart(async move |shell: &mut Shell| shell.run_file(fd).await).await;
    shell.command = outer;
    shell.depth -= 1;
    match ended {
        Err(Flow::Return(status)) => Ok(status),
        ended => ended,
    }
}

/// A file along `PATH`, executable or not.
async fn find_script(shell: &mut Shell, name: &[u8]) -> Option<Vec<u8>> {
    let path = shell.variables.get(b"PATH").map(|path| path.to_vec()).unwrap_or_default();
    for directory in path.split(|&byte| byte == b':') {
        let file = if directory.is_empty() { name.to_vec() } else { [directory, b"/", name].concat() };
        if shell.sys.stat(&file).await.is_ok_and(|stat| stat.mode & S_IFMT == S_IFREG) {
            return Some(file);
        }
    }
    None
}

pub(super) async fn exec(shell: &mut Shell, call: &mut Call) -> Eval {
    let mut words = std::mem::take(&mut call.argv);
    words.remove(0);
    if words.first().is_some_and(|word| word == b"--") {
        words.remove(0);
    }
    let Some(name) = words.first() else { return Ok(0) };
    let place = if name.contains(&b'/') { None } else { Some(0) };
    Err(shell.become_command(words, place, None).await)
}

pub(super) async fn times(shell: &mut Shell, call: &mut Call) -> Eval {
    let stat = shell.sys.read_file("/proc/self/stat").await.unwrap_or_default();
    // The fields after the name in parentheses: state is the first, the times are the 12th to the 15th.
    let after_name = stat.iter().rposition(|&byte| byte == b')').map_or(0, |end| end + 2);
    let fields = stat.get(after_name..).unwrap_or_default().split(|&byte| byte == b' ');
    let ticks: Vec<u64> = fields
        .skip(11)
        .take(4)
        .map(|field| std::str::from_utf8(field).ok().and_then(|field| field.parse().ok()).unwrap_or_default())
        .collect();
    for pair in [ticks.get(..2), ticks.get(2..4)] {
        let (user, system) = match pair {
            Some([user, system]) => (*user, *system),
            _ => (0, 0),
        };
        call.out.extend_from_slice(format!("{} {}\n", minutes(user), minutes(system)).as_bytes());
    }
    Ok(0)
}

fn minutes(ticks: u64) -> String {
    let (seconds, rest) = (ticks / TICKS, ticks % TICKS);
    format!("{}m{}.{:06}s", seconds / 60, seconds % 60, rest * (1_000_000 / TICKS))
}
