//! tail: the last part of files, and what is added to them.

mod ends;
mod follow;

use provium_kernel::{Fd, Pid};

use super::common::{close, is_fifo, number, open, or_stdin};
use super::count::{self, Unit};
use crate::shared::{Exit, Opt, Outcome, Parsed, Spec, Tool, quote, quoteaf, quotef, strnum};

/// Bytes of one read: glibc's `BUFSIZ`.
const BLOCK: usize = 8192;

const SPEC: Spec = Spec::new(
    "[OPTION]... [FILE]...",
    &[
        Opt::value("c", "bytes"),
        Opt::flag("f", ""),
        Opt::optional("", "follow"),
        Opt::flag("F", ""),
        Opt::value("n", "lines"),
        Opt::unsupported("", "max-unchanged-stats"),
        Opt::value("", "pid"),
        Opt::flag("q", "quiet"),
        Opt::flag("", "silent"),
        Opt::flag("", "retry"),
        Opt::value("s", "sleep-interval"),
        Opt::flag("v", "verbose"),
        Opt::flag("z", "zero-terminated"),
    ],
);

/// What is followed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Follow {
    Descriptor,
    Name,
}

#[derive(Clone, Debug)]
struct Job {
    unit: Unit,
    count: u64,
    from_start: bool,
    follow: Option<Follow>,
    retry: bool,
    pid: Option<Pid>,
    sleep_ns: u64,
    headers: bool,
    delimiter: u8,
}

/// One operand.
struct File {
    name: Vec<u8>,
    fd: Option<Fd>,
    /// Device and inode, to see that the name means another file now.
    identity: (u64, u64),
    regular: bool,
    place: u64,
    /// Nothing more is to be expected of it.
    ignored: bool,
    /// The name could be opened when it was last tried.
    accessible: bool,
}

impl File {
    fn shown(&self) -> Vec<u8> {
        if self.name == b"-" { b"standard input".to_vec() } else { self.name.clone() }
    }
}

pub(super) async fn run(tool: Tool) -> Outcome {
    let args = modern(&tool).await?;
    let parsed = tool.parse_args(&SPEC, args).await?;
    let names = or_stdin(parsed.operands.clone());
    let job = job(&tool, &parsed, names.len()).await?;
    let mut code = 0;
    let mut files: Vec<File> = Vec::new();
    let mut header = Header { wanted: job.headers, first: true, current: None };
    for (index, name) in names.into_iter().enumerate() {
        let mut file =
            File { name, fd: None, identity: (0, 0), regular: false, place: 0, ignored: false, accessible: false };
        if !start(&tool, &job, &mut file, &mut header, index).await? {
            code = 1;
            file.ignored |= !job.retry || job.follow.is_none();
        }
        files.push(file);
    }
    let Some(follow) = job.follow else { return Ok(code) };
    follow::run(&tool, &job, follow, &mut files, &mut header).await
}

/// The lines that say which file comes next.
struct Header {
    wanted: bool,
    first: bool,
    current: Option<usize>,
}

impl Header {
    async fn show(&mut self, tool: &Tool, file: &File, index: usize) -> Result<(), Exit> {
        if self.wanted && self.current != Some(index) {
            let gap: &[u8] = if self.first { b"" } else { b"\n" };
            tool.out.write([gap, b"==> ", &file.shown(), b" <==\n"].concat()).await?;
            self.first = false;
        }
        self.current = Some(index);
        Ok(())
    }
}

/// Opens a file and shows its end; false if that failed.
async fn start(tool: &Tool, job: &Job, file: &mut File, header: &mut Header, index: usize) -> Result<bool, Exit> {
    let fd = match open(tool, &file.name).await {
        Ok(fd) => fd,
        Err(errno) => {
            tool.error_errno(format!("cannot open {} for reading", quoteaf(file.shown())), errno).await;
            return Ok(false);
        }
    };
    header.show(tool, file, index).await?;
    let stat = tool.sys.fstat(fd).await;
    if let Ok(stat) = &stat {
        file.identity = (stat.dev, stat.ino);
        file.regular = stat.is_file();
    }
    let fits = stat.as_ref().is_ok_and(|stat| stat.is_file());
    file.accessible = true;
    let shown = match ends::show(tool, fd, job, fits).await? {
        Ok(place) => {
            file.place = place;
            true
        }
        Err(errno) => {
            tool.error_errno(format!("error reading {}", quoteaf(file.shown())), errno).await;
            file.ignored = true;
            false
        }
    };
    let piped_input = file.name == b"-" && stat.as_ref().is_ok_and(is_fifo);
    if shown && job.follow.is_some() && !piped_input {
        file.fd = Some(fd);
    } else {
        // POSIX: following a pipe on standard input means nothing.
        file.ignored |= piped_input;
        close(tool, fd).await;
    }
    if !shown && job.follow == Some(Follow::Descriptor) {
        let message = format!("{}: cannot follow end of this type of file", quotef(file.shown()));
        tool.error(message).await;
    }
    Ok(shown)
}

/// Rewrites the obsolete `-5`, `-5f`, `+3c` to options of today; only where no other option stands.
async fn modern(tool: &Tool) -> Result<Vec<Vec<u8>>, Exit> {
    let args = tool.args.clone();
    let alone = match args.as_slice() {
        [_] => true,
        [_, file] => !file.starts_with(b"-") || file == b"-",
        [_, dashes, ..] => dashes == b"--" && args.len() <= 3,
        [] => false,
    };
    let Some(first) = args.first() else { return Ok(args) };
    let from_start = first.starts_with(b"+");
    if !(from_start || first.starts_with(b"-")) || first.len() < 2 {
        return Ok(args);
    }
    let body = &first[1..];
    let digits = body.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 && !from_start {
        return Ok(args);
    }
    let (count, letters) = body.split_at(digits);
    let (unit, rest) = match letters.split_first() {
        Some((b'c', rest)) => (Some((b'c', &b""[..])), rest),
        Some((b'b', rest)) => (Some((b'c', &b"b"[..])), rest),
        Some((b'l', rest)) => (Some((b'n', &b""[..])), rest),
        _ => (None, letters),
    };
    let follow = rest == b"f";
    if !alone || !(rest.is_empty() || follow) {
        if digits > 0 && !from_start {
            let message = format!("option used in invalid context -- {}", char::from(body[0]));
            return Err(tool.fail(1, message).await);
        }
        return Ok(args);
    }
    let (letter, suffix) = unit.unwrap_or((b'n', b""));
    let count = if count.is_empty() { &b"10"[..] } else { count };
    let sign: &[u8] = if from_start { b"+" } else { b"" };
    let mut changed = vec![[&[b'-', letter], sign, count, suffix].concat()];
    if follow {
        changed.push(b"-f".to_vec());
    }
    changed.extend_from_slice(&args[1..]);
    Ok(changed)
}

async fn job(tool: &Tool, parsed: &Parsed, files: usize) -> Result<Job, Exit> {
    let mut job = Job {
        unit: Unit::Lines,
        count: 10,
        from_start: false,
        follow: None,
        retry: false,
        pid: None,
        sleep_ns: 1_000_000_000,
        headers: files > 1,
        delimiter: if parsed.has("zero-terminated") { 0 } else { b'\n' },
    };
    for (key, value) in &parsed.options {
        let text = value.as_deref().unwrap_or_default();
        match *key {
            "bytes" | "lines" => {
                job.unit = if *key == "bytes" { Unit::Bytes } else { Unit::Lines };
                job.from_start = text.starts_with(b"+");
                let digits = text.strip_prefix(b"+").or_else(|| text.strip_prefix(b"-")).unwrap_or(text);
                job.count = count::parse(tool, job.unit, digits, text).await?;
            }
            "f" => job.follow = Some(Follow::Descriptor),
            "F" => {
                job.follow = Some(Follow::Name);
                job.retry = true;
            }
            "follow" => {
                job.follow = Some(match value.as_deref() {
                    None | Some(b"descriptor") => Follow::Descriptor,
                    Some(b"name") => Follow::Name,
                    Some(other) => {
                        let valid = "Valid arguments are:\n  - 'descriptor'\n  - 'name'\n";
                        tool.error(format!("invalid argument {} for '--follow'", quote(other))).await;
                        tool.stderr(valid).await;
                        return Err(tool.usage_hint(1).await);
                    }
                });
            }
            "retry" => job.retry = true,
            "quiet" | "silent" => job.headers = false,
            "verbose" => job.headers = true,
            "pid" => match number(text).and_then(|pid| Pid::try_from(pid).ok()) {
                Some(pid) => job.pid = Some(pid),
                None => return Err(tool.fail(1, format!("invalid PID: {}", quote(text))).await),
            },
            "sleep-interval" => {
                let read = strnum::float(text);
                if read.used != text.len() || text.is_empty() || !(0.0..1e9).contains(&read.value) {
                    return Err(tool.fail(1, format!("invalid number of seconds: {}", quote(text))).await);
                }
                job.sleep_ns = (read.value * 1e9) as u64;
            }
            _ => {}
        }
    }
    if job.retry && job.follow.is_none() {
        tool.error("warning: --retry ignored; --retry is useful only when following").await;
    }
    if job.pid.is_some() && job.follow.is_none() {
        tool.error("warning: PID ignored; --pid=PID is useful only when following").await;
    }
    Ok(job)
}
