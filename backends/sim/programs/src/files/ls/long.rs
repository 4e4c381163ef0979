//! The long format of ls.

use provium_kernel::{Stat, TimeSpec};

use super::options::{SizeUnit, TimeStyle};
use super::{File, List, sort};
use crate::shared::clock;
use crate::shared::human::human_size;
use crate::shared::mode::{S_IFBLK, S_IFCHR, S_IFMT, mode_string, type_letter};

/// Half a year of 365.2425 days in seconds: older times are shown with the year.
const RECENT: i64 = 31_556_952 / 2;

/// One line's parts, before they are lined up.
struct Line {
    inode: String,
    blocks: String,
    mode: String,
    links: String,
    owner: String,
    group: String,
    size: String,
    /// Major and minor number of a device, in the place of its size.
    device: Option<(String, String)>,
    time: String,
    name: String,
}

pub(super) async fn lines(list: &mut List, files: &[File]) -> String {
    let now = list.tool.sys.clock_realtime().await;
    let mut lines = Vec::with_capacity(files.len());
    for file in files {
        lines.push(line(list, file, now).await);
    }
    let width = |part: fn(&Line) -> &str| lines.iter().map(|line| part(line).chars().count()).max().unwrap_or(0);
    let inode = width(|line| &line.inode);
    let blocks = width(|line| &line.blocks);
    let links = width(|line| &line.links);
    let owner = width(|line| &line.owner);
    let group = width(|line| &line.group);
    let time = width(|line| &line.time);
    let major = lines.iter().filter_map(|line| line.device.as_ref()).map(|device| device.0.len()).max().unwrap_or(0);
    let minor = lines.iter().filter_map(|line| line.device.as_ref()).map(|device| device.1.len()).max().unwrap_or(0);
    let size = width(|line| &line.size).max(if major > 0 { major + 2 + minor } else { 0 });
    let mut text = String::new();
    for line in &lines {
        if list.options.inodes {
            text.push_str(&format!("{:>inode$} ", line.inode));
        }
        if list.options.blocks {
            text.push_str(&format!("{:>blocks$} ", line.blocks));
        }
        text.push_str(&format!("{} {:>links$} ", line.mode, line.links));
        // Numbers stand to the right, names to the left.
        for (shown, part, width) in [(list.options.owner, &line.owner, owner), (list.options.group, &line.group, group)]
        {
            if shown && list.options.numeric {
                text.push_str(&format!("{part:>width$} "));
            } else if shown {
                text.push_str(&format!("{part:<width$} "));
            }
        }
        match &line.device {
            Some((first, second)) => {
                let major = size.saturating_sub(2 + minor);
                text.push_str(&format!("{first:>major$}, {second:>minor$} "));
            }
            None => text.push_str(&format!("{:>size$} ", line.size)),
        }
        text.push_str(&format!("{:>time$} {}{}", line.time, line.name, list.options.line_end()));
    }
    text
}

async fn line(list: &mut List, file: &File, now: TimeSpec) -> Line {
    let mut name = list.shown_name(&file.name);
    let mode = file.stat.map(|stat| stat.mode);
    match &file.link {
        Some((target, behind)) => {
            name.push_str(" -> ");
            name.push_str(&list.shown_name(target));
            if let Some(behind) = behind {
                name.push_str(list.indicator(behind & S_IFMT, Some(*behind)));
            }
        }
        None => name.push_str(list.indicator(file.kind, mode)),
    }
    let inode = file.ino.to_string();
    let Some(stat) = file.stat else {
        let unknown = || "?".to_owned();
        return Line {
            inode,
            blocks: unknown(),
            mode: format!("{}?????????", type_letter(file.kind)),
            links: unknown(),
            owner: unknown(),
            group: unknown(),
            size: unknown(),
            device: None,
            time: unknown(),
            name,
        };
    };
    let (owner, group) = owner(list, &stat).await;
    let device = matches!(file.kind, S_IFCHR | S_IFBLK).then(|| {
        let (major, minor) = ((stat.rdev >> 8) & 0xfff, stat.rdev & 0xff | (stat.rdev >> 12) & !0xff);
        (major.to_string(), minor.to_string())
    });
    let size = match (list.options.unit, &device) {
        (_, Some(_)) => String::new(),
        (SizeUnit::Human(base), None) => human_size(stat.size, base),
        (SizeUnit::Blocks(block, letter), None) => super::in_units(stat.size, block, letter),
        (SizeUnit::Plain, None) => stat.size.to_string(),
    };
    Line {
        inode,
        blocks: list.block_count(stat.blocks),
        mode: mode_string(stat.mode),
        links: stat.nlink.to_string(),
        owner,
        group,
        size,
        device,
        time: shown_time(&list.options.time_style, sort::time(file, list.options.time), now),
        name,
    }
}

async fn owner(list: &mut List, stat: &Stat) -> (String, String) {
    let (mut owner, mut group) = (None, None);
    if !list.options.numeric {
        if list.options.owner {
            owner = list.names.user(&list.tool.sys, stat.uid).await;
        }
        if list.options.group {
            group = list.names.group(&list.tool.sys, stat.gid).await;
        }
    }
    (owner.unwrap_or_else(|| stat.uid.to_string()), group.unwrap_or_else(|| stat.gid.to_string()))
}

fn shown_time(style: &TimeStyle, time: TimeSpec, now: TimeSpec) -> String {
    let recent = time <= now && now.sec.saturating_sub(time.sec) < RECENT;
    let format: &[u8] = match style {
        TimeStyle::Locale if recent => b"%b %e %H:%M",
        TimeStyle::Locale => b"%b %e  %Y",
        TimeStyle::FullIso => b"%Y-%m-%d %H:%M:%S.%N %z",
        TimeStyle::LongIso => b"%Y-%m-%d %H:%M",
        TimeStyle::Iso if recent => b"%m-%d %H:%M",
        TimeStyle::Iso => b"%Y-%m-%d ",
        TimeStyle::Own(_, new) if recent => new,
        TimeStyle::Own(old, _) => old,
    };
    String::from_utf8_lossy(&clock::format(format, time)).into_owned()
}
