//! Names side by side: `ls -C`, `-x`, `-m`. Columns are padded with tabs where a tab fits, as ls does.

/// Distance of tab stops.
const TAB: usize = 8;
/// The most columns that are tried: every try looks at every name, so thousands of names on an endless
/// line (`-w 0`) must not take for ever.
const MAX_COLUMNS: usize = 1000;
/// The narrowest column: a letter and two blanks.
const NARROWEST: usize = 3;

/// Columns that a name takes: in the C locale what cannot be printed takes none.
fn width_of(cell: &str) -> usize {
    cell.chars().filter(|symbol| (' '..='~').contains(symbol)).count()
}

/// Sorted down the columns.
pub(super) fn down(cells: &[String], width: usize) -> String {
    let widths = fit(cells, width, |index, columns, rows| {
        let _ = columns;
        index / rows
    });
    let columns = widths.len().max(1);
    let rows = cells.len().div_ceil(columns);
    let mut text = String::new();
    for row in 0..rows {
        let line: Vec<(usize, &String)> = cells.iter().enumerate().skip(row).step_by(rows.max(1)).collect();
        push_line(&mut text, line.iter().map(|(_, cell)| cell.as_str()), &widths);
    }
    text
}

/// Sorted along the lines.
pub(super) fn across(cells: &[String], width: usize) -> String {
    let widths = fit(cells, width, |index, columns, _| index % columns);
    let mut text = String::new();
    for line in cells.chunks(widths.len().max(1)) {
        push_line(&mut text, line.iter().map(String::as_str), &widths);
    }
    text
}

/// Separated by commas.
pub(super) fn commas(cells: &[String], width: usize) -> String {
    let mut text = String::new();
    let mut at = 0;
    for (index, cell) in cells.iter().enumerate() {
        let length = width_of(cell);
        if index > 0 {
            // The comma, a blank, and the comma after this name must fit too.
            if at + length + 2 < width {
                text.push_str(", ");
                at += 2;
            } else {
                text.push_str(",\n");
                at = 0;
            }
        }
        text.push_str(cell);
        at += length;
    }
    if !cells.is_empty() {
        text.push('\n');
    }
    text
}

/// The widths of as many columns as fit in a line.
fn fit(cells: &[String], width: usize, column_of: impl Fn(usize, usize, usize) -> usize) -> Vec<usize> {
    let most = (width / NARROWEST).clamp(1, cells.len().clamp(1, MAX_COLUMNS));
    for columns in (1..=most).rev() {
        let rows = cells.len().div_ceil(columns);
        let mut widths = vec![NARROWEST; columns];
        for (index, cell) in cells.iter().enumerate() {
            let column = column_of(index, columns, rows);
            let length = width_of(cell) + if column + 1 == columns { 0 } else { 2 };
            if let Some(width) = widths.get_mut(column) {
                *width = (*width).max(length);
            }
        }
        if columns == 1 || widths.iter().sum::<usize>() < width {
            return widths;
        }
    }
    Vec::new()
}

fn push_line<'a>(text: &mut String, cells: impl Iterator<Item = &'a str>, widths: &[usize]) {
    let (mut at, mut start) = (0, 0);
    for (index, cell) in cells.enumerate() {
        pad(text, at, start);
        text.push_str(cell);
        at = start + width_of(cell);
        start += widths.get(index).copied().unwrap_or(0);
    }
    text.push('\n');
}

/// Goes from one place in the line to another, by tabs as long as they do not go too far.
fn pad(text: &mut String, mut at: usize, to: usize) {
    while at < to {
        if to / TAB > (at + 1) / TAB {
            text.push('\t');
            at += TAB - at % TAB;
        } else {
            text.push(' ');
            at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{across, commas, down};

    #[test]
    fn names_side_by_side() {
        let cells: Vec<String> = ["a", "a b", "b", "d", "it's", "l"].map(String::from).to_vec();
        assert_eq!(down(&cells, 80), "a  a b\tb  d  it's  l\n");
        assert_eq!(across(&cells, 12), "a     a b\nb     d\nit's  l\n");
        assert_eq!(commas(&cells, 12), "a, a b, b,\nd, it's, l\n");
        assert_eq!(down(&[], 80), "");
    }
}
