//! Writes the table of `docs/PERFORMANCE.md`, with the machine and the date. Start it by `benches/table`, which builds all
//! parts first.

mod figures;
mod instructions;
mod lines;
mod machine;
mod page;
mod pool;

use figures::Figures;

/// Runs of each part; the table has their medians.
const RUNS: usize = 3;
/// Processes that lose their first handle: it is one figure a process.
const FIRST_LOSSES: usize = 20;

const LEVELS: [&str; 3] = ["SIMPLE", "ADVANCED", "PARANOID"];

fn main() {
    let mut figures = Figures::default();
    figures.set(instructions::counted());
    for run in 1..=RUNS {
        eprintln!("run {run} of {RUNS}, load {}", machine::load());
        figures.part("probe", &["one-thread"], &[]);
        figures.part("probe", &["walks", "release"], &[]);
        figures.part("probe-frame-pointers", &["walks", "frame pointers"], &[("LEAK_DETECTION_WALKER", "frame-pointer")]);
        figures.part("probe-dev", &["walks", "dev"], &[]);
        figures.part("probe", &["two-threads"], &[]);
        figures.part("probe", &["crowd"], &[]);
        figures.part("probe", &["paths"], &[]);
        for level in LEVELS {
            figures.part("probe", &["elsewhere", level], &[]);
            figures.part("probe", &["losing", level], &[]);
            figures.part("probe", &["flood", level], &[]);
        }
        for mode in ["off", "trimmed", "whole"] {
            figures.part("peer_dhat", &[mode], &[]);
        }
        for (mode, setting) in
            [("off", "prof:false"), ("lg 19", "prof:true,lg_prof_sample:19"), ("every", "prof:true,lg_prof_sample:0")]
        {
            figures.part("peer_jemalloc", &[mode], &[("_RJEM_MALLOC_CONF", setting)]);
        }
        for what in ["trail", "a million", "trail after 4", "trail after 20", "counted", "naive", "Backtrace", "std Backtrace"] {
            figures.part("memory", &[what], &[]);
        }
    }
    for _ in 0..FIRST_LOSSES {
        for level in LEVELS {
            figures.part("probe", &["first-loss", level], &[]);
        }
    }
    let lines = lines::all(&figures);
    page::write(&machine::described(), &lines);
    let missed = lines.iter().filter(|line| line.is_missed()).count();
    println!("docs/PERFORMANCE.md: {} rows, {missed} MISSED", lines.len());
}
