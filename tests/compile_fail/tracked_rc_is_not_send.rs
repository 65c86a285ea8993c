fn send<T: Send>() {}

fn main() {
    send::<leaktrail::Tracked<std::rc::Rc<u8>>>();
}
