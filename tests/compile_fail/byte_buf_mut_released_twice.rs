fn twice(buffer: leaktrail::ByteBufMut) {
    leaktrail::ByteBufMut::release(buffer);
    leaktrail::ByteBufMut::release(buffer);
}

fn main() {
    let _ = twice;
}
