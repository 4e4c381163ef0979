//! Times of many rounds, and what is said of them.

use std::time::{Duration, Instant};

/// The times of some rounds.
pub struct Times {
    what: &'static str,
    sorted: Vec<Duration>,
}

/// Takes the time of one round.
pub fn timed<T>(round: impl FnOnce() -> T) -> (Duration, T) {
    let begun = Instant::now();
    let value = round();
    (begun.elapsed(), value)
}

impl Times {
    pub fn new(what: &'static str, mut rounds: Vec<Duration>) -> Times {
        rounds.sort_unstable();
        Times { what, sorted: rounds }
    }

    pub fn median(&self) -> Duration {
        self.sorted[self.sorted.len() / 2]
    }

    /// Prints the median, the extremes, and the places in between that tell how steady it is.
    pub fn print(&self) {
        let at = |share: usize| shown(self.sorted[(self.sorted.len() - 1) * share / 100]);
        println!(
            "  {:<58} median {}   min {}   p10 {}   p90 {}   max {}   ({} rounds)",
            self.what,
            shown(self.median()),
            at(0),
            at(10),
            at(90),
            at(100),
            self.sorted.len()
        );
    }

    /// Prints how often this goes into another, by the medians, beside what was aimed at.
    pub fn print_ratio(&self, to: &Times, aim: &str) {
        let ratio = self.median().as_secs_f64() / to.median().as_secs_f64();
        println!("  {} / {}: {ratio:.2} (aim: {aim})", self.what, to.what);
    }
}

fn shown(time: Duration) -> String {
    match time.as_secs_f64() {
        time if time < 1e-3 => format!("{:7.1} µs", time * 1e6),
        time if time < 1.0 => format!("{:7.2} ms", time * 1e3),
        time => format!("{time:7.3} s "),
    }
}

/// Bytes in a time, as a rate.
pub fn print_rate(what: &str, bytes: usize, time: Duration) {
    println!("  {what}: {:.0} MB/s by the median", bytes as f64 / 1e6 / time.as_secs_f64());
}
