//! Keeping each of many once.

use std::collections::BTreeSet;

use jose::sorting::sort_by;

/// Each of `texts` once, in the given order. Untrusted input may hold thousands: they are not compared
/// one with all others. Sorting is code of its own for each type, so it is done for texts alone.
pub(crate) fn distinct<'t>(texts: impl IntoIterator<Item = &'t str>) -> Vec<&'t str> {
    let mut texts: Vec<_> = texts.into_iter().enumerate().map(|(index, text)| (text, index)).collect();
    sort_by(&mut texts, Ord::cmp);
    texts.dedup_by_key(|(text, _)| *text);
    sort_by(&mut texts, |(_, one), (_, other)| one.cmp(other));
    texts.into_iter().map(|(text, _)| text).collect()
}

/// A set of `items`. Collecting them sorts them first, which is 5 KB of code for each type.
pub(crate) fn set_of<T: Ord>(items: impl IntoIterator<Item = T>) -> BTreeSet<T> {
    let mut set = BTreeSet::new();
    set.extend(items);
    set
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn the_first_of_equals_stays_where_it_was() {
        assert_eq!(distinct(["b", "a", "b", "c", "a"]), ["b", "a", "c"]);
        assert_eq!(distinct([]), [""; 0]);
    }
}
