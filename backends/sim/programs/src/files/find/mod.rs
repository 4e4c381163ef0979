//! find(1).

mod conditions;
mod execute;
mod expression;
mod parse;
mod printf;

use provium_kernel::TimeSpec;

use crate::shared::names::NameCache;
use crate::shared::quote::quoteaf;
use crate::shared::walk::{Entry, Event, Follow, Walk, WalkOptions};
use crate::shared::{Exit, Outcome, Tool};
use execute::Batch;
use expression::{Action, Expression, Step};

/// A search under way.
struct Search {
    tool: Tool,
    expression: Expression,
    follow: Follow,
    now: TimeSpec,
    names: NameCache,
    /// Commands that gather arguments (`-exec … {} +`), by their number.
    batches: Vec<Batch>,
    code: i32,
}

/// What the expression wants of the walk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Wish {
    prune: bool,
    quit: bool,
}

pub(super) async fn run(tool: Tool) -> Outcome {
    let (mut follow, mut at) = (Follow::Never, 0);
    while let Some(arg) = tool.args.get(at) {
        match arg.as_slice() {
            b"-H" => follow = Follow::Arguments,
            b"-L" => follow = Follow::Always,
            b"-P" => follow = Follow::Never,
            b"--" => {
                at += 1;
                break;
            }
            // The levels of optimisation change no result.
            [b'-', b'O', digits @ ..] if digits.iter().all(u8::is_ascii_digit) => {}
            _ => break,
        }
        at += 1;
    }
    let rest = tool.args.get(at..).unwrap_or_default().to_vec();
    if matches!(rest.first().map(Vec::as_slice), Some(b"--help" | b"-help")) {
        tool.out.write("Usage: find [-H] [-L] [-P] [path...] [expression]\n").await?;
        return Ok(0);
    }
    let starts_expression =
        |arg: &Vec<u8>| arg.len() > 1 && arg.starts_with(b"-") || matches!(arg.as_slice(), b"(" | b")" | b"," | b"!");
    let paths = rest.iter().position(starts_expression).unwrap_or(rest.len());
    let (paths, words) = rest.split_at(paths);
    let paths = if paths.is_empty() { vec![b".".to_vec()] } else { paths.to_vec() };
    let now = tool.sys.clock_realtime().await;
    let expression = parse::parse(&tool, words, follow, now).await?;
    let mut search = Search {
        batches: expression.batches.iter().cloned().map(Batch::new).collect(),
        tool,
        follow: if expression.follow_all { Follow::Always } else { follow },
        expression,
        now,
        names: NameCache::default(),
        code: 0,
    };
    search.walk(paths).await?;
    search.finish().await?;
    Ok(search.code)
}

impl Search {
    async fn walk(&mut self, paths: Vec<Vec<u8>>) -> Result<(), Exit> {
        let options =
            WalkOptions { follow: self.follow, stat_all: false, one_file_system: self.expression.one_file_system };
        let mut walk = Walk::new(self.tool.sys.clone(), paths, options);
        let depth_first = self.expression.depth_first;
        while let Some(event) = walk.next().await {
            let wish = match event {
                Event::Enter(entry) => {
                    let too_deep = self.expression.max_depth.is_some_and(|max| entry.depth >= max);
                    if too_deep {
                        walk.skip();
                    }
                    if depth_first && entry.is_dir() && !too_deep && walk.will_enter() {
                        Wish::default()
                    } else {
                        let wish = self.consider(&entry, &mut walk).await?;
                        if wish.prune && !depth_first {
                            walk.skip();
                        }
                        wish
                    }
                }
                Event::Leave(entry) if depth_first => self.consider(&entry, &mut walk).await?,
                Event::Leave(_) => Wish::default(),
                Event::NoStat(entry, errno) => {
                    self.failed(&entry.path, errno).await;
                    Wish::default()
                }
                Event::NoRead(entry, errno) => {
                    self.failed(&entry.path, errno).await;
                    if depth_first { self.consider(&entry, &mut walk).await? } else { Wish::default() }
                }
                Event::Cycle(entry) => {
                    let path = quoteaf(&entry.path);
                    let text = format!(
                        "File system loop detected; {path} is part of the same file system loop as one of its parents."
                    );
                    self.tool.error(text).await;
                    self.code = 1;
                    Wish::default()
                }
            };
            if wish.quit {
                break;
            }
        }
        Ok(())
    }

    async fn failed(&mut self, path: &[u8], errno: provium_kernel::Errno) {
        self.tool.error_errno(quoteaf(path), errno).await;
        self.code = 1;
    }

    /// Evaluates the expression for a file: a program of steps and jumps, so that its nesting costs
    /// nothing.
    async fn consider(&mut self, entry: &Entry, walk: &mut Walk) -> Result<Wish, Exit> {
        if entry.depth < self.expression.min_depth {
            return Ok(Wish::default());
        }
        let mut entry = entry.clone();
        let mut wish = Wish::default();
        let (mut at, mut result) = (0, true);
        while let Some(step) = self.expression.steps.get(at).cloned() {
            at += 1;
            match step {
                Step::Not => result = !result,
                Step::JumpIfTrue(to) if result => at = to,
                Step::JumpIfFalse(to) if !result => at = to,
                Step::JumpIfTrue(_) | Step::JumpIfFalse(_) => {}
                Step::Test(test) => result = self.test(&test, &mut entry, walk).await,
                Step::Action(action) => {
                    result = self.act(&action, &mut entry, walk, &mut wish).await?;
                    if wish.quit {
                        break;
                    }
                }
            }
        }
        Ok(wish)
    }

    async fn act(
        &mut self,
        action: &Action,
        entry: &mut Entry,
        walk: &mut Walk,
        wish: &mut Wish,
    ) -> Result<bool, Exit> {
        match action {
            Action::Print(end) => {
                self.tool.out.write([entry.path.as_slice(), end].concat()).await?;
                Ok(true)
            }
            Action::Printf(pieces) => {
                let text = self.printf(pieces, entry, walk).await;
                self.tool.out.write(text).await?;
                Ok(true)
            }
            Action::Prune => {
                wish.prune = true;
                Ok(true)
            }
            Action::Quit => {
                wish.quit = true;
                Ok(true)
            }
            Action::Delete => {
                // The place where a search starts has a name that cannot be removed.
                if entry.path == b"." {
                    return Ok(true);
                }
                let flags = if entry.is_dir() { provium_kernel::flags::AT_REMOVEDIR } else { 0 };
                match self.tool.sys.unlinkat(walk.directory(), &entry.name, flags).await {
                    Ok(()) => Ok(true),
                    Err(errno) => {
                        self.tool.error_errno(format!("cannot delete {}", quoteaf(&entry.path)), errno).await;
                        self.code = 1;
                        Ok(false)
                    }
                }
            }
            Action::Execute(command) => self.execute(command, &entry.path).await,
            Action::Gather(number) => {
                self.gather(*number, &entry.path).await?;
                Ok(true)
            }
        }
    }
}
