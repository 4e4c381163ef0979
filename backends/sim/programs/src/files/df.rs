//! df(1), from `/proc/self/mounts` and statfs(2).

use provium_kernel::StatFs;

use super::mount_table::{MountEntry, mount_table};
use crate::shared::canon::{MustExist, canonicalize};
use crate::shared::human::{human_size, parse_size};
use crate::shared::{Opt, Outcome, Spec, Tool, quote, quotef};

const SPEC: Spec = Spec::new(
    "[OPTION]... [FILE]...",
    &[
        Opt::flag("a", "all"),
        Opt::value("B", "block-size"),
        Opt::flag("h", "human-readable"),
        Opt::flag("H", "si"),
        Opt::flag("i", "inodes"),
        Opt::flag("k", ""),
        Opt::flag("l", "local"),
        Opt::flag("", "no-sync"),
        Opt::unsupported("", "output"),
        Opt::flag("P", "portability"),
        Opt::flag("", "sync"),
        Opt::flag("", "total"),
        Opt::value("t", "type"),
        Opt::flag("T", "print-type"),
        Opt::value("x", "exclude-type"),
        Opt::flag("v", ""),
    ],
);

#[derive(Clone, Copy)]
enum Unit {
    Blocks(u64),
    Human(u64),
}

pub(super) async fn run(tool: Tool) -> Outcome {
    let parsed = tool.parse(&SPEC).await?;
    let mut unit = Unit::Blocks(1024);
    for (option, value) in &parsed.options {
        match (*option, value) {
            ("human-readable", _) => unit = Unit::Human(1024),
            ("si", _) => unit = Unit::Human(1000),
            ("k", _) => unit = Unit::Blocks(1024),
            ("block-size", Some(text)) => match parse_size(text) {
                Ok(size @ 1..) => unit = Unit::Blocks(size),
                _ => return Err(tool.fail(1, format!("invalid -B argument {}", quote(text))).await),
            },
            _ => {}
        }
    }
    let mounts = match mount_table(&tool.sys).await {
        Ok(mounts) => mounts,
        Err(errno) => return Err(tool.fail_errno(1, "cannot read table of mounted file systems", errno).await),
    };
    let mut code = 0;
    let mut shown: Vec<(MountEntry, StatFs)> = Vec::new();
    if parsed.operands.is_empty() {
        for (index, mount) in mounts.iter().enumerate() {
            // A later mount at the same place hides this one.
            let hidden = mounts.iter().skip(index + 1).any(|later| later.target == mount.target);
            if let Ok(info) = tool.sys.statfs(&mount.target).await
                && (parsed.has("all") || info.blocks > 0 && !hidden)
            {
                shown.push((mount.clone(), info));
            }
        }
    }
    for path in &parsed.operands {
        match (tool.sys.statfs(path).await, canonicalize(&tool.sys, path, MustExist::All, true).await) {
            (Ok(info), Ok(full)) => {
                let holder =
                    mounts.iter().rev().filter(|mount| mount.holds(&full)).max_by_key(|mount| mount.target.len());
                if let Some(mount) = holder {
                    shown.push((mount.clone(), info));
                }
            }
            (Err(errno), _) | (_, Err(errno)) => {
                tool.error_errno(quotef(path), errno).await;
                code = 1;
            }
        }
    }
    let listed = |option: &str, mount: &MountEntry| {
        parsed.options.iter().any(|(given, kind)| *given == option && kind.as_deref() == Some(&mount.fstype))
    };
    shown.retain(|(mount, _)| (!parsed.has("type") || listed("type", mount)) && !listed("exclude-type", mount));
    if shown.is_empty() {
        if code == 0 {
            tool.error("no file systems processed").await;
        }
        return Ok(1);
    }
    let table = rows(&shown, unit, parsed.has("inodes"), parsed.has("portability"), parsed.has("print-type"));
    tool.out.write(layout(&table, parsed.has("print-type"))).await?;
    Ok(code)
}

fn rows(shown: &[(MountEntry, StatFs)], unit: Unit, inodes: bool, posix: bool, types: bool) -> Vec<Vec<String>> {
    let blocks = match unit {
        Unit::Human(_) => "Size".to_owned(),
        Unit::Blocks(size) if posix => format!("{size}-blocks"),
        Unit::Blocks(1024) => "1K-blocks".to_owned(),
        Unit::Blocks(size) => format!("{}-blocks", human_size(size, 1024).replace(".0", "")),
    };
    let (available, percent) = match (unit, posix) {
        (_, true) => ("Available", "Capacity"),
        (Unit::Human(_), _) => ("Avail", "Use%"),
        _ => ("Available", "Use%"),
    };
    let mut header: Vec<String> = vec!["Filesystem".into()];
    if types {
        header.push("Type".into());
    }
    if inodes {
        header.extend(["Inodes", "IUsed", "IFree", "IUse%"].map(String::from));
    } else {
        header.extend([blocks.as_str(), "Used", available, percent].map(String::from));
    }
    header.push("Mounted on".into());
    let size = |count: u64, block: u64| {
        let bytes = count.saturating_mul(block);
        match unit {
            Unit::Human(base) => human_size(bytes, base),
            Unit::Blocks(size) => bytes.div_ceil(size.max(1)).to_string(),
        }
    };
    let mut rows = vec![header];
    for (mount, info) in shown {
        let (total, free, block) =
            if inodes { (info.files, info.files_free, 1) } else { (info.blocks, info.blocks_free, info.block_size) };
        let used = total.saturating_sub(free);
        let mut row = vec![text(&mount.source)];
        if types {
            row.push(text(&mount.fstype));
        }
        if inodes {
            let show = |count: u64| match unit {
                Unit::Human(base) => human_size(count, base),
                Unit::Blocks(_) => count.to_string(),
            };
            row.extend([show(total), show(used), show(free)]);
        } else {
            row.extend([size(total, block), size(used, block), size(free, block)]);
        }
        row.push(if total == 0 { "-".into() } else { format!("{}%", (u128::from(used) * 100).div_ceil(total.into())) });
        row.push(text(&mount.target));
        rows.push(row);
    }
    rows
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Lines up the columns: names to the left, numbers to the right.
fn layout(rows: &[Vec<String>], types: bool) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(String::len).max().unwrap_or(0);
    let mut table = String::new();
    for row in rows {
        for (column, cell) in row.iter().enumerate() {
            let last = column + 1 == columns;
            // df gives names at least 14 columns and numbers at least 5, Use% at least 4.
            let width = match column {
                0 => width(column).max(14),
                1 if types => width(column),
                _ if last => 0,
                _ if column + 2 == columns => width(column).max(4),
                _ => width(column).max(5),
            };
            let left = column == 0 || last || types && column == 1;
            table.push_str(&if left { format!("{cell:<width$}") } else { format!("{cell:>width$}") });
            table.push(if last { '\n' } else { ' ' });
        }
    }
    table
}
