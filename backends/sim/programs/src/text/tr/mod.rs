//! tr: translates, squeezes and deletes bytes.

mod set;

use crate::shared::{Exit, Opt, Outcome, Spec, Tool, quote};
use set::{Case, Item, Operand};

/// Bytes of one read: glibc's `BUFSIZ`.
const BLOCK: usize = 8192;

const SPEC: Spec = Spec::new(
    "[OPTION]... STRING1 [STRING2]",
    &[
        Opt::flag("cC", "complement"),
        Opt::flag("d", "delete"),
        Opt::flag("s", "squeeze-repeats"),
        Opt::flag("t", "truncate-set1"),
    ],
)
.stop_at_operand();

struct Job {
    delete: Option<Box<[bool; 256]>>,
    map: Option<Box<[u8; 256]>>,
    squeeze: Option<Box<[bool; 256]>>,
}

pub(super) async fn run(tool: Tool) -> Outcome {
    let parsed = tool.parse(&SPEC).await?;
    let delete = parsed.has("delete");
    let squeeze = parsed.has("squeeze-repeats");
    let operands = &parsed.operands;
    let translating = !delete && (operands.len() > 1 || !squeeze);
    let most = if delete && !squeeze { 1 } else { 2 };
    let least = if delete == squeeze { 2 } else { 1 };
    if operands.len() < least {
        let Some(last) = operands.last() else { return Err(tool.missing_operand(1, None).await) };
        tool.error(format!("missing operand after {}", quote(last))).await;
        let why = if squeeze {
            "Two strings must be given when both deleting and squeezing repeats.\n"
        } else {
            "Two strings must be given when translating.\n"
        };
        tool.stderr(why).await;
        return Err(tool.usage_hint(1).await);
    }
    if let Some(extra) = operands.get(most) {
        tool.error(format!("extra operand {}", quote(extra))).await;
        if operands.len() == 2 {
            tool.stderr("Only one string may be given when deleting without squeezing repeats.\n").await;
        }
        return Err(tool.usage_hint(1).await);
    }
    for operand in operands {
        if operand.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1 {
            tool.error("warning: an unescaped backslash at end of string is not portable").await;
        }
    }
    let job = match job(operands, &parsed, translating) {
        Ok(job) => job,
        Err(message) => return Err(tool.fail(1, message).await),
    };
    pass(&tool, &job).await
}

fn job(operands: &[Vec<u8>], parsed: &crate::shared::Parsed, translating: bool) -> Result<Job, String> {
    let complement = parsed.has("complement");
    let first = Operand::parse(operands.first().map(Vec::as_slice).unwrap_or_default())?;
    if first.items.iter().any(|item| matches!(item, Item::Repeat(_, None))) {
        return Err("the [c*] repeat construct may not appear in string1".into());
    }
    let second = operands.get(1).map(|text| Operand::parse(text)).transpose()?;
    let members = first.members(complement);
    if !translating {
        let delete = parsed.has("delete").then(|| members.clone());
        let squeeze = match (&second, parsed.has("squeeze-repeats")) {
            (Some(second), true) => Some(second.members(false)),
            (None, true) => Some(members),
            _ => None,
        };
        return Ok(Job { delete, map: None, squeeze });
    }
    let Some(second) = second else { return Err("two strings must be given when translating".into()) };
    let map = translation(&first, &second, complement, parsed.has("truncate-set1"))?;
    let squeeze = parsed.has("squeeze-repeats").then(|| {
        let length = first.expand(complement, None).len();
        let mut set = Box::new([false; 256]);
        for byte in second.expand(false, Some(length)) {
            set[usize::from(byte)] = true;
        }
        set
    });
    Ok(Job { delete: None, map: Some(map), squeeze })
}

fn translation(first: &Operand, second: &Operand, complement: bool, truncate: bool) -> Result<Box<[u8; 256]>, String> {
    if second.items.iter().filter(|item| matches!(item, Item::Repeat(_, None))).count() > 1 {
        return Err("only one [c*] repeat construct may appear in string2".into());
    }
    if second.items.iter().any(|item| matches!(item, Item::Equivalence(_))) {
        return Err("[=c=] expressions may not appear in string2 when translating".into());
    }
    let only_cases = "when translating, the only character classes that may appear in\nstring2 are 'upper' and 'lower'";
    if second.items.iter().any(|item| matches!(item, Item::Class(name, None) if !name.is_empty())) {
        return Err(only_cases.into());
    }
    let from = first.expand(complement, None);
    let to = second.expand(false, Some(from.len()));
    if complement && first.has_class() && to.iter().any(|byte| Some(byte) != to.first()) {
        return Err("when translating with complemented character classes,\nstring2 must map all characters in the domain to one".into());
    }
    if !complement {
        check_cases(first, second)?;
    }
    if to.is_empty() && !truncate {
        return Err("when not truncating set1, string2 must be non-empty".into());
    }
    if !truncate && from.len() > to.len() && matches!(second.items.last(), Some(Item::Class(..))) {
        return Err(
            "when translating with string1 longer than string2,\nthe latter string must not end with a character class"
                .into(),
        );
    }
    let mut map: Box<[u8; 256]> = Box::new(std::array::from_fn(|byte| byte as u8));
    let last = to.last().copied();
    for (index, byte) in from.iter().enumerate() {
        let target = to.get(index).copied().or(if truncate { None } else { last });
        if let Some(target) = target {
            map[usize::from(*byte)] = target;
        }
    }
    Ok(map)
}

/// `[:upper:]` and `[:lower:]` in the second string must stand where one of them stands in the first.
fn check_cases(first: &Operand, second: &Operand) -> Result<(), String> {
    let misaligned = || "misaligned [:upper:] and/or [:lower:] construct".to_owned();
    let cases = |operand: &Operand, length: Option<usize>| -> Vec<usize> {
        let mut at = 0;
        let mut places = Vec::new();
        for item in &operand.items {
            if let Item::Class(_, Some(Case::Upper | Case::Lower)) = item {
                places.push(at);
            }
            at += item.len(operand.fill(length));
        }
        places
    };
    let length = first.expand(false, None).len();
    let places = cases(first, None);
    let wanted = cases(second, Some(length));
    if wanted.iter().all(|place| places.contains(place)) { Ok(()) } else { Err(misaligned()) }
}

async fn pass(tool: &Tool, job: &Job) -> Outcome {
    let mut last: Option<u8> = None;
    loop {
        let data = match tool.sys.read(0, BLOCK).await {
            Ok(data) => data,
            Err(errno) => return Err(read_error(tool, errno).await),
        };
        if data.is_empty() {
            return Ok(0);
        }
        let mut changed = Vec::with_capacity(data.len());
        for byte in data {
            if job.delete.as_ref().is_some_and(|set| set[usize::from(byte)]) {
                continue;
            }
            let byte = job.map.as_ref().map_or(byte, |map| map[usize::from(byte)]);
            if job.squeeze.as_ref().is_some_and(|set| set[usize::from(byte)]) && last == Some(byte) {
                continue;
            }
            last = Some(byte);
            changed.push(byte);
        }
        tool.out.write(changed).await?;
    }
}

async fn read_error(tool: &Tool, errno: provium_kernel::Errno) -> Exit {
    tool.fail_errno(1, "read error", errno).await
}
