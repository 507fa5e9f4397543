//! What values take up in memory, so that what is kept of tokens has a bound.

/// What an allocation of `bytes` takes up where the plugin runs, on a machine of 32 bits: its allocator puts a word in
/// front of it, and rounds up.
pub(crate) const fn allocation(bytes: usize) -> usize {
    const WORD: usize = 4;
    match bytes {
        0 => 0,
        _ => bytes.saturating_add(WORD).next_multiple_of(2 * WORD).saturating_add(2 * WORD),
    }
}

/// What shared text takes up: it is behind two counts.
pub(crate) const fn shared(text: &str) -> usize {
    allocation(text.len().saturating_add(2 * size_of::<usize>()))
}

/// What a list takes up whose elements take up, beside themselves, what `each` says.
pub(crate) fn list<T>(elements: &[T], each: impl Fn(&T) -> usize) -> usize {
    let own = allocation(size_of_val(elements));
    elements.iter().map(each).fold(own, usize::saturating_add)
}

/// What a list of texts takes up.
pub(crate) fn texts(texts: &[String]) -> usize {
    list(texts, |text| allocation(text.capacity()))
}
