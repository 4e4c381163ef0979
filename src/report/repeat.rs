//! The command that runs a test again exactly as it was run.

use std::collections::BTreeMap;

use crate::runner::select::Filter;

/// What the command line of this run said that has a bearing on how a test runs.
#[derive(Clone, Debug, Default)]
pub struct Repeat {
    /// The command as it was called: `provium`, `target/release/provium`.
    pub program: String,
    /// Options that hold for any test: `--seed 7`, `--timeout 10s`. Not yet quoted.
    pub options: Vec<String>,
    /// Options that chose tests: `--filter x`. Not yet quoted.
    pub selection: Vec<String>,
    /// Whether this is a replay: then a run is had again by replaying it again.
    pub is_replay: bool,
    /// How each file is to be named on the command line, by its name in events, where that differs.
    pub paths: BTreeMap<String, String>,
}

impl Repeat {
    /// Runs the file with the tests that this run selected: the same run of this file, always.
    #[must_use]
    pub fn file(&self, file: &str) -> String {
        let paths = [self.path(file)];
        self.command(paths.iter().chain(&self.selection))
    }

    /// Runs this test alone: the same run of it if no other test ran before it in its file, because a
    /// file's tests share its top-level guests, their clock and the sequence of choices.
    #[must_use]
    pub fn test(&self, file: &str, test: &str) -> String {
        let arguments = [self.path(file), "--filter".to_owned(), Filter::exactly(file, test)];
        // Slow tests are the one part of the selection that an exact filter does not decide.
        let slow = self.selection.iter().filter(|option| *option == "--include-slow");
        self.command(arguments.iter().chain(slow))
    }

    /// Replays a trace.
    #[must_use]
    pub fn replay(&self, trace: &str) -> String {
        let dashed = if trace.starts_with('-') { "./" } else { "" };
        let words = [self.program.as_str(), "replay", &format!("{dashed}{trace}")];
        words.map(shell_quote).join(" ")
    }

    fn path(&self, file: &str) -> String {
        let path = self.paths.get(file).map_or(file, String::as_str);
        // A name that begins like an option must still be read as a path.
        if path.starts_with('-') { format!("./{path}") } else { path.to_owned() }
    }

    fn command<'a>(&'a self, arguments: impl Iterator<Item = &'a String>) -> String {
        let words = std::iter::once(&self.program).chain(arguments).chain(&self.options);
        words.map(|word| shell_quote(word)).collect::<Vec<_>>().join(" ")
    }
}

/// Quotes one word for a POSIX shell, if it needs it.
#[must_use]
pub fn shell_quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repeat() -> Repeat {
        Repeat {
            program: "provium".to_owned(),
            is_replay: false,
            options: vec!["--seed".to_owned(), "7".to_owned()],
            selection: vec!["--filter".to_owned(), "two writers".to_owned(), "--include-slow".to_owned()],
            paths: BTreeMap::from([("a.test.lua".to_owned(), "../a.test.lua".to_owned())]),
        }
    }

    #[test]
    fn the_file_is_repeated_with_its_selection() {
        assert_eq!(repeat().file("a.test.lua"), "provium ../a.test.lua --filter 'two writers' --include-slow --seed 7");
        assert_eq!(Repeat { program: "p".to_owned(), ..Repeat::default() }.file("-x.test.lua"), "p ./-x.test.lua");
    }

    #[test]
    fn the_test_is_repeated_by_an_exact_filter() {
        assert_eq!(
            repeat().test("a.test.lua", "it's (racy)"),
            "provium ../a.test.lua --filter '/^a\\.test\\.lua: it'\\''s \\(racy\\)$/' --include-slow --seed 7"
        );
    }

    #[test]
    fn words_are_quoted_as_the_shell_reads_them() {
        for word in ["", "a b", "it's", "$(x)", "`x`", "\\", "!", "~", "*", "a\nb", "é", "#", "plain/1.0"] {
            let output = std::process::Command::new("sh")
                .args(["-c", &format!("printf %s {}", shell_quote(word))])
                .output()
                .expect("sh runs");
            assert_eq!(String::from_utf8_lossy(&output.stdout), word);
        }
    }
}
