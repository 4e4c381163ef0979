//! Failures for people.

use provium::runner::event::Failure;

/// A failure with all there is to know, in lines.
pub fn describe(failure: &Failure) -> String {
    let place = failure.site.as_ref().map(|site| format!(" at {}:{}", site.file, site.line)).unwrap_or_default();
    let mut lines = vec![format!("  {}{place}", failure.message)];
    lines.extend(failure.waits.iter().map(|wait| format!("    {wait}")));
    lines.extend(failure.notes.iter().map(|note| format!("    {note}")));
    lines.join("\n")
}
