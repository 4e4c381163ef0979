//! Reads the expression of a search.

use provium_kernel::TimeSpec;
use provium_kernel::flags::{R_OK, W_OK, X_OK};

use super::expression::{Action, Command, Count, Expression, Permissions, Stamp, Step, Test};
use super::printf;
use crate::shared::date_text;
use crate::shared::mode::{ModeChange, S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG, S_IFSOCK};
use crate::shared::names::{groups, users};
use crate::shared::quote::quoteaf;
use crate::shared::walk::Follow;
use crate::shared::{Exit, Tool};

/// Parentheses and negations inside each other: bounds the depth of recursion in the parser.
const MAX_NESTING: usize = 200;

/// Tests and actions of find that are not simulated.
const UNSUPPORTED: &[&str] = &[
    "-context",
    "-daystart",
    "-fls",
    "-fprint",
    "-fprint0",
    "-fprintf",
    "-fstype",
    "-files0-from",
    "-iregex",
    "-ls",
    "-ok",
    "-okdir",
    "-regex",
    "-regextype",
    "-used",
];

struct Parser<'a> {
    tool: &'a Tool,
    words: &'a [Vec<u8>],
    at: usize,
    follow: Follow,
    now: TimeSpec,
    has_action: bool,
    depth: usize,
    expression: Expression,
}

/// A wrong expression, in find's words.
struct Wrong(String);

/// Reads the words after the paths; what is wrong with them is reported.
pub(super) async fn parse(tool: &Tool, words: &[Vec<u8>], follow: Follow, now: TimeSpec) -> Result<Expression, Exit> {
    let mut parser =
        Parser { tool, words, at: 0, follow, now, has_action: false, depth: 0, expression: Expression::default() };
    match parser.whole().await {
        Ok(()) => Ok(parser.expression),
        Err(Wrong(message)) => Err(tool.fail(1, message).await),
    }
}

/// What stands between operands of a sequence: how deep in it, and where its jumps are.
enum Open {
    /// `(`: where the jumps of the list outside are kept.
    Group,
    /// `!`: the next operand is negated.
    Not,
}

impl Parser<'_> {
    async fn whole(&mut self) -> Result<(), Wrong> {
        if !self.words.is_empty() {
            self.operands().await?;
        }
        if !self.has_action {
            if !self.expression.steps.is_empty() {
                let after = self.expression.steps.len() + 2;
                self.expression.steps.push(Step::JumpIfFalse(after));
            }
            self.expression.steps.push(Step::Action(Action::Print(b"\n".to_vec())));
        }
        Ok(())
    }

    /// Reads operands and operators with a stack of what is open. Each list of alternatives ends where
    /// its jumps lead, so jumps are patched when it closes.
    async fn operands(&mut self) -> Result<(), Wrong> {
        let mut lists = vec![List::default()];
        let mut open: Vec<Open> = Vec::new();
        let mut wants_operand = true;
        let mut last_operator = String::new();
        while let Some(word) = self.words.get(self.at) {
            self.at += 1;
            let shown = String::from_utf8_lossy(word).into_owned();
            match word.as_slice() {
                b"(" => {
                    if !wants_operand {
                        self.and(&mut lists);
                    }
                    self.deeper()?;
                    open.push(Open::Group);
                    lists.push(List::default());
                    wants_operand = true;
                    last_operator = shown;
                    if self.words.get(self.at).is_some_and(|next| next == b")") {
                        return Err(Wrong("invalid expression; empty parentheses are not allowed.".into()));
                    }
                    if self.at == self.words.len() {
                        return Err(Wrong(
                            "invalid expression; expected to find a ')' but didn't see one. Perhaps you need an extra predicate after '('"
                                .into(),
                        ));
                    }
                }
                b")" => {
                    if wants_operand && last_operator.is_empty() || !open.iter().any(|open| matches!(open, Open::Group))
                    {
                        return Err(Wrong("you have too many ')'".into()));
                    }
                    if wants_operand {
                        return Err(Wrong(format!("expected an expression between '{last_operator}' and ')'")));
                    }
                    open.pop();
                    self.depth -= 1;
                    if let Some(list) = lists.pop() {
                        self.close(list);
                    }
                    self.negate(&mut open);
                }
                b"!" | b"-not" => {
                    if !wants_operand {
                        self.and(&mut lists);
                    }
                    self.deeper()?;
                    open.push(Open::Not);
                    wants_operand = true;
                    last_operator = shown;
                }
                b"-a" | b"-and" | b"-o" | b"-or" | b"," => {
                    if wants_operand {
                        let text = if last_operator.is_empty() || last_operator == "(" {
                            format!(
                                "invalid expression; you have used a binary operator '{shown}' with nothing before it."
                            )
                        } else {
                            "invalid expression".into()
                        };
                        return Err(Wrong(text));
                    }
                    match word.as_slice() {
                        b"," => self.comma(&mut lists),
                        b"-o" | b"-or" => self.or(&mut lists),
                        _ => self.and(&mut lists),
                    }
                    wants_operand = true;
                    last_operator = shown;
                }
                _ => {
                    if !wants_operand {
                        self.and(&mut lists);
                    }
                    if let Some(step) = self.primary(&shown).await? {
                        self.expression.steps.push(step);
                        self.negate(&mut open);
                        wants_operand = false;
                    } else {
                        // An option is true wherever it stands.
                        self.expression.steps.push(Step::Test(Test::True));
                        self.negate(&mut open);
                        wants_operand = false;
                    }
                    continue;
                }
            }
            if matches!(word.as_slice(), b")") {
                wants_operand = false;
            }
        }
        if open.iter().any(|open| matches!(open, Open::Group)) {
            return Err(Wrong(
                "invalid expression; I was expecting to find a ')' somewhere but did not see one.".into(),
            ));
        }
        if wants_operand {
            return Err(Wrong(format!("expected an expression after '{last_operator}'")));
        }
        if let Some(list) = lists.pop() {
            self.close(list);
        }
        Ok(())
    }

    fn deeper(&mut self) -> Result<(), Wrong> {
        self.depth += 1;
        if self.depth > MAX_NESTING {
            return Err(Wrong(format!("expression nests deeper than {MAX_NESTING}, the limit of the simulated guest")));
        }
        Ok(())
    }

    /// After an operand: the negations before it come into effect.
    fn negate(&mut self, open: &mut Vec<Open>) {
        while matches!(open.last(), Some(Open::Not)) {
            open.pop();
            self.depth -= 1;
            self.expression.steps.push(Step::Not);
        }
    }

    /// What follows counts only if what was read is true; the place to jump to is not known yet.
    fn and(&mut self, lists: &mut [List]) {
        if let Some(list) = lists.last_mut() {
            list.ands.push(self.expression.steps.len());
        }
        self.expression.steps.push(Step::JumpIfFalse(0));
    }

    fn or(&mut self, lists: &mut [List]) {
        if let Some(list) = lists.last_mut() {
            list.ors.push(self.expression.steps.len());
            self.expression.steps.push(Step::JumpIfTrue(0));
            // A false conjunction goes on with the next alternative.
            let here = self.expression.steps.len();
            for at in list.ands.drain(..) {
                self.expression.steps[at] = Step::JumpIfFalse(here);
            }
        }
    }

    fn comma(&mut self, lists: &mut [List]) {
        if let Some(list) = lists.last_mut() {
            let list = std::mem::take(list);
            self.close(list);
        }
    }

    fn close(&mut self, list: List) {
        let here = self.expression.steps.len();
        for at in list.ands {
            self.expression.steps[at] = Step::JumpIfFalse(here);
        }
        for at in list.ors {
            self.expression.steps[at] = Step::JumpIfTrue(here);
        }
    }

    fn argument(&mut self, option: &str) -> Result<Vec<u8>, Wrong> {
        let Some(argument) = self.words.get(self.at) else {
            return Err(Wrong(format!("missing argument to `{option}'")));
        };
        self.at += 1;
        Ok(argument.clone())
    }

    /// One test, action or option; options leave no step.
    async fn primary(&mut self, word: &str) -> Result<Option<Step>, Wrong> {
        if let Some(test) = self.plain_test(word)? {
            return Ok(Some(Step::Test(test)));
        }
        if let Some(test) = self.test_of_world(word).await? {
            return Ok(Some(Step::Test(test)));
        }
        if let Some(action) = self.action(word).await? {
            if !matches!(action, Action::Prune | Action::Quit) {
                self.has_action = true;
            }
            return Ok(Some(Step::Action(action)));
        }
        match word {
            "-maxdepth" => self.expression.max_depth = Some(self.depth_argument(word)?),
            "-mindepth" => self.expression.min_depth = self.depth_argument(word)?,
            "-depth" | "-d" => self.expression.depth_first = true,
            "-xdev" | "-mount" => self.expression.one_file_system = true,
            "-follow" => self.expression.follow_all = true,
            "-noleaf" | "-ignore_readdir_race" | "-noignore_readdir_race" | "-warn" | "-nowarn" => {}
            _ if UNSUPPORTED.contains(&word) => {
                return Err(Wrong(format!("option '{word}' is not supported by the simulated guest")));
            }
            _ if word.starts_with('-') => return Err(Wrong(format!("unknown predicate `{word}'"))),
            _ => {
                return Err(Wrong(format!("paths must precede expression: `{word}'")));
            }
        }
        Ok(None)
    }

    fn depth_argument(&mut self, word: &str) -> Result<usize, Wrong> {
        let argument = self.argument(word)?;
        let number = std::str::from_utf8(&argument).ok().and_then(|text| text.parse().ok());
        number.ok_or_else(|| {
            let shown = quoteaf(&argument);
            Wrong(format!("Expected a positive decimal integer argument to {word}, but got {shown}"))
        })
    }

    /// Tests that are understood from the words alone.
    fn plain_test(&mut self, word: &str) -> Result<Option<Test>, Wrong> {
        let ignore_case = matches!(word, "-iname" | "-ipath" | "-iwholename" | "-ilname");
        Ok(Some(match word {
            "-true" => Test::True,
            "-false" => Test::False,
            "-name" | "-iname" => Test::Name { pattern: self.argument(word)?, ignore_case },
            "-path" | "-wholename" | "-ipath" | "-iwholename" => {
                Test::Path { pattern: self.argument(word)?, ignore_case }
            }
            "-lname" | "-ilname" => Test::LinkName { pattern: self.argument(word)?, ignore_case },
            "-type" => Test::Type(self.types(word)?),
            "-xtype" => Test::OtherType(self.types(word)?),
            "-size" => self.size(word)?,
            "-empty" => Test::Empty,
            "-mtime" | "-atime" | "-ctime" => Test::Age { stamp: stamp(word), count: self.count(word)?, unit: 86_400 },
            "-mmin" | "-amin" | "-cmin" => Test::Age { stamp: stamp(word), count: self.count(word)?, unit: 60 },
            "-perm" => self.permissions(word)?,
            "-uid" => Test::User(self.count(word)?),
            "-gid" => Test::Group(self.count(word)?),
            "-nouser" => Test::NoUser,
            "-nogroup" => Test::NoGroup,
            "-links" => Test::Links(self.count(word)?),
            "-inum" => Test::Inode(self.count(word)?),
            "-readable" => Test::Access(R_OK),
            "-writable" => Test::Access(W_OK),
            "-executable" => Test::Access(X_OK),
            _ => return Ok(None),
        }))
    }

    /// Tests whose argument names something in the guest.
    async fn test_of_world(&mut self, word: &str) -> Result<Option<Test>, Wrong> {
        let newer = match word {
            "-newer" => Some((Stamp::Modification, 'm')),
            "-anewer" => Some((Stamp::Access, 'm')),
            "-cnewer" => Some((Stamp::Change, 'm')),
            _ => newer_xy(word),
        };
        if let Some((stamp, of)) = newer {
            let argument = self.argument(word)?;
            if of == 't' {
                let time = date_text::parse(&String::from_utf8_lossy(&argument), self.now).ok_or_else(|| {
                    let shown = quoteaf(&argument);
                    Wrong(format!("I cannot figure out how to interpret {shown} as a date or time"))
                })?;
                return Ok(Some(Test::Newer(stamp, time)));
            }
            let stat = self.look(&argument).await?;
            let time = match of {
                'a' => stat.atime,
                'c' => stat.ctime,
                _ => stat.mtime,
            };
            return Ok(Some(Test::Newer(stamp, time)));
        }
        match word {
            "-samefile" => {
                let argument = self.argument(word)?;
                let stat = self.look(&argument).await?;
                Ok(Some(Test::Same(stat.dev, stat.ino)))
            }
            "-user" | "-group" => {
                let argument = self.argument(word)?;
                let name = String::from_utf8_lossy(&argument).into_owned();
                let sys = &self.tool.sys;
                let id = if word == "-user" {
                    users(sys).await.into_iter().find(|user| user.name == name).map(|user| user.uid)
                } else {
                    groups(sys).await.into_iter().find(|group| group.name == name).map(|group| group.gid)
                };
                let Some(id) = id.or_else(|| name.parse().ok()) else {
                    let what = if word == "-user" { "user" } else { "group" };
                    return Err(Wrong(format!("{} is not the name of a known {what}", quoteaf(&argument))));
                };
                let count = Count::Exactly(id.into());
                Ok(Some(if word == "-user" { Test::User(count) } else { Test::Group(count) }))
            }
            _ => Ok(None),
        }
    }

    async fn look(&self, path: &[u8]) -> Result<provium_kernel::Stat, Wrong> {
        let sys = &self.tool.sys;
        let looked = if self.follow == Follow::Never { sys.lstat(path).await } else { sys.stat(path).await };
        looked.map_err(|errno| Wrong(format!("{}: {}", quoteaf(path), errno.text())))
    }

    async fn action(&mut self, word: &str) -> Result<Option<Action>, Wrong> {
        Ok(Some(match word {
            "-print" => Action::Print(b"\n".to_vec()),
            "-print0" => Action::Print(b"\0".to_vec()),
            "-printf" => {
                let format = self.argument(word)?;
                let (pieces, warnings) = printf::pieces(&format);
                for warning in warnings {
                    self.tool.error(format!("warning: {warning}")).await;
                }
                Action::Printf(pieces)
            }
            "-prune" => Action::Prune,
            "-quit" => Action::Quit,
            "-delete" => {
                self.expression.depth_first = true;
                Action::Delete
            }
            "-exec" | "-execdir" => self.command(word)?,
            _ => return Ok(None),
        }))
    }

    fn command(&mut self, word: &str) -> Result<Action, Wrong> {
        let missing = || Wrong(format!("missing argument to `{word}'"));
        let in_directory = word == "-execdir";
        let mut words: Vec<Vec<u8>> = Vec::new();
        loop {
            let next = self.words.get(self.at).ok_or_else(missing)?;
            self.at += 1;
            if next == b";" {
                if words.is_empty() {
                    return Err(missing());
                }
                return Ok(Action::Execute(Command { words, in_directory }));
            }
            if next == b"+" && words.last().is_some_and(|last| last == b"{}") {
                words.pop();
                if words.is_empty() {
                    return Err(missing());
                }
                if words.iter().any(|word| word.windows(2).any(|pair| pair == b"{}")) {
                    return Err(Wrong("only one instance of {} is supported with -exec ... +".into()));
                }
                if in_directory {
                    return Err(Wrong("option '-execdir ... +' is not supported by the simulated guest".into()));
                }
                self.expression.batches.push(Command { words, in_directory });
                return Ok(Action::Gather(self.expression.batches.len() - 1));
            }
            words.push(next.clone());
        }
    }

    fn types(&mut self, word: &str) -> Result<Vec<u32>, Wrong> {
        let argument = self.argument(word)?;
        if argument.is_empty() {
            return Err(Wrong(format!("Arguments to {word} should contain at least one letter")));
        }
        let mut types = Vec::new();
        for letters in argument.split(|&byte| byte == b',') {
            let shown = String::from_utf8_lossy(letters);
            types.push(match letters {
                b"b" => S_IFBLK,
                b"c" => S_IFCHR,
                b"d" => S_IFDIR,
                b"p" => S_IFIFO,
                b"f" => S_IFREG,
                b"l" => S_IFLNK,
                b"s" => S_IFSOCK,
                b"" => {
                    return Err(Wrong(format!(
                        "Last file type in list argument to {word} is missing, i.e., list is ending on: ','"
                    )));
                }
                _ if letters.len() > 1 => {
                    return Err(Wrong(format!("Must separate multiple arguments to {word} using: ','")));
                }
                _ => return Err(Wrong(format!("Unknown argument to {word}: {shown}"))),
            });
        }
        Ok(types)
    }

    fn count(&mut self, word: &str) -> Result<Count, Wrong> {
        let argument = self.argument(word)?;
        count(&argument)
            .ok_or_else(|| Wrong(format!("invalid argument `{}' to `{word}'", String::from_utf8_lossy(&argument))))
    }

    fn size(&mut self, word: &str) -> Result<Test, Wrong> {
        let argument = self.argument(word)?;
        let (digits, unit) = match argument.split_last() {
            Some((b'b', digits)) => (digits, 512),
            Some((b'c', digits)) => (digits, 1),
            Some((b'w', digits)) => (digits, 2),
            Some((b'k', digits)) => (digits, 1 << 10),
            Some((b'M', digits)) => (digits, 1 << 20),
            Some((b'G', digits)) => (digits, 1 << 30),
            Some((b'0'..=b'9', _)) => (argument.as_slice(), 512),
            Some((other, _)) => return Err(Wrong(format!("invalid -size type `{}'", char::from(*other)))),
            None => return Err(Wrong("invalid null argument to -size".into())),
        };
        match count(digits) {
            Some(count) => Ok(Test::Size(count, unit)),
            None => Err(Wrong(format!("Invalid argument `{}' to -size", String::from_utf8_lossy(&argument)))),
        }
    }

    fn permissions(&mut self, word: &str) -> Result<Test, Wrong> {
        let argument = self.argument(word)?;
        let (make, text): (fn(u32) -> Permissions, &[u8]) = match argument.split_first() {
            Some((b'-', text)) => (Permissions::All, text),
            Some((b'/', text)) => (Permissions::Any, text),
            _ => (Permissions::Exactly, &argument),
        };
        match ModeChange::parse(text) {
            Some(change) => Ok(Test::Permissions(make(change.apply(0, false, 0)))),
            None => Err(Wrong(format!("invalid mode {}", quoteaf(&argument)))),
        }
    }
}

/// Jumps of a list of alternatives that still need their place.
#[derive(Default)]
struct List {
    ands: Vec<usize>,
    ors: Vec<usize>,
}

fn count(text: &[u8]) -> Option<Count> {
    let number = |digits: &[u8]| std::str::from_utf8(digits).ok()?.parse().ok();
    match text.split_first()? {
        (b'+', digits) => number(digits).map(Count::More),
        (b'-', digits) => number(digits).map(Count::Less),
        _ => number(text).map(Count::Exactly),
    }
}

fn stamp(word: &str) -> Stamp {
    match word.as_bytes().get(1) {
        Some(b'a') => Stamp::Access,
        Some(b'c') => Stamp::Change,
        _ => Stamp::Modification,
    }
}

/// `-newerXY`: which time of the file, and which of the reference (`t` for a date).
fn newer_xy(word: &str) -> Option<(Stamp, char)> {
    let letters: Vec<char> = word.strip_prefix("-newer")?.chars().collect();
    let [of, than] = letters.as_slice() else { return None };
    let stamp = match of {
        'a' => Stamp::Access,
        'c' => Stamp::Change,
        'm' => Stamp::Modification,
        _ => return None,
    };
    matches!(than, 'a' | 'c' | 'm' | 't').then_some((stamp, *than))
}
