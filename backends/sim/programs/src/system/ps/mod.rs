//! ps(1) of procps: the options of Unix and of BSD that scripts use.

mod columns;
mod options;

use crate::shared::names::NameCache;
use crate::shared::processes::{Process, processes};
use crate::shared::{Outcome, Tool};
use columns::{Column, World};
use options::{Options, Select};

pub(super) async fn run(mut tool: Tool) -> Outcome {
    tool.use_short_name();
    let options = options::read(&tool).await?;
    let world = World::look(&tool.sys).await;
    let mut own_tty = 0;
    let mut all = processes(&tool.sys).await;
    if let Some(own) = all.iter().find(|process| process.pid == tool.sys.pid()) {
        own_tty = own.tty;
    }
    let own_euid = tool.sys.credentials().await.map_or(0, |own| own.euid);
    all.retain(|process| is_selected(&options, process, own_euid, own_tty) != options.deselect);
    for (key, reverse) in options.sort.iter().rev() {
        all.sort_by(|a, b| {
            let order = columns::compare(*key, a, b);
            if *reverse { order.reverse() } else { order }
        });
    }
    let mut names = NameCache::default();
    let mut rows = Vec::with_capacity(all.len());
    for process in &all {
        let mut row = Vec::with_capacity(options.columns.len());
        for column in &options.columns {
            row.push(column.value(&tool.sys, process, &world, &mut names).await);
        }
        rows.push(row);
    }
    if !options.no_headers && options.columns.iter().any(|column| !column.header.is_empty()) {
        let headers: Vec<String> = options.columns.iter().map(|column| column.header.clone()).collect();
        tool.out.write(line(&options.columns, &headers)).await?;
    }
    for row in &rows {
        tool.out.write(line(&options.columns, row)).await?;
    }
    Ok(i32::from(rows.is_empty()))
}

/// One line; each column is as wide as it is known to be, wider values push the rest to the right.
fn line(columns: &[Column], cells: &[String]) -> String {
    let mut line = String::new();
    // What a column ran over is taken from the room of the next ones.
    let mut over = 0usize;
    for (index, (column, cell)) in columns.iter().zip(cells).enumerate() {
        if index > 0 {
            line.push(' ');
        }
        let last = index + 1 == columns.len();
        let width = column.width.saturating_sub(over);
        let length = cell.chars().count();
        if column.right {
            line.push_str(&format!("{cell:>width$}"));
        } else if last {
            line.push_str(cell);
        } else {
            line.push_str(&format!("{cell:<width$}"));
        }
        over = (over + length.max(width)).saturating_sub(column.width);
    }
    while line.ends_with(' ') && columns.last().is_some_and(|column| !column.right) {
        line.pop();
    }
    line.push('\n');
    line
}

fn is_selected(options: &Options, process: &Process, own_euid: u32, own_tty: u64) -> bool {
    if options.only_running && process.state != b'R' {
        return false;
    }
    if options.select.is_empty() {
        return process.euid == own_euid && process.tty == own_tty;
    }
    options.select.iter().any(|select| match select {
        Select::All => true,
        // With a terminal, sessions' leaders left out: nobody has one unless it is the console's.
        Select::Terminals => process.tty != 0 && process.sid != process.pid,
        Select::NoLeaders => process.sid != process.pid,
        Select::Own => process.euid == own_euid,
        Select::OthersWithTerminal => process.tty != 0,
        Select::Pids(pids) => pids.contains(&process.pid),
        Select::Parents(pids) => pids.contains(&process.ppid),
        Select::Groups(pids) => pids.contains(&process.pgid),
        Select::Sessions(pids) => pids.contains(&process.sid),
        Select::Users(ids) => ids.contains(&process.euid),
        Select::RealUsers(ids) => ids.contains(&process.ruid),
        Select::Names(names) => names.iter().any(|name| process.comm == name.as_bytes()[..name.len().min(15)]),
    })
}
