//! What a line came to, for the one who typed it.

use mlua::{MultiValue, Table, Value};

use crate::lua::{display, failure, run_result};

/// Bytes of one line's values that are shown: a screen or so.
const MOST: usize = 4_000;

/// Levels of nesting that are shown: deeper data is not meant to be read.
const MAX_DEPTH: usize = 40;

/// The narrowest that tables are set, however deep.
const NARROWEST: usize = 20;

/// How much is shown.
pub struct Limits {
    /// Characters in a line.
    width: usize,
    /// Bytes of all.
    most: usize,
}

impl Limits {
    /// Of what a line came to.
    pub fn of_a_line(width: usize) -> Limits {
        Limits { width, most: MOST }
    }

    /// All of it.
    pub fn none(width: usize) -> Limits {
        Limits { width, most: usize::MAX }
    }
}

/// The values as they are shown: in one line if they fit, else each on lines of its own.
pub fn values(values: &MultiValue, limits: &Limits) -> String {
    let mut printer = Printer { limits, left: limits.most, cut: false, above: Vec::new() };
    let shown: Vec<String> = values.iter().map(|value| printer.top(value)).collect();
    let length = shown.iter().map(|text| text.len() + 2).sum::<usize>();
    let fit = length <= limits.width && !shown.iter().any(|text| text.contains('\n'));
    let mut text = match fit {
        true => format!("= {}", shown.join(", ")),
        false => shown.iter().map(|text| format!("= {text}")).collect::<Vec<_>>().join("\n"),
    };
    if printer.cut {
        text.push_str("\n(cut; `all` shows the whole first value)");
    }
    text
}

struct Printer<'a> {
    limits: &'a Limits,
    left: usize,
    cut: bool,
    above: Vec<Table>,
}

impl Printer<'_> {
    fn top(&mut self, value: &Value) -> String {
        if let Some(outputs) = run_result::parts(value) {
            return self.run(&outputs);
        }
        self.value(value, 0, 0)
    }

    /// A RunResult: how it ended, and its outputs as they would stand on a terminal.
    fn run(&mut self, parts: &run_result::Parts) -> String {
        let mut text = parts.ended.clone();
        for (name, output) in &parts.outputs {
            let output = self.readable(output);
            let output = output.trim_end_matches('\n');
            match output.contains('\n') {
                true => text.push_str(&format!("\n  {name}:\n    {}", output.replace('\n', "\n    "))),
                false => text.push_str(&format!("\n  {name}: {output}")),
            }
        }
        text
    }

    /// Text of a guest, which must not write to the terminal but letters and lines.
    fn readable(&mut self, bytes: &[u8]) -> String {
        let mut text = String::new();
        for c in String::from_utf8_lossy(self.beginning(bytes)).chars() {
            match c {
                '\n' | '\t' => text.push(c),
                c if c.is_control() => text.extend(c.escape_debug()),
                c => text.push(c),
            }
        }
        text
    }

    /// As much of the bytes as may still be shown.
    fn beginning<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let shown = bytes.len().min(self.left);
        self.left -= shown;
        self.cut |= shown < bytes.len();
        &bytes[..shown]
    }

    fn value(&mut self, value: &Value, indent: usize, depth: usize) -> String {
        match value {
            Value::Table(table) if !display::has_tostring(table) => self.table(table, indent, depth),
            other => self.plain(other),
        }
    }

    /// Anything but a table.
    fn plain(&mut self, value: &Value) -> String {
        if let Value::String(string) = value {
            let bytes = string.as_bytes();
            return self.string(&bytes);
        }
        let text = match value {
            Value::Error(_) => failure::one_line(value),
            other => display::show(other),
        };
        self.left = self.left.saturating_sub(text.len());
        text
    }

    fn string(&mut self, bytes: &[u8]) -> String {
        let shown = self.beginning(bytes);
        let mut text = String::from("\"");
        for chunk in shown.utf8_chunks() {
            for c in chunk.valid().chars() {
                // In double quotes a single one needs no escape, and shell scripts are full of them.
                if c == '\'' { text.push(c) } else { text.extend(c.escape_debug()) }
            }
            for byte in chunk.invalid() {
                text.push_str(&format!("\\x{byte:02x}"));
            }
        }
        text.push('"');
        if shown.len() < bytes.len() {
            text.push_str(&format!("… {} bytes", bytes.len()));
        }
        text
    }

    fn table(&mut self, table: &Table, indent: usize, depth: usize) -> String {
        if self.above.contains(table) {
            return "{… a table above}".to_owned();
        }
        if depth >= MAX_DEPTH {
            self.cut = true;
            return "{…}".to_owned();
        }
        self.above.push(table.clone());
        let pairs = display::sorted_pairs(table);
        let length = table.raw_len();
        let mut entries = Vec::new();
        for (shown, (key, value)) in pairs.iter().enumerate() {
            if self.left == 0 {
                self.cut = true;
                entries.push(format!("… {} more", pairs.len() - shown));
                break;
            }
            let mut entry = String::new();
            if !matches!(key, Value::Integer(index) if (1..=length as i64).contains(index)) {
                display::write_key(key, &mut entry);
                entry.push_str(" = ");
            }
            entry.push_str(&self.value(value, indent + 2, depth + 1));
            self.left = self.left.saturating_sub(4);
            entries.push(entry);
        }
        self.above.pop();
        let flat = entries.iter().map(|entry| entry.len() + 2).sum::<usize>();
        let room = self.limits.width.saturating_sub(indent).max(NARROWEST);
        if flat <= room && !entries.iter().any(|entry| entry.contains('\n')) {
            return format!("{{{}}}", entries.join(", "));
        }
        let margin = " ".repeat(indent + 2);
        let mut text = String::from("{\n");
        for entry in &entries {
            text.push_str(&format!("{margin}{entry},\n"));
        }
        text.push_str(&" ".repeat(indent));
        text.push('}');
        text
    }
}
