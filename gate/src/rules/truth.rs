//! Three-valued logic: what cannot be judged is neither true nor false.

/// How a test came out. Ordered, so that the least of several is their conjunction, and the greatest their disjunction
/// (Kleene).
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Truth {
    /// It does not hold.
    False,
    /// It does not apply to the value. Nor does its negation.
    Undecided,
    /// It holds.
    True,
}

impl Truth {
    /// Whether this is [`Truth::True`]: nothing else admits a request.
    pub fn holds(self) -> bool {
        self == Self::True
    }

    /// Whether names are there, of which there may be more where that `is_unclear`.
    pub(crate) fn of_names(are_there: bool, is_unclear: bool) -> Self {
        if are_there || !is_unclear { are_there.into() } else { Self::Undecided }
    }

    /// The conjunction of `all`, which are asked for up to the first that is false.
    pub(crate) fn all(all: impl Iterator<Item = Self>) -> Self {
        let mut least = Self::True;
        for truth in all {
            if truth == Self::False {
                return truth;
            }
            least = least.min(truth);
        }
        least
    }

    /// The disjunction of `any`, which are asked for up to the first that is true.
    pub(crate) fn any(any: impl Iterator<Item = Self>) -> Self {
        let mut greatest = Self::False;
        for truth in any {
            if truth == Self::True {
                return truth;
            }
            greatest = greatest.max(truth);
        }
        greatest
    }
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }
}

impl std::ops::Not for Truth {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::False => Self::True,
            Self::Undecided => Self::Undecided,
            Self::True => Self::False,
        }
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::Truth::{self, False, True, Undecided};

    #[test]
    fn what_is_undecided_counts_only_where_nothing_else_decides() {
        for (one, other, all, any) in [
            (False, Undecided, False, Undecided),
            (Undecided, False, False, Undecided),
            (Undecided, Undecided, Undecided, Undecided),
            (True, Undecided, Undecided, True),
            (Undecided, True, Undecided, True),
            (True, False, False, True),
            (True, True, True, True),
            (False, False, False, False),
        ] {
            assert_eq!(Truth::all([one, other].into_iter()), all, "{one:?} and {other:?}");
            assert_eq!(Truth::any([one, other].into_iter()), any, "{one:?} or {other:?}");
        }
        assert_eq!([!True, !Undecided, !False], [False, Undecided, True]);
    }
}
