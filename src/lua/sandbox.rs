//! The standard libraries as a test sees them: the same in every run.
//!
//! What leaks the host's clock, its random numbers or its environment is replaced; what starts processes or ends
//! the run is refused, with a word on what to use instead.

use std::rc::Rc;

use mlua::{Function, Lua, MultiValue, Table, Value};
use provium_protocol::time;
use sha2::{Digest, Sha256};

use super::args::Named;
use super::call::{Call, Class, Returned, nothing, now, one};
use super::fault::Fault;
use super::host::Host;

/// What the clock of the host's side reads when a file begins, in seconds since 1970: 2024-01-01 00:00:00 UTC.
/// A fixed day, so that dates do not differ from run to run.
pub const EPOCH: i64 = 1_704_067_200;

pub static OS: Class = Class {
    prefix: "os.",
    entries: &[
        now("time", 1, os_time),
        now("clock", 0, |call| one(call.lua, seconds(&call.host))),
        now("date", 2, os_date),
        now("difftime", 2, |call| {
            let (a, b) = (call.read(1, "t2", Named::integer)?, call.read(2, "t1", Named::integer)?);
            one(call.lua, (a - b) as f64)
        }),
        now("getenv", 1, |_| Err(refused("os.getenv", "the environment differs from machine to machine"))),
        now("tmpname", 0, |_| Err(refused("os.tmpname", "its names differ from run to run"))),
        now("execute", 1, |_| Err(refused("os.execute", "a test runs commands in its guests: vm:run(cmd)"))),
        now("exit", 2, |_| Err(refused("os.exit", "a test ends by returning, t:fail or t:skip"))),
        now("setlocale", 2, |_| Err(refused("os.setlocale", "the locale differs from machine to machine"))),
        now("remove", 1, |_| Err(refused("os.remove", "a test changes files in its guests: vm:unlink(path)"))),
        now("rename", 2, |_| Err(refused("os.rename", "a test changes files in its guests: vm:rename(a, b)"))),
    ],
};

static MATH: Class = Class { prefix: "math.", entries: &[now("randomseed", 2, random_seed)] };

pub static DEBUG: Class = Class { prefix: "debug.", entries: &[now("traceback", 2, traceback)] };

static LOAD: Class = Class {
    prefix: "",
    entries: &[
        now("dofile", 1, |_| Err(refused("dofile", "use require, which looks under the roots"))),
        now("loadfile", 3, |_| Err(refused("loadfile", "use require, which looks under the roots"))),
    ],
};

fn refused(what: &str, instead: &str) -> Fault {
    Fault::usage(format!("{what} is not there in a test: {instead}"))
}

/// Replaces what must be replaced.
pub fn install(lua: &Lua) -> mlua::Result<()> {
    let globals = lua.globals();
    globals.raw_set("os", OS.lazy_table(lua)?)?;
    globals.raw_set("io", super::io::table(lua)?)?;
    globals.raw_set("debug", DEBUG.lazy_table(lua)?)?;
    let host = Host::of(lua);
    let math: Table = globals.raw_get("math")?;
    let seed: Function = math.raw_get("randomseed")?;
    let draw = host.draw();
    // Both halves are whole numbers that a float holds exactly.
    seed.call::<()>(((draw >> 32) as i64, (draw & 0xffff_ffff) as i64))?;
    host.raw_random_seed.replace(Some(seed));
    host.random_seed.set(Some(draw));
    math.raw_set("randomseed", MATH.function(lua, &MATH.entries[0])?)?;
    for entry in LOAD.entries {
        globals.raw_set(entry.name, LOAD.function(lua, entry)?)?;
    }
    Ok(())
}

/// `debug.traceback(message?, level?)`; the rest of the library would let a test break the bindings.
fn traceback(call: &Call) -> Returned {
    let message = match call.arg(1) {
        Value::Nil => None,
        Value::String(text) => Some(text.to_string_lossy()),
        other => return one(call.lua, other.clone()),
    };
    let level = call.read_optional(2, "level", |named| named.integer_in(0..=1_000_000))?.unwrap_or(1);
    let whole = call.lua.traceback(message.as_deref(), usize::try_from(level).unwrap_or(1))?.to_string_lossy();
    // Lines of provium's own Lua say nothing to anybody, and change with every version of it.
    let lines: Vec<&str> = whole.split('\n').filter(|line| !line.starts_with("\t?: in ")).collect();
    one(call.lua, lines.join("\n"))
}

/// Gives a test random numbers of its own: what they are depends neither on the tests before it nor on whether they
/// run at all. A script that has seeded them itself keeps its own.
pub fn seed_test(host: &Host, test: &str) -> mlua::Result<()> {
    let (Some(file), Some(seed)) = (host.random_seed.get(), host.raw_random_seed.borrow().clone()) else {
        return Ok(());
    };
    let digest = Sha256::new().chain_update(file.to_le_bytes()).chain_update(test).finalize();
    let half = |at: usize| digest[at..at + 4].iter().fold(0, |sum, byte| sum << 8 | i64::from(*byte));
    seed.call::<()>((half(0), half(4)))
}

fn random_seed(call: &Call) -> Returned {
    call.host.random_seed.set(None);
    let Some(seed) = call.host.raw_random_seed.borrow().clone() else { return nothing() };
    let args: MultiValue = match call.count() {
        0 => [Value::Integer(call.host.draw() as i64)].into_iter().collect(),
        _ => call.rest(1),
    };
    Ok(seed.call(args)?)
}

fn seconds(host: &Rc<Host>) -> f64 {
    host.backend.now() as f64 / time::SECOND as f64
}

fn now_unix(host: &Rc<Host>) -> i64 {
    EPOCH + i64::try_from(host.backend.now() / time::SECOND).unwrap_or(i64::MAX - EPOCH)
}

/// `os.time(table?)`: the lab's clock, or a date as UTC: the host's time zone must not count.
fn os_time(call: &Call) -> Returned {
    let Value::Table(date) = call.arg(1) else { return one(call.lua, now_unix(&call.host)) };
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
    let (year, month) = (year + (month - 1).div_euclid(12), (month - 1).rem_euclid(12) + 1);
    let days = days_from_civil(year, month, 1) + day - 1;
    one(call.lua, ((days * 24 + hour) * 60 + min) * 60 + sec)
}

/// Days from 1970-01-01 to a date of the Gregorian calendar; years begin in March, so leap days come last.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
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

struct Date {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    min: i64,
    sec: i64,
    /// 0 is Sunday.
    weekday: i64,
    /// 1 is January 1st.
    day_of_year: i64,
}

impl Date {
    fn of(unix: i64) -> Date {
        let (days, second) = (unix.div_euclid(86_400), unix.rem_euclid(86_400));
        let (year, month, day) = civil_from_days(days);
        Date {
            year,
            month,
            day,
            hour: second / 3_600,
            min: second / 60 % 60,
            sec: second % 60,
            weekday: (days + 4).rem_euclid(7),
            day_of_year: days - days_from_civil(year, 1, 1) + 1,
        }
    }

    fn name<'a>(names: &[&'a str], index: i64) -> &'a str {
        usize::try_from(index).ok().and_then(|index| names.get(index)).copied().unwrap_or("?")
    }

    /// One conversion of strftime(3) in the C locale.
    fn conversion(&self, letter: char) -> Option<String> {
        let (weekday, month) = (Date::name(&WEEKDAYS, self.weekday), Date::name(&MONTHS, self.month - 1));
        let hour12 = (self.hour + 11) % 12 + 1;
        Some(match letter {
            'a' => weekday[..3.min(weekday.len())].to_owned(),
            'A' => weekday.to_owned(),
            'b' | 'h' => month[..3.min(month.len())].to_owned(),
            'B' => month.to_owned(),
            'c' => self.format("%a %b %e %H:%M:%S %Y")?,
            'C' => format!("{:02}", self.year.div_euclid(100)),
            'd' => format!("{:02}", self.day),
            'D' | 'x' => self.format("%m/%d/%y")?,
            'e' => format!("{:2}", self.day),
            'F' => self.format("%Y-%m-%d")?,
            'H' => format!("{:02}", self.hour),
            'I' => format!("{hour12:02}"),
            'j' => format!("{:03}", self.day_of_year),
            'm' => format!("{:02}", self.month),
            'M' => format!("{:02}", self.min),
            'n' => "\n".to_owned(),
            'p' => if self.hour < 12 { "AM" } else { "PM" }.to_owned(),
            'r' => self.format("%I:%M:%S %p")?,
            'R' => self.format("%H:%M")?,
            'S' => format!("{:02}", self.sec),
            't' => "\t".to_owned(),
            'T' | 'X' => self.format("%H:%M:%S")?,
            'u' => if self.weekday == 0 { 7 } else { self.weekday }.to_string(),
            'w' => self.weekday.to_string(),
            'y' => format!("{:02}", self.year.rem_euclid(100)),
            'Y' => self.year.to_string(),
            'z' => "+0000".to_owned(),
            'Z' => "UTC".to_owned(),
            '%' => "%".to_owned(),
            _ => return None,
        })
    }

    fn format(&self, format: &str) -> Option<String> {
        let mut out = String::new();
        let mut letters = format.chars();
        while let Some(letter) = letters.next() {
            match letter {
                '%' => out.push_str(&self.conversion(letters.next()?)?),
                other => out.push(other),
            }
        }
        Some(out)
    }
}

/// `os.date(format?, time?)`, always UTC.
fn os_date(call: &Call) -> Returned {
    let format = call.read_optional(1, "format", Named::text)?.unwrap_or_else(|| "%c".to_owned());
    let bound = 1 << 50;
    let unix = call.read_optional(2, "time", |named| named.integer_in(-bound..=bound))?;
    let date = Date::of(unix.unwrap_or_else(|| now_unix(&call.host)));
    let format = format.trim_start_matches('!');
    if format.starts_with("*t") {
        let table = call.lua.create_table_with_capacity(0, 9)?;
        for (name, value) in [
            ("year", date.year),
            ("month", date.month),
            ("day", date.day),
            ("hour", date.hour),
            ("min", date.min),
            ("sec", date.sec),
            ("wday", date.weekday + 1),
            ("yday", date.day_of_year),
        ] {
            table.raw_set(name, value)?;
        }
        table.raw_set("isdst", false)?;
        return one(call.lua, table);
    }
    match date.format(format) {
        Some(text) => one(call.lua, text),
        None => {
            Err(call.usage(format!("argument 1 (format): `{format}` has a conversion that strftime does not know")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_days_agree_both_ways() {
        assert_eq!(days_from_civil(1970, 1, 1), 0);
        assert_eq!(days_from_civil(2024, 1, 1) * 86_400, EPOCH);
        for days in (-800_000..800_000).step_by(97) {
            let (year, month, day) = civil_from_days(days);
            assert_eq!(days_from_civil(year, month, day), days);
        }
    }

    #[test]
    fn a_date_is_written_as_strftime_does() {
        let date = Date::of(1_709_210_096);
        assert_eq!(
            date.format("%c|%F %T|%j %u %p %I").as_deref(),
            Some("Thu Feb 29 12:34:56 2024|2024-02-29 12:34:56|060 4 PM 12")
        );
        assert_eq!(date.format("%Q"), None);
    }
}
