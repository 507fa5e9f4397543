//! Texts with `*` in them.

/// A text in which each `*` is a run of characters; nothing else is special.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Wildcard {
    /// What stands between the `*`s.
    runs: Vec<String>,
    /// The fewest characters that a `*` stands for.
    least: usize,
}

impl Wildcard {
    /// Every text is one. A `*` is any run, the empty one too.
    pub fn new(text: &str) -> Self {
        Self::of_at_least(0, text)
    }

    /// Likewise, where a `*` is that many characters or more.
    pub(crate) fn of_at_least(least: usize, text: &str) -> Self {
        Self { runs: text.split('*').map(str::to_string).collect(), least }
    }

    /// Whether this is the whole of `text`. Each `*` takes as little as it can: no other way could succeed where
    /// this one does not.
    pub fn matches(&self, text: &str) -> bool {
        let Some((first, others)) = self.runs.split_first() else { return false };
        let Some((last, middle)) = others.split_last() else { return first == text };
        let Some(mut rest) = text.strip_prefix(first.as_str()) else { return false };
        for run in middle {
            let Some((_, after)) = self.behind_least(rest).and_then(|rest| rest.split_once(run.as_str())) else {
                return false;
            };
            rest = after;
        }
        self.behind_least(rest).is_some_and(|rest| rest.ends_with(last.as_str()))
    }

    /// This, with each text between its `*`s replaced for which `other` has one; `None` where it has none.
    pub(crate) fn map(&self, other: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let others: Vec<_> = self.runs.iter().map(|run| other(run)).collect();
        let is_other = others.iter().any(Option::is_some);
        let runs = others.into_iter().zip(&self.runs).map(|(other, run)| other.unwrap_or_else(|| run.clone()));
        is_other.then(|| Self { runs: runs.collect(), least: self.least })
    }

    /// One of the texts that this is the whole of.
    pub(crate) fn example(&self) -> String {
        self.runs.join("x")
    }

    /// As it was written.
    pub fn text(&self) -> String {
        self.runs.join("*")
    }

    fn behind_least<'t>(&self, text: &'t str) -> Option<&'t str> {
        let mut characters = text.chars();
        (0..self.least).try_for_each(|_| characters.next().map(drop))?;
        Some(characters.as_str())
    }
}
