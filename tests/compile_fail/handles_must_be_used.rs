#![deny(unused_must_use)]

fn lose(buffer: leaktrail::ByteBufMut, memory: leaktrail::DirectMemory) {
    leaktrail::track(7);
    leaktrail::guard();
    memory.try_reserve(1).unwrap();
    buffer.freeze();
}

fn main() {
    let _ = lose;
}
