//! The options of ls.

use crate::shared::human::parse_size;
use crate::shared::mode::{S_IFDIR, S_IFLNK};
use crate::shared::tool::STDOUT;
use crate::shared::{Exit, Opt, Parsed, Spec, Tool, quote};

const SPEC: Spec = Spec::new(
    "[OPTION]... [FILE]...",
    &[
        Opt::flag("a", "all"),
        Opt::flag("A", "almost-all"),
        Opt::unsupported("", "author"),
        Opt::flag("b", "escape"),
        Opt::value("", "block-size"),
        Opt::flag("B", "ignore-backups"),
        Opt::flag("c", ""),
        Opt::flag("C", ""),
        Opt::optional("", "color"),
        Opt::flag("d", "directory"),
        Opt::unsupported("D", "dired"),
        Opt::flag("f", ""),
        Opt::optional("F", "classify"),
        Opt::flag("", "file-type"),
        Opt::value("", "format"),
        Opt::flag("", "full-time"),
        Opt::flag("g", ""),
        Opt::flag("", "group-directories-first"),
        Opt::flag("G", "no-group"),
        Opt::flag("h", "human-readable"),
        Opt::flag("", "si"),
        Opt::flag("H", "dereference-command-line"),
        Opt::flag("", "dereference-command-line-symlink-to-dir"),
        Opt::value("", "hide"),
        Opt::unsupported("", "hyperlink"),
        Opt::value("", "indicator-style"),
        Opt::flag("i", "inode"),
        Opt::value("I", "ignore"),
        Opt::flag("k", "kibibytes"),
        Opt::flag("l", ""),
        Opt::flag("L", "dereference"),
        Opt::flag("m", ""),
        Opt::flag("n", "numeric-uid-gid"),
        Opt::flag("N", "literal"),
        Opt::flag("o", ""),
        Opt::flag("p", ""),
        Opt::flag("q", "hide-control-chars"),
        Opt::flag("", "show-control-chars"),
        Opt::flag("Q", "quote-name"),
        Opt::value("", "quoting-style"),
        Opt::flag("r", "reverse"),
        Opt::flag("R", "recursive"),
        Opt::flag("s", "size"),
        Opt::flag("S", ""),
        Opt::value("", "sort"),
        Opt::value("", "time"),
        Opt::value("", "time-style"),
        Opt::flag("t", ""),
        Opt::value("T", "tabsize"),
        Opt::flag("u", ""),
        Opt::flag("U", ""),
        Opt::flag("v", ""),
        Opt::value("w", "width"),
        Opt::flag("x", ""),
        Opt::flag("X", ""),
        Opt::unsupported("Z", "context"),
        Opt::flag("", "zero"),
        Opt::flag("1", ""),
    ],
)
.failure(super::SERIOUS);

/// Columns of a screen when nobody says how many.
const WIDTH: usize = 80;

/// Which links are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Follow {
    Never,
    /// Arguments that lead to directories.
    ArgumentDirectories,
    Arguments,
    Always,
}

/// How files are arranged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Single,
    Long,
    Columns,
    Across,
    Commas,
}

/// Which names are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hidden {
    Dotted,
    AllButDots,
    Shown,
}

/// What is put after names; each shows what the ones before it show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub(super) enum Indicator {
    None,
    Slash,
    FileType,
    Classify,
}

/// How names are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quoting {
    Literal,
    HideControl,
    Escape,
    C,
    ShellEscape,
}

/// What files are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SortBy {
    Nothing,
    Name,
    Extension,
    Version,
    Width,
    Size,
    Time,
}

/// Which of a file's times counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimeOf {
    Modification,
    Access,
    Change,
}

/// How times are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TimeStyle {
    /// Month, day, and clock or year.
    Locale,
    FullIso,
    LongIso,
    Iso,
    /// Formats of date(1) for old and for recent times.
    Own(Vec<u8>, Vec<u8>),
}

/// How sizes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SizeUnit {
    Plain,
    Human(u64),
    /// In units of so many bytes, with the letter that is put after.
    Blocks(u64, Option<char>),
}

/// All that options say.
#[derive(Clone, Debug)]
pub(super) struct Options {
    pub(super) format: Format,
    pub(super) hidden: Hidden,
    pub(super) hide: Vec<Vec<u8>>,
    pub(super) ignore: Vec<Vec<u8>>,
    pub(super) follow: Follow,
    pub(super) indicator: Indicator,
    pub(super) quoting: Quoting,
    pub(super) sort: SortBy,
    pub(super) time: TimeOf,
    pub(super) time_style: TimeStyle,
    pub(super) unit: SizeUnit,
    pub(super) reverse: bool,
    pub(super) directories_first: bool,
    pub(super) directory: bool,
    pub(super) recursive: bool,
    pub(super) inodes: bool,
    pub(super) blocks: bool,
    pub(super) numeric: bool,
    pub(super) owner: bool,
    pub(super) group: bool,
    pub(super) width: usize,
    zero: bool,
}

impl Options {
    /// Whether something that is shown or sorted by needs a look at a file of this type.
    pub(super) fn needs_stat(&self, kind: u32) -> bool {
        self.format == Format::Long
            || self.blocks
            || matches!(self.sort, SortBy::Time | SortBy::Size)
            || self.indicator == Indicator::Classify && kind != S_IFDIR && kind != S_IFLNK
            || self.follow == Follow::Always && (kind == S_IFLNK || self.recursive)
            || kind == 0
    }

    /// Whether it is shown where links lead.
    pub(super) fn shows_links(&self) -> bool {
        self.format == Format::Long
    }

    /// What ends a line.
    pub(super) fn line_end(&self) -> &'static str {
        if self.zero { "\0" } else { "\n" }
    }
}

/// Reads the options; operands are what is to be listed.
pub(super) async fn read(tool: &Tool) -> Result<(Options, Vec<Vec<u8>>), Exit> {
    let parsed = tool.parse(&SPEC).await?;
    let mut options = Options {
        format: Format::Single,
        hidden: Hidden::Dotted,
        hide: Vec::new(),
        ignore: Vec::new(),
        follow: Follow::ArgumentDirectories,
        indicator: Indicator::None,
        quoting: Quoting::Literal,
        sort: SortBy::Name,
        time: TimeOf::Modification,
        time_style: TimeStyle::Locale,
        unit: SizeUnit::Plain,
        reverse: false,
        directories_first: false,
        directory: false,
        recursive: false,
        inodes: false,
        blocks: false,
        numeric: false,
        owner: true,
        group: true,
        width: width(tool),
        zero: false,
    };
    if tool.sys.isatty(STDOUT).await {
        options.format = Format::Columns;
        options.quoting = Quoting::ShellEscape;
    }
    let (mut sort, mut follow) = (None, None);
    for (option, value) in &parsed.options {
        flag(&mut options, &mut sort, &mut follow, option);
        if let Some(value) = value {
            valued(tool, &mut options, &mut sort, option, value).await?;
        }
    }
    // Another time than the usual one sorts by itself unless it is shown.
    options.sort = sort.unwrap_or(match (options.format, options.time) {
        (Format::Long, _) | (_, TimeOf::Modification) => SortBy::Name,
        _ => SortBy::Time,
    });
    options.follow = follow.unwrap_or({
        let looks_at_links =
            options.directory || options.indicator == Indicator::Classify || options.format == Format::Long;
        if looks_at_links { Follow::Never } else { Follow::ArgumentDirectories }
    });
    let Parsed { operands, .. } = parsed;
    Ok((options, operands))
}

fn width(tool: &Tool) -> usize {
    let columns = tool.env_var("COLUMNS").and_then(|text| std::str::from_utf8(text).ok());
    columns.and_then(|text| text.parse().ok()).filter(|width| *width > 0).unwrap_or(WIDTH)
}

fn flag(options: &mut Options, sort: &mut Option<SortBy>, follow: &mut Option<Follow>, option: &str) {
    match option {
        "all" => options.hidden = Hidden::Shown,
        "almost-all" => options.hidden = Hidden::AllButDots,
        "escape" => options.quoting = Quoting::Escape,
        "ignore-backups" => options.ignore.extend([b"*~".to_vec(), b".*~".to_vec()]),
        "c" => options.time = TimeOf::Change,
        "u" => options.time = TimeOf::Access,
        "C" => options.format = Format::Columns,
        "x" => options.format = Format::Across,
        "m" => options.format = Format::Commas,
        "1" if options.format != Format::Long => {
            options.format = Format::Single;
        }
        "l" => options.format = Format::Long,
        "g" => (options.format, options.owner) = (Format::Long, false),
        "o" => (options.format, options.group) = (Format::Long, false),
        "numeric-uid-gid" => (options.format, options.numeric) = (Format::Long, true),
        "full-time" => (options.format, options.time_style) = (Format::Long, TimeStyle::FullIso),
        "directory" => options.directory = true,
        "f" => {
            options.hidden = Hidden::Shown;
            *sort = Some(SortBy::Nothing);
            if options.format == Format::Long {
                options.format = Format::Single;
            }
        }
        "classify" => options.indicator = Indicator::Classify,
        "file-type" => options.indicator = Indicator::FileType,
        "p" => options.indicator = Indicator::Slash,
        "group-directories-first" => options.directories_first = true,
        "no-group" => options.group = false,
        "human-readable" => options.unit = SizeUnit::Human(1024),
        "si" => options.unit = SizeUnit::Human(1000),
        "kibibytes" => options.unit = SizeUnit::Plain,
        "dereference-command-line" => *follow = Some(Follow::Arguments),
        "dereference-command-line-symlink-to-dir" => *follow = Some(Follow::ArgumentDirectories),
        "dereference" => *follow = Some(Follow::Always),
        "inode" => options.inodes = true,
        "literal" => options.quoting = Quoting::Literal,
        "hide-control-chars" => options.quoting = Quoting::HideControl,
        "quote-name" => options.quoting = Quoting::C,
        "reverse" => options.reverse = true,
        "recursive" => options.recursive = true,
        "size" => options.blocks = true,
        "S" => *sort = Some(SortBy::Size),
        "t" => *sort = Some(SortBy::Time),
        "U" => *sort = Some(SortBy::Nothing),
        "v" => *sort = Some(SortBy::Version),
        "X" => *sort = Some(SortBy::Extension),
        "zero" => (options.zero, options.quoting) = (true, Quoting::Literal),
        _ => {}
    }
}

async fn valued(
    tool: &Tool,
    options: &mut Options,
    sort: &mut Option<SortBy>,
    option: &str,
    value: &[u8],
) -> Result<(), Exit> {
    match option {
        "hide" => options.hide.push(value.to_vec()),
        "ignore" => options.ignore.push(value.to_vec()),
        "width" | "tabsize" => {
            let number = std::str::from_utf8(value).ok().and_then(|text| text.parse::<usize>().ok());
            match number {
                Some(width) if option == "width" => options.width = if width == 0 { usize::MAX / 2 } else { width },
                Some(_) => {}
                None => {
                    let what = if option == "width" { "line width" } else { "tab size" };
                    return Err(tool.fail(super::SERIOUS, format!("invalid {what}: {}", quote(value))).await);
                }
            }
        }
        "block-size" => match (value, parse_size(value)) {
            (b"human-readable", _) => options.unit = SizeUnit::Human(1024),
            (b"si", _) => options.unit = SizeUnit::Human(1000),
            // A bare letter is shown after each number.
            ([letter], Ok(size @ 1..)) if letter.is_ascii_alphabetic() => {
                options.unit = SizeUnit::Blocks(size, Some(char::from(letter.to_ascii_uppercase())));
            }
            (_, Ok(size @ 1..)) => options.unit = SizeUnit::Blocks(size, None),
            _ => {
                let text = format!("invalid --block-size argument {}", quote(value));
                return Err(tool.fail(super::SERIOUS, text).await);
            }
        },
        "classify" | "color" => match value {
            b"never" | b"no" | b"none" if option == "classify" => options.indicator = Indicator::None,
            b"never" | b"no" | b"none" | b"auto" | b"tty" | b"if-tty" => {}
            b"always" | b"yes" | b"force" if option == "color" => {
                let text = "option '--color=always' is not supported by the simulated guest";
                return Err(tool.fail(super::SERIOUS, text).await);
            }
            b"always" | b"yes" | b"force" => {}
            other => {
                let valid = "  - 'always', 'yes', 'force'\n  - 'never', 'no', 'none'\n  - 'auto', 'tty', 'if-tty'\n";
                return Err(invalid(tool, other, option, valid).await);
            }
        },
        "format" => {
            options.format = match value {
                b"verbose" | b"long" => Format::Long,
                b"commas" => Format::Commas,
                b"horizontal" | b"across" => Format::Across,
                b"vertical" => Format::Columns,
                b"single-column" => Format::Single,
                other => {
                    let valid = "  - 'verbose', 'long'\n  - 'commas'\n  - 'horizontal', 'across'\n  - 'vertical'\n  - 'single-column'\n";
                    return Err(invalid(tool, other, option, valid).await);
                }
            };
        }
        "indicator-style" => {
            options.indicator = match value {
                b"none" => Indicator::None,
                b"slash" => Indicator::Slash,
                b"file-type" => Indicator::FileType,
                b"classify" => Indicator::Classify,
                other => {
                    let valid = "  - 'none'\n  - 'slash'\n  - 'file-type'\n  - 'classify'\n";
                    return Err(invalid(tool, other, option, valid).await);
                }
            };
        }
        "quoting-style" => {
            options.quoting = match value {
                b"literal" => Quoting::Literal,
                b"escape" => Quoting::Escape,
                b"c" => Quoting::C,
                b"shell-escape" => Quoting::ShellEscape,
                b"shell" | b"shell-always" | b"shell-escape-always" | b"c-maybe" | b"locale" | b"clocale" => {
                    let style = String::from_utf8_lossy(value);
                    let text = format!("option '--quoting-style={style}' is not supported by the simulated guest");
                    return Err(tool.fail(super::SERIOUS, text).await);
                }
                other => {
                    let valid = "  - 'literal'\n  - 'shell'\n  - 'shell-always'\n  - 'shell-escape'\n  - 'shell-escape-always'\n  - 'c'\n  - 'c-maybe'\n  - 'escape'\n  - 'locale'\n  - 'clocale'\n";
                    return Err(invalid(tool, other, option, valid).await);
                }
            };
        }
        "sort" => {
            *sort = Some(match value {
                b"none" => SortBy::Nothing,
                b"time" => SortBy::Time,
                b"size" => SortBy::Size,
                b"extension" => SortBy::Extension,
                b"version" => SortBy::Version,
                b"width" => SortBy::Width,
                other => {
                    let valid = "  - 'none'\n  - 'time'\n  - 'size'\n  - 'extension'\n  - 'version'\n  - 'width'\n";
                    return Err(invalid(tool, other, option, valid).await);
                }
            });
        }
        "time" => {
            options.time = match value {
                b"atime" | b"access" | b"use" => TimeOf::Access,
                b"ctime" | b"status" => TimeOf::Change,
                b"mtime" | b"modification" => TimeOf::Modification,
                other => {
                    let valid = "  - 'atime', 'access', 'use'\n  - 'ctime', 'status'\n  - 'birth', 'creation'\n";
                    return Err(invalid(tool, other, option, valid).await);
                }
            };
        }
        "time-style" => {
            options.time_style = match value {
                b"full-iso" => TimeStyle::FullIso,
                b"long-iso" => TimeStyle::LongIso,
                b"iso" => TimeStyle::Iso,
                b"locale" => TimeStyle::Locale,
                [b'+', format @ ..] => {
                    let mut parts = format.splitn(2, |&byte| byte == b'\n');
                    let old = parts.next().unwrap_or_default().to_vec();
                    TimeStyle::Own(old.clone(), parts.next().map_or(old, <[u8]>::to_vec))
                }
                other => {
                    let valid = "  - [posix-]full-iso\n  - [posix-]long-iso\n  - [posix-]iso\n  - [posix-]locale\n  - +FORMAT (e.g., +%H:%M) for a 'date'-style format\n";
                    tool.error(format!("invalid argument {} for 'time style'", quote(other))).await;
                    tool.stderr(format!("Valid arguments are:\n{valid}")).await;
                    return Err(tool.usage_hint(super::SERIOUS).await);
                }
            };
        }
        _ => {}
    }
    Ok(())
}

async fn invalid(tool: &Tool, text: &[u8], option: &str, valid: &str) -> Exit {
    tool.error(format!("invalid argument {} for '--{option}'", quote(text))).await;
    tool.stderr(format!("Valid arguments are:\n{valid}")).await;
    tool.usage_hint(super::MINOR).await
}
