//! comm: two sorted files line by line.

use std::cmp::Ordering;

use provium_kernel::Fd;

use super::common::{lines, open};
use crate::shared::{Exit, LineReader, Opt, Outcome, Spec, Tool, quotef};

const SPEC: Spec = Spec::new(
    "[OPTION]... FILE1 FILE2",
    &[
        Opt::flag("1", ""),
        Opt::flag("2", ""),
        Opt::flag("3", ""),
        Opt::flag("", "check-order"),
        Opt::flag("", "nocheck-order"),
        Opt::value("", "output-delimiter"),
        Opt::flag("", "total"),
        Opt::flag("z", "zero-terminated"),
    ],
);

/// One of the two files.
struct Side {
    reader: LineReader,
    name: Vec<u8>,
    number: usize,
    line: Option<Vec<u8>>,
    disordered: bool,
}

pub(super) async fn run(tool: Tool) -> Outcome {
    let parsed = tool.parse(&SPEC).await?;
    let [one, two, rest @ ..] = parsed.operands.as_slice() else {
        return Err(tool.missing_operand(1, parsed.operands.first().map(Vec::as_slice)).await);
    };
    if let Some(extra) = rest.first() {
        return Err(tool.extra_operand(1, extra).await);
    }
    let end = if parsed.has("zero-terminated") { 0 } else { b'\n' };
    let hidden = [parsed.has("1"), parsed.has("2"), parsed.has("3")];
    let delimiter = parsed.value("output-delimiter").unwrap_or(b"\t").to_vec();
    let strict = parsed.last_of(&["check-order", "nocheck-order"]) == Some("check-order");
    let checked = parsed.last_of(&["check-order", "nocheck-order"]) != Some("nocheck-order");
    let mut sides = [side(&tool, one, 1).await?, side(&tool, two, 2).await?];
    for side in &mut sides {
        side.advance(&tool, end, false, false).await?;
    }
    let mut totals = [0_u64; 3];
    let mut unpaired = false;
    loop {
        let [left, right] = &mut sides;
        let order = match (&left.line, &right.line) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(left), Some(right)) => left.cmp(right),
        };
        let (column, line) = match order {
            Ordering::Less => (0, &left.line),
            Ordering::Greater => (1, &right.line),
            Ordering::Equal => (2, &left.line),
        };
        unpaired |= order != Ordering::Equal;
        totals[column] += 1;
        if !hidden[column] {
            let indent = hidden[..column].iter().filter(|hidden| !**hidden).count();
            let mut text = delimiter.repeat(indent);
            text.extend_from_slice(line.as_deref().unwrap_or_default());
            text.push(end);
            tool.out.write(text).await?;
        }
        // Disorder matters only once the files have been found to differ.
        let complain = checked && (strict || unpaired);
        if order != Ordering::Greater {
            left.advance(&tool, end, complain, strict).await?;
        }
        if order != Ordering::Less {
            right.advance(&tool, end, complain, strict).await?;
        }
    }
    if parsed.has("total") {
        let [one, two, both] = totals;
        let tab = String::from_utf8_lossy(&delimiter).into_owned();
        tool.out.write(format!("{one}{tab}{two}{tab}{both}{tab}total")).await?;
        tool.out.write([end]).await?;
    }
    if sides.iter().any(|side| side.disordered) {
        return Err(tool.fail(1, "input is not in sorted order").await);
    }
    Ok(0)
}

async fn side(tool: &Tool, name: &[u8], number: usize) -> Result<Side, Exit> {
    let fd: Fd = match open(tool, name).await {
        Ok(fd) => fd,
        Err(errno) => return Err(tool.fail_errno(1, quotef(name), errno).await),
    };
    Ok(Side { reader: lines(tool, fd), name: name.to_vec(), number, line: None, disordered: false })
}

impl Side {
    async fn advance(&mut self, tool: &Tool, end: u8, check: bool, strict: bool) -> Result<(), Exit> {
        let next = match self.reader.until(end).await {
            Ok(next) => next.map(|mut line| {
                if line.last() == Some(&end) {
                    line.pop();
                }
                line
            }),
            Err(errno) => return Err(tool.fail_errno(1, quotef(&self.name), errno).await),
        };
        if check
            && !self.disordered
            && let (Some(last), Some(next)) = (&self.line, &next)
            && last > next
        {
            tool.error(format!("file {} is not in sorted order", self.number)).await;
            if strict {
                return Err(Exit(1));
            }
            self.disordered = true;
        }
        self.line = next;
        Ok(())
    }
}
