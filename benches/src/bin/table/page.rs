//! The page that has the table.

use std::fs;
use std::path::Path;

use crate::lines::Line;

const BEGIN: &str = "<!-- written by benches/table: from here -->\n";
const END: &str = "<!-- written by benches/table: to here -->\n";

/// Puts the table between its two marks.
pub(crate) fn write(machine: &str, lines: &[Line]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/PERFORMANCE.md");
    let page = fs::read_to_string(&path).expect("the page can be read");
    let (before, rest) = page.split_once(BEGIN).expect("the page has the first mark");
    let (_, after) = rest.split_once(END).expect("the page has the second mark");
    let mut table = format!("{machine}\n\n| what | measured | against its floor | goal | |\n|---|---|---|---|---|\n");
    for line in lines {
        table.push_str(&line.to_string());
    }
    fs::write(&path, format!("{before}{BEGIN}{table}{END}{after}")).expect("the page can be written");
}
