//! Decides what kind of difference it is.
//!
//! Two signals: where the operation that is asked now stands among the recorded ones of its task, and what became of
//! the lines from which the two were asked. Only one exchange of the new run is known, so where an edit can be read
//! from the script, the script is believed; the order of the operations decides where it was not edited.

use std::collections::BTreeMap;

use super::lines::{Fate, Lines};
use super::{Kind, Now};
use crate::trace::fields::{Field, differences};
use crate::trace::timeline::{Exchange, Timeline};

/// Everything that the decision looks at.
pub(super) struct Case<'a> {
    pub timeline: &'a Timeline,
    /// The recorded exchanges of the task.
    pub recorded: Vec<&'a Exchange>,
    /// Where the replay stands among them.
    pub at: usize,
    pub now: Option<&'a Now<'a>>,
    /// The scripts of both sides, by name.
    pub scripts: &'a BTreeMap<String, Lines<'a>>,
}

/// A line: its script and its index.
type Line<'a> = (&'a str, usize);

impl<'a> Case<'a> {
    pub(super) fn kind(&self) -> Kind {
        let (expected, now) = (self.recorded.get(self.at).copied(), self.now);
        if self.is_moved(expected, now) {
            return Kind::Moved;
        }
        match (expected, now) {
            (None, Some(_)) => Kind::New,
            (Some(_), None) => Kind::Removed,
            (None, None) => Kind::Changed,
            (Some(expected), Some(now)) => self.both(expected, now),
        }
    }

    fn both(&self, expected: &'a Exchange, now: &'a Now<'a>) -> Kind {
        let (Some(then_line), Some(now_line)) = (self.recorded_line(expected), self.now_line(now)) else {
            return self.by_order(expected, now);
        };
        if let Some(kind) = self.only_calls() {
            return kind;
        }
        let then_fate = self.lines(then_line).map_or(Fate::Same(then_line.1), |lines| lines.old_fate(then_line.1));
        let now_fate = self.lines(now_line).map_or(Fate::Same(now_line.1), |lines| lines.new_fate(now_line.1));
        match (then_fate, now_fate) {
            // One call took the place of another; or, where the next recorded one follows, one went and one comes later.
            (Fate::Alone, Fate::Alone) => Kind::Changed,
            (Fate::Alone, _) => Kind::Removed,
            (_, Fate::Alone) => Kind::New,
            _ => match now_fate.other() {
                Some(from) if (now_line.0, from) == then_line => self.same_line(then_line, expected, now),
                Some(from) => self.other_line((now_line.0, from), now),
                None => Kind::New,
            },
        }
    }

    /// Whether the edits only put lines into another order, or moved the line of either side.
    fn is_moved(&self, expected: Option<&'a Exchange>, now: Option<&'a Now<'a>>) -> bool {
        let text = |line: Line<'_>, old: bool| {
            let lines = self.lines(line)?;
            let text = if old { lines.old.get(line.1) } else { lines.new.get(line.1) };
            text.map(|text| lines.moved(text))
        };
        let then = || expected.and_then(|expected| text(self.recorded_line(expected)?, true));
        let now = || now.and_then(|now| text(self.now_line(now)?, false));
        self.reordered() || then() == Some(true) || now() == Some(true)
    }

    /// No line is known: the order alone.
    fn by_order(&self, expected: &Exchange, now: &Now<'_>) -> Kind {
        if self.follows(now, |_| true) {
            Kind::Removed
        } else if expected.ask.as_ref().name() != now.ask.name() && self.went_before(now) {
            Kind::New
        } else {
            Kind::Changed
        }
    }

    /// Both were asked from one line: of a loop, of a helper, of several calls in a line, or of a call that was edited.
    fn same_line(&self, line: Line<'a>, expected: &Exchange, now: &Now<'_>) -> Kind {
        let edited = self.scripts.values().any(|lines| !lines.hunks.is_empty());
        if self.one_call_edited() {
            return Kind::Changed;
        }
        if self.follows(now, |later| self.recorded_line(later) == Some(line)) {
            // A round of the loop is left out; or the rounds go in another order, and who orders them is not the script.
            return if edited && !self.same_words() { Kind::Removed } else { Kind::Moved };
        }
        if edited && one_more(expected, now, &self.gone(), &self.come()) { Kind::New } else { Kind::Changed }
    }

    /// The script went another way than it was recorded to go: now it stands at a line that was `from`.
    fn other_line(&self, from: Line<'a>, now: &Now<'_>) -> Kind {
        if self.follows(now, |_| true) {
            return if self.same_words() { Kind::Moved } else { Kind::Removed };
        }
        let comes = || self.recorded[self.at..].iter().any(|later| self.recorded_line(later) == Some(from));
        if !self.went_before(now) && comes() { Kind::Removed } else { Kind::New }
    }

    fn gone(&self) -> Vec<&str> {
        self.scripts.values().flat_map(Lines::gone).collect()
    }

    fn come(&self) -> Vec<&str> {
        self.scripts.values().flat_map(Lines::come).collect()
    }

    /// The statements that went and those that came, without those that did both.
    fn net(&self) -> (Vec<&str>, Vec<&str>) {
        let mut gone: Vec<&str> = self.gone().into_iter().flat_map(statements).collect();
        let mut come: Vec<&str> = self.come().into_iter().flat_map(statements).collect();
        let mut left: BTreeMap<&str, usize> = BTreeMap::new();
        for one in &come {
            *left.entry(one).or_default() += 1;
        }
        let mut both: BTreeMap<&str, usize> = BTreeMap::new();
        gone.retain(|one| match left.get_mut(one).filter(|left| **left > 0) {
            Some(left) => {
                *left -= 1;
                *both.entry(one).or_default() += 1;
                false
            }
            None => true,
        });
        come.retain(|one| match both.get_mut(one).filter(|both| **both > 0) {
            Some(both) => {
                *both -= 1;
                false
            }
            None => true,
        });
        (gone, come)
    }

    /// Whether the edits only put statements into another order.
    fn reordered(&self) -> bool {
        let (gone, come) = self.net();
        !self.gone().is_empty() && gone.is_empty() && come.is_empty()
    }

    /// What the edits say if they only added calls, or only took some away.
    fn only_calls(&self) -> Option<Kind> {
        let (gone, come) = self.net();
        if gone.is_empty() && come.iter().any(|one| is_statement(one)) {
            Some(Kind::New)
        } else if come.is_empty() && gone.iter().any(|one| is_statement(one)) {
            Some(Kind::Removed)
        } else {
            None
        }
    }

    /// Whether one statement, and nothing else, was edited.
    fn one_call_edited(&self) -> bool {
        let (gone, come) = self.net();
        matches!((gone.as_slice(), come.as_slice()), ([one], [other]) if is_statement(one) && is_statement(other))
    }

    /// Whether a later recorded exchange is what is asked now.
    fn follows(&self, now: &Now<'_>, of: impl Fn(&'a Exchange) -> bool) -> bool {
        let later = self.recorded.iter().skip(self.at + 1);
        later.into_iter().any(|later| of(later) && self.is_asked(later, now))
    }

    fn went_before(&self, now: &Now<'_>) -> bool {
        self.recorded[..self.at].iter().any(|earlier| self.is_asked(earlier, now))
    }

    fn is_asked(&self, exchange: &Exchange, now: &Now<'_>) -> bool {
        exchange.ask.as_ref() == now.ask
            && exchange.worker.as_deref() == now.worker
            && self.timeline.vm(exchange.guest) == now.vm
    }

    fn lines(&self, line: Line<'_>) -> Option<&Lines<'a>> {
        self.scripts.get(line.0)
    }

    fn recorded_line(&self, exchange: &Exchange) -> Option<Line<'a>> {
        let at = exchange.at?;
        let source = self.timeline.source(at.source)?;
        Some((source.name.as_str(), usize::try_from(at.line).ok()?.checked_sub(1)?))
    }

    fn now_line(&self, now: &'a Now<'a>) -> Option<Line<'a>> {
        let site = now.at.as_ref()?;
        Some((site.file.as_str(), usize::try_from(site.line).ok()?.checked_sub(1)?))
    }

    /// Whether the edits only put words into another order.
    fn same_words(&self) -> bool {
        let sorted = |lines: Vec<&str>| {
            let mut words: Vec<String> = lines.into_iter().flat_map(words).collect();
            words.sort_unstable();
            words
        };
        let gone = sorted(self.gone());
        !gone.is_empty() && gone == sorted(self.come())
    }
}

/// Whether the edit adds what is asked now and keeps what was recorded: an element more in a list that a loop visits.
fn one_more(expected: &Exchange, now: &Now<'_>, gone: &[&str], come: &[&str]) -> bool {
    let count = |lines: &[&str], text: &str| {
        let words = lines.iter().flat_map(|line| words(line));
        words.filter(|word| word.trim_matches(['"', '\'']) == text).count()
    };
    let found = differences(&expected.ask.as_ref().fields(), &now.ask.fields(), 2);
    let [only] = found.as_slice() else { return false };
    let (Some(Field::Bytes(then)), Some(Field::Bytes(now))) = (&only.left, &only.right) else { return false };
    let (then, now) = (String::from_utf8_lossy(then), String::from_utf8_lossy(now));
    if then.is_empty() || now.is_empty() || then == now {
        return false;
    }
    let (kept_then, kept_now) = (count(gone, &then), count(come, &then));
    kept_then > 0 && kept_now >= kept_then && count(come, &now) > count(gone, &now)
}

/// Whether a line looks like a call that stands for itself: `vm:run("x")`, `helper.make(1)`, `local r = vm:run("x")`.
fn is_statement(line: &str) -> bool {
    let line = line.trim();
    if ["if ", "while ", "for ", "return", "until ", "elseif ", "function ", "local function "]
        .iter()
        .any(|word| line.starts_with(word))
    {
        return false;
    }
    let call = match line.split_once('=') {
        Some((left, right)) if !left.contains(['(', '"', '\'', '{']) => right.trim(),
        _ => line,
    };
    let name = call.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | ':')).count();
    name > 0 && call.chars().nth(name).is_some_and(|c| matches!(c, '(' | '"' | '\'' | '{')) && call.ends_with(')')
}

/// The statements of a line, where semicolons part them.
fn statements(line: &str) -> Vec<&str> {
    let (mut quote, mut escaped, mut depth) = (None, false, 0_usize);
    let mut found = Vec::new();
    let mut start = 0;
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (Some(open), _) => {
                if c == open && !escaped {
                    quote = None;
                }
                escaped = c == '\\' && !escaped;
            }
            (None, '"' | '\'') => quote = Some(c),
            (None, '(' | '{' | '[') => depth += 1,
            (None, ')' | '}' | ']') => depth = depth.saturating_sub(1),
            (None, ';') if depth == 0 => {
                found.push(line[start..at].trim());
                start = at + 1;
            }
            (None, _) => {}
        }
    }
    found.push(line[start..].trim());
    found.retain(|statement| !statement.is_empty());
    found
}

/// The words of a line: names and numbers, texts in quotes, and each other character alone.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        if c.is_whitespace() {
            continue;
        }
        let mut word = String::from(c);
        if c == '"' || c == '\'' {
            let mut escaped = false;
            for next in rest.by_ref() {
                word.push(next);
                if next == c && !escaped {
                    break;
                }
                escaped = next == '\\' && !escaped;
            }
        } else if c.is_alphanumeric() || c == '_' {
            while let Some(next) = rest.next_if(|next| next.is_alphanumeric() || *next == '_') {
                word.push(next);
            }
        }
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_that_stand_for_themselves_are_seen() {
        for line in ["vm:run('x')", "  helper.make(1)", "local r = vm:run('a = b')", "go'x' :wait()"] {
            assert!(is_statement(line), "{line}");
        }
        for line in ["timeout = '5s',", "return f(1)", "if x() then", "local x = 1", "end)", "'a',"] {
            assert!(!is_statement(line), "{line}");
        }
        assert_eq!(statements(" f(1); g('a;b', {1; 2}) ;h() "), ["f(1)", "g('a;b', {1; 2})", "h()"]);
        assert_eq!(words("f('a\\'b', 12)"), ["f", "(", "'a\\'b'", ",", "12", ")"]);
    }
}
