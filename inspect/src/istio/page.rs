//! The configuration as a page of YAML, with what is to be known of it.

use std::fmt::Write as _;

use super::cells::{Access, Cell};
use super::issuers::Issuers;
use super::notes::Notes;
use super::requirement::requirement;
use crate::document::{Node, flow};

/// The page.
pub(super) fn page(titles: &[String], issuers: &Issuers, cells: &[Cell], notes: &mut Notes) -> String {
    let rules: Vec<_> = cells.iter().map(|cell| rule(cell, notes)).collect();
    let mut page = String::from("# Made by `jotgate from-istio` of:\n");
    for title in titles {
        let _ = writeln!(page, "# - {title}");
    }
    section(&mut page, "What passes in Istio and is denied here:", &notes.stricter);
    section(&mut page, "What is denied in Istio and passes here:", &notes.weaker);
    section(&mut page, "What else differs from Istio:", &notes.other);
    section(&mut page, "Good to know:", &GENERAL.map(String::from));
    block(&mut page, "issuers", issuers.to_node().elements());
    block(&mut page, "credentials", &issuers.credentials);
    if issuers.forward_token {
        page.push_str("forwardToken: true\n");
    }
    block(&mut page, "rules", &rules);
    page.push_str("# The headers for the upstream: those of the policies, and no others. Without these two lines it gets Jotgate's own.\n");
    let headers = Node::of_map(issuers.headers.iter().cloned());
    let _ = write!(page, "identityHeaders: {}\nstripHeaders: []\n", flow(&headers));
    page
}

/// What is true of every such page.
const GENERAL: [&str; 3] = [
    "Tokens need `exp` here (`requireExpiration: false` for those without), and paths that servers read in different ways \
     are denied (docs/paths.md).",
    "A request without a required token gets 401 with a challenge, where Istio answers 403.",
    "Apply it beside the policies with `mode: audit`, and remove them once its log reports nothing more.",
];

fn section(page: &mut String, title: &str, texts: &[String]) {
    if texts.is_empty() {
        return;
    }
    let _ = writeln!(page, "#\n# {title}");
    for text in texts {
        for (index, line) in wrapped(text).iter().enumerate() {
            let _ = writeln!(page, "# {} {line}", if index == 0 { "-" } else { " " });
        }
    }
}

/// Lines of some hundred characters.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.len().saturating_add(word.len()) < 110 => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_string()),
        }
    }
    lines
}

/// A list of mappings, each over several lines.
fn block(page: &mut String, name: &str, entries: &[Node]) {
    let _ = writeln!(page, "{name}:");
    for entry in entries {
        for (index, member) in entry.members().iter().enumerate() {
            let _ = writeln!(page, "{} {}: {}", if index == 0 { "-" } else { " " }, member.name, flow(&member.value));
        }
    }
}

fn rule(cell: &Cell, notes: &mut Notes) -> Node {
    let mut members = Vec::new();
    let texts = |texts: &[String]| Node::of_texts(texts.iter().cloned());
    let mut conditions = Vec::new();
    if !cell.hosts.is_empty() {
        conditions.push(("hosts", Node::of_texts(cell.hosts.iter().map(super::atoms::Host::name))));
    }
    if !cell.paths.is_empty() {
        conditions.push(("paths", Node::of_list(cell.paths.iter().map(super::pattern::Pattern::to_node))));
    }
    if !cell.methods.is_empty() {
        conditions.push(("methods", texts(&cell.methods)));
    }
    if !cell.headers.is_empty() {
        let headers = cell.headers.iter().map(|(name, value)| (name.clone(), Node::of_text(value.clone())));
        conditions.push(("headers", Node::of_map(headers)));
    }
    let described = flow(&Node::of_map(conditions.clone()));
    if !conditions.is_empty() {
        members.push(("match", Node::of_map(conditions)));
    }
    members.push(("access", access(&cell.access, &described, notes)));
    Node::of_map(members)
}

fn access(access: &Access, described: &str, notes: &mut Notes) -> Node {
    let requests =
        if described == "{}" { String::from("all other requests") } else { format!("requests of `{described}`") };
    match access {
        Access::Authenticated => Node::of_text("authenticated"),
        Access::Deny => Node::of_text("deny"),
        Access::Optional => Node::of_text("optional"),
        Access::Require(asked, passes_without) => {
            if *passes_without {
                notes.stricter(format!(
                    "{requests}: one without a token passes in Istio, which rules cannot express beside requirements for tokens"
                ));
            }
            match asked.is_false() {
                true => Node::of_text("deny"),
                false => requirement(asked),
            }
        }
    }
}
