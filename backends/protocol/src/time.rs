//! Times and durations on the waist are nanoseconds in a `u64`: exact, ordered, and the same on every
//! backend. A test that runs for five centuries overflows it.

/// Nanoseconds of the lab's clock or of a duration.
pub type Nanos = u64;

/// One millisecond.
pub const MILLISECOND: Nanos = 1_000_000;
/// One second.
pub const SECOND: Nanos = 1_000_000_000;
