//! Who logs in, how refresh tokens rotate, and what is wrong.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::flaws::Flaw;

/// How the provider behaves. In control requests all members are optional.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Behaviour {
    /// The claims of who logs in, by default those of `alice`. A `login_hint` replaces `sub`.
    pub user: Map<String, Value>,
    /// A page asks for the name. Otherwise nobody is asked.
    pub page: bool,
    /// Which refresh tokens there are.
    pub refresh: Refresh,
    /// How long, in milliseconds, a refresh token is good once more after it was rotated.
    pub grace_ms: u64,
    /// A refresh token that comes again after that ends its login. Otherwise it is refused, and nothing else.
    pub ends_replayed: bool,
    /// Seconds from `iat` to `exp` of ID tokens and access tokens.
    pub lifetime: i64,
    /// Access tokens are JWTs for the issuer's audience. Otherwise nobody but the issuer can read them.
    pub jwt_access_tokens: bool,
    /// What is wrong.
    pub flaws: Flaws,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            user: Map::new(),
            page: false,
            refresh: Refresh::Rotating,
            grace_ms: 0,
            ends_replayed: true,
            lifetime: 600,
            jwt_access_tokens: true,
            flaws: Flaws::default(),
        }
    }
}

/// Which refresh tokens there are.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refresh {
    /// One for each login, which stays; responses to it have none.
    Fixed,
    /// None.
    None,
    /// Each is good once, and gives the next.
    #[default]
    Rotating,
}

/// What is wrong with a login or refresh that works otherwise. Members replace those that belong there, and null removes
/// one.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Flaws {
    /// Parameters of the redirect to the callback; a list repeats one. Others there are.
    pub callback: Map<String, Value>,
    /// Claims of the ID token that a code gives.
    pub id_token: Map<String, Value>,
    /// Claims of the ID token that a refresh token gives.
    pub refreshed_id_token: Map<String, Value>,
    /// Members of the header of ID tokens.
    pub id_token_header: Map<String, Value>,
    /// What is wrong with ID tokens beside.
    pub id_token_flaw: Flaw,
    /// Members of the response to a code.
    pub response: Map<String, Value>,
    /// Members of the response to a refresh token.
    pub refreshed_response: Map<String, Value>,
    /// Members of the response to a token exchange.
    pub exchange: Map<String, Value>,
    /// Members of the response of the introspection endpoint, and of the one that tells a token's bearer.
    pub introspection: Map<String, Value>,
    /// Members of the response of the userinfo endpoint.
    pub userinfo: Map<String, Value>,
}
