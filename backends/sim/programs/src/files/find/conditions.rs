//! Evaluates tests: what a file is asked.

use provium_kernel::{Stat, TimeSpec};

use super::Search;
use super::expression::{Count, Permissions, Stamp, Test};
use crate::shared::fnmatch::{MatchOptions, matches};
use crate::shared::mode::{S_IFLNK, S_IFMT, S_IFREG};
use crate::shared::path::{base_name, without_trailing_slashes};
use crate::shared::walk::{Entry, Follow, Walk};

impl Search {
    pub(super) async fn test(&mut self, test: &Test, entry: &mut Entry, walk: &Walk) -> bool {
        match test {
            Test::True => true,
            Test::False => false,
            Test::Name { pattern, ignore_case } => {
                let name = base_name(without_trailing_slashes(&entry.path));
                fits(pattern, name, *ignore_case)
            }
            Test::Path { pattern, ignore_case } => fits(pattern, &entry.path, *ignore_case),
            Test::LinkName { pattern, ignore_case } => {
                entry.kind == S_IFLNK
                    && match self.tool.sys.readlink(&entry.path).await {
                        Ok(target) => fits(pattern, &target, *ignore_case),
                        Err(_) => false,
                    }
            }
            Test::Type(types) => types.contains(&entry.kind),
            Test::OtherType(types) => {
                let looked = if self.follow == Follow::Always {
                    self.tool.sys.lstat(&entry.path).await
                } else {
                    match self.tool.sys.stat(&entry.path).await {
                        Err(_) => self.tool.sys.lstat(&entry.path).await,
                        other => other,
                    }
                };
                looked.is_ok_and(|stat| types.contains(&(stat.mode & S_IFMT)))
            }
            Test::Empty if entry.is_dir() => walk.is_empty_directory(entry).await,
            Test::Empty if entry.kind != S_IFREG => false,
            Test::NoUser => {
                let Some(stat) = self.stat(entry, walk).await else { return false };
                self.names.user(&self.tool.sys, stat.uid).await.is_none()
            }
            Test::NoGroup => {
                let Some(stat) = self.stat(entry, walk).await else { return false };
                self.names.group(&self.tool.sys, stat.gid).await.is_none()
            }
            Test::Access(mode) => self.tool.sys.access(&entry.path, *mode).await.is_ok(),
            other => match self.stat(entry, walk).await {
                Some(stat) => of_stat(other, &stat, self.now),
                None => false,
            },
        }
    }

    /// What fstatat(2) says of the file, asked once.
    pub(super) async fn stat(&mut self, entry: &mut Entry, walk: &Walk) -> Option<Stat> {
        if entry.stat.is_none() {
            let follow = self.follow == Follow::Always;
            match self.tool.sys.fstatat(walk.directory(), &entry.name, follow).await {
                Ok(stat) => entry.stat = Some(stat),
                Err(errno) => self.failed(&entry.path, errno).await,
            }
        }
        entry.stat
    }
}

fn fits(pattern: &[u8], name: &[u8], ignore_case: bool) -> bool {
    matches(pattern, name, MatchOptions { ignore_case, leading_dot: false })
}

fn of_stat(test: &Test, stat: &Stat, now: TimeSpec) -> bool {
    match test {
        Test::Size(count, unit) => count.fits(stat.size.div_ceil(*unit)),
        Test::Empty => stat.size == 0,
        Test::Newer(stamp, than) => time(*stamp, stat) > *than,
        Test::Age { stamp, count, unit } => is_aged(time(*stamp, stat), *count, *unit, now),
        Test::Permissions(permissions) => {
            let mode = stat.mode & 0o7777;
            match permissions {
                Permissions::Exactly(bits) => mode == *bits,
                Permissions::All(bits) => mode & bits == *bits,
                Permissions::Any(bits) => *bits == 0 || mode & bits != 0,
            }
        }
        Test::User(count) => count.fits(stat.uid.into()),
        Test::Group(count) => count.fits(stat.gid.into()),
        Test::Links(count) => count.fits(stat.nlink),
        Test::Inode(count) => count.fits(stat.ino),
        Test::Same(dev, ino) => (stat.dev, stat.ino) == (*dev, *ino),
        _ => false,
    }
}

fn time(stamp: Stamp, stat: &Stat) -> TimeSpec {
    match stamp {
        Stamp::Access => stat.atime,
        Stamp::Change => stat.ctime,
        Stamp::Modification => stat.mtime,
    }
}

/// Days are counted whole, the started one left out; minutes are counted with the started one.
fn is_aged(time: TimeSpec, count: Count, unit: i64, now: TimeSpec) -> bool {
    let nanos = |time: TimeSpec| i128::from(time.sec) * 1_000_000_000 + i128::from(time.nsec);
    let age = nanos(now) - nanos(time);
    let unit_ns = i128::from(unit) * 1_000_000_000;
    let days = unit >= 86_400;
    let edge = |number: u64| i128::from(number) * unit_ns;
    match count {
        Count::Exactly(number) if days => age >= edge(number) && age < edge(number) + unit_ns,
        Count::More(number) if days => age >= edge(number) + unit_ns,
        Count::Exactly(number) => age >= edge(number) - unit_ns && age < edge(number),
        Count::More(number) => age > edge(number),
        Count::Less(number) => age < edge(number),
    }
}

#[cfg(test)]
mod tests {
    use super::is_aged;
    use crate::files::find::expression::Count;
    use provium_kernel::TimeSpec;

    #[test]
    fn ages_in_days_and_minutes() {
        let now = TimeSpec { sec: 1_000_000, nsec: 0 };
        let aged = |ago: i64, count, unit| is_aged(TimeSpec { sec: now.sec - ago, nsec: 0 }, count, unit, now);
        assert!(aged(10, Count::Exactly(0), 86_400) && !aged(90_000, Count::Exactly(0), 86_400));
        assert!(aged(90_000, Count::Exactly(1), 86_400) && aged(90_000, Count::More(0), 86_400));
        assert!(!aged(80_000, Count::More(0), 86_400) && aged(80_000, Count::Less(1), 86_400));
        assert!(aged(61, Count::More(1), 60) && aged(59, Count::Less(1), 60) && aged(61, Count::Exactly(2), 60));
    }
}
