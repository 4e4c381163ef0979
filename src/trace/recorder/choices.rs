//! The same choices, each of them recorded.

use std::rc::Rc;

use provium_protocol::{ChoicePoint, Choices};

use super::Recorder;
use crate::trace::record::{Choice, Record};

/// Stands around a source of choices.
pub struct RecordingChoices {
    recorder: Rc<Recorder>,
    choices: Rc<dyn Choices>,
}

impl RecordingChoices {
    /// Around this one.
    #[must_use]
    pub fn new(recorder: Rc<Recorder>, choices: Rc<dyn Choices>) -> RecordingChoices {
        RecordingChoices { recorder, choices }
    }
}

impl Choices for RecordingChoices {
    fn pick(&self, point: ChoicePoint, alternatives: &[u32]) -> usize {
        let picked = self.choices.pick(point, alternatives);
        self.recorder.choice(Choice { point, of: alternatives.len() as u32, picked: picked as u32 });
        picked
    }

    fn draw(&self) -> u64 {
        let drawn = self.choices.draw();
        self.recorder.put(Record::GuestDraw(drawn));
        drawn
    }
}
