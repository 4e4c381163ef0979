//! The shell on a guest's console. The agent is the guest's first process, so nobody else starts one there, as a getty would.

use provium_protocol::exec::{ExecSpec, ExitStatus, RunReply};

/// Finds the line that the console is on and starts a shell there. The shell leads a session and opens that line by its own
/// name, so that Linux makes it the session's terminal: then Ctrl-C reaches what runs there. No terminal comes of
/// `/dev/console`. The status is kept in a command of its own: a shell that became `setsid` would lead a group already, and
/// `setsid` would not wait.
const START: &str = r#"tty=/dev/console
if [ -r /sys/class/tty/console/active ] && read -r active </sys/class/tty/console/active; then
    tty=/dev/${active##* }
fi
[ -c "$tty" ] || tty=/dev/console
if ! [ -c "$tty" ]; then
    echo "there is no $tty" >&2
    exit 127
fi
session=
if command -v setsid >/dev/null; then session=setsid; fi
$session sh -c '
    exec <"$0" >"$0" 2>&1
    [ -z "$LINES" ] || ! command -v stty >/dev/null || stty rows "$LINES" cols "$COLUMNS"
    unset LINES COLUMNS
    exec sh -i
' "$tty"
exit $?"#;

/// What is typed to end a shell: the end of the input.
pub(super) const END: &[u8] = b"\x04";

/// How the shell is started. `size` is the terminal's, rows and columns, if there is one.
pub(super) fn spec(host: &str, size: Option<(u16, u16)>) -> ExecSpec {
    let term = std::env::var("TERM").ok().filter(|_| size.is_some()).unwrap_or_else(|| "dumb".to_owned());
    let mut env = vec![("PS1", format!("{host}# ")), ("TERM", term)];
    if let Some((rows, columns)) = size {
        env.extend([("LINES", rows.to_string()), ("COLUMNS", columns.to_string())]);
    }
    env.sort();
    ExecSpec {
        env: env.into_iter().map(|(name, value)| (name.into(), value.into_bytes().into())).collect(),
        ..ExecSpec::shell(START)
    }
}

/// Why there was no shell, if there was none: all that the shell itself says is said on the console.
pub(super) fn why_not(ended: &RunReply) -> Option<String> {
    let why = String::from_utf8_lossy(&ended.stderr);
    let why = why.trim();
    (ended.status != ExitStatus::Exited(0) && !why.is_empty()).then(|| why.to_owned())
}
