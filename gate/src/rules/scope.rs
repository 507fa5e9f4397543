//! When a scope that is needed counts as granted.

/// How granted scopes are compared with needed ones.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ScopeMatch {
    /// They are equal.
    #[default]
    Exact,
    /// Or the granted one is the needed one up to one of its colons: `a:b` grants `a:b:c`.
    Hierarchical,
}

impl ScopeMatch {
    /// Whether one of the `granted` scopes gives `needed`.
    pub(crate) fn is_granted(self, granted: &[String], needed: &str) -> bool {
        let gives = |granted: &String| match (self, needed.strip_prefix(granted.as_str())) {
            (_, Some("")) => true,
            (Self::Hierarchical, Some(rest)) => rest.starts_with(':') && !granted.is_empty(),
            _ => false,
        };
        granted.iter().any(gives)
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn a_parent_grants_its_children_only_where_scopes_are_hierarchical() {
        let granted = ["a:b".to_string()];
        for (needed, exact, hierarchical) in [
            ("a:b", true, true),
            ("a:b:c", false, true),
            ("a:b:c:d", false, true),
            ("a:b:", false, true),
            ("a", false, false),
            ("a:", false, false),
            ("a:bc", false, false),
            ("a:B", false, false),
            ("x:a:b", false, false),
        ] {
            assert_eq!(ScopeMatch::Exact.is_granted(&granted, needed), exact, "{needed}");
            assert_eq!(ScopeMatch::Hierarchical.is_granted(&granted, needed), hierarchical, "{needed}");
        }
        assert!(!ScopeMatch::Hierarchical.is_granted(&[String::new()], ":a"), "an empty scope grants nothing");
        assert!(!ScopeMatch::Hierarchical.is_granted(&[], "a"));
    }
}
