//! `read`.

use provium_kernel::Errno;
use provium_kernel::flags::SEEK_CUR;

use super::Call;
use crate::shell::flow::{Eval, Flow};
use crate::shell::source::MAX_SCRIPT;
use crate::shell::state::Shell;
use crate::shell::syntax::ast::is_name;

/// Bytes asked for in one read of what can be put back.
const CHUNK: usize = 4 << 10;

/// A character of a line, and whether a backslash stood before it.
type Character = (u8, bool);

pub(super) async fn read(shell: &mut Shell, call: &mut Call) -> Eval {
    let (options, names) = shell.call_options(call, "p:r").await?;
    let is_raw = options.iter().any(|(letter, _)| *letter == b'r');
    let prompt = options.into_iter().rev().find(|(letter, _)| *letter == b'p').and_then(|(_, prompt)| prompt);
    if let Some(prompt) = prompt
        && shell.sys.isatty(0).await
    {
        shell.write_error(&prompt).await;
    }
    if names.is_empty() {
        return Err(shell.error("arg count").await);
    }
    if let Some(name) = names.iter().find(|name| !is_name(name)) {
        return Err(shell.error(super::variables::bad_name(name)).await);
    }
    let (line, complete) = read_line(shell, is_raw).await?;
    let separators = match shell.variables.get(b"IFS") {
        Some(separators) => separators.to_vec(),
        None => b" \t\n".to_vec(),
    };
    let values = split(&line, names.len(), &separators);
    let mut values = values.into_iter();
    for name in names {
        shell.assign(&name, &values.next().unwrap_or_default(), false).await?;
    }
    Ok(i32::from(!complete))
}

/// Reads up to the end of a line, and not a byte more, so that others find what follows.
async fn read_line(shell: &mut Shell, is_raw: bool) -> Result<(Vec<Character>, bool), Flow> {
    let seekable = shell.sys.lseek(0, 0, SEEK_CUR).await.is_ok();
    let mut line = Vec::new();
    let mut escaped = false;
    loop {
        let part = match shell.sys.read(0, if seekable { CHUNK } else { 1 }).await {
            Ok(part) => part,
            Err(Errno::EINTR) => {
                shell.note_signals();
                if shell.traps.first_pending().is_some() {
                    return Ok((line, false));
                }
                continue;
            }
            Err(_) => Vec::new(),
        };
        if part.is_empty() {
            return Ok((line, false));
        }
        for (index, &byte) in part.iter().enumerate() {
            match (byte, std::mem::take(&mut escaped)) {
                (b'\n', true) => {}
                (b'\n', false) => {
                    let surplus = i64::try_from(part.len() - index - 1).unwrap_or_default();
                    if surplus > 0 {
                        let _it_was_seekable = shell.sys.lseek(0, -surplus, SEEK_CUR).await;
                    }
                    return Ok((line, true));
                }
                (b'\\', false) if !is_raw => escaped = true,
                // No variable can hold it.
                (0, _) => {}
                (byte, was_escaped) => line.push((byte, was_escaped)),
            }
        }
        if line.len() > MAX_SCRIPT {
            return Err(shell.error(format!("line of more than {MAX_SCRIPT} bytes")).await);
        }
    }
}

/// Splits a line into at most `most` values, the last of which is all that is left.
fn split(line: &[Character], most: usize, separators: &[u8]) -> Vec<Vec<u8>> {
    let separates = |character: &Character| !character.1 && separators.contains(&character.0);
    let is_blank = |character: &Character| separates(character) && matches!(character.0, b' ' | b'\t' | b'\n');
    let skip_blanks = |text: &mut &[Character]| {
        while let Some(rest) = text.split_first().filter(|(first, _)| is_blank(first)).map(|(_, rest)| rest) {
            *text = rest;
        }
    };
    let bytes = |text: &[Character]| text.iter().map(|character| character.0).collect::<Vec<u8>>();
    let mut rest = line;
    let mut values = Vec::new();
    skip_blanks(&mut rest);
    while values.len() + 1 < most && !rest.is_empty() {
        let end = rest.iter().position(separates).unwrap_or(rest.len());
        values.push(bytes(&rest[..end]));
        rest = &rest[end..];
        skip_blanks(&mut rest);
        if rest.first().is_some_and(separates) {
            rest = &rest[1..];
            skip_blanks(&mut rest);
        }
    }
    while let Some(shorter) = rest.split_last().filter(|(last, _)| is_blank(last)).map(|(_, shorter)| shorter) {
        rest = shorter;
    }
    // One separator at the end of the last value, and none in it, only ends it.
    if let Some((last, value)) = rest.split_last()
        && separates(last)
        && !value.iter().any(|character| separates(character) && !is_blank(character))
    {
        let trimmed = value.iter().rposition(|character| !is_blank(character)).map_or(0, |end| end + 1);
        if !value[..trimmed].iter().any(separates) {
            rest = &value[..trimmed];
        }
    }
    values.push(bytes(rest));
    values
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn lines_are_split_as_in_dash() {
        for (line, most, separators, expected) in [
            ("1:2:", 2, ":", vec!["1", "2"]),
            ("1:2:3:", 2, ":", vec!["1", "2:3:"]),
            ("1:2::", 2, ":", vec!["1", "2::"]),
            (":", 2, ":", vec!["", ""]),
            (" a  b ", 1, " ", vec!["a  b"]),
            (" a  b ", 1, "", vec![" a  b "]),
            ("a : b", 3, " :", vec!["a", "b"]),
            ("x y", 3, " ", vec!["x", "y", ""]),
            ("a b  c d  e", 3, " ", vec!["a", "b", "c d  e"]),
            ("1::2:3:", 3, ":", vec!["1", "", "2:3:"]),
        ] {
            let line: Vec<_> = line.bytes().map(|byte| (byte, false)).collect();
            let mut values: Vec<String> = split(&line, most, separators.as_bytes())
                .into_iter()
                .map(|value| String::from_utf8(value).unwrap())
                .collect();
            values.resize(expected.len(), String::new());
            assert_eq!(values, expected, "{line:?}");
        }
    }
}
