//! `login.client`: what an issuer knows the gate as.

use jose::json::Kind;
use jose::sign::SigningKey;
use oauth::Secret;
use oauth::client::{Authentication, Client, ClientError};

use super::Environment;
use super::reader::Node;
use super::{secret, variable};

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Method {
    Basic,
    None,
    Post,
    PrivateKey,
}

const METHODS: [(&str, Method); 4] =
    [("basic", Method::Basic), ("none", Method::None), ("post", Method::Post), ("privateKey", Method::PrivateKey)];

pub(super) fn read(node: &Node<'_, '_>, env: Environment<'_>) -> Option<Client> {
    let mut object = node.object()?;
    let id = object.required("id").and_then(|node| node.owned_text());
    let secret = object.optional("secret");
    let key = object.optional("privateKey");
    let default = match (&secret, &key) {
        (Some(_), _) => Method::Basic,
        (None, Some(_)) => Method::PrivateKey,
        (None, None) => Method::None,
    };
    let method = object.or("authentication", default, |node| node.word(&METHODS));
    object.finish();
    check_members(node, method, secret.as_ref(), key.as_ref());
    // Both are read, for their own mistakes.
    let secret = secret.map(|node| secret::read(&node, env));
    let key = key.map(|node| read_key(&node, env));
    let authentication = match method? {
        Method::Basic => Authentication::Basic(secret??),
        Method::None => Authentication::None,
        Method::Post => Authentication::Post(secret??),
        Method::PrivateKey => Authentication::PrivateKey(Box::new(key??)),
    };
    Client::new(id?, authentication).map_err(|error| node.error_at(member_of(&error), error.to_string())).ok()
}

/// Says which member the method lacks, and which it has no use for.
fn check_members(
    node: &Node<'_, '_>,
    method: Option<Method>,
    secret: Option<&Node<'_, '_>>,
    key: Option<&Node<'_, '_>>,
) {
    let Some(method) = method else { return };
    let has_secret = matches!(method, Method::Basic | Method::Post);
    match secret {
        None if has_secret => node.error("`secret` is missing: the client authenticates with it"),
        Some(node) if !has_secret => node.error("goes with `authentication: basic` or `post` only"),
        _ => {}
    }
    match key {
        None if method == Method::PrivateKey => {
            node.error("`privateKey` is missing: the client signs its assertions with it");
        }
        Some(node) if method != Method::PrivateKey => node.error("goes with `authentication: privateKey` only"),
        _ => {}
    }
}

/// A variable with a private key in PEM (PKCS#8), or with the text of a JWK.
fn read_key(node: &Node<'_, '_>, env: Environment<'_>) -> Option<SigningKey> {
    if node.value.kind() != Kind::Object {
        return node.fail("expected `{env: NAME}`");
    }
    parse_key(node, &Secret::new(variable::read(node, env)?))
}

/// The text of a private key, in PEM (PKCS#8) or as a JWK.
pub(super) fn parse_key(node: &Node<'_, '_>, text: &Secret) -> Option<SigningKey> {
    let text = text.reveal().trim();
    let key = match text.starts_with('{') {
        true => SigningKey::from_json(text.as_bytes()),
        false => SigningKey::from_pem(text),
    };
    key.map_err(|error| node.error(format!("this is no key to sign with: {error}"))).ok()
}

fn member_of(error: &ClientError) -> &'static str {
    match error {
        ClientError::Id(_) => "id",
        ClientError::Secret => "secret",
    }
}
