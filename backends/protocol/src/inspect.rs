//! Who waits for what in a guest: what a person needs to see when a test hangs.

use serde::{Deserialize, Serialize};

/// One sleeping thread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Its process.
    pub pid: i32,
    /// The process's name.
    pub comm: String,
    /// What it waits for, for people: `"flock exclusive on /tmp/a"`, `"read from pipe:[12]"`.
    pub on: String,
    /// The processes that could end the wait, when the kernel knows them (holders of the lock).
    pub holders: Vec<i32>,
}

/// A snapshot of all waits of a guest, with the cycles among them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitGraph {
    /// Sleeping threads in order of process id. Of the agent's own only those that wait for a lock or
    /// for the other end of a FIFO, as a test asked them to.
    pub waiting: Vec<Waiting>,
}

impl WaitGraph {
    /// A cycle of processes each of which waits for the next, if there is one: a deadlock.
    #[must_use]
    pub fn deadlock(&self) -> Option<Vec<i32>> {
        for start in &self.waiting {
            let mut path = vec![start.pid];
            if self.follow(start.pid, &mut path) {
                return Some(path);
            }
        }
        None
    }

    fn follow(&self, start: i32, path: &mut Vec<i32>) -> bool {
        let at = *path.last().unwrap_or(&start);
        for waiting in self.waiting.iter().filter(|waiting| waiting.pid == at) {
            for holder in &waiting.holders {
                if *holder == start {
                    return true;
                }
                if path.contains(holder) || !self.waiting.iter().any(|other| other.pid == *holder) {
                    continue;
                }
                path.push(*holder);
                if self.follow(start, path) {
                    return true;
                }
                path.pop();
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(pid: i32, holders: &[i32]) -> Waiting {
        Waiting { pid, comm: "sh".into(), on: "flock".into(), holders: holders.to_vec() }
    }

    #[test]
    fn a_cycle_of_lock_holders_is_a_deadlock() {
        let graph = WaitGraph { waiting: vec![waits(1, &[9]), waits(5, &[6]), waits(6, &[7, 5])] };
        assert_eq!(graph.deadlock(), Some(vec![5, 6]));
    }

    #[test]
    fn a_chain_that_ends_at_a_running_process_is_none() {
        let graph = WaitGraph { waiting: vec![waits(5, &[6]), waits(6, &[7])] };
        assert_eq!(graph.deadlock(), None);
    }
}
