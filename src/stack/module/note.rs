//! Notes in an ELF file: name, type and contents, one behind the other. The linker's build id is one of them.

/// The build id among these notes, in hex.
pub(super) fn build_id(notes: &[u8]) -> Option<String> {
    /// `NT_GNU_BUILD_ID` of elf.h.
    const BUILD_ID: u32 = 3;
    let mut rest = notes;
    loop {
        let (name_bytes, contents_bytes, kind);
        (name_bytes, rest) = number(rest)?;
        (contents_bytes, rest) = number(rest)?;
        (kind, rest) = number(rest)?;
        let (name, contents);
        (name, rest) = padded(rest, name_bytes)?;
        (contents, rest) = padded(rest, contents_bytes)?;
        if kind == BUILD_ID && name == b"GNU\0" && !contents.is_empty() {
            return Some(hex(contents));
        }
    }
}

/// Bytes as hex digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u32::from_ne_bytes(*number), rest))
}

/// So many bytes, and what follows them at the next multiple of four.
fn padded(bytes: &[u8], length: u32) -> Option<(&[u8], &[u8])> {
    let length = usize::try_from(length).ok()?;
    let (field, rest) = bytes.split_at_checked(length)?;
    // The last one needs no padding.
    let padding = (length.next_multiple_of(4) - length).min(rest.len());
    Some((field, &rest[padding..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(name: &[u8], kind: u32, contents: &[u8]) -> Vec<u8> {
        let mut note = Vec::new();
        for number in [name.len() as u32, contents.len() as u32, kind] {
            note.extend(number.to_ne_bytes());
        }
        for field in [name, contents] {
            note.extend(field);
            note.resize(note.len().next_multiple_of(4), 0);
        }
        note
    }

    #[test]
    fn it_is_found_among_others() {
        let others = [note(b"GNU\0", 1, &[0; 16]), note(b"Xen\0", 3, b"no"), note(b"odd\0\0", 3, b"12345")].concat();
        let id = note(b"GNU\0", 3, &[0xde, 0xad, 0xbe, 0xef, 0x01]);
        assert_eq!(build_id(&[others.clone(), id.clone()].concat()).as_deref(), Some("deadbeef01"));
        assert_eq!(build_id(&id[..id.len() - 3]).as_deref(), Some("deadbeef01"), "the last one needs no padding");
        assert_eq!(build_id(&others), None);
    }

    #[test]
    fn whatever_stands_there_nothing_breaks() {
        let id = note(b"GNU\0", 3, &[1, 2, 3, 4]);
        (0..id.len()).for_each(|length| assert_eq!(build_id(&id[..length]), None, "{length}"));
        assert_eq!(build_id(&[0xff; 64]), None);
        assert_eq!(build_id(&[0; 64]), None);
    }
}
