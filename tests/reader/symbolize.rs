//! Names for what a stripped program left, from the file that has them.

use super::harness::{run, run_with};

/// The program of this test: any file with debug information will do, and this one is there.
fn this_program() -> String {
    std::env::current_exe().expect("a program has a file").to_str().expect("UTF-8").to_owned()
}

#[test]
fn an_offset_becomes_a_name_and_the_rest_stays_as_it_is() {
    let debug_file = format!("gateway={}", this_program());
    // Somewhere in the code there is a name.
    let log: String = (1..2_000).map(|page| format!("\tgateway+{:#x}\n", page * 0x1000)).collect();
    let other = "a line\n\tother+0x1000\n\tgateway+0xffffffffffffffff\n\tgateway+0xfffffffffffffffff\nno end";
    let ran = run_with(&["symbolize", "--debug-file", &debug_file], (log.clone() + other).as_bytes());
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert!(ran.out.ends_with(other), "{:?}", ran.out.lines().last());
    let named: Vec<&str> = ran.out.lines().filter(|line| line.contains(" (") && line.contains(".rs:")).collect();
    assert!(named.iter().all(|line| line.starts_with('\t')) && !named.is_empty(), "{}", ran.out.len());
}

#[test]
fn a_file_that_is_none_is_status_2() {
    for file in ["/nonexistent", "gateway=/nonexistent", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")] {
        let ran = run(&["symbolize", "--debug-file", file]);
        assert!(ran.status == 2 && ran.err.contains("error: "), "{file}: {ran:?}");
    }
    assert_eq!(run(&["symbolize"]).status, 2);
}
