//! The expressions of `test` and `[`: read by the rules of dash or of GNU coreutils, decided against the
//! guest's files. Reading gives a list of steps for a stack, so that deciding needs no recursion.

mod dash;
mod gnu;

use provium_kernel::{Fd, Stat, Sys, TimeSpec};

use super::echo::Flavor;

/// The deepest nesting of parentheses: more is a mistake, and each level costs stack.
pub const MAX_NESTING: usize = 256;

/// An expression, ready to be decided.
#[derive(Debug, PartialEq, Eq)]
pub struct Expression(Vec<Step>);

#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// A truth known from the arguments alone.
    Known(bool),
    /// `-f FILE` and its like, by letter.
    File(u8, Vec<u8>),
    /// `A -nt B` and its like.
    Pair(Pair, Vec<u8>, Vec<u8>),
    /// `-t FD`.
    Terminal(Fd),
    /// Turns the truth on top of the stack around.
    Not,
    /// Joins the two on top.
    And,
    /// Joins the two on top.
    Or,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pair {
    Newer,
    Older,
    Same,
}

/// Reads an expression: the arguments after the name, without a closing bracket. The error is the message
/// after the tool's name; the exit status is then 2.
pub fn parse(args: &[Vec<u8>], flavor: Flavor) -> Result<Expression, Vec<u8>> {
    let steps = match flavor {
        Flavor::Dash => dash::parse(args)?,
        Flavor::Gnu => gnu::parse(args)?,
    };
    Ok(Expression(steps))
}

/// The arguments of `[` without the closing bracket; the error is the message if there is none.
pub fn strip_bracket(args: &[Vec<u8>], flavor: Flavor) -> Result<&[Vec<u8>], Vec<u8>> {
    match args.split_last() {
        Some((last, rest)) if last == b"]" => Ok(rest),
        _ if flavor == Flavor::Dash => Err(b"missing ]".to_vec()),
        _ => Err(b"missing ']'".to_vec()),
    }
}

impl Expression {
    /// Whether the expression is true now.
    pub async fn decide(&self, sys: &Sys, flavor: Flavor) -> bool {
        let mut stack: Vec<bool> = Vec::new();
        for step in &self.0 {
            let truth = match step {
                Step::Known(truth) => *truth,
                Step::File(letter, path) => file_is(sys, *letter, path).await,
                Step::Pair(pair, left, right) => pair_is(sys, *pair, left, right, flavor).await,
                Step::Terminal(fd) => sys.isatty(*fd).await,
                Step::Not => !stack.pop().unwrap_or_default(),
                Step::And => stack.pop().unwrap_or_default() & stack.pop().unwrap_or_default(),
                Step::Or => stack.pop().unwrap_or_default() | stack.pop().unwrap_or_default(),
            };
            stack.push(truth);
        }
        stack.pop().unwrap_or_default()
    }
}

async fn file_is(sys: &Sys, letter: u8, path: &[u8]) -> bool {
    let access = match letter {
        b'r' => Some(4),
        b'w' => Some(2),
        b'x' => Some(1),
        _ => None,
    };
    if let Some(mode) = access {
        return sys.access(path, mode).await.is_ok();
    }
    let stat = match letter {
        b'h' | b'L' => sys.lstat(path).await,
        _ => sys.stat(path).await,
    };
    let Ok(stat) = stat else { return false };
    let kind = stat.mode & 0o170_000;
    match letter {
        b'e' => true,
        b's' => stat.size > 0,
        b'f' => kind == 0o100_000,
        b'd' => kind == 0o040_000,
        b'c' => kind == 0o020_000,
        b'b' => kind == 0o060_000,
        b'p' => kind == 0o010_000,
        b'S' => kind == 0o140_000,
        b'h' | b'L' => kind == 0o120_000,
        b'u' => stat.mode & 0o4000 != 0,
        b'g' => stat.mode & 0o2000 != 0,
        b'k' => stat.mode & 0o1000 != 0,
        b'O' => sys.credentials().await.is_ok_and(|own| own.euid == stat.uid),
        b'G' => sys.credentials().await.is_ok_and(|own| own.egid == stat.gid),
        b'N' => is_later(stat.mtime, stat.atime),
        _ => false,
    }
}

fn is_later(left: TimeSpec, right: TimeSpec) -> bool {
    (left.sec, left.nsec) > (right.sec, right.nsec)
}

/// dash finds no order between a file and one that is missing; GNU calls the missing one older.
async fn pair_is(sys: &Sys, pair: Pair, left: &[u8], right: &[u8], flavor: Flavor) -> bool {
    let (left, right): (Option<Stat>, Option<Stat>) = (sys.stat(left).await.ok(), sys.stat(right).await.ok());
    match (pair, left, right) {
        (Pair::Newer, Some(left), Some(right)) => is_later(left.mtime, right.mtime),
        (Pair::Older, Some(left), Some(right)) => is_later(right.mtime, left.mtime),
        (Pair::Same, Some(left), Some(right)) => (left.dev, left.ino) == (right.dev, right.ino),
        (Pair::Newer, Some(_), None) | (Pair::Older, None, Some(_)) => flavor == Flavor::Gnu,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Expression, Flavor, Step, parse, strip_bracket};

    fn args(text: &str) -> Vec<Vec<u8>> {
        text.split(' ').filter(|arg| !arg.is_empty()).map(|arg| arg.trim_matches('"').as_bytes().to_vec()).collect()
    }

    /// The truth of an expression that asks no file, or the message.
    fn truth(text: &str, flavor: Flavor) -> Result<bool, String> {
        let Expression(steps) = parse(&args(text), flavor).map_err(|text| String::from_utf8(text).unwrap())?;
        let mut stack: Vec<bool> = Vec::new();
        for step in steps {
            let truth = match step {
                Step::Known(truth) => truth,
                Step::Not => !stack.pop().unwrap(),
                Step::And => stack.pop().unwrap() & stack.pop().unwrap(),
                Step::Or => stack.pop().unwrap() | stack.pop().unwrap(),
                other => panic!("{other:?} asks the system"),
            };
            stack.push(truth);
        }
        assert_eq!(stack.len(), 1, "{text}");
        Ok(stack[0])
    }

    #[test]
    fn both_agree_on_what_posix_says() {
        for (text, expected) in [
            ("", false),
            ("a", true),
            ("\"\"", false),
            ("-n", true),
            ("-z", true),
            ("!", true),
            ("! a", false),
            ("-n a", true),
            ("-z \"\"", true),
            ("a = a", true),
            ("a != a", false),
            ("= = =", true),
            ("! = !", true),
            ("3 -gt 2", true),
            ("3 -le 2", false),
            ("-1 -lt 0", true),
            ("! a = a", false),
            ("( a )", true),
            ("( ! a )", false),
            ("a = a -a b = c", false),
            ("a = a -o b = c", true),
            ("a = b -o c = c -a d = d", true),
            ("! a = b -a c = c", true),
            ("( a = b -o c = c ) -a d = e", false),
        ] {
            assert_eq!(truth(text, Flavor::Dash), Ok(expected), "dash: {text}");
            assert_eq!(truth(text, Flavor::Gnu), Ok(expected), "gnu: {text}");
        }
    }

    #[test]
    fn complaints_of_the_builtin() {
        for (text, message) in [
            ("1 -eq a", "Illegal number: a"),
            ("1 2 3", "1: unexpected operator"),
            ("-a b", "-a: unexpected operator"),
            ("( a", "closing paren expected"),
            ("x -eq", "-eq: argument expected"),
            ("a == a", "a: unexpected operator"),
        ] {
            assert_eq!(truth(text, Flavor::Dash), Err(message.to_owned()), "{text}");
        }
        assert_eq!(truth("a < b", Flavor::Dash), Ok(true));
    }

    #[test]
    fn complaints_of_the_utility() {
        for (text, message) in [
            ("1 -eq a", "invalid integer 'a'"),
            ("a -foo b", "'-foo': binary operator expected"),
            ("( a", "missing argument after 'a'"),
            ("( )", "missing argument after ')'"),
            ("a b c d", "extra argument 'b'"),
            ("1 2", "missing argument after '2'"),
            ("-Q x", "'-Q': unary operator expected"),
            ("( a = b", "')' expected"),
            ("a b -a c", "extra argument 'b'"),
        ] {
            assert_eq!(truth(text, Flavor::Gnu), Err(message.to_owned()), "{text}");
        }
        assert_eq!(truth("12345678901234567890 -gt 12345678901234567889", Flavor::Gnu), Ok(true));
        assert_eq!(truth("a == a", Flavor::Gnu), Ok(true));
    }

    #[test]
    fn nesting_has_a_limit() {
        let deep = format!("{}a{}", "( ".repeat(1000), " )".repeat(1000));
        assert!(truth(&deep, Flavor::Dash).unwrap_err().contains("nested"));
        assert!(truth(&deep, Flavor::Gnu).unwrap_err().contains("nested"));
    }

    #[test]
    fn a_bracket_wants_its_partner() {
        assert_eq!(strip_bracket(&args("a ]"), Flavor::Gnu), Ok(&args("a")[..]));
        assert_eq!(strip_bracket(&args("a"), Flavor::Dash), Err(b"missing ]".to_vec()));
    }
}
