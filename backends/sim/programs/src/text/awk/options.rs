//! The command line.

use provium_kernel::flags::{O_CLOEXEC, O_RDONLY};

use super::lexer::unescape;
use super::streams::{FAILURE, cannot_open};
use crate::shared::tool::STDIN;
use crate::shared::{Exit, Tool};

/// The longest program text, in bytes.
const MAX_SOURCE: usize = 1 << 20;

const USAGE: &str = "Usage: awk [-F value] [-v var=value] [--] 'program text' [file ...]\n\
                     \x20      awk [-F value] [-v var=value] -f program-file [file ...]\n";

/// What a command line says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) separator: Option<Vec<u8>>,
    pub(super) assignments: Vec<(String, Vec<u8>)>,
    pub(super) files: Vec<Vec<u8>>,
    pub(super) operands: Vec<Vec<u8>>,
}

/// Why there are no options to work with.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stopped {
    Version,
    Help,
    Wrong(String),
}

/// `name=value`, if the word is an assignment; escapes in the value are those of a string.
pub(super) fn assignment(word: &[u8]) -> Option<(String, Vec<u8>)> {
    let at = word.iter().position(|&byte| byte == b'=')?;
    let (name, value) = (&word[..at], &word[at + 1..]);
    let starts = name.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_');
    let goes_on = name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    (starts && goes_on).then(|| (String::from_utf8_lossy(name).into_owned(), unescape(value)))
}

pub(super) fn parse(args: &[Vec<u8>]) -> Result<Options, Stopped> {
    let mut options = Options::default();
    let mut args = args.iter();
    let mut operand = None;
    while let Some(arg) = args.next() {
        let text = arg.as_slice();
        match text {
            b"--" => break,
            b"--version" | b"-V" => return Err(Stopped::Version),
            b"--help" | b"-h" => return Err(Stopped::Help),
            [b'-', letter @ (b'F' | b'v' | b'f'), attached @ ..] => {
                let value = if attached.is_empty() { args.next().map(Vec::as_slice) } else { Some(attached) };
                let Some(value) = value else {
                    return Err(Stopped::Wrong(format!("option -{} lacks argument", char::from(*letter))));
                };
                match letter {
                    b'F' => options.separator = Some(unescape(value)),
                    b'f' => options.files.push(value.to_vec()),
                    _ => match assignment(value) {
                        Some(assignment) => options.assignments.push(assignment),
                        None => {
                            let shown = String::from_utf8_lossy(value);
                            return Err(Stopped::Wrong(format!("improper assignment: -v {shown}")));
                        }
                    },
                }
            }
            [b'-', b'W', ..] => {
                return Err(Stopped::Wrong("the awk of the simulated guest has no -W options".to_owned()));
            }
            [b'-', _, ..] => {
                return Err(Stopped::Wrong(format!("not an option: {}", String::from_utf8_lossy(text))));
            }
            _ => {
                operand = Some(arg.clone());
                break;
            }
        }
    }
    options.operands = operand.into_iter().chain(args.cloned()).collect();
    Ok(options)
}

/// Reads the command line and reports what is wrong with it.
pub(super) async fn read(tool: &Tool) -> Result<Options, Exit> {
    match parse(&tool.args) {
        Ok(options) if options.files.is_empty() && options.operands.is_empty() => {
            tool.stderr(USAGE).await;
            Err(Exit(FAILURE))
        }
        Ok(options) => Ok(options),
        Err(Stopped::Help) => {
            tool.out.write(USAGE).await?;
            Err(Exit(0))
        }
        Err(Stopped::Version) => {
            tool.out.write(concat!("awk (provium simulated guest) ", env!("CARGO_PKG_VERSION"), "\n")).await?;
            Err(Exit(0))
        }
        Err(Stopped::Wrong(message)) => Err(tool.fail(FAILURE, message).await),
    }
}

/// The program's text: the files of `-f`, or the first operand.
pub(super) async fn source(tool: &Tool, options: &mut Options) -> Result<Vec<u8>, Exit> {
    let mut source = Vec::new();
    if options.files.is_empty() {
        source = options.operands.remove(0);
    }
    for name in &options.files {
        let fd = match name.as_slice() {
            b"-" | b"/dev/stdin" => STDIN,
            path => match tool.sys.open(path, O_RDONLY | O_CLOEXEC, 0).await {
                Ok(fd) => fd,
                Err(errno) => return Err(cannot_open(tool, path, "", errno).await),
            },
        };
        loop {
            match tool.sys.read(fd, 4096).await {
                Ok(data) if data.is_empty() => break,
                Ok(data) => source.extend_from_slice(&data),
                Err(errno) => return Err(cannot_open(tool, name, "", errno).await),
            }
            if source.len() > MAX_SOURCE {
                break;
            }
        }
        if fd != STDIN {
            let _closed_either_way = tool.sys.close(fd).await;
        }
        source.push(b'\n');
    }
    if source.len() > MAX_SOURCE {
        return Err(tool.fail(FAILURE, format!("a program of more than {MAX_SOURCE} bytes")).await);
    }
    Ok(source)
}

#[cfg(test)]
mod tests {
    use super::{Options, Stopped, assignment, parse};

    fn words(text: &str) -> Vec<Vec<u8>> {
        text.split(' ').map(|word| word.as_bytes().to_vec()).collect()
    }

    #[test]
    fn options_end_at_the_first_operand() {
        let expected = Options {
            separator: Some(b"\t".to_vec()),
            assignments: vec![("x".into(), b"1=2".to_vec())],
            files: vec![],
            operands: words("{print} -F a"),
        };
        assert_eq!(parse(&words(r"-F\t -v x=1=2 {print} -F a")), Ok(expected));
        assert_eq!(parse(&words("-- -x")).map(|options| options.operands), Ok(words("-x")));
        assert_eq!(parse(&words("-f a -fb -")).map(|options| options.files), Ok(words("a b")));
        assert_eq!(parse(&words("-z")), Err(Stopped::Wrong("not an option: -z".into())));
        assert_eq!(parse(&words("-v 1=2")), Err(Stopped::Wrong("improper assignment: -v 1=2".into())));
        assert_eq!(parse(&words("-f")), Err(Stopped::Wrong("option -f lacks argument".into())));
    }

    #[test]
    fn assignments_have_a_name() {
        assert_eq!(assignment(br"a_1=x\n"), Some(("a_1".into(), b"x\n".to_vec())));
        assert_eq!(assignment(b"/a=b"), None);
        assert_eq!(assignment(b"=b"), None);
    }
}
