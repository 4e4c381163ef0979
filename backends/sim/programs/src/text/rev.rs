//! rev: the bytes of each line in reverse order.

use super::common::{close, lines, open, or_stdin};
use crate::shared::tool::text_of;
use crate::shared::{Opt, Outcome, Spec, Tool};

const SPEC: Spec = Spec::new("[options] [file ...]", &[Opt::flag("0", "zero")]);

pub(super) async fn run(mut tool: Tool) -> Outcome {
    tool.use_short_name();
    let parsed = tool.parse(&SPEC).await?;
    let end = if parsed.has("zero") { 0 } else { b'\n' };
    let mut code = 0;
    for name in or_stdin(parsed.operands) {
        let shown = String::from_utf8_lossy(&name).into_owned();
        let fd = match open(&tool, &name).await {
            Ok(fd) => fd,
            Err(errno) => {
                tool.error_errno(format!("cannot open {shown}"), errno).await;
                code = 1;
                continue;
            }
        };
        let mut reader = lines(&tool, fd);
        let mut number = 0_u64;
        loop {
            match reader.until(end).await {
                Ok(Some(line)) => tool.out.write(reversed(&line, end)).await?,
                Ok(None) => break,
                Err(errno) => {
                    tool.error(format!("{shown}: {number}: {}", text_of(errno))).await;
                    code = 1;
                    break;
                }
            }
            number += 1;
        }
        close(&tool, fd).await;
    }
    Ok(code)
}

fn reversed(line: &[u8], end: u8) -> Vec<u8> {
    let (body, tail) = match line.strip_suffix(&[end]) {
        Some(body) => (body, &line[body.len()..]),
        None => (line, &[][..]),
    };
    body.iter().rev().chain(tail).copied().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::reversed;

    proptest! {
        #[test]
        fn twice_reversed_is_the_same(line in prop::collection::vec(any::<u8>(), 0..40)) {
            let line: Vec<u8> = line.into_iter().filter(|byte| *byte != b'\n').chain([b'\n']).collect();
            prop_assert_eq!(reversed(&reversed(&line, b'\n'), b'\n'), line);
        }
    }
}
