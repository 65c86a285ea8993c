//! What a resource is called when nobody gave it a name.

/// A type's name without its path and parameters: `Vec` for `alloc::vec::Vec<u8>`.
///
/// The name of a reference, slice, tuple or closure stands as the compiler writes it.
pub(super) fn shorten(name: &'static str) -> &'static str {
    let plain = name.strip_prefix("dyn ").unwrap_or(name);
    if !plain.starts_with(|first: char| first.is_alphabetic() || first == '_') {
        return name;
    }
    let path = plain.split(['<', ' ']).next().unwrap_or(plain);
    match path.rsplit("::").next() {
        Some(last) if !last.is_empty() && !last.starts_with('{') => last,
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn short_name<T: ?Sized>() -> &'static str {
        shorten(std::any::type_name::<T>())
    }

    #[test]
    fn paths_and_parameters_go() {
        assert_eq!(short_name::<Vec<Option<u8>>>(), "Vec");
        assert_eq!(short_name::<std::net::TcpStream>(), "TcpStream");
        assert_eq!(short_name::<dyn std::fmt::Debug>(), "Debug");
        assert_eq!(short_name::<u8>(), "u8");
        assert_eq!(short_name::<[u8]>(), "[u8]");
        assert_eq!(short_name::<&str>(), "&str");
        assert!(short_name::<(Vec<u8>, u8)>().starts_with('('));
    }
}
