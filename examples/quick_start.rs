//! The smallest program that loses something and is told where: `cargo run --example quick_start`. With
//! `LEAK_DETECTION_LEVEL=paranoid` in the environment the report has the whole trail.

use leaktrail::{Tracked, track};

struct Permit(u32);

fn work(number: u32) -> Result<u32, std::num::ParseIntError> {
    let permit = track(Permit(number)); // a loss is reported with this line
    let text = if number == 2 { "two" } else { "2" };
    let value = text.parse::<u32>()?; // when this returns early, nobody releases the permit
    Ok(value + Tracked::release(permit).0)
}

fn main() {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("info")).init();
    let _guard = leaktrail::guard(); // on the way out of main it writes the exit lines

    for number in 0..4 {
        match work(number) {
            Ok(value) => println!("{number}: {value}"),
            Err(error) => println!("{number}: {error}"),
        }
    }
}
