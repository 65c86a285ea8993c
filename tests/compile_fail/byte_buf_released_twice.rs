fn twice(body: leaktrail::ByteBuf) {
    leaktrail::ByteBuf::release(body);
    leaktrail::ByteBuf::release(body);
}

fn main() {
    let _ = twice;
}
