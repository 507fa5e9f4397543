//! The secrets that are written in a file, and the file without them.

use super::read::Configuration;
use crate::document::{self, Node};
use crate::locate::locate;

/// `text` with its secrets made unreadable, as long as before, so that findings are where they were.
pub fn without_secrets(text: &str) -> String {
    let Ok(documents) = document::read(text) else { return text.to_string() };
    let trees = locate(&documents).into_iter().filter_map(|found| Configuration::read(&found, text, &|_| None).tree);
    let mut bytes = text.as_bytes().to_vec();
    for tree in trees {
        for secret in secrets_in(&tree) {
            let span = bytes.get_mut(secret.span.clone()).unwrap_or_default();
            span.iter_mut().filter(|byte| !byte.is_ascii_whitespace()).for_each(|byte| *byte = b'*');
        }
    }
    String::from_utf8(bytes).unwrap_or_default()
}

/// The members of a JWK that are private (RFC 7518 §6), but for `oth`, which no key has.
const PRIVATE: [&str; 7] = ["d", "dp", "dq", "k", "p", "q", "qi"];

/// The secrets that are written out in a configuration.
fn secrets_in(tree: &Node) -> Vec<&Node> {
    let logins = one_or_several(tree.get("login"));
    let of_clients =
        logins.flat_map(|login| [login.find(&["client", "secret"]), login.find(&["client", "privateKey"])]);
    let of_session = one_or_several(tree.find(&["session", "secrets"]));
    let of_proofs = one_or_several(tree.find(&["senderConstraint", "dpop", "nonce", "secrets"]));
    let issuers = tree.get("issuers").map(Node::elements).unwrap_or_default().iter();
    let headers = issuers.clone().filter_map(|issuer| issuer.find(&["keys", "headers"])).flat_map(Node::members);
    // None is accepted, and errors show the line.
    let sets = issuers.filter_map(|issuer| issuer.find(&["keys", "inline", "keys"])).flat_map(Node::elements);
    let entries = tree.get("introspection").map(Node::elements).unwrap_or_default().iter();
    let names = ["secret", "privateKey", "token"];
    let of_askers = entries.flat_map(|entry| names.map(|name| entry.find(&["client", name]))).flatten();
    let credentials = tree.get("upstreamCredentials").map(Node::elements).unwrap_or_default().iter();
    let of_credentials = credentials.flat_map(|credential| {
        let keys = credential.find(&["token", "keys"]).map(Node::elements).unwrap_or_default();
        let of_client = names.map(|name| credential.find(&["exchange", "client", name]));
        keys.iter().chain(of_client.into_iter().flatten())
    });
    let of_clients: Vec<_> = of_clients.flatten().chain(of_askers).chain(of_credentials).collect();
    let keys = sets.chain(of_clients.iter().copied());
    let of_keys = keys.flat_map(|key| PRIVATE.map(|name| key.get(name))).flatten();
    let all = of_keys.chain(of_clients.iter().copied()).chain(of_session).chain(of_proofs);
    all.chain(headers.map(|header| &header.value)).filter(|node| node.text().is_some()).collect()
}

/// What may stand alone, and the elements where it is a list.
fn one_or_several(node: Option<&Node>) -> impl Iterator<Item = &Node> {
    node.into_iter().flat_map(|node| [node].into_iter().chain(node.elements()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_become_unreadable_and_nothing_moves() {
        let text = "issuers: [{name: a, keys: {headers: {authorization: hünter2}}}]\n\
                    login: [{client: {id: b, secret: hunter2}}, {client: {secret: {env: hunter}, privateKey: hunter2}}]\n\
                    session:\n  secrets:\n  - |\n    hunter2\n    hunter2\n  - \"hunter2\"\n";
        let masked = without_secrets(text);
        assert!(!masked.contains("unter2") && masked.contains("{env: hunter}") && masked.contains("id: b"), "{masked}");
        assert_eq!(masked.len(), text.len());
        assert_eq!(masked.lines().count(), text.lines().count());
        let asked =
            without_secrets("issuers: []\nintrospection: [{client: {secret: hunter2}}, {client: {token: hunter2}}]\n");
        assert!(!asked.contains("hunter2"), "{asked}");
        let one = without_secrets("issuers: [{}]\nsession: {secrets: hunter2}\nlogin: {client: {secret: hunter2}}\n");
        assert!(!one.contains("hunter2"), "{one}");
        let nonces =
            without_secrets("issuers: [{}]\nsenderConstraint: {dpop: {nonce: {secrets: [hunter2, hunter2]}}}\n");
        assert!(!nonces.contains("hunter2"), "{nonces}");
        let keys =
            without_secrets("issuers: [{keys: {inline: {keys: [{kty: oct, k: hunter2}, {n: public, d: hunter2}]}}}]\n");
        assert!(!keys.contains("hunter2") && keys.contains("n: public"), "{keys}");
        let of_clients = without_secrets(
            "issuers: [{}]\nlogin: {client: {privateKey: {x: public, d: hunter2}}}\nupstreamCredentials:\n\
             - {token: {keys: [{d: hunter2}, hunter2]}}\n- {exchange: {client: {privateKey: hunter2}}}\n",
        );
        assert!(!of_clients.contains("hunter2") && of_clients.contains("x: public"), "{of_clients}");
    }
}
