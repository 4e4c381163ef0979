//! A few lines of Lua around a place, the line itself marked.

use std::io::{self, Write};

use super::failure::place;
use crate::report::sources::Sources;
use crate::report::style::Paint;
use crate::report::text::{clip, one_line};
use crate::runner::event::Site;

/// Lines shown above the marked one: what led there.
const ABOVE: usize = 3;

/// Lines shown below it.
const BELOW: usize = 1;

/// The columns of a quoted line.
const COLUMNS: usize = 120;

/// The text of the line at `site`, if it is known.
pub(super) fn line(sources: &dyn Sources, site: &Site) -> Option<String> {
    let at = usize::try_from(site.line).ok()?.checked_sub(1)?;
    sources.lines(&site.file)?.get(at).cloned()
}

pub(super) fn write(out: &mut dyn Write, paint: Paint, sources: &dyn Sources, site: &Site) -> io::Result<()> {
    writeln!(out, "\n      {} {}", paint.faint("at"), paint.strong(place(site)))?;
    let Some(lines) = sources.lines(&site.file) else { return Ok(()) };
    let marked = site.line as usize;
    if marked == 0 || marked > lines.len() {
        // The place is past the end (an unfinished block), or the file has changed since.
        return Ok(());
    }
    let first = marked.saturating_sub(ABOVE).max(1);
    let last = (marked + BELOW).min(lines.len());
    let digits = last.to_string().len();
    for number in first..=last {
        let text = clip(&one_line(&lines[number - 1]), COLUMNS);
        if number == marked {
            writeln!(out, "      {} {number:>digits$} | {}", paint.bad(">"), paint.strong(text))?;
        } else {
            let line = format!("        {number:>digits$} | {text}");
            writeln!(out, "{}", paint.faint(line.trim_end()))?;
        }
    }
    Ok(())
}
