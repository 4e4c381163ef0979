//! tac: lines in reverse order.

use provium_kernel::Errno;

use super::common::{close, open, or_stdin, read_all};
use crate::shared::{Opt, Outcome, Spec, Tool, quoteaf, quotef};

/// Bytes of one read, as in the real tool.
const BLOCK: usize = 8192;

const SPEC: Spec = Spec::new(
    "[OPTION]... [FILE]...",
    &[Opt::flag("b", "before"), Opt::unsupported("r", "regex"), Opt::value("s", "separator")],
);

pub(super) async fn run(tool: Tool) -> Outcome {
    let parsed = tool.parse(&SPEC).await?;
    let separator = match parsed.value("separator") {
        None => b"\n".to_vec(),
        Some([]) => vec![0],
        Some(separator) => separator.to_vec(),
    };
    let mut code = 0;
    for name in or_stdin(parsed.operands.clone()) {
        let fd = match open(&tool, &name).await {
            Ok(fd) => fd,
            Err(errno) => {
                tool.error_errno(format!("failed to open {} for reading", quoteaf(&name)), errno).await;
                code = 1;
                continue;
            }
        };
        let read = read_all(&tool, fd, BLOCK).await;
        close(&tool, fd).await;
        match read {
            Ok(text) => {
                for piece in pieces(&text, &separator, parsed.has("before")).iter().rev() {
                    tool.out.write(piece).await?;
                }
            }
            Err(errno) => {
                let shown = if name == b"-" { b"standard input".to_vec() } else { name };
                // The real tool seeks first, which a directory refuses in its own way.
                let errno = if errno == Errno::EISDIR { Errno::EINVAL } else { errno };
                tool.error_errno(format!("{}: read error", quotef(&shown)), errno).await;
                code = 1;
            }
        }
    }
    Ok(code)
}

/// Cuts at the separator, which stays at the end of its piece (or at the beginning of the next).
fn pieces<'a>(text: &'a [u8], separator: &[u8], before: bool) -> Vec<&'a [u8]> {
    let mut cuts = vec![0];
    let mut at = 0;
    while let Some(found) = find(&text[at..], separator) {
        let start = at + found;
        at = start + separator.len();
        let cut = if before { start } else { at };
        if cut > 0 && cut < text.len() {
            cuts.push(cut);
        }
    }
    cuts.push(text.len());
    cuts.windows(2)
        .filter_map(|ends| match ends {
            [low, high] if low < high => Some(&text[*low..*high]),
            _ => None,
        })
        .collect()
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    if let [byte] = wanted {
        return text.iter().position(|other| other == byte);
    }
    text.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::pieces;

    fn tac(text: &[u8]) -> Vec<u8> {
        pieces(text, b"\n", false).into_iter().rev().flatten().copied().collect()
    }

    #[test]
    fn separators_stay_with_their_line() {
        assert_eq!(tac(b"a\nb\nc"), b"cb\na\n");
        assert_eq!(pieces(b"xaxbx", b"x", true), [&b"xa"[..], b"xb", b"x"]);
        assert_eq!(pieces(b"a--b--", b"--", false), [&b"a--"[..], b"b--"]);
    }

    proptest! {
        #[test]
        fn twice_reversed_is_the_same(lines in prop::collection::vec("[ab]{0,3}", 0..20)) {
            let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
            prop_assert_eq!(tac(&tac(text.as_bytes())), text.into_bytes());
        }
    }
}
