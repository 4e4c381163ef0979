//! `ulimit`: the limits of the simulated guest, which cannot be changed.

use provium_kernel::limits::{MAX_FDS, MAX_THREADS};

use super::Call;
use crate::shell::flow::Eval;
use crate::shell::state::Shell;

/// The limits: letter, description, value (none: unlimited), and bytes of a unit.
const LIMITS: [(u8, &str, Option<usize>); 12] = [
    (b't', "time(seconds)", None),
    (b'f', "file(blocks)", None),
    (b'd', "data(kbytes)", None),
    (b's', "stack(kbytes)", Some(8192)),
    (b'c', "coredump(blocks)", Some(0)),
    (b'm', "memory(kbytes)", None),
    (b'l', "locked memory(kbytes)", Some(8192)),
    (b'p', "process", Some(MAX_THREADS)),
    (b'n', "nofiles", Some(MAX_FDS)),
    (b'v', "vmemory(kbytes)", None),
    (b'w', "locks", None),
    (b'r', "rtprio", Some(0)),
];

fn shown(value: Option<usize>) -> String {
    value.map_or_else(|| "unlimited".to_owned(), |value| value.to_string())
}

pub(super) async fn ulimit(shell: &mut Shell, call: &mut Call) -> Eval {
    let (options, operands) = shell.call_options(call, "HSatfdscmlpnvwr").await?;
    if options.iter().any(|(letter, _)| *letter == b'a') {
        for (_, name, value) in LIMITS {
            call.out.extend_from_slice(format!("{name:<20} {}\n", shown(value)).as_bytes());
        }
        return Ok(0);
    }
    let letter = options.iter().rev().map(|(letter, _)| *letter).find(|letter| !b"HS".contains(letter)).unwrap_or(b'f');
    let value = LIMITS.iter().find(|(known, ..)| *known == letter).and_then(|(.., value)| *value);
    let Some(wanted) = operands.first() else {
        call.out.extend_from_slice(format!("{}\n", shown(value)).as_bytes());
        return Ok(0);
    };
    if operands.len() > 1 {
        return Err(shell.error("too many arguments").await);
    }
    let wanted = match wanted.as_slice() {
        b"unlimited" => None,
        digits => match std::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<usize>().ok()) {
            Some(number) => Some(number),
            None => return Err(shell.error("bad number").await),
        },
    };
    // No core is ever dumped, so that any limit on it is kept.
    if wanted == value || letter == b'c' {
        return Ok(0);
    }
    Err(shell.error("error setting limit (limits of the simulated guest cannot be changed)").await)
}
