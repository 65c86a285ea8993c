//! Tables for people.

use anstyle::{AnsiColor, Style};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::shown::Shown;

/// Where the text of a column stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Left,
    Right,
}

pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) side: Side,
}

/// The table as lines. The head is bold; a row has the colour of its first word that has one.
pub(crate) fn table(columns: &[Column], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(columns.iter().map(|column| column.name));
    for row in rows {
        table.add_row(row.iter().map(|cell| Shown(cell).to_string()));
    }
    for (index, column) in columns.iter().enumerate() {
        if let (Side::Right, Some(column)) = (column.side, table.column_mut(index)) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut text = String::new();
    for (index, line) in table.lines().enumerate() {
        let line = line.trim_end();
        text.push_str(&if index == 0 { painted(line, Style::new().bold()) } else { coloured(line) });
        text.push('\n');
    }
    text
}

/// Words that have a colour: verdicts and changes.
fn coloured(line: &str) -> String {
    let words = line.split(' ').filter(|word| !word.is_empty());
    let colour = words.take(4).find_map(|word| match word {
        "LEAK" | "REFUSED" | "new" | "worse" => Some(AnsiColor::Red),
        "GROW" | "HELD" | "PINNED" | "moved" => Some(AnsiColor::Yellow),
        "gone" | "better" => Some(AnsiColor::Green),
        _ => None,
    });
    match colour {
        Some(colour) => painted(line, colour.on_default()),
        None => line.to_owned(),
    }
}

fn painted(line: &str, style: Style) -> String {
    format!("{style}{line}{style:#}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_where_they_should() {
        let columns = [Column { name: "COUNT", side: Side::Right }, Column { name: "SITE", side: Side::Left }];
        let rows = [vec!["7".to_owned(), "a\u{1b}b".to_owned()], vec!["12345678".to_owned(), "c".to_owned()]];
        let text = anstream::adapter::strip_str(&table(&columns, rows.into_iter())).to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines, ["    COUNT  SITE", "        7  a\\u{1b}b", " 12345678  c"]);
    }

    #[test]
    fn a_verdict_has_its_colour() {
        assert_eq!(coloured(" 7  LEAK x"), "\u{1b}[31m 7  LEAK x\u{1b}[0m");
        assert_eq!(coloured(" 7  LIVE x"), " 7  LIVE x");
    }
}
