//! The options of ps.

use provium_kernel::Pid;

use super::columns::{Column, Key, column, layout};
use crate::shared::names::uid_of;
use crate::shared::{Exit, Tool};

/// Which processes are shown. Several add up.
#[derive(Clone, Debug)]
pub(super) enum Select {
    All,
    Terminals,
    NoLeaders,
    Own,
    OthersWithTerminal,
    Pids(Vec<Pid>),
    Parents(Vec<Pid>),
    Groups(Vec<Pid>),
    Sessions(Vec<Pid>),
    Users(Vec<u32>),
    RealUsers(Vec<u32>),
    Names(Vec<String>),
}

/// All that options say.
#[derive(Clone, Debug, Default)]
pub(super) struct Options {
    pub(super) select: Vec<Select>,
    pub(super) deselect: bool,
    pub(super) only_running: bool,
    pub(super) no_headers: bool,
    pub(super) columns: Vec<Column>,
    /// Sort keys, the most important first, each with whether it is turned round.
    pub(super) sort: Vec<(Key, bool)>,
    /// Columns named by `-o`.
    own_columns: Vec<Column>,
    bsd_a: bool,
    bsd_x: bool,
    bsd: bool,
    format: Option<Format>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Full,
    ExtraFull,
    Long,
    Jobs,
    BsdUser,
    BsdJobs,
    BsdLong,
}

const USAGE: &str = "
Usage:
 ps [options]

 Try 'ps --help <simple|list|output|threads|misc|all>'
  or 'ps --help <s|l|o|t|m|a>'
 for additional help text.

For more details see ps(1).
";

/// Reads the options; a wrong one is reported.
pub(super) async fn read(tool: &Tool) -> Result<Options, Exit> {
    let mut options = Options::default();
    let mut args = tool.args.iter().map(|arg| String::from_utf8_lossy(arg).into_owned()).collect::<Vec<_>>();
    args.reverse();
    while let Some(arg) = args.pop() {
        if let Some(long) = arg.strip_prefix("--") {
            options.long(tool, long, &mut args).await?;
        } else if let Some(letters) = arg.strip_prefix('-') {
            options.unix(tool, letters, &mut args).await?;
        } else {
            options.bsd(tool, &arg, &mut args).await?;
        }
    }
    options.finish();
    Ok(options)
}

async fn wrong(tool: &Tool, message: &str) -> Exit {
    tool.stderr(format!("error: {message}\n{USAGE}")).await;
    Exit(1)
}

async fn unsupported(tool: &Tool, option: &str) -> Exit {
    tool.fail(1, format!("option '{option}' is not supported by the simulated guest")).await
}

impl Options {
    async fn unix(&mut self, tool: &Tool, letters: &str, args: &mut Vec<String>) -> Result<(), Exit> {
        let mut rest = letters;
        while let Some(letter) = rest.chars().next() {
            rest = &rest[letter.len_utf8()..];
            if "opCugGsUOtqk".contains(letter) {
                let value = if rest.is_empty() { args.pop() } else { Some(std::mem::take(&mut rest).to_owned()) };
                let Some(value) = value else {
                    let text = match letter {
                        'o' | 'O' => "format specification must follow -".to_owned() + &letter.to_string(),
                        'C' => "list of command names must follow -C".into(),
                        'p' | 'q' => "list of process IDs must follow -".to_owned() + &letter.to_string(),
                        letter => format!("list must follow -{letter}"),
                    };
                    return Err(wrong(tool, &text).await);
                };
                self.valued(tool, letter, &value).await?;
                rest = "";
                continue;
            }
            match letter {
                'e' | 'A' => self.select.push(Select::All),
                'a' => self.select.push(Select::Terminals),
                'd' => self.select.push(Select::NoLeaders),
                'N' => self.deselect = true,
                'f' => self.format = Some(Format::Full),
                'F' => self.format = Some(Format::ExtraFull),
                'l' => self.format = Some(Format::Long),
                'j' => self.format = Some(Format::Jobs),
                // Lines are never cut, numbers of users are not asked for, priorities keep their form.
                'w' | 'y' | 'c' => {}
                'x' if self.bsd || letters.starts_with('a') => self.bsd_x = true,
                'H' | 'L' | 'M' | 'm' | 'P' | 'T' | 'V' | 'Z' => {
                    return Err(unsupported(tool, &format!("-{letter}")).await);
                }
                _ => return Err(wrong(tool, "unsupported SysV option").await),
            }
        }
        Ok(())
    }

    async fn bsd(&mut self, tool: &Tool, letters: &str, args: &mut Vec<String>) -> Result<(), Exit> {
        if letters.starts_with(|first: char| first.is_ascii_digit()) {
            let pids = numbers(tool, letters).await?;
            self.select.push(Select::Pids(pids));
            return Ok(());
        }
        self.bsd = true;
        let mut rest = letters;
        while let Some(letter) = rest.chars().next() {
            rest = &rest[letter.len_utf8()..];
            if matches!(letter, 'o' | 'p' | 'U' | 'k') {
                let value = if rest.is_empty() { args.pop() } else { Some(std::mem::take(&mut rest).to_owned()) };
                let Some(value) = value else {
                    return Err(wrong(tool, "list must follow this option").await);
                };
                match letter {
                    'k' => self.sort_by(tool, &value).await?,
                    'U' => self.valued(tool, 'u', &value).await?,
                    letter => self.valued(tool, letter, &value).await?,
                }
                rest = "";
                continue;
            }
            match letter {
                'a' => self.bsd_a = true,
                'x' => self.bsd_x = true,
                'r' => self.only_running = true,
                'u' => self.format = Some(Format::BsdUser),
                'j' => self.format = Some(Format::BsdJobs),
                'l' => self.format = Some(Format::BsdLong),
                'h' => self.no_headers = true,
                'w' | 'c' | 'n' => {}
                'f' | 'e' | 'm' | 's' | 't' | 'T' | 'v' | 'X' | 'L' | 'H' | 'Z' | 'O' | 'S' | 'V' => {
                    return Err(unsupported(tool, &letter.to_string()).await);
                }
                _ => return Err(wrong(tool, "unsupported option (BSD syntax)").await),
            }
        }
        Ok(())
    }

    async fn long(&mut self, tool: &Tool, long: &str, args: &mut Vec<String>) -> Result<(), Exit> {
        let (name, attached) = match long.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (long, None),
        };
        let letter = match name {
            "no-headers" | "no-heading" | "no-header" | "no-headings" => {
                self.no_headers = true;
                return Ok(());
            }
            "deselect" => {
                self.deselect = true;
                return Ok(());
            }
            "headers" | "cumulative" => return Ok(()),
            "help" => {
                tool.out.write(USAGE).await?;
                return Err(Exit(0));
            }
            "version" => {
                let text = concat!("ps (provium simulated guest) ", env!("CARGO_PKG_VERSION"), "\n");
                tool.out.write(text).await?;
                return Err(Exit(0));
            }
            "pid" => 'p',
            "quick-pid" => 'q',
            "ppid" => 'P',
            "format" => 'o',
            "sid" => 's',
            "user" => 'u',
            "User" => 'U',
            "sort" => 'k',
            "forest" | "cols" | "columns" | "width" | "rows" | "lines" | "context" | "group" | "Group" | "tty"
            | "info" => return Err(unsupported(tool, &format!("--{name}")).await),
            _ => return Err(wrong(tool, "unknown gnu long option").await),
        };
        match attached.or_else(|| args.pop()) {
            Some(value) if letter == 'k' => self.sort_by(tool, &value).await,
            Some(value) if letter == 'P' => {
                let pids = numbers(tool, &value).await?;
                self.select.push(Select::Parents(pids));
                Ok(())
            }
            Some(value) => self.valued(tool, letter, &value).await,
            None => Err(wrong(tool, &format!("list must follow --{name}")).await),
        }
    }

    async fn valued(&mut self, tool: &Tool, letter: char, value: &str) -> Result<(), Exit> {
        match letter {
            'o' => self.columns_of(tool, value).await?,
            'p' | 'q' => {
                let pids = numbers(tool, value).await?;
                self.select.push(Select::Pids(pids));
            }
            'g' => {
                let pids = numbers(tool, value).await?;
                self.select.push(Select::Groups(pids));
            }
            's' => {
                let pids = numbers(tool, value).await?;
                self.select.push(Select::Sessions(pids));
            }
            'C' => self.select.push(Select::Names(value.split([',', ' ']).map(str::to_owned).collect())),
            'u' | 'U' => {
                let mut ids = Vec::new();
                for name in value.split([',', ' ']) {
                    match uid_of(&tool.sys, name).await {
                        Some(uid) => ids.push(uid),
                        None => return Err(wrong(tool, "user name does not exist").await),
                    }
                }
                self.select.push(if letter == 'u' { Select::Users(ids) } else { Select::RealUsers(ids) });
            }
            other => return Err(unsupported(tool, &format!("-{other}")).await),
        }
        Ok(())
    }

    /// `pid,comm=NAME,args:20`: names with widths; a header takes all that follows its `=`.
    async fn columns_of(&mut self, tool: &Tool, list: &str) -> Result<(), Exit> {
        for item in list.split([',', ' ']).filter(|item| !item.is_empty()) {
            let (name, header) = match item.split_once('=') {
                Some((name, header)) => (name, Some(header)),
                None => (item, None),
            };
            let (name, width) = match name.split_once(':') {
                Some((name, width)) => (name, width.parse::<usize>().ok()),
                None => (name, None),
            };
            let Some(mut column) = column(name) else {
                return Err(wrong(tool, &format!("unknown user-defined format specifier \"{name}\"")).await);
            };
            if let Some(width) = width {
                column.width = width.clamp(1, 4096);
            }
            if let Some(header) = header {
                column.header = header.to_owned();
            }
            column.width = column.width.max(column.header.len());
            self.own_columns.push(column);
        }
        Ok(())
    }

    async fn sort_by(&mut self, tool: &Tool, list: &str) -> Result<(), Exit> {
        for item in list.split(',') {
            let (reverse, name) = match item.strip_prefix('-') {
                Some(name) => (true, name),
                None => (false, item.strip_prefix('+').unwrap_or(item)),
            };
            match column(name) {
                Some(column) => self.sort.push((column.key, reverse)),
                None => return Err(wrong(tool, "unknown sort specifier").await),
            }
        }
        Ok(())
    }

    fn finish(&mut self) {
        // Of the BSD letters `a` means everybody's, `x` those without a terminal too.
        if self.bsd && self.select.is_empty() {
            match (self.bsd_a, self.bsd_x) {
                (true, true) => self.select.push(Select::All),
                (true, false) => self.select.push(Select::OthersWithTerminal),
                (false, true) => self.select.push(Select::Own),
                (false, false) => {}
            }
        }
        if !self.own_columns.is_empty() {
            self.columns = std::mem::take(&mut self.own_columns);
            return;
        }
        self.columns = layout(match self.format {
            Some(Format::Full) => &[
                ("uid_name", ""),
                ("pid", ""),
                ("ppid", ""),
                ("c", ""),
                ("stime", ""),
                ("tname", ""),
                ("time", ""),
                ("cmd", ""),
            ],
            Some(Format::ExtraFull) => &[
                ("uid_name", ""),
                ("pid", ""),
                ("ppid", ""),
                ("c", ""),
                ("sz", ""),
                ("rss", ""),
                ("psr", ""),
                ("stime", ""),
                ("tname", ""),
                ("time", ""),
                ("cmd", ""),
            ],
            Some(Format::Long | Format::BsdLong) => &[
                ("f", ""),
                ("s", ""),
                ("uid", ""),
                ("pid", ""),
                ("ppid", ""),
                ("c", ""),
                ("opri", ""),
                ("ni", ""),
                ("addr_1", ""),
                ("sz", "SZ"),
                ("wchan", ""),
                ("tname", ""),
                ("time", ""),
                ("ucmd", ""),
            ],
            Some(Format::Jobs) => &[("pid", ""), ("pgid", ""), ("sid", ""), ("tname", ""), ("time", ""), ("ucmd", "")],
            Some(Format::BsdJobs) => &[
                ("ppid", ""),
                ("pid", ""),
                ("pgid", ""),
                ("sid", ""),
                ("tname", ""),
                ("stat", ""),
                ("uid", ""),
                ("bsdtime", ""),
                ("args", ""),
            ],
            Some(Format::BsdUser) => &[
                ("user", ""),
                ("pid", ""),
                ("%cpu", ""),
                ("%mem", ""),
                ("vsz", ""),
                ("rss", ""),
                ("tname", ""),
                ("stat", ""),
                ("start_time", ""),
                ("bsdtime", ""),
                ("args", ""),
            ],
            None if self.bsd => &[("pid", ""), ("tname", ""), ("stat", ""), ("bsdtime", ""), ("args", "")],
            None => &[("pid", ""), ("tname", ""), ("time", ""), ("ucmd", "")],
        });
    }
}

async fn numbers(tool: &Tool, list: &str) -> Result<Vec<Pid>, Exit> {
    let mut all = Vec::new();
    for text in list.split([',', ' ']).filter(|text| !text.is_empty()) {
        match text.parse() {
            Ok(pid) => all.push(pid),
            Err(_) => return Err(wrong(tool, "process ID list syntax error").await),
        }
    }
    Ok(all)
}
