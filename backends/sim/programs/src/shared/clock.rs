//! Points in time as text: the formats of strftime(3) with the extensions of date(1). UTC, C locale.

use jiff::Timestamp;
use jiff::civil::{DateTime, Weekday};
use jiff::tz::TimeZone;
use provium_kernel::TimeSpec;

/// The widest that a field of a format may be padded to: a width is typed by hand, and its padding is
/// held in memory.
const MAX_WIDTH: usize = 4096;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Full English names of the days, Sunday first.
const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// The number of a month that is spelled out or shortened to three letters or more, 1 to 12.
#[must_use]
pub fn month_number(text: &str) -> Option<i8> {
    let at = position_of(text, &MONTHS)?;
    i8::try_from(at + 1).ok()
}

/// The number of a weekday that is spelled out or shortened to three letters or more, Sunday is 0.
#[must_use]
pub fn weekday_number(text: &str) -> Option<i8> {
    i8::try_from(position_of(text, &DAYS)?).ok()
}

fn position_of(text: &str, names: &[&str]) -> Option<usize> {
    let lower = text.trim_end_matches('.').to_ascii_lowercase();
    (lower.len() >= 3).then(|| names.iter().position(|name| name.to_ascii_lowercase().starts_with(&lower)))?
}

/// A point in time by calendar and clock of UTC; `None` beyond the years that the calendar knows.
#[must_use]
pub fn civil(time: TimeSpec) -> Option<DateTime> {
    let stamp = Timestamp::new(time.sec, i32::try_from(time.nsec).ok()?).ok()?;
    Some(stamp.to_zoned_datetime(TimeZone::UTC).datetime())
}

/// The point in time at which the clock of UTC shows this.
#[must_use]
pub fn from_civil(time: DateTime) -> Option<TimeSpec> {
    let stamp = time.to_zoned_datetime(TimeZone::UTC).ok()?.timestamp();
    let ns = stamp.as_nanosecond();
    let sec = i64::try_from(ns.div_euclid(1_000_000_000)).ok()?;
    Some(TimeSpec { sec, nsec: u32::try_from(ns.rem_euclid(1_000_000_000)).ok()? })
}

/// `2024-01-02 03:04:05.000000006 +0000`: the long form of `stat` and `ls --full-time`.
#[must_use]
pub fn full(time: TimeSpec) -> String {
    String::from_utf8_lossy(&format(b"%Y-%m-%d %H:%M:%S.%N %z", time)).into_owned()
}

/// A point in time in a format of date(1). What is no directive is copied.
#[must_use]
pub fn format(spec: &[u8], time: TimeSpec) -> Vec<u8> {
    let Some(civil) = civil(time) else { return time.sec.to_string().into_bytes() };
    let mut text = Vec::new();
    format_into(spec, time, civil, &mut text);
    text
}

#[derive(Clone, Copy, Default)]
struct Flags {
    pad: Option<u8>,
    upper: bool,
    swap: bool,
    width: Option<usize>,
}

fn format_into(spec: &[u8], time: TimeSpec, civil: DateTime, text: &mut Vec<u8>) {
    let mut rest = spec;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            text.push(byte);
            continue;
        }
        let (flags, colons, after_flags) = read_flags(rest);
        match after_flags.split_first() {
            Some((&directive, after)) if push_field(directive, flags, colons, time, civil, text) => rest = after,
            // Not a directive: shown as it was typed.
            Some((_, after)) => {
                text.push(b'%');
                text.extend_from_slice(&rest[..rest.len() - after.len()]);
                rest = after;
            }
            None => {
                text.push(b'%');
                text.extend_from_slice(rest);
                rest = b"";
            }
        }
    }
}

fn read_flags(mut rest: &[u8]) -> (Flags, usize, &[u8]) {
    let mut flags = Flags::default();
    let mut colons = 0;
    while let Some((&byte, after)) = rest.split_first() {
        match byte {
            b'-' | b'_' | b'0' | b'+' => flags.pad = Some(byte),
            b'^' => flags.upper = true,
            b'#' => flags.swap = true,
            _ => break,
        }
        rest = after;
    }
    while let Some((&digit @ b'0'..=b'9', after)) = rest.split_first() {
        let width = flags.width.unwrap_or(0) * 10 + usize::from(digit - b'0');
        flags.width = Some(width.min(MAX_WIDTH));
        rest = after;
    }
    if let Some((b'E' | b'O', after)) = rest.split_first() {
        rest = after;
    }
    while let Some((b':', after)) = rest.split_first() {
        colons += 1;
        rest = after;
    }
    (flags, colons, rest)
}

/// Appends one field; `false` if there is no such directive.
fn push_field(directive: u8, flags: Flags, colons: usize, time: TimeSpec, civil: DateTime, text: &mut Vec<u8>) -> bool {
    let weekday = civil.weekday().to_sunday_zero_offset();
    let iso = civil.date().iso_week_date();
    let hour12 = match civil.hour() % 12 {
        0 => 12,
        hour => hour,
    };
    let year_day = i64::from(civil.day_of_year());
    let composed = |format: &[u8]| {
        let mut inner = Vec::new();
        format_into(format, time, civil, &mut inner);
        String::from_utf8_lossy(&inner).into_owned()
    };
    let name = |names: &[&str], index: i64| {
        usize::try_from(index).ok().and_then(|index| names.get(index).copied()).unwrap_or("?").to_owned()
    };
    let short = |full: String| full.chars().take(3).collect::<String>();
    let number = |value: i64, width: usize, pad: u8| Field::Number { value, width, pad };
    let field = match directive {
        b'%' => Field::Text("%".into()),
        b'n' => Field::Text("\n".into()),
        b't' => Field::Text("\t".into()),
        b'a' => Field::Text(short(name(&DAYS, weekday.into()))),
        b'A' => Field::Text(name(&DAYS, weekday.into())),
        b'b' | b'h' => Field::Text(short(name(&MONTHS, i64::from(civil.month()) - 1))),
        b'B' => Field::Text(name(&MONTHS, i64::from(civil.month()) - 1)),
        b'c' => Field::Text(composed(b"%a %b %e %H:%M:%S %Y")),
        b'C' => number(i64::from(civil.year()).div_euclid(100), 2, b'0'),
        b'd' => number(civil.day().into(), 2, b'0'),
        b'D' | b'x' => Field::Text(composed(b"%m/%d/%y")),
        b'e' => number(civil.day().into(), 2, b' '),
        b'F' => Field::Text(composed(b"%Y-%m-%d")),
        b'g' => number(i64::from(iso.year()).rem_euclid(100), 2, b'0'),
        b'G' => number(iso.year().into(), 4, b'0'),
        b'H' => number(civil.hour().into(), 2, b'0'),
        b'I' => number(hour12.into(), 2, b'0'),
        b'j' => number(year_day, 3, b'0'),
        b'k' => number(civil.hour().into(), 2, b' '),
        b'l' => number(hour12.into(), 2, b' '),
        b'm' => number(civil.month().into(), 2, b'0'),
        b'M' => number(civil.minute().into(), 2, b'0'),
        b'N' => {
            let digits = format!("{:09}", time.nsec);
            let width = flags.width.unwrap_or(9);
            let shown: String = digits.chars().chain(std::iter::repeat('0')).take(width.max(1)).collect();
            text.extend_from_slice(shown.as_bytes());
            return true;
        }
        b'p' if flags.swap => Field::Swapped(if civil.hour() < 12 { "am" } else { "pm" }.into()),
        b'p' => Field::Text(if civil.hour() < 12 { "AM" } else { "PM" }.into()),
        b'P' => Field::Text(if civil.hour() < 12 { "am" } else { "pm" }.into()),
        b'q' => number(i64::from(civil.month() - 1) / 3 + 1, 1, b'0'),
        b'r' => Field::Text(composed(b"%I:%M:%S %p")),
        b'R' => Field::Text(composed(b"%H:%M")),
        b's' => number(time.sec, 1, b'0'),
        b'S' => number(civil.second().into(), 2, b'0'),
        b'T' | b'X' => Field::Text(composed(b"%H:%M:%S")),
        b'u' => number(civil.weekday().to_monday_one_offset().into(), 1, b'0'),
        b'U' => number((year_day + 6 - i64::from(weekday)) / 7, 2, b'0'),
        b'V' => number(iso.week().into(), 2, b'0'),
        b'w' => number(weekday.into(), 1, b'0'),
        b'W' => number((year_day + 6 - i64::from(days_since_monday(civil.weekday()))) / 7, 2, b'0'),
        b'y' => number(i64::from(civil.year()).rem_euclid(100), 2, b'0'),
        b'Y' => number(civil.year().into(), 1, b'0'),
        b'z' => Field::Text(
            match colons {
                0 => "+0000",
                1 => "+00:00",
                2 => "+00:00:00",
                _ => "+00",
            }
            .into(),
        ),
        b'Z' if flags.swap => Field::Swapped("utc".into()),
        b'Z' => Field::Text("UTC".into()),
        _ => return false,
    };
    text.extend_from_slice(field.padded(flags).as_bytes());
    true
}

fn days_since_monday(weekday: Weekday) -> i8 {
    weekday.to_monday_zero_offset()
}

enum Field {
    Text(String),
    /// Text whose case was turned round already, as `%#Z` asks.
    Swapped(String),
    Number {
        value: i64,
        width: usize,
        pad: u8,
    },
}

impl Field {
    fn padded(self, flags: Flags) -> String {
        let already_swapped = matches!(self, Field::Swapped(_));
        let (mut text, width, pad) = match self {
            Field::Text(text) | Field::Swapped(text) => (text, flags.width.unwrap_or(0), b' '),
            Field::Number { value, width, pad } => (value.to_string(), flags.width.unwrap_or(width), pad),
        };
        if flags.upper || flags.swap && text.chars().any(char::is_lowercase) && !already_swapped {
            text = text.to_ascii_uppercase();
        }
        let pad = match flags.pad {
            Some(b'-') => return text,
            Some(b'_') => b' ',
            Some(_) => b'0',
            None => pad,
        };
        match (pad, text.strip_prefix('-')) {
            (b'0', Some(digits)) => format!("-{digits:0>width$}", width = width.saturating_sub(1)),
            (b'0', None) => format!("{text:0>width$}"),
            _ => format!("{text:>width$}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::format;
    use provium_kernel::TimeSpec;

    fn shown(spec: &str, sec: i64, nsec: u32) -> String {
        String::from_utf8_lossy(&format(spec.as_bytes(), TimeSpec { sec, nsec })).into_owned()
    }

    #[test]
    fn directives_of_date() {
        // 2024-02-03 04:05:06 UTC, a Saturday.
        let at = 1_706_933_106;
        for (spec, text) in [
            ("%Y-%m-%d %H:%M:%S", "2024-02-03 04:05:06"),
            ("%F %T %Z %z %:z", "2024-02-03 04:05:06 UTC +0000 +00:00"),
            ("%a %A %b %B %p %P", "Sat Saturday Feb February AM am"),
            ("%e|%-d|%_d|%03d|%k|%l|%I", " 3|3| 3|003| 4| 4|04"),
            ("%j %u %w %U %V %W %G %g %q", "034 6 6 04 05 05 2024 24 1"),
            ("%c", "Sat Feb  3 04:05:06 2024"),
            ("%D %R %r %x %X", "02/03/24 04:05 04:05:06 AM 02/03/24 04:05:06"),
            ("%s.%N %3N %C %y %^a %%", "1706933106.000000007 000 20 24 SAT %"),
            ("%Q%", "%Q%"),
        ] {
            assert_eq!(shown(spec, at, 7), text, "{spec}");
        }
        assert_eq!(shown("%s %F", -1, 0), "-1 1969-12-31");
    }
}
