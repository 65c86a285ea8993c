//! `probe PART`: measures one part of the table and says its figures, a line each. `table` starts it, once for each part
//! and run, so that no part finds what another has left behind.

mod crowd;
mod elsewhere;
mod losses;
mod one_thread;
mod two_threads;
mod walks;

use leaktrail::Level;

fn level(name: &str) -> Level {
    name.parse().expect("a level")
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["one-thread"] => one_thread::measure(),
        ["walks", build] => walks::measure(build),
        ["two-threads"] => two_threads::measure(),
        ["elsewhere", name] => elsewhere::measure(level(name)),
        ["crowd"] => crowd::measure(),
        ["first-loss", name] => losses::first(level(name)),
        ["losing", name] => losses::one_at_a_time(level(name)),
        ["flood", name] => losses::flood(level(name)),
        ["paths"] => losses::paths(),
        other => panic!("no part {other:?}"),
    }
}
