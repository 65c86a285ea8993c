fn look(buffer: &leaktrail::ByteBufMut) -> bool {
    leaktrail::ByteBufMut::release(*buffer)
}

fn main() {
    let _ = look;
}
