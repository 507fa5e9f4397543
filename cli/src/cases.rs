//! `jotgate test`: table tests of one's own rules.

mod format;
mod judge;
mod mint;
mod report;

use gate::Gate;

use self::format::{Case, File};
use self::judge::{Difference, judge};
use self::mint::Mint;
use crate::arguments::Test;
use crate::document::{self, Node};
use crate::engine::{Decided, Sent, decide};
use crate::finding::Finding;
use crate::input::{self, Error, Input};
use crate::load::{Loaded, load};
use crate::place::Place;
use crate::render::{position, render};
use crate::typed::typed;
use crate::{Outcome, STATUS_TROUBLE};

/// A case that was played.
#[derive(Debug)]
struct Played {
    name: String,
    /// Where it stands: `cases.yaml:7`.
    place: String,
    sent: Sent,
    decided: Decided,
    differences: Vec<Difference>,
}

/// Plays the cases of a file to the rules of another.
pub fn run(asked: &Test) -> Result<Outcome, Error> {
    let mut loaded = load(&input::read(&asked.file)?, asked.configuration.as_deref())?;
    let cases = input::read(&asked.cases)?;
    let (file, tree) = read(&cases)?;
    mint::put_in_keys(&mut loaded.policy).map_err(Error)?;
    let played = play(&file, &loaded, &cases, &tree)?;
    let reached: Vec<_> = played.iter().filter_map(|played| played.decided.properties.get("rule")).collect();
    let names = loaded.policy.rules.iter().map(|rule| &*rule.name);
    let unreached: Vec<_> = names.filter(|name| !reached.iter().any(|reached| reached == name)).collect();
    let is_reached = !asked.every_rule || unreached.is_empty();
    let is_fine = is_reached && played.iter().all(|played| played.differences.is_empty());
    let output = if asked.json {
        report::json(&played, &unreached)
    } else {
        report::text(&played, &unreached, asked.every_rule)
    };
    Ok(Outcome { output, aside: None, status: if is_fine { 0 } else { STATUS_TROUBLE } })
}

/// Reads a file of cases; its tree knows where each stands.
fn read(cases: &Input) -> Result<(File, Node), Error> {
    let refuse = |finding: Finding| Error(format!("{} cannot be read\n\n{}", cases.name, render(cases, "", &finding)));
    let flaw = |flaw: document::Flaw| refuse(Finding::error("cases", "", flaw.message, flaw.span));
    let document = document::read(&cases.text).map_err(flaw)?.into_iter().next();
    let document = document.ok_or_else(|| Error(format!("{} is empty", cases.name)))?;
    if let Some(found) = document.flaws.into_iter().find(|flaw| flaw.odd == document::Odd::Both) {
        return Err(flaw(found));
    }
    let tree = document.root;
    let file = typed(&tree, "cases").map_err(refuse)?;
    Ok((file, tree))
}

fn play(file: &File, loaded: &Loaded, cases: &Input, tree: &Node) -> Result<Vec<Played>, Error> {
    let now = file.now.timestamp();
    let mut gate = Gate::new(loaded.policy.clone(), now, 0);
    let mut mint = Mint::default();
    let nodes = tree.get("cases").map(Node::elements).unwrap_or_default();
    let mut played = Vec::new();
    for (case, node) in file.cases.iter().zip(nodes) {
        let sent = send(case, file, loaded, &mut mint).map_err(|message| {
            let finding = Finding::error("cases", &case.name, message, node.span.clone());
            Error(format!("a case cannot be played\n\n{}", render(cases, "", &finding)))
        })?;
        let decided = decide(&mut gate, &sent, now, &mint);
        let differences = judge(&case.expect, &decided);
        let (line, _) = position(&cases.text, node.span.start);
        played.push(Played {
            name: case.name.clone(),
            place: format!("{}:{line}", cases.name),
            sent,
            decided,
            differences,
        });
    }
    Ok(played)
}

/// The request of a case.
fn send(case: &Case, file: &File, loaded: &Loaded, mint: &mut Mint) -> Result<Sent, String> {
    let mut sent = Sent::new(&case.request.method, &case.request.host, &case.request.path);
    sent.peer.clone_from(&case.peer);
    for (name, values) in &case.headers {
        values.0.iter().for_each(|value| sent.add(name, value));
    }
    let token = match (&case.token, &case.claims) {
        (Some(_), Some(_)) => return Err(String::from("expected either `token` or `claims`, found both")),
        (Some(token), None) => Some(token.clone()),
        (None, Some(_)) => Some(mint.token(case, &file.claims, &loaded.policy, file.now.0)?),
        (None, None) => None,
    };
    if let Some(token) = token {
        let place = case.credential.clone().unwrap_or_else(|| Place::first_of(&loaded.policy));
        place.put(&token, &mut sent);
    }
    Ok(sent)
}
