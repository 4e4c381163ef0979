//! What dd says at the end.

/// Counts of what was read and written.
pub(super) struct Stats {
    started_ns: u64,
    full_in: u64,
    partial_in: u64,
    full_out: u64,
    partial_out: u64,
    /// Bytes read, padding left out.
    pub(super) bytes_read: u64,
    bytes_written: u64,
}

impl Stats {
    pub(super) fn new(started_ns: u64) -> Stats {
        Stats { started_ns, full_in: 0, partial_in: 0, full_out: 0, partial_out: 0, bytes_read: 0, bytes_written: 0 }
    }

    pub(super) fn read(&mut self, full: bool) {
        if full {
            self.full_in += 1;
        } else {
            self.partial_in += 1;
        }
    }

    pub(super) fn wrote(&mut self, bytes: usize, block: usize) {
        self.bytes_written += bytes as u64;
        if bytes == block {
            self.full_out += 1;
        } else if bytes > 0 {
            self.partial_out += 1;
        }
    }

    pub(super) fn blocks_read(&self) -> u64 {
        self.full_in + self.partial_in
    }

    /// The two lines about records.
    pub(super) fn records(&self) -> String {
        format!("{}+{} records in\n{}+{} records out\n", self.full_in, self.partial_in, self.full_out, self.partial_out)
    }

    /// The line about bytes and time.
    pub(super) fn transfer(&self, now_ns: u64) -> String {
        let bytes = self.bytes_written;
        let seconds = now_ns.saturating_sub(self.started_ns) as f64 / 1e9;
        let (si, iec) = (scaled(bytes as f64, 1000.0), scaled(bytes as f64, 1024.0));
        let amount = match bytes {
            1 => "1 byte copied".to_owned(),
            0..=999 => format!("{bytes} bytes copied"),
            1000..=1023 => format!("{bytes} bytes ({si}B) copied"),
            _ => format!("{bytes} bytes ({si}B, {iec}iB) copied"),
        };
        let rate = if seconds > 0.0 {
            let rate = scaled(bytes as f64 / seconds, 1000.0);
            if rate.ends_with(|last: char| last.is_ascii_digit()) {
                format!("{rate} B/s")
            } else {
                format!("{rate}B/s")
            }
        } else {
            "Infinity B/s".to_owned()
        };
        format!("{amount}, {} s, {rate}\n", general(seconds))
    }
}

/// A number with a unit, rounded to the nearest; one decimal below ten.
fn scaled(value: f64, base: f64) -> String {
    let units: [&str; 9] = ["", "k", "M", "G", "T", "P", "E", "Z", "Y"];
    let (mut value, mut unit) = (value, 0);
    while value.round() >= base && unit + 1 < units.len() {
        value /= base;
        unit += 1;
    }
    let name = match units.get(unit) {
        Some(&"k") if base > 1000.0 => "K",
        Some(name) => name,
        None => "",
    };
    if unit == 0 {
        format!("{value:.0}")
    } else if (value * 10.0).round() < 100.0 {
        format!("{value:.1} {name}")
    } else {
        format!("{value:.0} {name}")
    }
}

/// A number as `%g` writes it: six significant digits, no zeros at the end.
fn general(value: f64) -> String {
    if value == 0.0 {
        return "0".into();
    }
    let exponent = value.abs().log10().floor();
    if !(-4.0..6.0).contains(&exponent) {
        let text = format!("{value:.5e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let mantissa = mantissa.trim_end_matches('0').trim_end_matches('.');
        let (sign, digits) = match exponent.strip_prefix('-') {
            Some(digits) => ('-', digits),
            None => ('+', exponent),
        };
        return format!("{mantissa}e{sign}{digits:0>2}");
    }
    let decimals = (5.0 - exponent).max(0.0) as usize;
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::{Stats, general};

    #[test]
    fn statistics_read_as_the_real_ones() {
        let mut stats = Stats::new(0);
        stats.read(true);
        stats.read(false);
        stats.wrote(1 << 20, 1 << 20);
        assert_eq!(stats.records(), "1+1 records in\n1+0 records out\n");
        assert_eq!(stats.transfer(1_230_000), "1048576 bytes (1.0 MB, 1.0 MiB) copied, 0.00123 s, 853 MB/s\n");
        let mut stats = Stats::new(0);
        stats.wrote(1, 1);
        assert_eq!(stats.transfer(342_220), "1 byte copied, 0.00034222 s, 2.9 kB/s\n");
    }

    #[test]
    fn seconds_are_short() {
        assert_eq!(general(0.00002), "2e-05");
        assert_eq!(general(12.5), "12.5");
        assert_eq!(general(1234567.0), "1.23457e+06");
    }
}
