//! Finding claims, and reading the ones that hold strings.

use std::fmt;

use jose::json::{Kind, Value};

use crate::heap;

/// Where a claim stands: the member names that lead to it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClaimRef {
    names: Vec<String>,
    /// Whether several names were written as one text.
    is_dotted: bool,
}

impl ClaimRef {
    /// A reference written as a dotted path: `realm_access.roles`.
    pub fn dotted(path: &str) -> Option<Self> {
        let found = Self::exact(path.split('.').map(str::to_string).collect())?;
        Some(Self { is_dotted: found.names.len() > 1, ..found })
    }

    /// A reference written as member names: `["https://example.com/roles"]`.
    pub fn exact(names: Vec<String>) -> Option<Self> {
        let is_usable = !names.is_empty() && names.iter().all(|name| !name.is_empty());
        is_usable.then_some(Self { names, is_dotted: false })
    }

    /// The member names that lead to it.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The claims at the top that may be, or hold, what this leads to: several where a name may have dots in it.
    pub(crate) fn top_names(&self) -> Vec<String> {
        let most = if self.is_dotted { self.names.len() } else { 1 };
        (1..=most).filter_map(|length| Some(self.names.get(..length)?.join("."))).collect()
    }

    /// The claim `sub`.
    pub(crate) fn subject() -> Self {
        Self { names: vec![String::from("sub")], is_dotted: false }
    }

    /// Whether this is `sub` (RFC 7519 §4.1.2) or `email` (OIDC Core §5.1).
    pub(crate) fn names_a_person(&self) -> bool {
        matches!(self.names.as_slice(), [name] if name == "sub" || name == "email")
    }

    /// What it takes up in memory beside itself, in bytes, about.
    pub(crate) fn heap_bytes(&self) -> usize {
        heap::texts(&self.names)
    }

    /// The claim, unless it is absent or null.
    pub fn find<'d>(&self, claims: Value<'d>) -> Option<Value<'d>> {
        let found = self.names.iter().try_fold(claims, |value, name| value.get(name))?;
        (!found.is_null()).then_some(found)
    }

    /// Where a dotted path leads nowhere, and its text does otherwise: the names with dots in them that lead to a claim.
    pub fn with_dots(&self, claims: Value<'_>) -> Option<Self> {
        let names =
            if self.is_dotted && self.find(claims).is_none() { regrouped(&self.names, claims)? } else { return None };
        Some(Self { names, is_dotted: false })
    }

    /// The value of the claim, to keep; none where it is absent or null.
    pub(crate) fn value(&self, claims: Value<'_>) -> Option<ClaimValue> {
        if let Some(found) = self.find(claims) {
            return Some(ClaimValue::of(found));
        }
        self.unclear(claims).map(ClaimValue::Unclear)
    }

    /// Why it is not certain that the claim is absent, where it was not found.
    pub(crate) fn unclear(&self, claims: Value<'_>) -> Option<Unclear> {
        match self.find(claims).is_none() {
            true if self.with_dots(claims).is_some() => Some(Unclear::NameWithDots),
            true => self.is_blocked(claims).then_some(Unclear::NotAnObject),
            false => None,
        }
    }

    /// Whether what should hold the claim is something else than an object. Some issuers write an empty array for an
    /// object without members.
    fn is_blocked(&self, claims: Value<'_>) -> bool {
        let mut value = claims;
        for name in &self.names {
            if value.kind() != Kind::Object {
                return !value.is_null() && (value.kind() != Kind::Array || value.elements().next().is_some());
            }
            match value.get(name) {
                Some(found) => value = found,
                None => return false,
            }
        }
        false
    }
}

/// The members that lead from `value` to a claim, if some of `names` are one name with dots.
fn regrouped(names: &[String], value: Value<'_>) -> Option<Vec<String>> {
    (1..=names.len()).find_map(|length| {
        let (first, rest) = names.split_at_checked(length)?;
        let name = first.join(".");
        let found = value.get(&name).filter(|found| !found.is_null())?;
        let mut path = vec![name];
        if !rest.is_empty() {
            path.extend(regrouped(rest, found)?);
        }
        Some(path)
    })
}

/// Names without dots as a dotted path, others as the list that one writes: `a.b`, `["a.b"]`.
impl fmt::Display for ClaimRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.names.iter().any(|name| name.contains('.')) {
            return formatter.write_str(&self.names.join("."));
        }
        let quoted: Vec<_> = self.names.iter().map(|name| format!("{name:?}")).collect();
        write!(formatter, "[{}]", quoted.join(", "))
    }
}

/// The value of a claim, to keep, as far as tests look at it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ClaimValue {
    /// An array.
    List {
        /// Its scalars. Null is not a scalar here.
        scalars: Vec<Scalar>,
        /// Whether it holds objects or arrays as well.
        is_nested: bool,
    },
    /// An object.
    Object,
    /// One scalar.
    Scalar(Scalar),
    /// The reference leads to no value, and the claim is not absent for certain.
    Unclear(Unclear),
}

/// Why it is not certain whether a claim is there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unclear {
    /// The reference is a dotted path, and its text is the name of a claim.
    NameWithDots,
    /// A value on the way to it is no object.
    NotAnObject,
}

/// A value without parts. Two are equal if they are of one type and one value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Scalar {
    /// `true` or `false`
    Bool(bool),
    /// In the one spelling that [`jose::json::Decimal::canonical`] gives it.
    Number(String),
    /// A string.
    Text(String),
}

impl ClaimValue {
    /// What `value` is.
    pub fn of(value: Value<'_>) -> Self {
        match (value.kind(), Scalar::of(value)) {
            (_, Some(scalar)) => Self::Scalar(scalar),
            (Kind::Array, _) => Self::List {
                scalars: value.elements().filter_map(Scalar::of).collect(),
                is_nested: value.elements().any(|element| matches!(element.kind(), Kind::Array | Kind::Object)),
            },
            _ => Self::Object,
        }
    }

    /// What it takes up in memory beside itself, in bytes, about.
    pub(crate) fn heap_bytes(&self) -> usize {
        match self {
            Self::List { scalars, .. } => heap::list(scalars, Scalar::heap_bytes),
            Self::Object | Self::Unclear(_) => 0,
            Self::Scalar(scalar) => scalar.heap_bytes(),
        }
    }
}

impl Scalar {
    fn heap_bytes(&self) -> usize {
        match self {
            Self::Bool(_) => 0,
            Self::Number(text) | Self::Text(text) => heap::allocation(text.capacity()),
        }
    }

    /// Whether this and `other` are of one JSON type.
    pub(crate) fn is_of_type_of(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }

    /// What `value` is, if it is a scalar; `None` for null.
    pub fn of(value: Value<'_>) -> Option<Self> {
        let number = || value.as_number().map(|number| Self::Number(number.canonical()));
        let text = || value.as_str().map(|text| Self::Text(text.to_string()));
        value.as_bool().map(Self::Bool).or_else(number).or_else(text)
    }
}

/// A claim that should hold strings holds something else.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct NotStrings;

/// Adds the scopes in a claim: a string is split at spaces, an array of strings is not (RFC 8693 §4.2, RFC 9068
/// §2.2.3).
pub(crate) fn add_scopes<'d>(claim: Value<'d>, scopes: &mut Vec<&'d str>) -> Result<(), NotStrings> {
    match claim.as_str() {
        Some(text) => {
            scopes.extend(text.split(' ').filter(|scope| !scope.is_empty()));
            Ok(())
        }
        None => add_strings(claim, scopes),
    }
}

/// Adds the groups in a claim: a string is one group, an array of strings several.
pub(crate) fn add_groups<'d>(claim: Value<'d>, groups: &mut Vec<&'d str>) -> Result<(), NotStrings> {
    match claim.as_str() {
        Some(group) => {
            groups.push(group);
            Ok(())
        }
        None => add_strings(claim, groups),
    }
}

/// Adds the groups in a claim of objects, or of one, each of which is named by its `member`.
pub(crate) fn add_member_groups<'d>(
    claim: Value<'d>,
    member: &str,
    groups: &mut Vec<&'d str>,
) -> Result<(), NotStrings> {
    let name = |group: Value<'d>| group.get(member).and_then(Value::as_str).ok_or(NotStrings);
    match claim.kind() {
        Kind::Array => {
            for group in claim.elements() {
                groups.push(name(group)?);
            }
        }
        Kind::Object => groups.push(name(claim)?),
        _ => return Err(NotStrings),
    }
    Ok(())
}

fn add_strings<'d>(claim: Value<'d>, strings: &mut Vec<&'d str>) -> Result<(), NotStrings> {
    if claim.kind() != Kind::Array {
        return Err(NotStrings);
    }
    for element in claim.elements() {
        strings.push(element.as_str().ok_or(NotStrings)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use jose::json::Document;

    #[test]
    fn references_lead_through_objects() {
        let document = Document::parse(br#"{"a":{"b":[1]},"a.b":2,"n":null,"":3}"#).expect("is JSON");
        let find =
            |reference: Option<ClaimRef>| reference.and_then(|found| found.find(document.root()).map(Value::kind));
        assert_eq!(find(ClaimRef::dotted("a.b")), Some(Kind::Array));
        assert_eq!(find(ClaimRef::exact(vec!["a.b".into()])), Some(Kind::Number));
        assert_eq!(find(ClaimRef::dotted("n")), None, "null is absent");
        assert_eq!(find(ClaimRef::dotted("a.b.c")), None);
        for refused in ["", ".", "a.", ".a", "a..b"] {
            assert_eq!(ClaimRef::dotted(refused), None, "{refused}");
        }
    }

    #[test]
    fn scopes_in_a_string_are_split_and_in_an_array_are_not() {
        let read = |json: &str| {
            let document = Document::parse(json.as_bytes()).expect(json);
            let owned = |found: Vec<&str>| found.into_iter().map(str::to_string).collect::<Vec<_>>();
            let (mut scopes, mut groups) = (Vec::new(), Vec::new());
            let read = (add_scopes(document.root(), &mut scopes), add_groups(document.root(), &mut groups));
            (read.0.map(|()| owned(scopes)), read.1.map(|()| owned(groups)))
        };
        let strings = |list: &[&str]| Ok(list.iter().map(|text| (*text).to_string()).collect::<Vec<_>>());
        assert_eq!(read(r#""  a b  ""#), (strings(&["a", "b"]), strings(&["  a b  "])));
        assert_eq!(read(r#"["a b","c"]"#), (strings(&["a b", "c"]), strings(&["a b", "c"])));
        for refused in ["1", "true", "{}", "[1]", r#"["a",null]"#, r#"[["a"]]"#] {
            assert_eq!(read(refused), (Err(NotStrings), Err(NotStrings)), "{refused}");
        }
    }
}
