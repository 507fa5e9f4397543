//! What the token endpoint answers (RFC 6749 §5.1, OpenID Connect Core 1.0 §3.1.3.3).

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::behaviour::{Behaviour, Refresh};
use super::grants::{Grant, LoginId, secret};
use crate::encoding::base64url;
use crate::flaws::mint_flawed;
use crate::issuer::request::TokenRequest;
use crate::issuer::shared::Shared;
use crate::keys::Algorithm;
use crate::locked::locked;
use crate::mint::{merge, object};

/// What a response is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Occasion {
    Code,
    Refresh,
}

pub(super) fn response(shared: &Shared, login: LoginId, grant: &Grant, occasion: Occasion) -> Value {
    let behaviour = shared.provider.behaviour();
    let access_token = access_token(shared, &behaviour, grant);
    let mut members = object(json!({
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": behaviour.lifetime,
        "scope": grant.scope,
        "id_token": id_token(shared, &behaviour, grant, occasion, &access_token),
    }));
    let mut grants = locked(&shared.provider.grants);
    grants.add_access_token(login, &access_token, &grant.user);
    let has_refresh_token = match behaviour.refresh {
        Refresh::None => false,
        Refresh::Fixed => occasion == Occasion::Code,
        Refresh::Rotating => true,
    };
    if has_refresh_token {
        members.insert("refresh_token".into(), grants.add_refresh_token(login).into());
    }
    drop(grants);
    let changes = match occasion {
        Occasion::Code => &behaviour.flaws.response,
        Occasion::Refresh => &behaviour.flaws.refreshed_response,
    };
    let members = merge(members, changes);
    let mut ledger = locked(&shared.provider.ledger);
    for name in ["access_token", "id_token", "refresh_token"] {
        if let Some(value) = members.get(name).and_then(Value::as_str) {
            ledger.note_secret(name, value);
        }
    }
    Value::Object(members)
}

fn access_token(shared: &Shared, behaviour: &Behaviour, grant: &Grant) -> String {
    if !behaviour.jwt_access_tokens {
        return secret();
    }
    let mut claims = grant.user.clone();
    claims.insert("client_id".into(), grant.client.clone().into());
    let scope = Some(grant.scope.clone());
    let request = TokenRequest { claims, scope, lifetime: Some(behaviour.lifetime), ..TokenRequest::default() };
    // The request names neither an algorithm nor a flaw, so nothing can be wrong with it.
    shared.token(&request).unwrap_or_default()
}

fn id_token(
    shared: &Shared,
    behaviour: &Behaviour,
    grant: &Grant,
    occasion: Occasion,
    access_token: &str,
) -> Option<String> {
    let key = shared.ring().signing_key(None).ok()?;
    let subject = grant.user.get("sub").and_then(Value::as_str).unwrap_or("alice");
    let mut claims = shared.usual_claims(&grant.client, subject, behaviour.lifetime);
    claims.insert("auth_time".into(), grant.at.as_secs().into());
    claims.insert("at_hash".into(), access_token_hash(key.algorithm(), access_token).into());
    // A refreshed ID token needs none (OpenID Connect Core 1.0 §12.2).
    if let Some(nonce) = grant.nonce.clone().filter(|_| occasion == Occasion::Code) {
        claims.insert("nonce".into(), nonce.into());
    }
    let changes = match occasion {
        Occasion::Code => &behaviour.flaws.id_token,
        Occasion::Refresh => &behaviour.flaws.refreshed_id_token,
    };
    let claims: Map<String, Value> = merge(merge(claims, &grant.user), changes);
    mint_flawed(behaviour.flaws.id_token_flaw, &key, &behaviour.flaws.id_token_header, &claims).ok()
}

/// `at_hash`: half of the hash that belongs to the algorithm (OpenID Connect Core 1.0 §3.1.3.6).
fn access_token_hash(algorithm: Algorithm, access_token: &str) -> String {
    let hash = match algorithm {
        Algorithm::ES384 | Algorithm::PS384 | Algorithm::RS384 | Algorithm::HS384 => {
            Sha384::digest(access_token).to_vec()
        }
        Algorithm::ES512 | Algorithm::PS512 | Algorithm::RS512 | Algorithm::HS512 | Algorithm::EdDSA => {
            Sha512::digest(access_token).to_vec()
        }
        _ => Sha256::digest(access_token).to_vec(),
    };
    let (half, _) = hash.split_at(hash.len() / 2);
    base64url(half)
}
