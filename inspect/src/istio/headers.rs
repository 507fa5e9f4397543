//! The headers that request authentications send to the upstream, as identity headers.

use super::notes::Notes;
use super::resources::JwtRule;
use crate::document::Node;

/// Header names, each with its value. Those that the rules differ in get the first value that a token has.
pub(super) fn headers(rules: &[&JwtRule], notes: &mut Notes) -> Vec<(String, Node)> {
    let mut names: Vec<String> = Vec::new();
    for (name, _) in rules.iter().flat_map(|rule| values(rule)) {
        if !names.iter().any(|known| known.eq_ignore_ascii_case(&name)) {
            names.push(name);
        }
    }
    names.into_iter().map(|name| (name.clone(), value(&name, rules, notes))).collect()
}

fn value(name: &str, rules: &[&JwtRule], notes: &mut Notes) -> Node {
    let own = |rule: &JwtRule| values(rule).into_iter().find(|(found, _)| found.eq_ignore_ascii_case(name));
    let mut distinct: Vec<String> = Vec::new();
    for (_, reference) in rules.iter().filter_map(|rule| own(rule)) {
        if !distinct.contains(&reference) {
            distinct.push(reference);
        }
    }
    let is_alike = rules.iter().all(|rule| own(rule).is_some());
    if distinct.len() > 1 || !is_alike {
        let each = rules.iter().map(|rule| {
            let value = own(rule).map_or_else(|| String::from("nothing"), |(_, reference)| format!("`{reference}`"));
            format!("{value} of `{}`", rule.issuer)
        });
        let how = if distinct.len() > 1 { "it is `firstOf` these" } else { "it is set" };
        notes.weaker(format!(
            "the issuers differ in the header `{name}` ({}): {how}, for the tokens of every issuer. Make sure that the \
             tokens of one issuer cannot name a user of another; or translate the issuers one by one, for hosts or paths \
             of their own",
            each.collect::<Vec<_>>().join(", ")
        ));
    }
    match distinct.as_slice() {
        [only] if only.starts_with('$') => Node::of_text(only),
        // A value that no header can carry is omitted, as in Istio.
        [only] => Node::of_map([("claim", Node::of_text(only)), ("onUnrepresentable", Node::of_text("omit"))]),
        several => {
            notes.stricter(format!("a token whose value for the header `{name}` no header can carry is refused"));
            Node::of_map([("firstOf", Node::of_texts(several.iter().cloned()))])
        }
    }
}

/// What a rule sends to the upstream, by header.
fn values(rule: &JwtRule) -> Vec<(String, String)> {
    let payload = rule.output_payload_to_header.iter().map(|header| (header.clone(), String::from("$claims")));
    let claims = rule.output_claim_to_headers.iter().map(|output| (output.header.clone(), output.claim.clone()));
    payload.chain(claims).collect()
}
