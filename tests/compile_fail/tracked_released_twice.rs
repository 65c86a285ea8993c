fn twice(handle: leaktrail::Tracked<u8>) {
    leaktrail::Tracked::release(handle);
    leaktrail::Tracked::release(handle);
}

fn main() {
    let _ = twice;
}
