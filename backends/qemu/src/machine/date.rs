//! Seconds since 1970 as QEMU's `-rtc base=` wants them.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The first second that the clock chip of a PC can show as Linux reads it: 1970-01-01.
const RTC_FIRST: i64 = 0;
/// The last one, 2069-12-31T23:59:59: Linux takes two digits below 70 as of this century, and QEMU's boards have no century
/// register that it asks.
const RTC_LAST: i64 = 3_155_759_999;

/// `2026-01-31T12:00:00`. What the chip can't show is given as the nearest that it can: the agent sets the clock exactly.
pub(crate) fn rtc_base(seconds: i64) -> String {
    let seconds = seconds.clamp(RTC_FIRST, RTC_LAST);
    // All that the chip can show is within the calendar's years.
    Timestamp::from_second(seconds).unwrap_or_default().to_zoned_datetime(TimeZone::UTC).datetime().to_string()
}

#[cfg(test)]
mod tests {
    use super::rtc_base;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, date) in [
            (0, "1970-01-01T00:00:00"),
            (951_782_400, "2000-02-29T00:00:00"),
            (1_709_251_199, "2024-02-29T23:59:59"),
            (1_767_225_600, "2026-01-01T00:00:00"),
            (1_798_761_599, "2026-12-31T23:59:59"),
        ] {
            assert_eq!(rtc_base(seconds), date);
        }
    }

    #[test]
    fn what_the_chip_cannot_show_is_clamped() {
        assert_eq!(rtc_base(-5), "1970-01-01T00:00:00");
        assert_eq!(rtc_base(i64::MAX), "2069-12-31T23:59:59");
    }
}
