//! Keeping each of many things once.

/// Each of `items` once, in the given order. There may be thousands, of strangers' choice: they are not compared one
/// with all others.
pub(crate) fn distinct<T: Copy + Ord>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut places: Vec<_> = items.into_iter().enumerate().map(|(place, item)| (item, place)).collect();
    places.sort_unstable();
    places.dedup_by_key(|(item, _)| *item);
    places.sort_unstable_by_key(|(_, place)| *place);
    places.into_iter().map(|(item, _)| item).collect()
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn the_first_of_equals_stays_where_it_was() {
        assert_eq!(distinct(["b", "a", "b", "c", "a"]), ["b", "a", "c"]);
        assert_eq!(distinct::<&str>([]), [""; 0]);
    }
}
