//! Dates that people type: `date -d`, `touch -d`, `find -newermt`. UTC, the usual forms of GNU's parser.

use jiff::civil::{Date, DateTime, Time};
use provium_kernel::TimeSpec;

use super::clock::{civil, from_civil, month_number, weekday_number};

const DAY: i64 = 86_400;

/// What the words of a date have said so far.
#[derive(Default)]
struct Reading {
    date: Option<Date>,
    time: Option<Time>,
    zone: Option<i64>,
    weekday: Option<i8>,
    months: i64,
    days: i64,
    seconds: i128,
}

/// The point in time that `text` means when it is `now`; `None` if it is no date.
#[must_use]
pub fn parse(text: &str, now: TimeSpec) -> Option<TimeSpec> {
    let text = text.trim();
    if let Some(seconds) = text.strip_prefix('@') {
        return epoch(seconds);
    }
    let words = words(text);
    let mut reading = Reading::default();
    let mut rest = words.as_slice();
    while !rest.is_empty() {
        let used = reading.take(rest, now)?;
        rest = rest.get(used..)?;
    }
    reading.resolve(now)
}

/// The digits of `touch -t`: `[[CC]YY]MMDDhhmm[.ss]`.
#[must_use]
pub fn parse_touch(text: &str, now: TimeSpec) -> Option<TimeSpec> {
    let (main, seconds) = match text.split_once('.') {
        Some((main, seconds)) => (main, Some(seconds)),
        None => (text, None),
    };
    if !main.is_ascii() || main.bytes().any(|byte| !byte.is_ascii_digit()) {
        return None;
    }
    let pair = |from: usize| main.get(from..from + 2)?.parse::<i8>().ok();
    let (year, at) = match main.len() {
        8 => (civil(now)?.year(), 0),
        10 => {
            let short = i16::from(pair(0)?);
            (if short < 69 { 2000 + short } else { 1900 + short }, 2)
        }
        12 => (main.get(..4)?.parse().ok()?, 4),
        _ => return None,
    };
    let second = match seconds {
        Some(text) if text.len() == 2 => text.parse::<i8>().ok()?.min(59),
        Some(_) => return None,
        None => 0,
    };
    let date = Date::new(year, pair(at)?, pair(at + 2)?).ok()?;
    from_civil(DateTime::from_parts(date, Time::new(pair(at + 4)?, pair(at + 6)?, second, 0).ok()?))
}

fn epoch(text: &str) -> Option<TimeSpec> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let sec: i64 = whole.parse().ok()?;
    let nsec = nanos(fraction)?;
    if whole.starts_with('-') && nsec > 0 {
        return Some(TimeSpec { sec: sec.checked_sub(1)?, nsec: 1_000_000_000 - nsec });
    }
    Some(TimeSpec { sec, nsec })
}

/// The digits after a point, as nanoseconds.
fn nanos(fraction: &str) -> Option<u32> {
    if fraction.bytes().any(|byte| !byte.is_ascii_digit()) {
        return None;
    }
    format!("{fraction:0<9}").get(..9)?.parse().ok()
}

/// Words and numbers: letters, digits with what belongs to dates and clocks, signs.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for piece in text.split(|c: char| c.is_whitespace() || c == ',').filter(|piece| !piece.is_empty()) {
        let mut current = String::new();
        for c in piece.chars() {
            let changes = current.chars().last().is_some_and(|last| {
                last.is_ascii_alphabetic() != c.is_ascii_alphabetic()
                    || (matches!(c, '+') || c == '-' && current.contains(':')) && !current.is_empty()
            });
            if changes && !current.is_empty() {
                words.push(std::mem::take(&mut current));
            }
            current.push(c.to_ascii_lowercase());
        }
        words.push(current);
    }
    words
}

impl Reading {
    /// Reads one item from the front of `words`; the result is how many words it took.
    fn take(&mut self, words: &[String], now: TimeSpec) -> Option<usize> {
        let word = words.first()?.as_str();
        let next = words.get(1).map(String::as_str);
        match word {
            "now" | "today" => return Some(1),
            "yesterday" => self.days = self.days.checked_sub(1)?,
            "tomorrow" => self.days = self.days.checked_add(1)?,
            "noon" => self.time = Time::new(12, 0, 0, 0).ok(),
            "midnight" => self.time = Some(Time::midnight()),
            "z" | "utc" | "gmt" | "ut" => self.zone = Some(0),
            "t" if self.date.is_some() => {}
            "next" | "last" | "this" => {
                let count = match word {
                    "next" => 1,
                    "last" => -1,
                    _ => 0,
                };
                self.relative(count, next?)?;
                return Some(2);
            }
            "ago" => {
                // Turns round what stands before it.
                self.months = self.months.checked_neg()?;
                self.days = self.days.checked_neg()?;
                self.seconds = self.seconds.checked_neg()?;
            }
            "-" | "+" => {
                let sign = if word == "-" { -1 } else { 1 };
                self.relative(next?.parse::<i64>().ok()?.checked_mul(sign)?, words.get(2)?)?;
                return Some(3);
            }
            _ if word.starts_with(|c: char| c.is_ascii_alphabetic()) => return self.name(words, now),
            _ => return self.number(words),
        }
        Some(1)
    }

    /// A month with its day, or a weekday.
    fn name(&mut self, words: &[String], now: TimeSpec) -> Option<usize> {
        let word = words.first()?;
        if let Some(month) = month_number(word) {
            let day = words.get(1)?.parse().ok()?;
            let year = words.get(2).filter(|text| text.len() == 4).and_then(|text| text.parse::<i16>().ok());
            let default = civil(now)?.year();
            self.date = Some(Date::new(year.unwrap_or(default), month, day).ok()?);
            return Some(if year.is_some() { 3 } else { 2 });
        }
        if let Some(weekday) = weekday_number(word) {
            self.weekday = Some(weekday);
            return Some(1);
        }
        // A unit alone counts one: "day ago".
        self.relative(1, word)?;
        Some(1)
    }

    fn number(&mut self, words: &[String]) -> Option<usize> {
        let word = words.first()?.as_str();
        let next = words.get(1).map(String::as_str);
        let half = matches!(next, Some("am" | "pm")) && word.len() <= 2;
        if (word.contains(':') || half) && !word.starts_with(['+', '-']) {
            return self.clock(word, next);
        }
        if (word.starts_with('+') || word.starts_with('-')) && self.time.is_some() && self.zone.is_none() {
            let unit = next.is_some_and(|next| unit(next).is_some());
            if !unit {
                self.zone = Some(offset(word)?);
                return Some(1);
            }
        }
        if let Some((year, rest)) = word.split_once('-').filter(|(year, _)| year.len() == 4) {
            let (month, day) = rest.split_once('-')?;
            self.date = Some(Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()?);
            return Some(1);
        }
        if let Some((month, rest)) = word.split_once('/') {
            let (day, year) = rest.split_once('/')?;
            self.date = Some(Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()?);
            return Some(1);
        }
        if let Some(month) = next.and_then(month_number) {
            let year = words.get(2)?.parse().ok()?;
            self.date = Some(Date::new(year, month, word.parse().ok()?).ok()?);
            return Some(3);
        }
        if next.is_some_and(|next| unit(next).is_some()) {
            self.relative(word.parse().ok()?, next?)?;
            return Some(2);
        }
        if word.len() == 8 && self.date.is_none() {
            let part = |from: usize, to: usize| word.get(from..to)?.parse::<i16>().ok();
            let (month, day) = (i8::try_from(part(4, 6)?).ok()?, i8::try_from(part(6, 8)?).ok()?);
            self.date = Some(Date::new(part(0, 4)?, month, day).ok()?);
            return Some(1);
        }
        if word.len() == 4 && self.date.is_some() && self.time.is_none() {
            let (hour, minute) = (word.get(..2)?.parse().ok()?, word.get(2..)?.parse().ok()?);
            self.time = Some(Time::new(hour, minute, 0, 0).ok()?);
            return Some(1);
        }
        None
    }

    /// `HH:MM[:SS[.fraction]]`, with `am` or `pm` after it.
    fn clock(&mut self, word: &str, next: Option<&str>) -> Option<usize> {
        let mut parts = word.split(':');
        let mut hour: i8 = parts.next()?.parse().ok()?;
        let minute: i8 = parts.next().map_or(Some(0), |text| text.parse().ok())?;
        let (second, nsec) = match parts.next() {
            None => (0, 0),
            Some(text) => {
                let (second, fraction) = text.split_once('.').unwrap_or((text, ""));
                (second.parse().ok()?, i32::try_from(nanos(fraction)?).ok()?)
            }
        };
        if parts.next().is_some() {
            return None;
        }
        let mut used = 1;
        if let Some(half @ ("am" | "pm")) = next {
            if !(1..=12).contains(&hour) {
                return None;
            }
            hour = hour % 12 + if half == "pm" { 12 } else { 0 };
            used = 2;
        }
        self.time = Some(Time::new(hour, minute, second, nsec).ok()?);
        Some(used)
    }

    fn relative(&mut self, count: i64, word: &str) -> Option<()> {
        match unit(word)? {
            Unit::Months(months) => self.months = self.months.checked_add(count.checked_mul(months)?)?,
            Unit::Days(days) => self.days = self.days.checked_add(count.checked_mul(days)?)?,
            Unit::Seconds(seconds) => {
                let more = i128::from(count) * i128::from(seconds);
                self.seconds = self.seconds.checked_add(more)?;
            }
        }
        Some(())
    }

    fn resolve(self, now: TimeSpec) -> Option<TimeSpec> {
        let today = civil(now)?;
        let mut date = self.date.unwrap_or(today.date());
        if let Some(weekday) = self.weekday.filter(|_| self.date.is_none()) {
            let ahead = (weekday - date.weekday().to_sunday_zero_offset()).rem_euclid(7);
            date = shifted(date, ahead.into())?;
        }
        let explicit = self.date.is_some() || self.weekday.is_some();
        let time = self.time.unwrap_or(if explicit { Time::midnight() } else { today.time() });
        let months = (i64::from(date.year()) * 12 + i64::from(date.month()) - 1).checked_add(self.months)?;
        let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
        // A day that the month lacks goes on into the next one: 31 January and a month is 3 March.
        let first = Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, 1).ok()?;
        let date = shifted(first, (i64::from(date.day()) - 1).checked_add(self.days)?)?;
        let at = from_civil(DateTime::from_parts(date, time))?;
        let sec = (i128::from(at.sec) - i128::from(self.zone.unwrap_or(0))).checked_add(self.seconds)?;
        Some(TimeSpec { sec: i64::try_from(sec).ok()?, nsec: at.nsec })
    }
}

fn shifted(date: Date, days: i64) -> Option<Date> {
    let at = from_civil(DateTime::from_parts(date, Time::midnight()))?;
    Some(civil(TimeSpec { sec: at.sec.checked_add(days.checked_mul(DAY)?)?, nsec: 0 })?.date())
}

enum Unit {
    Months(i64),
    Days(i64),
    Seconds(i64),
}

fn unit(word: &str) -> Option<Unit> {
    Some(match word.strip_suffix('s').filter(|stem| stem.len() > 1).unwrap_or(word) {
        "year" => Unit::Months(12),
        "month" => Unit::Months(1),
        "fortnight" => Unit::Days(14),
        "week" => Unit::Days(7),
        "day" => Unit::Days(1),
        "hour" => Unit::Seconds(3600),
        "minute" | "min" => Unit::Seconds(60),
        "second" | "sec" => Unit::Seconds(1),
        _ => return None,
    })
}

/// `+HH`, `+HHMM` or `+HH:MM` in seconds.
fn offset(word: &str) -> Option<i64> {
    let sign = if word.starts_with('-') { -1 } else { 1 };
    let digits = word.trim_start_matches(['+', '-']);
    let (hours, minutes) = match digits.split_once(':') {
        Some((hours, minutes)) => (hours.parse::<i64>().ok()?, minutes.parse::<i64>().ok()?),
        None if digits.len() <= 2 => (digits.parse().ok()?, 0),
        None => (digits.get(..digits.len() - 2)?.parse().ok()?, digits.get(digits.len() - 2..)?.parse().ok()?),
    };
    (hours <= 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use super::{parse, parse_touch};
    use crate::shared::clock::format;
    use provium_kernel::TimeSpec;

    /// 2024-01-31 10:20:30.5 UTC, a Wednesday.
    const NOW: TimeSpec = TimeSpec { sec: 1_706_696_430, nsec: 500_000_000 };

    fn read(text: &str) -> Option<String> {
        let time = parse(text, NOW)?;
        Some(String::from_utf8_lossy(&format(b"%F %T.%1N", time)).into_owned())
    }

    #[test]
    fn typed_dates() {
        for (text, meaning) in [
            ("@0", "1970-01-01 00:00:00.0"),
            ("@-1.5", "1969-12-31 23:59:58.5"),
            ("2024-02-03", "2024-02-03 00:00:00.0"),
            ("2024-02-03 04:05:06", "2024-02-03 04:05:06.0"),
            ("2024-02-03T04:05:06.7Z", "2024-02-03 04:05:06.7"),
            ("2024-02-03 04:05:06 +0200", "2024-02-03 02:05:06.0"),
            ("2024-02-03T04:05:06-01:30", "2024-02-03 05:35:06.0"),
            ("20240203", "2024-02-03 00:00:00.0"),
            ("3 Feb 2024", "2024-02-03 00:00:00.0"),
            ("Feb 3 2024 1:02pm", "2024-02-03 13:02:00.0"),
            ("Sat, 03 Feb 2024 04:05:06 UTC", "2024-02-03 04:05:06.0"),
            ("02/03/2024", "2024-02-03 00:00:00.0"),
            ("now", "2024-01-31 10:20:30.5"),
            ("12:00", "2024-01-31 12:00:00.0"),
            ("1 Jan 2020 1pm", "2020-01-01 13:00:00.0"),
            ("tomorrow", "2024-02-01 10:20:30.5"),
            ("2 days ago", "2024-01-29 10:20:30.5"),
            ("1 month", "2024-03-02 10:20:30.5"),
            ("next week", "2024-02-07 10:20:30.5"),
            ("+1 hour", "2024-01-31 11:20:30.5"),
            ("2024-02-03 -1 day", "2024-02-02 00:00:00.0"),
            ("friday", "2024-02-02 00:00:00.0"),
            ("", "2024-01-31 10:20:30.5"),
        ] {
            assert_eq!(read(text).as_deref(), Some(meaning), "{text}");
        }
        for text in ["x", "2024-13-01", "25:00", "@x", "1 2 3", "2024-02-30"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn digits_of_touch() {
        let shown = |text| parse_touch(text, NOW).map(|time| time.sec);
        assert_eq!(shown("202402030405.06"), Some(1_706_933_106));
        assert_eq!(shown("2402030405"), Some(1_706_933_100));
        assert_eq!(shown("02030405"), Some(1_706_933_100));
        assert_eq!(shown("13010000"), None);
        assert_eq!(shown("123"), None);
    }
}
