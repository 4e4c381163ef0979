//! `os.time` of a date and `os.date`: always UTC, since the host's time zone must not count.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use mlua::{Table, Value};

use super::args::Named;
use super::call::{Call, Returned, one};
use super::fault::Fault;

/// Conversions of strftime(3) that Lua 5.4 takes (its manual, `os.date`), but for those that mean others.
const CONVERSIONS: &str = "aAbBCdDeFgGhHIjmMnpRStTuUVwWyYzZ%";

/// Modifiers that ask for a locale's own numbers, and what they may stand before: here there is one locale, C.
const MODIFIED: [(char, &str); 2] = [('E', "cCxXyY"), ('O', "deHImMSuUVwWy")];

/// Seconds since 1970 of the date in a table; what overflows one field is carried to the next.
pub fn time_of(call: &Call, date: &Table) -> Result<i64, Fault> {
    let field = |name: &'static str, default: Option<i64>| -> Result<i64, Fault> {
        let value: Value = date.raw_get(name)?;
        match (&value, default) {
            (Value::Nil, Some(default)) => Ok(default),
            _ => {
                let bound = i64::from(i32::MAX);
                Named { value, name: format!("field `{name}`").into() }.integer_in(-bound..=bound)
            }
        }
    };
    let (year, month, day) = (field("year", None)?, field("month", None)?, field("day", None)?);
    let (hour, min, sec) = (field("hour", Some(12))?, field("min", Some(0))?, field("sec", Some(0))?);
    let first_of_month = first_of_month(year, month).ok_or_else(|| {
        call.usage(format!("year {year} with month {month} cannot be represented: years are from -9999 to 9999"))
    })?;
    Ok(first_of_month + (((day - 1) * 24 + hour) * 60 + min) * 60 + sec)
}

fn first_of_month(year: i64, month: i64) -> Option<i64> {
    let (year, month) = (year + (month - 1).div_euclid(12), (month - 1).rem_euclid(12) + 1);
    let first = Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, 1).ok()?;
    Some(first.to_zoned_datetime(TimeZone::UTC).ok()?.timestamp().as_second())
}

/// A point in time, in seconds since 1970, in a format of strftime(3) in the C locale, or as a table (`*t`).
pub fn date_of(call: &Call, format: &str, unix: i64) -> Returned {
    let time = Timestamp::from_second(unix).map_err(|_| {
        call.usage(format!("argument 2 (time): {unix} cannot be represented: years are from -9999 to 9999"))
    })?;
    let time = time.to_zoned_datetime(TimeZone::UTC);
    let format = format.trim_start_matches('!');
    if format.starts_with("*t") {
        let table = call.lua.create_table_with_capacity(0, 9)?;
        for (name, value) in [
            ("year", i64::from(time.year())),
            ("month", i64::from(time.month())),
            ("day", i64::from(time.day())),
            ("hour", i64::from(time.hour())),
            ("min", i64::from(time.minute())),
            ("sec", i64::from(time.second())),
            ("wday", i64::from(time.weekday().to_sunday_one_offset())),
            ("yday", i64::from(time.day_of_year())),
        ] {
            table.raw_set(name, value)?;
        }
        table.raw_set("isdst", false)?;
        return one(call.lua, table);
    }
    let unknown =
        |_| call.usage(format!("argument 1 (format): `{format}` has a conversion that strftime does not know"));
    let plain = plain(format).ok_or(()).map_err(unknown)?;
    one(call.lua, strtime::format(plain, &time).map_err(drop).map_err(unknown)?)
}

/// The same format without what a locale decides; `None` if it has a conversion that there is not.
fn plain(format: &str) -> Option<String> {
    let mut plain = String::new();
    let mut rest = format;
    while let Some((text, after)) = rest.split_once('%') {
        plain.push_str(text);
        let mut letters = after.chars();
        let mut letter = letters.next()?;
        if let Some((_, modified)) = MODIFIED.iter().find(|(modifier, _)| *modifier == letter) {
            letter = letters.next().filter(|letter| modified.contains(*letter))?;
        }
        plain.push_str(&match letter {
            'c' => "%a %b %e %H:%M:%S %Y".into(),
            'r' => "%I:%M:%S %p".into(),
            'x' => "%m/%d/%y".into(),
            'X' => "%H:%M:%S".into(),
            'Z' => Cow::from("UTC"),
            letter => CONVERSIONS.contains(letter).then(|| format!("%{letter}").into())?,
        });
        rest = letters.as_str();
    }
    Some(plain + rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(format: &str, unix: i64) -> Option<String> {
        let time = Timestamp::from_second(unix).expect("a time").to_zoned_datetime(TimeZone::UTC);
        strtime::format(plain(format)?, &time).ok()
    }

    #[test]
    fn a_date_is_written_as_strftime_does() {
        let leap_day = 1_709_210_096;
        for (format, expected) in [
            ("%c|%F %T|%j %u %p %I", "Thu Feb 29 12:34:56 2024|2024-02-29 12:34:56|060 4 PM 12"),
            ("%a %A %b %B %h %C %d %D %e", "Thu Thursday Feb February Feb 20 29 02/29/24 29"),
            ("%g %G %V %U %W %w %y %Y", "24 2024 09 08 09 4 24 2024"),
            ("%r %R %S %t%n%x %X %z %Z %%", "12:34:56 PM 12:34 56 \t\n02/29/24 12:34:56 +0000 UTC %"),
            ("%Ey %Od %H:%M", "24 29 12:34"),
            ("é%%é", "é%é"),
        ] {
            assert_eq!(shown(format, leap_day).as_deref(), Some(expected), "{format}");
        }
        assert_eq!(shown("%c", 0).as_deref(), Some("Thu Jan  1 00:00:00 1970"));
        for wrong in ["%Q", "%", "%E", "%Ed", "%OY", "%é", "%5d", "%-d", "%:z", "%N", "%s"] {
            assert_eq!(shown(wrong, leap_day), None, "{wrong}");
        }
    }

    #[test]
    fn months_are_carried_to_years() {
        assert_eq!(first_of_month(1970, 1), Some(0));
        assert_eq!(first_of_month(2024, 1), Some(super::super::sandbox::EPOCH));
        assert_eq!(first_of_month(2023, 13), first_of_month(2024, 1));
        assert_eq!(first_of_month(2024, 0), first_of_month(2023, 12));
        assert_eq!(first_of_month(i64::from(i32::MAX), 1), None);
    }
}
