//! Sections of a Wasm module (core specification, 5.5.2).

/// `\0asm` and the version of the binary format.
const HEADER: &[u8] = b"\0asm\x01\0\0\0";
const CUSTOM: u8 = 0;

/// The module without its custom sections, which change nothing of what it does. All else stays byte for byte.
pub(crate) fn strip(module: &[u8]) -> Result<Vec<u8>, &'static str> {
    let mut rest = module.strip_prefix(HEADER).ok_or("is no Wasm module")?;
    let mut kept = HEADER.to_vec();
    while let [id, after_id @ ..] = rest {
        let section = size(after_id).and_then(|(size, width)| rest.split_at_checked(1 + width + size));
        let (section, next) = section.ok_or("ends within a section")?;
        if *id != CUSTOM {
            kept.extend(section);
        }
        rest = next;
    }
    Ok(kept)
}

/// An unsigned number of 32 bits in LEB128, and how many bytes it takes.
fn size(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut number: u64 = 0;
    for (index, byte) in bytes.iter().enumerate().take(5) {
        number |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((usize::try_from(number).ok()?, index + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn custom_sections_alone_go() {
        let module = |sections: &[&[u8]]| [HEADER, &sections.concat()].concat();
        let (types, named, code) = (&b"\x01\x84\0abcd"[..], &b"\0\x05\x04name"[..], &b"\x0a\x01x"[..]);
        assert_eq!(strip(&module(&[named, types, named, code, named])), Ok(module(&[types, code])));
        assert_eq!(strip(&module(&[])), Ok(module(&[])));
    }

    #[test]
    fn what_is_no_module_is_refused() {
        assert_eq!(strip(b"\0asm\x02\0\0\0"), Err("is no Wasm module"));
        for section in [&b"\x01"[..], b"\x01\x05abcd", b"\0\x80\x80\x80\x80\x80\x01", b"\x01\xff\xff\xff\xff\x0f"] {
            assert_eq!(strip(&[HEADER, section].concat()), Err("ends within a section"), "{section:?}");
        }
    }
}
