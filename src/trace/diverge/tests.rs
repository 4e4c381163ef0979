use std::collections::BTreeMap;

use provium_protocol::exec::ByteString;
use provium_protocol::{Lane, Op};

use super::{Cause, Kind, Now, Position, explain};
use crate::runner::event::Site;
use crate::trace::record::{At, Boundary, Record};
use crate::trace::timeline::samples::{header, ran, run};
use crate::trace::timeline::{AskRef, Timeline};

const FILE: &str = "a.test.lua";

/// A trace of a test with one task: what it asks, and from which line.
fn recorded(script: &str, asks: &[(u32, Op)], complete: bool) -> Timeline {
    let mut records = vec![
        Record::Source { name: FILE.into(), module: None, text: script.into() },
        Record::Task { path: "main".into(), at: None },
        Record::Poll { task: 0, dt: 0 },
        Record::Boot {
            at: None,
            spec: Box::new(provium_protocol::profile::BootSpec { vm: "a".into(), ..Default::default() }),
        },
        Record::Booted { back: 0, result: Ok(()) },
        Record::Boundary { dt: 0, what: Boundary::TestBegins { name: "it works".into() } },
        Record::Task { path: "main".into(), at: None },
        Record::Poll { task: 1, dt: 0 },
    ];
    for (line, op) in asks {
        let at = Some(At { source: 0, line: *line });
        records.push(Record::Begun { guest: 0, lane: Lane::Main, worker: None, at, op: op.clone() });
        records.push(Record::Ended { back: 0, result: ran(0, "") });
    }
    if complete {
        records.push(Record::Boundary { dt: 0, what: Boundary::FileEnds });
    }
    Timeline::new(header(), records).unwrap()
}

fn at(index: usize) -> Position<'static> {
    Position { test: Some("it works"), task: "main", index }
}

fn now(op: &Op, line: u32) -> Now<'_> {
    Now { ask: AskRef::Op(op), vm: "a", worker: None, at: Some(Site { file: FILE.into(), line }) }
}

fn current(text: &str) -> impl Fn(&str) -> Option<String> {
    let scripts = BTreeMap::from([(FILE.to_owned(), text.to_owned())]);
    move |name| scripts.get(name).cloned()
}

mod generated {
    //! Scripts made by rule, each edited in every way at every place.

    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Item {
        /// A call; counted ones say in which round of the loop they are.
        Call {
            name: u32,
            counted: bool,
        },
        /// A call of a helper, which asks from a line of its own.
        Helper {
            name: u32,
        },
        /// A call on the line of the one before.
        Joined {
            name: u32,
        },
        For(u32),
        End,
        Note,
    }

    /// A generator that is the same for ever (Knuth's constants).
    struct Rng(u64);

    impl Rng {
        fn below(&mut self, bound: u32) -> u32 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((self.0 >> 33) % u64::from(bound)) as u32
        }

        fn call(&mut self, names: u32) -> Item {
            let name = self.below(names);
            match self.below(6) {
                0 | 1 => Item::Call { name, counted: true },
                2 => Item::Helper { name },
                _ => Item::Call { name, counted: false },
            }
        }
    }

    fn script(rng: &mut Rng, names: u32) -> Vec<Item> {
        loop {
            let mut items = Vec::new();
            let mut depth = 0;
            for _ in 0..3 + rng.below(6) {
                match rng.below(8) {
                    0 if depth < 2 => {
                        items.push(Item::For(1 + rng.below(3)));
                        depth += 1;
                    }
                    1 if depth > 0 => {
                        items.push(Item::End);
                        depth -= 1;
                    }
                    2 => items.push(Item::Note),
                    _ => {}
                }
                items.push(rng.call(names));
                if rng.below(7) == 0 {
                    items.push(Item::Joined { name: rng.below(names) });
                }
            }
            items.extend(std::iter::repeat_n(Item::End, depth));
            if (3..=12).contains(&asks(&items).len()) {
                return items;
            }
        }
    }

    fn text(items: &[Item]) -> String {
        let lines = items.iter().enumerate().map(|(at, item)| match item {
            Item::Joined { name } if joins(items, at) => format!("; vm:run('echo {name}')"),
            Item::Joined { name } => format!("\n    vm:run('echo {name}')"),
            Item::Helper { name } => format!("\n    helper('echo {name}')"),
            Item::Call { name, counted: false } => format!("\n    vm:run('echo {name}')"),
            Item::Call { name, counted: true } => format!("\n    vm:run('echo {name} ' .. i)"),
            Item::For(rounds) => format!("\n    for i = 1, {rounds} do"),
            Item::End => "\n    end".to_owned(),
            Item::Note => "\n\n    -- a note".to_owned(),
        });
        let head = "local function helper(x)\n    vm:run(x)\nend\nlocal i = 0";
        format!("{head}\ntest('it works', function(t){}\nend)\n", lines.collect::<String>())
    }

    /// Whether a call stands on the line of the one before it.
    fn joins(items: &[Item], at: usize) -> bool {
        let before = at.checked_sub(1).and_then(|before| items.get(before));
        matches!(before, Some(Item::Call { .. } | Item::Helper { .. } | Item::Joined { .. }))
    }

    /// The line from which the helper asks, and the first of the test.
    const HELPER_LINE: u32 = 2;
    const FIRST_LINE: u32 = 6;

    /// What the script asks, in order.
    fn asks(items: &[Item]) -> Vec<(u32, Op)> {
        let mut next = FIRST_LINE;
        let mut lines = Vec::new();
        for (at, item) in items.iter().enumerate() {
            let joins = matches!(item, Item::Joined { .. }) && joins(items, at);
            lines.push(if joins { next - 1 } else { next });
            next += if joins {
                0
            } else if *item == Item::Note {
                2
            } else {
                1
            };
        }
        let mut found = Vec::new();
        walk(items, &lines, 0, 0, &mut found);
        found
    }

    /// Carries items out until the loop that they are in ends; says where.
    fn walk(items: &[Item], lines: &[u32], mut at: usize, round: u32, found: &mut Vec<(u32, Op)>) -> usize {
        while let Some(item) = items.get(at) {
            match item {
                Item::Helper { name } => found.push((HELPER_LINE, run(&format!("echo {name}")))),
                Item::Joined { name } => found.push((lines[at], run(&format!("echo {name}")))),
                Item::Call { name, counted: false } => found.push((lines[at], run(&format!("echo {name}")))),
                Item::Call { name, counted: true } => found.push((lines[at], run(&format!("echo {name} {round}")))),
                Item::For(rounds) => {
                    let body = at + 1;
                    for round in 1..=*rounds {
                        at = walk(items, lines, body, round, found);
                    }
                }
                Item::End => return at,
                Item::Note => {}
            }
            at += 1;
        }
        at
    }

    fn check(before: &[Item], after: &[Item], kind: Kind) -> bool {
        let (then, now_asks) = (asks(before), asks(after));
        let differs = |at: &usize| then.get(*at).map(|ask| &ask.1) != now_asks.get(*at).map(|ask| &ask.1);
        let Some(index) = (0..then.len().max(now_asks.len())).find(differs) else { return false };
        let (then_text, now_text) = (text(before), text(after));
        let timeline = recorded(&then_text, &then, true);
        let asked = now_asks.get(index).map(|(line, op)| now(op, *line));
        let found = explain(&timeline, at(index), asked.as_ref(), &current(&now_text));
        let shown = found.to_string();
        assert_eq!(
            found.kind, kind,
            "\n--- recorded\n{then_text}--- now\n{now_text}--- at {index}: {:?}\n{shown}",
            asked
        );
        assert!(matches!(found.cause, Cause::ScriptChanged { .. }), "{shown}");
        assert!(shown.lines().count() <= super::super::show::MAX_LINES, "{shown}");
        true
    }

    fn is_call(item: Item) -> bool {
        matches!(item, Item::Call { .. } | Item::Helper { .. } | Item::Joined { .. })
    }

    /// The same kind of call with another argument.
    fn with_name(item: Item, other: u32) -> Item {
        match item {
            Item::Call { counted, .. } => Item::Call { name: other, counted },
            Item::Helper { .. } => Item::Helper { name: other },
            Item::Joined { .. } => Item::Joined { name: other },
            other => other,
        }
    }

    /// A script without one of its calls; what was joined to it begins the line now.
    fn without(items: &[Item], call: usize) -> Vec<Item> {
        let mut rest = items.to_vec();
        rest.remove(call);
        if !joins(items, call)
            && let Some(Item::Joined { name }) = rest.get(call).copied()
        {
            rest[call] = Item::Call { name, counted: false };
        }
        rest
    }

    /// Edits a script in every way at every place; says how many edits could be seen.
    fn edit_everywhere(rng: &mut Rng, items: &[Item], names: u32) -> usize {
        let calls = (0..items.len()).filter(|&at| is_call(items[at]));
        let mut seen = 0;
        for call in calls {
            let mut changed = items.to_vec();
            changed[call] = with_name(items[call], rng.below(names + 3));
            seen += usize::from(check(items, &changed, Kind::Changed));
            let removed = without(items, call);
            let taken = match items[call] {
                Item::Joined { name } => Item::Call { name, counted: false },
                other => other,
            };
            seen += usize::from(check(items, &removed, Kind::Removed));
            for to in 0..=removed.len() {
                let mut moved = removed.clone();
                moved.insert(to, taken);
                seen += usize::from(check(items, &moved, Kind::Moved));
            }
        }
        for place in 0..=items.len() {
            let mut longer = items.to_vec();
            longer.insert(place, rng.call(names + 3));
            seen += usize::from(check(items, &longer, Kind::New));
        }
        seen
    }

    #[test]
    fn one_edit_is_named_exactly() {
        let mut rng = Rng(1);
        let mut seen = 0;
        for round in 0..150 {
            // Few names: a script that does the same thing in several places.
            let names = if round % 3 == 0 { 4 } else { 1_000 };
            let items = script(&mut rng, names);
            seen += edit_everywhere(&mut rng, &items, names);
        }
        assert!(seen > 8_000, "only {seen} edits made a difference");
    }
}

mod shown {
    //! What people read.

    use provium_protocol::exec::{Command, ExecSpec};

    use super::*;

    const SCRIPT: &str = "\
local vm = lab:vm('a')
test('it works', function(t)
    vm:run('mkdir /tmp/a')
    vm:write_file('/tmp/a/x', 'one')
    vm:run('sync', { timeout = '5s' })
    vm:read_file('/tmp/a/x')
end)
";

    fn write(data: &str) -> Op {
        Op::WriteFile { path: "/tmp/a/x".into(), data: data.into(), perm: None, append: false }
    }

    fn sync(seconds: u64) -> Op {
        Op::Run { spec: ExecSpec::shell("sync"), timeout_ns: Some(seconds * 1_000_000_000) }
    }

    fn asks() -> Vec<(u32, Op)> {
        vec![(3, run("mkdir /tmp/a")), (4, write("one")), (5, sync(5)), (6, Op::ReadFile("/tmp/a/x".into()))]
    }

    fn check(index: usize, asked: Option<&Now<'_>>, script: &str, complete: bool) -> String {
        let timeline = recorded(SCRIPT, &asks(), complete);
        let found = explain(&timeline, at(index), asked, &current(script)).of_trace("traces/a.test.lua/1 b.trace");
        let shown = found.to_string();
        assert!(shown.lines().count() <= super::super::show::MAX_LINES, "{shown}");
        shown
    }

    #[test]
    fn reports_read_well() {
        let edited = |from: &str, to: &str| SCRIPT.replace(from, to);
        let long = |middle: &str| format!("{}{middle}{}", "é".repeat(200), "z".repeat(100));
        let same = sync(5);
        let other = Now { worker: Some("w1"), ..now(&same, 5) };
        let (stat, longer, shorter) = (Op::Stat("/tmp/a".into()), write(&long("NOW")), sync(60));
        let direct = Op::Run {
            spec: ExecSpec::new(Command::Direct { program: "mkdir".into(), args: vec!["/tmp/\x1b[31ma".into()] }),
            timeout_ns: None,
        };
        let list = [
            ("an argument", check(2, Some(&now(&shorter, 5)), &edited("5s", "1m"), true)),
            (
                "another operation",
                check(1, Some(&now(&stat, 4)), &edited("write_file('/tmp/a/x', 'one')", "stat('/tmp/a')"), true),
            ),
            (
                "another way to say it",
                check(0, Some(&now(&direct, 3)), &edited("run('mkdir /tmp/a')", "run({'mkdir', '/tmp/a'})"), true),
            ),
            (
                "a new call",
                check(1, Some(&now(&stat, 4)), &edited("    vm:write", "    vm:stat('/tmp/a')\n    vm:write"), true),
            ),
            (
                "a call less",
                check(1, Some(&now(&sync(5), 4)), &edited("    vm:write_file('/tmp/a/x', 'one')\n", ""), true),
            ),
            (
                "a call that moved",
                check(
                    0,
                    Some(&now(&sync(5), 3)),
                    "local vm = lab:vm('a')\ntest('it works', function(t)\n    vm:run('sync', { timeout = '5s' })\n    \
                     vm:run('mkdir /tmp/a')\n    vm:write_file('/tmp/a/x', 'one')\n    vm:read_file('/tmp/a/x')\nend)\n",
                    true,
                ),
            ),
            ("the task ends early", check(3, None, SCRIPT, true)),
            ("the recording ends", check(4, Some(&now(&stat, 6)), SCRIPT, false)),
            ("the task goes on", check(4, Some(&now(&stat, 6)), SCRIPT, true)),
            ("something leaked", check(1, Some(&now(&longer, 4)), SCRIPT, true)),
            ("another worker", check(2, Some(&other), SCRIPT, true)),
        ];
        let text: Vec<String> = list.iter().map(|(name, shown)| format!("=== {name}\n{shown}\n")).collect();
        insta::assert_snapshot!(text.join("\n"));
    }

    #[test]
    fn of_long_texts_the_place_where_they_differ_is_shown() {
        let long = |middle: &str| format!("{}{middle}{}", "é".repeat(200), "z".repeat(100));
        let timeline = recorded(SCRIPT, &[(4, write(&long("THEN")))], true);
        let asked = write(&long("NOW"));
        let found = explain(&timeline, at(0), Some(&now(&asked, 4)), &current(SCRIPT));
        let shown = found.after_answer("#3 run(\"x\") gave exit 1, recorded exit 0").to_string();
        insta::assert_snapshot!(shown);
    }

    #[test]
    fn the_worst_case_fits() {
        let lines: String = (0..40).map(|at| format!("    vm:run('{}{at}')\n", "x".repeat(300))).collect();
        let script = SCRIPT.replace("    vm:run('sync', { timeout = '5s' })\n", &lines);
        let mut spec = ExecSpec::shell("y".repeat(5_000));
        spec.cwd = Some(ByteString::from("/tmp"));
        spec.env = (0..9).map(|at| (ByteString::from(vec![at]), ByteString::from("v"))).collect();
        let asked = Op::Run { spec, timeout_ns: None };
        let shown = check(2, Some(&now(&asked, 5)), &script, true);
        assert!(shown.lines().all(|line| line.chars().count() <= 118 || line.contains("provium ")), "{shown}");
        // No position is wrong enough to panic.
        let nowhere = Position { test: None, task: "main/7", index: 99 };
        let timeline = recorded(SCRIPT, &asks(), true);
        assert_eq!(explain(&timeline, nowhere, Some(&now(&asked, 0)), &current("")).kind, Kind::New);
        assert_eq!(explain(&timeline, at(usize::MAX), Some(&now(&asked, u32::MAX)), &|_| None).kind, Kind::New);
    }
}
