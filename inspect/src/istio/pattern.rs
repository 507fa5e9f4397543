//! Istio's path patterns: what each matches, and where two of them meet.

use crate::document::Node;
use gate::http::CanonicalPath;

/// Which paths a policy names.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Pattern {
    /// `/api/*`, `*.txt`: a path that begins and ends so, of any length.
    Affixes { prefix: String, suffix: String },
    /// This path.
    Exact(String),
    /// `/a/{*}/b`, and with a `{**}` at its end whatever follows.
    Template { segments: Vec<Segment>, is_open: bool },
}

/// A segment of a template.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Segment {
    /// Any that is not empty.
    Any,
    Literal(String),
}

/// Where two patterns meet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Meeting<P> {
    /// Nowhere.
    Nowhere,
    /// Exactly there.
    On(P),
    /// Not known.
    Unknown,
}

/// What Envoy's templates take for a part of a segment.
const TEMPLATE_CLASS: &str = "[a-zA-Z0-9._~%!$&'()+,;:@=-]";

impl Pattern {
    /// Reads a value of `paths`. `Err` says why it cannot be carried over.
    pub(super) fn parse(value: &str) -> Result<Self, String> {
        if value.contains(['{', '}']) {
            return template(value);
        }
        if !value.is_ascii() {
            return Err(String::from("it has characters that paths escape"));
        }
        Ok(match (value.strip_prefix('*'), value.strip_suffix('*')) {
            (Some(suffix), _) => Self::Affixes { prefix: String::new(), suffix: suffix.to_string() },
            (_, Some(prefix)) => Self::Affixes { prefix: prefix.to_string(), suffix: String::new() },
            _ => Self::Exact(value.to_string()),
        })
    }

    /// The same in the form that rules see; `None` if no request that passes has such a path.
    pub(super) fn canonical(self) -> Option<Self> {
        match self {
            Self::Exact(path) => {
                let canonical = CanonicalPath::strict(path.as_bytes()).ok()?;
                Some(Self::Exact(canonical.as_str().to_string())).filter(|_| !path.contains('?'))
            }
            other => Some(other),
        }
    }

    /// Where the two meet.
    pub(super) fn meet(&self, other: &Self) -> Meeting<Self> {
        match (self, other) {
            (exact @ Self::Exact(path), pattern) | (pattern, exact @ Self::Exact(path)) => {
                if pattern.matches(path) {
                    Meeting::On(exact.clone())
                } else {
                    Meeting::Nowhere
                }
            }
            (Self::Affixes { prefix: one, suffix: end }, Self::Affixes { prefix: other, suffix: other_end }) => {
                match (
                    longer(one, other, |long, short| long.starts_with(short)),
                    longer(end, other_end, |long, short| long.ends_with(short)),
                ) {
                    (Some(prefix), Some(suffix)) => Meeting::On(Self::Affixes { prefix, suffix }),
                    _ => Meeting::Nowhere,
                }
            }
            (Self::Affixes { prefix, suffix }, template @ Self::Template { .. })
            | (template @ Self::Template { .. }, Self::Affixes { prefix, suffix }) => {
                meet_template(prefix, suffix, template)
            }
            (Self::Template { segments: one, is_open: first }, Self::Template { segments: other, is_open: second }) => {
                meet_templates((one, *first), (other, *second))
            }
        }
    }

    fn matches(&self, path: &str) -> bool {
        match self {
            Self::Affixes { prefix, suffix } => path.starts_with(prefix.as_str()) && path.ends_with(suffix.as_str()),
            Self::Exact(exact) => exact == path,
            Self::Template { segments, is_open } => {
                let mut found = path.strip_prefix('/').unwrap_or_default().split('/');
                let fits = segments.iter().all(|segment| found.next().is_some_and(|text| segment.matches(text)));
                let rest: Vec<_> = found.collect();
                fits && if *is_open {
                    !rest.is_empty() && rest.iter().all(|text| text.chars().all(is_template_character))
                } else {
                    rest.is_empty()
                }
            }
        }
    }

    /// A template without variables is one path.
    fn simplified(self) -> Self {
        let Self::Template { segments, is_open: false } = &self else { return self };
        let literals: Option<String> = segments
            .iter()
            .map(|segment| match segment {
                Segment::Any => None,
                Segment::Literal(text) => Some(format!("/{text}")),
            })
            .collect();
        literals.map_or(self, Self::Exact)
    }

    /// As `match.paths` has it.
    pub(super) fn to_node(&self) -> Node {
        let regex = match self {
            Self::Exact(path) if !path.contains(['*', '{', '}']) => return Node::of_text(path.clone()),
            Self::Exact(path) => escape(path),
            Self::Affixes { prefix, suffix } => affixes(prefix, suffix),
            Self::Template { segments, is_open } => {
                let segment = |segment: &Segment| match segment {
                    Segment::Any => format!("/{TEMPLATE_CLASS}+"),
                    Segment::Literal(text) => format!("/{}", escape(text)),
                };
                let rest = format!("/(?:{TEMPLATE_CLASS}|/)*");
                segments.iter().map(segment).collect::<String>() + if *is_open { &rest } else { "" }
            }
        };
        Node::of_map([("regex", Node::of_text(regex))])
    }
}

impl Segment {
    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Any => !text.is_empty() && text.chars().all(is_template_character),
            Self::Literal(literal) => literal == text,
        }
    }
}

fn is_template_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || "._~%!$&'()+,;:@=-".contains(character)
}

/// The longer of two, if it begins or ends with the shorter.
fn longer(one: &str, other: &str, holds: impl Fn(&str, &str) -> bool) -> Option<String> {
    let (long, short) = if one.len() >= other.len() { (one, other) } else { (other, one) };
    holds(long, short).then(|| long.to_string())
}

fn template(value: &str) -> Result<Pattern, String> {
    let path = value.strip_prefix('/').ok_or_else(|| String::from("it does not start with `/`"))?;
    let (path, is_open) = match path.strip_suffix("{**}") {
        Some(path) => (path.strip_suffix('/').ok_or_else(|| String::from("its `{**}` is no segment"))?, true),
        None => (path, false),
    };
    let segment = |text: &str| match text {
        "{*}" => Ok(Segment::Any),
        literal if !literal.contains(['{', '}', '*']) => Ok(Segment::Literal(literal.to_string())),
        _ => Err(String::from("only a `{*}` that is a segment, and a `{**}` at the end, can be")),
    };
    let segments = path.split('/').map(segment).collect::<Result<_, _>>()?;
    Ok(Pattern::Template { segments, is_open })
}

/// A prefix and a suffix cover a template, or miss it, by what is literal at its ends; in between, it is not known.
fn meet_template(prefix: &str, suffix: &str, template: &Pattern) -> Meeting<Pattern> {
    let Pattern::Template { segments, is_open } = template else { return Meeting::Unknown };
    let literal = |segment: &Segment| match segment {
        Segment::Literal(text) => Some(format!("/{text}")),
        Segment::Any => None,
    };
    // Behind the literals at the beginning there is a slash, and something.
    let begins = segments.iter().map_while(literal).chain([String::from("/")]).collect::<String>();
    let ends: Vec<_> = segments.iter().rev().map_while(literal).filter(|_| !is_open).collect();
    let ends: String = ends.into_iter().rev().collect();
    let prefix_fits = longer(prefix, &begins, |long, short| long.starts_with(short));
    let suffix_fits = longer(suffix, &ends, |long, short| long.ends_with(short));
    match (prefix_fits, suffix_fits) {
        (None, _) => Meeting::Nowhere,
        (_, None) if !is_open => Meeting::Nowhere,
        _ if begins.starts_with(prefix) && ends.ends_with(suffix) => Meeting::On(template.clone()),
        _ => Meeting::Unknown,
    }
}

fn meet_templates(one: (&[Segment], bool), other: (&[Segment], bool)) -> Meeting<Pattern> {
    let (short, long) = if one.0.len() <= other.0.len() { (one, other) } else { (other, one) };
    let is_same_length = short.0.len() == long.0.len();
    // An open pattern has something after its segments, were it only a slash.
    let fits = match (short.1, long.1) {
        (false, false) => is_same_length,
        (false, true) => false,
        (true, false) => !is_same_length,
        (true, true) => true,
    };
    if !fits {
        return Meeting::Nowhere;
    }
    let mut segments = Vec::new();
    for (index, segment) in long.0.iter().enumerate() {
        // Behind the segments of an open one, whatever a template takes.
        match (segment, short.0.get(index).unwrap_or(&Segment::Any)) {
            (Segment::Any, Segment::Any) => segments.push(Segment::Any),
            (literal @ Segment::Literal(text), pattern) | (pattern, literal @ Segment::Literal(text)) => {
                if !pattern.matches(text) {
                    return Meeting::Nowhere;
                }
                segments.push(literal.clone());
            }
        }
    }
    Meeting::On(Pattern::Template { segments, is_open: short.1 && long.1 }.simplified())
}

/// Begins with the one and ends with the other, which may overlap.
fn affixes(prefix: &str, suffix: &str) -> String {
    let mut all = vec![format!("{}.*{}", escape(prefix), escape(suffix))];
    for (index, _) in suffix.char_indices().skip(1).chain([(suffix.len(), ' ')]) {
        let (shared, rest) = suffix.split_at_checked(index).unwrap_or((suffix, ""));
        if !shared.is_empty() && prefix.ends_with(shared) {
            all.push(format!("{}{}", escape(prefix), escape(rest)));
        }
    }
    all.join("|")
}

fn escape(text: &str) -> String {
    let escaped = |character: char| {
        let special = r"\.+*?()|[]{}^$".contains(character);
        if special { format!("\\{character}") } else { character.to_string() }
    };
    text.chars().map(escaped).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::parse(text).expect(text)
    }

    #[test]
    fn two_patterns_meet_where_both_match() {
        let meet = |one: &str, other: &str| {
            let (found, back) = (pattern(one).meet(&pattern(other)), pattern(other).meet(&pattern(one)));
            assert_eq!(found, back, "{one} {other}");
            found
        };
        for (one, other, wanted) in [
            ("/a", "/a", "/a"),
            ("/a/*", "/a/b", "/a/b"),
            ("/a*", "/a/b*", "/a/b*"),
            ("*.js", "*a.js", "*a.js"),
            ("/a/{*}", "/a/b", "/a/b"),
            ("/a/{*}", "/{*}/b", "/a/b"),
            ("/a/{**}", "/a/{*}/c", "/a/{*}/c"),
            ("/a/{**}", "/{*}/{**}", "/a/{**}"),
            ("/a/*", "/a/{*}/c", "/a/{*}/c"),
            ("*/c", "/a/{*}/c", "/a/{*}/c"),
        ] {
            assert_eq!(meet(one, other), Meeting::On(pattern(wanted)), "{one} {other}");
        }
        for (one, other) in [
            ("/a", "/b"),
            ("/a/*", "/a"),
            ("/a*", "/b*"),
            ("*.js", "*.css"),
            ("/a/{*}", "/a/b/c"),
            ("/b*", "/a/{*}"),
            ("*.js", "/a/{*}/c"),
            ("/a/{**}", "/a"),
            ("/a/{**}", "/a/{*}x"),
        ] {
            let (Ok(one), Ok(other)) = (Pattern::parse(one), Pattern::parse(other)) else { continue };
            assert_eq!(one.meet(&other), Meeting::Nowhere, "{one:?} {other:?}");
        }
        assert_eq!(meet("/a/b*", "/a/{*}"), Meeting::Unknown);
        assert_eq!(meet("/a*", "*.js"), Meeting::On(Pattern::Affixes { prefix: "/a".into(), suffix: ".js".into() }));
    }

    #[test]
    fn a_prefix_and_a_suffix_may_overlap() {
        assert_eq!(affixes("/a/", ""), "/a/.*");
        assert_eq!(affixes("", ".js"), r".*\.js");
        assert_eq!(affixes("/ab", "bc"), "/ab.*bc|/abc");
        assert_eq!(affixes("/aa", "aa"), "/aa.*aa|/aaa|/aa");
    }
}
