//! The one source of choices: every place where more than one thing could happen next asks it.
//!
//! A run is determined by the answers given here and by nothing else, so exploring, replaying,
//! minimising and bisecting all work on this one sequence. Only points with more than one
//! alternative are asked; [`choose`] is the door that sees to it.

use std::cell::{Cell, RefCell};

use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;
use serde::{Deserialize, Serialize};

/// What is being chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ChoicePoint {
    /// Whether the test's own tasks or the guests go on (0: the side that did not go last).
    Turn,
    /// Which ready Lua task continues.
    Task,
    /// Which runnable guest thread makes the next system call.
    Thread,
    /// How much a read or write moves (0: all of it).
    Amount,
}

/// A source of choices. Implementations keep their state behind `&self`.
pub trait Choices {
    /// Picks one of at least two alternatives, named by identities that stay the same for the
    /// thing they name as long as it lives. An answer out of range is a defect of the source.
    fn pick(&self, point: ChoicePoint, alternatives: &[u32]) -> usize;

    /// A random draw: seeds of generators, entropy of a guest.
    fn draw(&self) -> u64;
}

/// Asks `choices` when there is something to choose, else answers 0.
pub fn choose(choices: &dyn Choices, point: ChoicePoint, alternatives: &[u32]) -> usize {
    if alternatives.len() < 2 {
        return 0;
    }
    let picked = choices.pick(point, alternatives);
    assert!(picked < alternatives.len(), "a source of choices picked {picked} of {}", alternatives.len());
    picked
}

/// First in, first out: the default schedule.
#[derive(Debug, Default)]
pub struct Fixed {
    drawn: Cell<u64>,
}

impl Choices for Fixed {
    fn pick(&self, _point: ChoicePoint, _alternatives: &[u32]) -> usize {
        0
    }

    fn draw(&self) -> u64 {
        // An odd constant steps through all 64-bit values, so that two draws never repeat.
        let next = self.drawn.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.drawn.set(next);
        next
    }
}

/// Uniformly random picks from a seed. The generator (PCG-64 MCG, O'Neill 2014) is specified to the
/// bit, so that a seed keeps its meaning.
pub struct Seeded {
    rng: RefCell<Pcg64Mcg>,
}

impl Seeded {
    /// A source that gives the same answers for the same seed.
    #[must_use]
    pub fn new(seed: u64) -> Seeded {
        Seeded { rng: RefCell::new(Pcg64Mcg::seed_from_u64(seed)) }
    }
}

impl Choices for Seeded {
    fn pick(&self, _point: ChoicePoint, alternatives: &[u32]) -> usize {
        let draw = u64::from(self.rng.borrow_mut().next_u32());
        ((draw * alternatives.len() as u64) >> 32) as usize
    }

    fn draw(&self) -> u64 {
        self.rng.borrow_mut().next_u64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_answers_each_time() {
        let answers = |seed| {
            let source = Seeded::new(seed);
            (0..100).map(|_| choose(&source, ChoicePoint::Thread, &[1, 2, 3])).collect::<Vec<_>>()
        };
        assert_eq!(answers(7), answers(7));
        assert_ne!(answers(7), answers(8));
        for pick in 0..3 {
            assert!(answers(7).contains(&pick));
        }
    }

    #[test]
    fn a_point_without_alternatives_is_not_asked() {
        struct Never;
        impl Choices for Never {
            fn pick(&self, _: ChoicePoint, _: &[u32]) -> usize {
                unreachable!("nothing to choose")
            }
            fn draw(&self) -> u64 {
                0
            }
        }
        assert_eq!(choose(&Never, ChoicePoint::Turn, &[4]), 0);
        assert_eq!(choose(&Never, ChoicePoint::Turn, &[]), 0);
    }
}
