use leaktrail::{ByteBuf, ByteBufMut, Tracked};

fn touch(handle: Tracked<u8>) {
    Tracked::release(handle);
    Tracked::touch(&handle);
}

fn retain(body: ByteBuf) {
    ByteBuf::release(body);
    ByteBuf::retain(&body);
}

fn read(body: ByteBuf) -> u8 {
    let contents: &[u8] = &body;
    ByteBuf::release(body);
    contents[0]
}

fn write(mut buffer: ByteBufMut) -> ByteBuf {
    let body = ByteBufMut::freeze(buffer);
    ByteBufMut::put_slice(&mut buffer, b"late");
    body
}

fn main() {
    let _ = (touch, retain, read, write);
}
