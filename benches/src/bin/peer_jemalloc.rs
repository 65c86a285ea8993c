//! `peer_jemalloc MODE`: 256 bytes allocated and freed under jemalloc, whose heap profiler is set by the environment:
//! `_RJEM_MALLOC_CONF=prof:true,lg_prof_sample:19`. The mode is only the name of the figure.

use leaktrail_benches::bodies::heap_block;
use leaktrail_benches::pair;
use leaktrail_benches::rows::Rows;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() {
    let mode = std::env::args().nth(1).unwrap_or_default();
    let mut rows = Rows::default();
    rows.add_at(30, &format!("jemalloc {mode}"), heap_block());
    rows.measure(21);
    if mode == "every" {
        pair::measure("jemalloc", 30, heap_block);
    }
}
