//! The program on the first screen of the README: `LEAK_DETECTION_LEVEL=paranoid cargo run --example readme`.

struct Permit;

fn main() {
    let _guard = leaktrail::guard(); // on the way out: what is left, and the balance
    let permit = leaktrail::track(Permit); // a loss is reported with this line
    leaktrail::Tracked::touch_with(&permit, "parsing");
    let Ok(_number) = "twelve".parse::<u32>() else { return }; // the bug: nobody releases the permit
    leaktrail::Tracked::release(permit);
}
