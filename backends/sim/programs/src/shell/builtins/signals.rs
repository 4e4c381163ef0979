//! `trap`, `kill`, `wait`, and what there is of job control.

use provium_kernel::{Pid, Signal};

use super::Call;
use crate::shell::flow::{Eval, Flow};
use crate::shell::state::{ERROR, Shell};
use crate::shell::traps::EXIT;
use crate::shell::variables::quoted;

const USAGE: &str = "Usage: kill [-s sigspec | -signum | -sigspec] [pid | job]... or\nkill -l [exitstatus]";

/// The column at which `jobs` would show commands, were there any to show.
const JOB_COLUMN: usize = 33;

/// A signal's name as the shell writes it.
fn name_of(number: i32) -> String {
    match number {
        EXIT => "EXIT".to_owned(),
        number => Signal(number).name().trim_start_matches("SIG").to_owned(),
    }
}

/// A signal by number or by name without `SIG`; 0 is the end of the shell.
fn decode(text: &[u8], least: i32) -> Option<i32> {
    let text = std::str::from_utf8(text).ok()?;
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().filter(|number| (least..=Signal::MAX).contains(number));
    }
    if least == EXIT && text.eq_ignore_ascii_case("EXIT") {
        return Some(EXIT);
    }
    if text.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("SIG")) {
        return None;
    }
    Signal::parse(text).map(|signal| signal.0)
}

pub(super) async fn trap(shell: &mut Shell, call: &mut Call) -> Eval {
    let (_, operands) = shell.call_options(call, "").await?;
    if operands.is_empty() {
        for (signal, action) in shell.traps.iter() {
            call.out.extend_from_slice(b"trap -- ");
            call.out.extend(quoted(action));
            call.out.extend_from_slice(format!(" {}\n", name_of(signal)).as_bytes());
        }
        return Ok(0);
    }
    let (action, signals) = match operands.split_first() {
        Some((action, signals)) if !signals.is_empty() => (Some(action), signals),
        _ => (None, &operands[..]),
    };
    for signal in signals {
        let Some(number) = decode(signal, EXIT) else {
            shell.write_error(&[b"trap: ", &signal[..], b": bad trap\n"].concat()).await;
            return Ok(1);
        };
        let action = action.filter(|action| *action != b"-").map(|action| action.as_slice().into());
        shell.set_trap(number, action).await;
    }
    Ok(0)
}

pub(super) async fn kill(shell: &mut Shell, call: &mut Call) -> Eval {
    if call.argv.len() == 1 {
        return Err(shell.error(USAGE).await);
    }
    let mut signal = None;
    let mut lists = false;
    let named = call.argv.get(1).and_then(|arg| arg.strip_prefix(b"-")).and_then(|name| decode(name, 0));
    let operands = match named {
        Some(number) => {
            signal = Some(number);
            call.argv[2..].to_vec()
        }
        None => {
            let (options, operands) = shell.call_options(call, "ls:").await?;
            for (letter, argument) in options {
                match argument {
                    Some(name) if letter == b's' => match decode(&name, 0) {
                        Some(number) => signal = Some(number),
                        None => {
                            let message = [b"invalid signal number or name: ", &name[..]].concat();
                            return Err(shell.error(message).await);
                        }
                    },
                    _ => lists = true,
                }
            }
            operands
        }
    };
    if lists {
        return list_signals(shell, call, operands.first()).await;
    }
    if operands.is_empty() {
        return Err(shell.error(USAGE).await);
    }
    let signal = Signal::from_number(i64::from(signal.unwrap_or(Signal::SIGTERM.0)));
    let mut status = 0;
    for operand in operands {
        let pid = process_of(shell, &operand).await?;
        shell.made_call = true;
        if let Err(errno) = shell.sys.kill(pid, signal).await {
            shell.complain(format!("{}\n", errno.text())).await;
            status = 1;
        }
    }
    Ok(status)
}

async fn list_signals(shell: &mut Shell, call: &mut Call, wanted: Option<&Vec<u8>>) -> Eval {
    let Some(wanted) = wanted else {
        call.out.extend_from_slice(b"0\n");
        for number in 1..=Signal::MAX {
            call.out.extend_from_slice(format!("{}\n", name_of(number)).as_bytes());
        }
        return Ok(0);
    };
    let number = shell.call_number(wanted).await?;
    let number = if number > 128 { number - 128 } else { number };
    if !(1..=Signal::MAX).contains(&number) {
        let message = [b"invalid signal number or exit status: ", &wanted[..]].concat();
        return Err(shell.error(message).await);
    }
    call.out.extend_from_slice(format!("{}\n", name_of(number)).as_bytes());
    Ok(0)
}

/// What `kill` is to send to: a process, or a group for `-1` and the like and for a job.
async fn process_of(shell: &mut Shell, operand: &[u8]) -> Result<Pid, Flow> {
    if operand.first() == Some(&b'%') {
        let number = job_of(shell, operand).await?;
        let first = shell.jobs.get(number).and_then(|job| job.processes.first()).map(|(pid, _)| *pid);
        return Ok(first.map_or(Pid::MAX, |pid| -pid));
    }
    match operand.strip_prefix(b"-") {
        Some(group) => Ok(-shell.call_number(group).await?),
        None => shell.call_number(operand).await,
    }
}

/// The number of a job: `%1`, `%+`, `%-`, `%%`.
async fn job_of(shell: &mut Shell, operand: &[u8]) -> Result<usize, Flow> {
    let wanted = operand.strip_prefix(b"%").unwrap_or(operand);
    let (job, complaint) = match wanted {
        b"" | b"+" | b"%" => (shell.jobs.youngest(0), b"No current job".to_vec()),
        b"-" => (shell.jobs.youngest(1), b"No previous job".to_vec()),
        digits => {
            let number = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
            let number = number.filter(|number| shell.jobs.get(*number).is_some());
            (number, [b"No such job: ", operand].concat())
        }
    };
    match job {
        Some(number) => Ok(number),
        None => Err(shell.error(complaint).await),
    }
}

pub(super) async fn wait(shell: &mut Shell, call: &mut Call) -> Eval {
    let (_, operands) = shell.call_options(call, "").await?;
    shell.made_call = true;
    if operands.is_empty() {
        return Ok(match shell.wait_for_all_jobs().await {
            Ok(()) => 0,
            Err(signal) => 128 + signal,
        });
    }
    let mut status = 0;
    for operand in operands {
        let job = if operand.first() == Some(&b'%') {
            Some(job_of(shell, &operand).await?)
        } else {
            let pid = shell.call_number(&operand).await?;
            let is_last = |number: &usize| {
                shell.jobs.get(*number).and_then(|job| job.processes.last()).is_some_and(|(last, _)| *last == pid)
            };
            shell.jobs.number_of(pid).filter(is_last)
        };
        let Some(job) = job else {
            status = 127;
            continue;
        };
        match shell.wait_for_job(job).await {
            Ok(()) => status = shell.jobs.get(job).and_then(|job| job.status()).unwrap_or(127),
            Err(signal) => return Ok(128 + signal),
        }
    }
    Ok(status)
}

pub(super) async fn jobs(shell: &mut Shell, call: &mut Call) -> Eval {
    let (options, operands) = shell.call_options(call, "lp").await?;
    let letter = options.last().map(|(letter, _)| *letter);
    shell.poll_jobs().await;
    let mut numbers = Vec::new();
    for operand in &operands {
        numbers.push(job_of(shell, operand).await?);
    }
    if operands.is_empty() {
        numbers = shell.jobs.iter().map(|(number, _)| number).collect();
        numbers.reverse();
    }
    for number in numbers {
        let (current, previous) = (shell.jobs.youngest(0), shell.jobs.youngest(1));
        let Some(job) = shell.jobs.get(number) else { continue };
        let Some((first, _)) = job.processes.first() else { continue };
        if letter == Some(b'p') {
            call.out.extend_from_slice(format!("{first}\n").as_bytes());
            continue;
        }
        let mark = match Some(number) {
            number if number == current => '+',
            number if number == previous => '-',
            _ => ' ',
        };
        let state = match job.status().filter(|_| job.is_done()) {
            None => "Running".to_owned(),
            Some(0) => "Done".to_owned(),
            Some(code @ 129..) => Signal(code - 128).text(),
            Some(code) => format!("Done({code})"),
        };
        let pid = if letter == Some(b'l') { format!("{first} ") } else { String::new() };
        let line = format!("[{number}] {mark} {pid}{state}");
        call.out.extend_from_slice(format!("{line:<JOB_COLUMN$}\n").as_bytes());
        shell.jobs.forget_if_done(number);
    }
    Ok(0)
}

async fn without_control(shell: &mut Shell, call: &Call) -> Eval {
    let (_, operands) = shell.call_options(call, "").await?;
    let operand = operands.first().map_or(&b"%+"[..], Vec::as_slice);
    job_of(shell, operand).await?;
    shell.complain("job (null) not created under job control").await;
    Err(Flow::Error(ERROR))
}

pub(super) async fn foreground(shell: &mut Shell, call: &mut Call) -> Eval {
    without_control(shell, call).await
}

pub(super) async fn background(shell: &mut Shell, call: &mut Call) -> Eval {
    without_control(shell, call).await
}
