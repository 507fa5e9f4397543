//! The issuer as an OpenID provider: the code flow, with everything that may go wrong in it.
//!
//! | module | subject |
//! | --- | --- |
//! | [`behaviour`] | who logs in, how refresh tokens rotate, and what is wrong |
//! | [`client`] | clients, and how they authenticate |
//! | [`parameters`] | parameters of requests, each at most once |
//! | [`refusal`] | error responses |
//! | [`grants`] | codes, refresh tokens and access tokens |
//! | [`ledger`] | what was used and must stay secret |
//! | [`state`] | all of that together |
//! | [`authorize`], [`token`], [`userinfo`], [`introspect`], [`revoke`], [`logout`] | the endpoints |
//! | [`exchange`] | a token for another (RFC 8693) |
//! | [`tokens`] | what the token endpoint answers |

pub(super) mod behaviour;
pub(super) mod client;
pub(super) mod grants;
pub(super) mod state;

mod authorize;
mod exchange;
mod introspect;
mod ledger;
mod logout;
mod parameters;
mod refusal;
mod revoke;
mod token;
mod tokens;
mod userinfo;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use super::shared::Shared;

pub(super) fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/authorize", get(authorize::asked).post(authorize::submitted))
        .route("/logout", get(logout::asked))
        .route("/auth/api/v1/token-info", get(introspect::own))
        .route("/oauth/introspect", post(introspect::asked))
        .route("/oauth/revoke", post(revoke::asked))
        .route("/oauth/token", post(token::asked))
        .route("/userinfo", get(userinfo::asked))
}

#[cfg(test)]
mod credentials_tests;
#[cfg(test)]
mod tests;
