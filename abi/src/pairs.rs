//! Header maps as they cross the border: a count, the lengths of names and values, then each text with a NUL behind
//! it. Numbers are 32 bits, little-endian.

/// Reads a map; `None` if it is not well formed. Hosts hand over nothing at all for a map without entries.
pub fn decode(bytes: &[u8]) -> Option<Vec<(&[u8], &[u8])>> {
    if bytes.is_empty() {
        return Some(Vec::new());
    }
    let (count, rest) = number(bytes)?;
    let (mut lengths, mut texts) = rest.split_at_checked(count.checked_mul(8)?)?;
    let mut pairs = Vec::with_capacity(count);
    for _ in 0..count {
        let (name_length, after) = number(lengths)?;
        let (value_length, after) = number(after)?;
        lengths = after;
        let (name, after) = text(texts, name_length)?;
        let (value, after) = text(after, value_length)?;
        texts = after;
        pairs.push((name, value));
    }
    Some(pairs)
}

/// Writes a map.
pub fn encode(pairs: &[(&str, &str)]) -> Vec<u8> {
    let length = |text: &str| u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes();
    let mut bytes = u32::try_from(pairs.len()).unwrap_or(u32::MAX).to_le_bytes().to_vec();
    for (name, value) in pairs {
        bytes.extend(length(name));
        bytes.extend(length(value));
    }
    for text in pairs.iter().flat_map(|(name, value)| [name, value]) {
        bytes.extend(text.as_bytes());
        bytes.push(0);
    }
    bytes
}

fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<4>()?;
    Some((usize::try_from(u32::from_le_bytes(*number)).ok()?, rest))
}

fn text(bytes: &[u8], length: usize) -> Option<(&[u8], &[u8])> {
    let (text, rest) = bytes.split_at_checked(length)?;
    match rest.split_first()? {
        (0, rest) => Some((text, rest)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let pairs = [(":path", "/"), ("x", ""), ("", "y")];
        let expected: Vec<_> = pairs.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        assert_eq!(decode(&encode(&pairs)), Some(expected));
    }

    #[test]
    fn broken_maps_are_refused_at_every_length() {
        let whole = encode(&[("name", "value")]);
        assert_eq!(decode(&[]), Some(Vec::new()));
        for length in 1..whole.len() {
            assert_eq!(decode(whole.get(..length).unwrap_or_default()), None, "{length}");
        }
        assert_eq!(decode(&[0xff; 64]), None);
    }
}
