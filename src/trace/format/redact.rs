//! Leaving secrets out: bytes that match a pattern become `*` before they are written.
//!
//! The length stays, so that nothing else in the trace changes. A secret of which only a part is in one record, such as
//! one that is cut in two by the frames of a stream, is not found.

use provium_protocol::exec::ByteString;
use provium_protocol::texts::{See, Texts, each_text_of, each_text_of_pairs};
use regex::bytes::Regex;
use thiserror::Error;

use super::super::record::{Boundary, Header, HostError, ProgramAnswer, Record, RecordedVerdict};

/// What stands for each byte that was left out.
pub const REDACTED: u8 = b'*';

/// A pattern that is none.
#[derive(Debug, Error)]
#[error("`{pattern}` is not a regular expression: {why}")]
pub struct BadPattern {
    /// The pattern.
    pub pattern: String,
    /// What is wrong with it.
    pub why: String,
}

/// Leaves matches out.
#[derive(Clone, Debug, Default)]
pub struct Redactor {
    patterns: Vec<Regex>,
}

impl Redactor {
    /// A redactor for these regular expressions.
    ///
    /// # Errors
    /// When one of them is none.
    pub fn new(patterns: &[String]) -> Result<Redactor, BadPattern> {
        let compile = |pattern: &String| {
            Regex::new(pattern).map_err(|error| BadPattern { pattern: pattern.clone(), why: error.to_string() })
        };
        Ok(Redactor { patterns: patterns.iter().map(compile).collect::<Result<_, _>>()? })
    }

    /// How many patterns there are: what [`Header::redacted`] says.
    #[must_use]
    pub fn count(&self) -> u32 {
        u32::try_from(self.patterns.len()).unwrap_or(u32::MAX)
    }

    /// Whether there is nothing to leave out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Replaces what matches in all texts of a value.
    pub fn redact(&self, value: &mut impl Texts) {
        if self.is_empty() {
            return;
        }
        // All patterns look at the bytes as they were, so that none hides from another what it should find.
        let mut found = Vec::new();
        value.each_text(&mut |bytes| {
            found.clear();
            for pattern in &self.patterns {
                found.extend(pattern.find_iter(bytes).map(|found| found.range()));
            }
            for range in found.drain(..) {
                bytes[range].fill(REDACTED);
            }
        });
    }
}

/// Whether a value is the one that was recorded, as far as one can tell when bytes of it may have been left out: a `*`
/// in the recorded texts stands for any byte.
#[must_use]
pub fn matches_redacted<T: Texts + Clone + PartialEq>(recorded: &T, now: &T) -> bool {
    if recorded == now {
        return true;
    }
    let mut texts = Vec::new();
    recorded.clone().each_text(&mut |bytes| texts.push(bytes.to_vec()));
    let mut texts = texts.into_iter();
    let mut now = now.clone();
    now.each_text(&mut |bytes| {
        // Where the texts are not side by side the values differ in more than texts.
        let Some(recorded) = texts.next().filter(|recorded| recorded.len() == bytes.len()) else { return };
        for (byte, recorded) in bytes.iter_mut().zip(recorded) {
            if recorded == REDACTED {
                *byte = REDACTED;
            }
        }
    });
    *recorded == now
}

impl Texts for Header {
    /// What a test or a profile says; the names by which profiles are found stay.
    fn each_text(&mut self, see: &mut See<'_>) {
        let Header {
            writer: _,
            required: _,
            file: _,
            file_sha256: _,
            backend: _,
            virtual_clock: _,
            strategy: _,
            seed: _,
            default_timeout: _,
            profiles,
            profile_sha256: _,
            redacted: _,
        } = self;
        for profile in profiles.values_mut() {
            let name = profile.name.clone();
            profile.each_text(see);
            profile.name = name;
        }
    }
}

impl Texts for Record {
    fn each_text(&mut self, see: &mut See<'_>) {
        match self {
            Record::Begun { guest: _, lane: _, worker, at: _, op } => {
                worker.each_text(see);
                op.each_text(see);
            }
            Record::Ended { back: _, result } => result.each_text(see),
            Record::Frame { guest: _, stream: _, frame } => frame.each_text(see),
            Record::Boot { at: _, spec } => spec.each_text(see),
            Record::Booted { back: _, result } => result.each_text(see),
            Record::HostFile { path, content, executable: _ } => {
                path.each_text(see);
                content.each_text(see);
            }
            Record::ProgramStart { name, pid: _, args, env } => {
                name.each_text(see);
                each_text_of(args, see);
                each_text_of_pairs(env, see);
            }
            Record::ProgramAnswer(answer) => answer.each_text(see),
            Record::Task { path, at: _ } => path.each_text(see),
            Record::Source { name, module, text } => {
                name.each_text(see);
                module.each_text(see);
                text.each_text(see);
            }
            Record::Boundary { dt: _, what } => what.each_text(see),
            Record::Log(text) => text.each_text(see),
            Record::Poll { task: _, dt: _ }
            | Record::Abandoned { back: _ }
            | Record::Draw(_)
            | Record::Interrupt { look: _ }
            | Record::Choices(_)
            | Record::GuestDraw(_)
            | Record::ProgramPoll { program: _, dt: _ }
            | Record::ProgramGone { program: _ }
            | Record::Halt { dt: _, why: _ } => {}
        }
    }
}

impl Texts for HostError {
    fn each_text(&mut self, see: &mut See<'_>) {
        let HostError { message, errno: _ } = self;
        message.each_text(see);
    }
}

impl Texts for ProgramAnswer {
    fn each_text(&mut self, see: &mut See<'_>) {
        match self {
            ProgramAnswer::Read(Ok(ByteString(bytes))) => bytes.each_text(see),
            ProgramAnswer::Read(Err(_))
            | ProgramAnswer::Computed
            | ProgramAnswer::Write(_)
            | ProgramAnswer::Open(_)
            | ProgramAnswer::Close(_)
            | ProgramAnswer::Sleep(_)
            | ProgramAnswer::Catch(_)
            | ProgramAnswer::Caught(_)
            | ProgramAnswer::Exec(_) => {}
        }
    }
}

impl Texts for Boundary {
    fn each_text(&mut self, see: &mut See<'_>) {
        match self {
            Boundary::FileLoaded { failure } => failure.each_text(see),
            Boundary::TestBegins { name } => name.each_text(see),
            Boundary::TestEnds { name, verdict } => {
                name.each_text(see);
                match verdict {
                    RecordedVerdict::Passed => {}
                    RecordedVerdict::Failed { message, at: _ } => message.each_text(see),
                    RecordedVerdict::Skipped { reason } => reason.each_text(see),
                }
            }
            Boundary::FileBegins | Boundary::TestCloses | Boundary::FileCloses | Boundary::FileEnds => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use provium_protocol::exec::ExecSpec;
    use provium_protocol::{Lane, Op};

    use super::super::super::timeline::samples;
    use super::super::codec;
    use super::*;

    fn redactor(patterns: &[&str]) -> Redactor {
        Redactor::new(&patterns.iter().map(|pattern| (*pattern).to_owned()).collect::<Vec<_>>()).unwrap()
    }

    fn run(script: &str) -> Op {
        Op::Spawn(ExecSpec::shell(script))
    }

    #[test]
    fn what_matches_is_nowhere_in_the_bytes() {
        let redactor = redactor(&["(?i)echo", "don.", "[a-z]+\\.test\\.lua", "because", "/nope"]);
        for mut record in samples::records() {
            redactor.redact(&mut record);
            let mut bytes = Vec::new();
            codec::encode(&record, &mut bytes).unwrap();
            for secret in ["echo", "done", "a.test.lua", "because", "/nope"] {
                let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
                assert!(!found, "{secret} is in {record:?}");
            }
        }
    }

    #[test]
    fn patterns_do_not_hide_matches_from_each_other() {
        let mut op = run("token abcdef");
        redactor(&["token", "token abc"]).redact(&mut op);
        assert_eq!(op, run("*********def"));
    }

    #[test]
    fn characters_keep_their_bytes() {
        let mut record = Record::Log("größe".into());
        redactor(&["ö", "(?-u:\\xc3)"]).redact(&mut record);
        assert_eq!(record, Record::Log("gr****e".into()));
    }

    #[test]
    fn a_star_stands_for_any_byte_and_for_nothing_else() {
        let begun = |op| Record::Begun { guest: 0, lane: Lane::Main, worker: None, at: None, op };
        let recorded = begun(run("login ******"));
        assert!(matches_redacted(&recorded, &begun(run("login secret"))));
        assert!(!matches_redacted(&recorded, &begun(run("login secrets"))));
        assert!(!matches_redacted(&recorded, &begun(run("logon secret"))));
        assert!(!matches_redacted(&run("login secret"), &run("login ******")));
        assert!(!matches_redacted(&recorded, &begun(Op::ReadFile("login secret".into()))));
    }

    #[test]
    fn a_bad_pattern_is_named() {
        let error = Redactor::new(&["(".to_owned()]).unwrap_err().to_string();
        assert!(error.starts_with("`(` is not a regular expression"), "{error}");
    }
}
