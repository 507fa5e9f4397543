//! Looking through texts eight bytes at a time: WebAssembly has no instruction that does, and tokens are long.
//!
//! The plugin is optimised for size, which leaves loops as they are written: the longest ones take four words at a time.

const HIGHS: u64 = repeated(0x80);

/// `byte` in each byte of a word.
pub(crate) const fn repeated(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// A word in which the high bit is set in the lowest byte of `word` that is less than `bound`, which is 128 at most.
/// Bytes above it may be marked, too; where no byte is less, none is.
pub(crate) const fn less_than(word: u64, bound: u8) -> u64 {
    borrows(word, bound) & HIGHS
}

/// A borrow out of a byte that is less than `bound` sets its high bit; a byte that has it set itself is not less. The
/// other bits mean nothing.
const fn borrows(word: u64, bound: u8) -> u64 {
    word.wrapping_sub(repeated(bound)) & !word
}

/// The same for the bytes that are `byte`.
pub(crate) const fn equal_to(word: u64, byte: u8) -> u64 {
    less_than(word ^ repeated(byte), 1)
}

/// Where the first byte of `text` stands that `marks` marks; it is asked with eight of them at a time, of which it may
/// mark any number behind the first.
pub(crate) fn position(text: &[u8], marks: impl Fn(u64) -> u64) -> Option<usize> {
    let marked = |word: &[u8; 8]| marks(u64::from_le_bytes(*word));
    let (words, rest) = text.as_chunks::<8>();
    let mut before = 0_usize;
    for [a, b, c, d] in words.as_chunks::<4>().0 {
        if marked(a) | marked(b) | marked(c) | marked(d) != 0 {
            break;
        }
        before = before.saturating_add(4);
    }
    for word in words.get(before..).unwrap_or_default() {
        if let bits @ 1.. = marked(word) {
            return before.checked_mul(8)?.checked_add(usize::try_from(bits.trailing_zeros() / 8).ok()?);
        }
        before = before.saturating_add(1);
    }
    // The rest one by one: eight times the same byte is marked at its first byte, or not at all.
    let index = rest.iter().position(|&byte| marked(&[byte; 8]) != 0)?;
    before.checked_mul(8)?.checked_add(index)
}

/// Whether some byte of `text` is `byte`.
#[inline(never)]
pub fn contains(text: &[u8], byte: u8) -> bool {
    position(text, |word| equal_to(word, byte)).is_some()
}

/// The parts of `text` between the bytes that are `separator`.
pub fn split(text: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    core::iter::from_fn(move || {
        let (part, behind) = split_once(rest?, separator);
        rest = behind;
        Some(part)
    })
}

/// `text` before the first byte that is `separator`, and what stands behind that; `None`: there is none.
#[inline(never)]
pub fn split_once(text: &[u8], separator: u8) -> (&[u8], Option<&[u8]>) {
    let end = position(text, |word| equal_to(word, separator)).and_then(|end| text.split_at_checked(end));
    end.map_or((text, None), |(part, behind)| (part, behind.get(1..)))
}

/// Whether two texts are equal: the C library's comparison goes byte by byte.
#[inline(never)]
pub fn is_same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    // Texts end in whole words, which the words before them may overlap.
    if let (Some(end), Some(other_end)) = (one.last_chunk::<8>(), other.last_chunk::<8>()) {
        return end == other_end && has_same_words(one.as_chunks().0, other.as_chunks().0);
    }
    let halves = (one.first_chunk::<4>(), one.last_chunk::<4>());
    if let (Some(start), Some(end)) = halves {
        return other.starts_with(start) && other.ends_with(end);
    }
    one == other
}

/// Whether two texts of the same length are equal, in words.
fn has_same_words(words: &[[u8; 8]], other_words: &[[u8; 8]]) -> bool {
    let difference = |one: &[u8; 8], other: &[u8; 8]| u64::from_le_bytes(*one) ^ u64::from_le_bytes(*other);
    let ((eights, words), (other_eights, other_words)) = (words.as_chunks::<8>(), other_words.as_chunks::<8>());
    let eights =
        eights.iter().zip(other_eights).fold(0, |any, ([a, b, c, d, e, f, g, h], [i, j, k, l, m, n, o, p])| {
            let first = difference(a, i) | difference(b, j) | difference(c, k) | difference(d, l);
            any | first | difference(e, m) | difference(f, n) | difference(g, o) | difference(h, p)
        });
    words.iter().zip(other_words).fold(eights, |any, (one, other)| any | difference(one, other)) == 0
}

/// Whether some byte of `text` is less than `bound`, which is 128 at most.
#[inline(never)]
pub fn contains_byte_below(text: &[u8], bound: u8) -> bool {
    may_contain_byte_below(text, bound) && text.iter().any(|&byte| byte < bound)
}

/// Whether some byte is less than `bound`, or has its high bit set.
///
/// Most texts hold none: all of it is looked at, without a branch or a mask for each word. Where no byte has its high bit
/// set, the lowest one that is less borrows into its own.
fn may_contain_byte_below(text: &[u8], bound: u8) -> bool {
    let Some(end) = text.last_chunk::<8>() else { return true };
    let bits = |word: &[u8; 8]| {
        let word = u64::from_le_bytes(*word);
        word | word.wrapping_sub(repeated(bound))
    };
    let (eights, words) = text.as_chunks::<8>().0.as_chunks::<8>();
    let eights = eights.iter().fold(bits(end), |any, [a, b, c, d, e, f, g, h]| {
        any | bits(a) | bits(b) | bits(c) | bits(d) | bits(e) | bits(f) | bits(g) | bits(h)
    });
    words.iter().fold(eights, |any, word| any | bits(word)) & HIGHS != 0
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    /// Each byte at each index of texts of each length up to five words, between bytes that are close to it.
    #[test]
    fn what_is_found_is_the_first_of_what_is_looked_for() {
        let marks = |word| equal_to(word, b'"') | equal_to(word, b'\\') | less_than(word, 0x20);
        let is_marked = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..=0x1f);
        let mut found = 0;
        for byte in 0..=u8::MAX {
            for length in 0..44 {
                for index in 0..length {
                    for beside in [b'!', b'#', 0x20, 0x21, 0x7f, 0x80, 0x9f, 0xa0, 0xff, b']', 0x1f, byte ^ 0x80] {
                        let mut text = [beside; 44];
                        text[index] = byte;
                        let text = &text[..length];
                        let expected = text.iter().position(is_marked);
                        assert_eq!(position(text, marks), expected, "{text:?}");
                        assert_eq!(contains_byte_below(text, 0x20), text.iter().any(|&byte| byte < 0x20), "{text:?}");
                        found += usize::from(expected.is_some());
                    }
                }
            }
        }
        assert!(found > 100_000, "{found}");
    }

    #[test]
    fn texts_are_the_same_where_each_byte_is() {
        let text: Vec<u8> = (0..80).collect();
        for length in 0..text.len() {
            let one = &text[..length];
            assert!(is_same(one, &Vec::from(one)), "{length}");
            assert!(!is_same(one, &text[..=length]) && !is_same(&text[..=length], one), "{length}");
            for index in 0..length {
                let mut other = one.to_vec();
                other[index] ^= 0x80;
                assert!(!is_same(one, &other), "{length}, {index}");
            }
        }
    }

    #[test]
    fn texts_are_split_as_the_standard_library_does_it() {
        for text in ["", ";", "a", "a;", ";a", "a;b", "a;;b", "long enough; for several words;of eight;", "12345678;"] {
            let text = text.as_bytes();
            let expected: Vec<_> = text.split(|&byte| byte == b';').collect();
            assert_eq!(split(text, b';').collect::<Vec<_>>(), expected, "{}", text.escape_ascii());
            assert_eq!(contains(text, b';'), text.contains(&b';'), "{}", text.escape_ascii());
            let mut halves = text.splitn(2, |&byte| byte == b';');
            assert_eq!(split_once(text, b';'), (halves.next().unwrap(), halves.next()), "{}", text.escape_ascii());
        }
    }
}
