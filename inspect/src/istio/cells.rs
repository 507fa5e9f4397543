//! From a condition to a list of rules, of which the first that matches decides.
//!
//! A request is classified in one dimension after the other: its host, its path, some headers, its method. Each
//! dimension has classes, the most special first: a request is of the first one that it fits. Patterns that overlap
//! have a class of their own where they meet, so that within a class every pattern holds or does not. For each
//! combination of classes it is then known what is asked of the token; and what is asked for alike is put together.

use super::atoms::{Atom, Condition, Held, Host};
use super::formula::Formula;
use super::pattern::{Meeting, Pattern};

/// A rule: a match, and the tokens that pass.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    pub(super) hosts: Vec<Host>,
    pub(super) paths: Vec<Pattern>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) methods: Vec<String>,
    pub(super) access: Access,
}

/// The tokens that pass.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Access {
    /// Any valid token.
    Authenticated,
    /// None.
    Deny,
    /// Any valid token, or none.
    Optional,
    /// A token with this. The flag: in Istio also a request without one.
    Require(Formula<Held>, bool),
}

/// More than people can read.
const MAX_CELLS: usize = 50_000;

/// The rules by which requests pass for which `allowed` holds, the last one for all that is left.
pub(super) fn rules(allowed: &Condition, needs_token: bool) -> Result<Vec<Cell>, String> {
    let dimensions = dimensions(allowed)?;
    let size =
        dimensions.iter().fold(1_usize, |size, dimension| size.saturating_mul(dimension.len().saturating_add(1)));
    if size > MAX_CELLS {
        return Err(format!("the policies make {size} different cases: split them by host or path"));
    }
    let tree = tree(&dimensions, allowed, needs_token);
    let mut cells = Vec::new();
    flatten(&tree, &Cell::default(), &mut cells);
    Ok(remove_redundant(cells))
}

/// Without the rules whose requests get the same from the rules after them.
fn remove_redundant(cells: Vec<Cell>) -> Vec<Cell> {
    let mut kept: Vec<Cell> = Vec::new();
    for cell in cells.into_iter().rev() {
        let mut later = kept.iter().rev().filter(|other| cell.touches(other));
        let differs_or_ends = later.find(|other| other.access != cell.access || other.covers(&cell));
        if differs_or_ends.is_none_or(|other| other.access != cell.access) {
            kept.push(cell);
        }
    }
    kept.reverse();
    kept
}

/// The classes of a dimension, but for the last one: all others.
type Dimension = Vec<Atom>;

fn dimensions(allowed: &Condition) -> Result<Vec<Dimension>, String> {
    let mut atoms = Vec::new();
    allowed.atoms(&mut atoms);
    let (mut hosts, mut paths, mut headers, mut methods) =
        (Vec::new(), Vec::new(), Vec::<Dimension>::new(), Vec::new());
    for atom in atoms {
        let dimension = match atom {
            Atom::Host(_) => &mut hosts,
            Atom::Path(_) => &mut paths,
            Atom::Method(_) => &mut methods,
            Atom::Token(_) => continue,
            Atom::Header(name, _) => {
                let is_same =
                    |atoms: &Dimension| matches!(atoms.first(), Some(Atom::Header(known, _)) if known == name);
                match headers.iter().position(is_same) {
                    Some(index) => headers.get_mut(index).into_iter().for_each(|atoms| add(atoms, atom.clone())),
                    None => headers.push(vec![atom.clone()]),
                }
                continue;
            }
        };
        add(dimension, atom.clone());
    }
    let mut all = vec![with_meetings(hosts)?, with_meetings(paths)?];
    all.extend(headers);
    all.push(methods);
    Ok(all)
}

fn add(atoms: &mut Vec<Atom>, atom: Atom) {
    if !atoms.contains(&atom) {
        atoms.push(atom);
    }
}

/// With the intersections of any two, each before those that cover it.
fn with_meetings(mut atoms: Vec<Atom>) -> Result<Vec<Atom>, String> {
    let mut next = 0;
    while let Some(atom) = atoms.get(next).cloned() {
        for index in 0..next {
            let Some(other) = atoms.get(index).cloned() else { break };
            match meet(&atom, &other) {
                Meeting::Nowhere => {}
                Meeting::On(both) => add(&mut atoms, both),
                Meeting::Unknown => {
                    return Err(format!(
                        "where {} and {} overlap is not known: write rules for them by hand",
                        name(&atom),
                        name(&other)
                    ));
                }
            }
        }
        next = next.saturating_add(1);
        if atoms.len() > MAX_CELLS {
            return Err(String::from("the patterns overlap in too many ways"));
        }
    }
    let mut ordered: Vec<Atom> = Vec::new();
    for atom in atoms {
        // Before the first that covers it.
        let index = ordered.iter().position(|known| covers(known, &atom)).unwrap_or(ordered.len());
        ordered.insert(index, atom);
    }
    Ok(ordered)
}

fn meet(one: &Atom, other: &Atom) -> Meeting<Atom> {
    match (one, other) {
        (Atom::Host(one), Atom::Host(other)) => lifted(one.meet(other), Atom::Host),
        (Atom::Path(one), Atom::Path(other)) => lifted(one.meet(other), Atom::Path),
        _ if one == other => Meeting::On(one.clone()),
        _ => Meeting::Nowhere,
    }
}

fn lifted<P>(meeting: Meeting<P>, lift: impl Fn(P) -> Atom) -> Meeting<Atom> {
    match meeting {
        Meeting::Nowhere => Meeting::Nowhere,
        Meeting::On(both) => Meeting::On(lift(both)),
        Meeting::Unknown => Meeting::Unknown,
    }
}

fn covers(wide: &Atom, narrow: &Atom) -> bool {
    meet(wide, narrow) == Meeting::On(narrow.clone())
}

fn name(atom: &Atom) -> String {
    match atom {
        Atom::Path(pattern) => format!("`{}`", crate::document::flow(&pattern.to_node())),
        Atom::Host(host) => format!("`{}`", host.name()),
        other => format!("{other:?}"),
    }
}

/// What is asked, by class after class.
#[derive(Clone, Debug, PartialEq)]
enum Tree {
    Leaf(Access),
    /// Classes that are treated alike, each with what is in it; the last one has no atoms, and is for all others.
    Split(Vec<(Vec<Atom>, Tree)>),
}

fn tree(dimensions: &[Dimension], allowed: &Condition, needs_token: bool) -> Tree {
    let Some((dimension, others)) = dimensions.split_first() else { return Tree::Leaf(access(allowed, needs_token)) };
    let mut branches = Vec::new();
    for class in dimension.iter().map(Some).chain([None]) {
        // Within a class, each of the dimension's atoms holds or does not.
        let known = allowed.map(&|atom: &Atom| match dimension.contains(atom) {
            true if class.is_some_and(|class| covers(atom, class)) => Formula::TRUE,
            true => Formula::FALSE,
            false => Formula::Atom(atom.clone()),
        });
        branches.push((class.cloned().into_iter().collect(), tree(others, &known, needs_token)));
    }
    Tree::Split(merged(branches))
}

/// Puts together what is treated alike, where that changes nothing for any request.
fn merged(branches: Vec<(Vec<Atom>, Tree)>) -> Vec<(Vec<Atom>, Tree)> {
    let mut kept: Vec<(Vec<Atom>, Tree)> = Vec::new();
    for (atoms, tree) in branches.into_iter().rev() {
        // Without this class its requests are of the first class after it that covers it: where others meet it, there
        // is a class before it.
        let is_covered = |others: &[Atom]| atoms.iter().all(|atom| others.iter().any(|other| covers(other, atom)));
        let falls_to = kept.iter().rev().find(|(others, _)| others.is_empty() || is_covered(others));
        if falls_to.is_some_and(|(_, other)| *other == tree) && !atoms.is_empty() {
            continue;
        }
        kept.push((atoms, tree));
    }
    kept.reverse();
    let mut joined: Vec<(Vec<Atom>, Tree)> = Vec::new();
    for (atoms, tree) in kept {
        // It may move forward to its like, past classes that none of its requests is of.
        let alike = joined.iter().position(|(known, other)| *other == tree && !known.is_empty());
        // Of several headers a rule asks for all.
        let may_join = !matches!(atoms.first(), None | Some(Atom::Header(..)));
        let index = alike.filter(|index| {
            may_join && joined.iter().skip(index.saturating_add(1)).all(|(others, _)| !touches(others, &atoms))
        });
        match index.and_then(|index| joined.get_mut(index)) {
            Some((known, _)) => known.extend(atoms),
            None => joined.push((atoms, tree)),
        }
    }
    joined
}

/// Whether some request is of both.
fn touches(some: &[Atom], others: &[Atom]) -> bool {
    some.iter().any(|one| others.iter().any(|other| meet(one, other) != Meeting::Nowhere))
}

/// The tokens that pass, once all else is known.
fn access(allowed: &Condition, needs_token: bool) -> Access {
    let without: Formula<Held> = allowed.map(&|_| Formula::FALSE);
    let with: Formula<Held> = allowed.map(&|atom: &Atom| match atom {
        Atom::Token(held) => Formula::Atom(held.clone()),
        _ => Formula::FALSE,
    });
    let passes_without = without.is_true() && !needs_token;
    match (with.is_true(), with.is_false(), passes_without) {
        (true, _, true) => Access::Optional,
        (true, _, false) => Access::Authenticated,
        (_, true, false) => Access::Deny,
        // No request with a token: rules cannot express that, so it is none at all.
        (_, true, true) => Access::Require(Formula::FALSE, true),
        (_, _, passes_without) => Access::Require(with, passes_without),
    }
}

impl Default for Cell {
    fn default() -> Self {
        Self { hosts: Vec::new(), paths: Vec::new(), headers: Vec::new(), methods: Vec::new(), access: Access::Deny }
    }
}

fn flatten(tree: &Tree, cell: &Cell, cells: &mut Vec<Cell>) {
    match tree {
        Tree::Leaf(access) => cells.push(Cell { access: access.clone(), ..cell.clone() }),
        Tree::Split(branches) => {
            for (atoms, inner) in branches {
                let mut narrowed = cell.clone();
                for atom in atoms {
                    narrowed.narrow(atom);
                }
                flatten(inner, &narrowed, cells);
            }
        }
    }
}

impl Cell {
    fn narrow(&mut self, atom: &Atom) {
        match atom {
            Atom::Header(name, value) => self.headers.push((name.clone(), value.clone())),
            Atom::Host(host) => self.hosts.push(host.clone()),
            Atom::Method(method) => self.methods.push(method.clone()),
            Atom::Path(pattern) => self.paths.push(pattern.clone()),
            Atom::Token(_) => {}
        }
    }

    /// Whether some request may fit both.
    fn touches(&self, other: &Self) -> bool {
        let clash = |(name, value): &(String, String)| {
            other.headers.iter().any(|(known, wanted)| known == name && wanted != value)
        };
        meet_in(&self.hosts, &other.hosts, |one, other| one.meet(other) != Meeting::Nowhere)
            && meet_in(&self.paths, &other.paths, |one, other| one.meet(other) != Meeting::Nowhere)
            && meet_in(&self.methods, &other.methods, |one, other| one == other)
            && !self.headers.iter().any(clash)
    }

    /// Whether every request that fits `other` fits this.
    fn covers(&self, other: &Self) -> bool {
        covers_in(&self.hosts, &other.hosts, |wide, narrow| wide.meet(narrow) == Meeting::On(narrow.clone()))
            && covers_in(&self.paths, &other.paths, |wide, narrow| wide.meet(narrow) == Meeting::On(narrow.clone()))
            && covers_in(&self.methods, &other.methods, |wide, narrow| wide == narrow)
            && self.headers.iter().all(|header| other.headers.contains(header))
    }
}

/// Alternatives; without any there is no condition.
fn meet_in<T>(some: &[T], others: &[T], meet: impl Fn(&T, &T) -> bool) -> bool {
    some.is_empty() || others.is_empty() || some.iter().any(|one| others.iter().any(|other| meet(one, other)))
}

fn covers_in<T>(wider: &[T], narrower: &[T], covers: impl Fn(&T, &T) -> bool) -> bool {
    let is_within = |narrow: &T| wider.iter().any(|wide| covers(wide, narrow));
    wider.is_empty() || (!narrower.is_empty() && narrower.iter().all(is_within))
}
