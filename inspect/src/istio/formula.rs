//! What has to hold for a request to pass, before it is made into rules.

/// A condition over what a request has.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Formula<A> {
    /// All of these hold; of none, that is true.
    All(Vec<Self>),
    /// One of these holds; of none, that is false.
    Any(Vec<Self>),
    /// This holds.
    Atom(A),
    /// This does not hold.
    Not(Box<Self>),
}

/// On which side of the truth a condition may lie that cannot be carried over as it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Bound {
    /// It may hold less often: it lets requests pass.
    Below,
    /// It may hold more often: it denies requests.
    Above,
}

impl Bound {
    /// The side for what is inside a `not`.
    pub(super) fn flipped(self) -> Self {
        match self {
            Self::Below => Self::Above,
            Self::Above => Self::Below,
        }
    }
}

impl<A: Clone + PartialEq> Formula<A> {
    pub(super) const TRUE: Self = Self::All(Vec::new());
    pub(super) const FALSE: Self = Self::Any(Vec::new());

    /// The safe side of a condition that is not known.
    pub(super) fn unknown(bound: Bound) -> Self {
        match bound {
            Bound::Below => Self::FALSE,
            Bound::Above => Self::TRUE,
        }
    }

    pub(super) fn not(self) -> Self {
        Self::Not(Box::new(self))
    }

    pub(super) fn is_true(&self) -> bool {
        *self == Self::TRUE
    }

    pub(super) fn is_false(&self) -> bool {
        *self == Self::FALSE
    }

    /// The same, with atoms in place of some others, and without what follows from the rest.
    pub(super) fn map<B: Clone + PartialEq>(&self, replace: &impl Fn(&A) -> Formula<B>) -> Formula<B> {
        match self {
            Self::Atom(atom) => replace(atom),
            Self::Not(inner) => opposite(inner.map(replace)),
            Self::All(parts) => {
                let mut kept = Vec::new();
                for part in parts {
                    match part.map(replace) {
                        Formula::All(inner) => add_all(&mut kept, inner),
                        part if part.is_false() => return Formula::FALSE,
                        part => add_all(&mut kept, vec![part]),
                    }
                }
                single(kept, Formula::All)
            }
            Self::Any(parts) => {
                let mut kept = Vec::new();
                for part in parts {
                    match part.map(replace) {
                        Formula::Any(inner) => add_all(&mut kept, inner),
                        part if part.is_true() => return Formula::TRUE,
                        part => add_all(&mut kept, vec![part]),
                    }
                }
                single(kept, Formula::Any)
            }
        }
    }

    /// Every atom, in written order.
    pub(super) fn atoms<'f>(&'f self, found: &mut Vec<&'f A>) {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.atoms(found)),
            Self::Atom(atom) => found.push(atom),
            Self::Not(inner) => inner.atoms(found),
        }
    }
}

/// What holds where `formula` does not. None of several is easier to read as all of their opposites.
fn opposite<A: Clone + PartialEq>(formula: Formula<A>) -> Formula<A> {
    match formula {
        Formula::Not(inner) => *inner,
        Formula::Any(parts) => {
            let mut kept = Vec::new();
            for part in parts {
                match opposite(part) {
                    Formula::All(inner) => add_all(&mut kept, inner),
                    part => add_all(&mut kept, vec![part]),
                }
            }
            single(kept, Formula::All)
        }
        inner if inner.is_true() => Formula::FALSE,
        Formula::All(parts) if parts.iter().all(|part| matches!(part, Formula::Not(_))) => {
            single(parts.into_iter().map(opposite).collect(), Formula::Any)
        }
        inner => inner.not(),
    }
}

/// Each once.
fn add_all<T: PartialEq>(kept: &mut Vec<T>, more: Vec<T>) {
    for part in more {
        if !kept.contains(&part) {
            kept.push(part);
        }
    }
}

fn single<A>(mut parts: Vec<Formula<A>>, join: impl Fn(Vec<Formula<A>>) -> Formula<A>) -> Formula<A> {
    match parts.len() {
        1 => parts.remove(0),
        _ => join(parts),
    }
}
