//! `peer_dhat MODE`: 256 bytes allocated and freed under dhat: `off`, `trimmed` (its 10 frames), `whole` (all of them).

use leaktrail_benches::bodies::heap_block;
use leaktrail_benches::pair;
use leaktrail_benches::rows::Rows;

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

fn main() {
    let mode = std::env::args().nth(1).unwrap_or_default();
    let file = std::env::temp_dir().join(format!("dhat-{}.json", std::process::id()));
    let builder = dhat::Profiler::builder().file_name(&file);
    let profiler = match mode.as_str() {
        "off" => None,
        "trimmed" => Some(builder.build()),
        "whole" => Some(builder.trim_backtraces(None).build()),
        other => panic!("no mode {other:?}"),
    };
    let mut rows = Rows::default();
    rows.add_at(30, &format!("dhat {mode}"), heap_block());
    rows.measure(21);
    if mode == "trimmed" {
        pair::measure("dhat", 30, heap_block);
    }
    drop(profiler);
    // What it found is nothing to keep.
    let _ = std::fs::remove_file(file);
}
