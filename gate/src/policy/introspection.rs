//! Tokens that only their issuer can read: which they are, and how it is asked.

use std::time::Duration;

use oauth::Secret;
use oauth::client::Client;
use oauth::endpoint::Endpoint;

use crate::claims::ClaimRef;
use crate::credentials::TokenForm;

/// How an issuer is asked what a token is worth.
#[derive(Clone, Debug)]
pub struct IntrospectionSettings {
    /// What its tokens look like; absent: like anything but a JWT.
    pub(crate) form: Option<TokenForm>,
    /// Where it is asked.
    pub(crate) endpoint: Endpoint,
    /// The proxy's name for the upstream that callouts go to.
    pub(crate) cluster: String,
    /// What is sent there, and what comes back.
    pub(crate) style: IntrospectionStyle,
    /// The claims that its answers have under another name.
    pub(crate) renames: Vec<Rename>,
    /// How long the word that a token is active counts, at most.
    pub(crate) cache_for: Duration,
    /// How long the word that it is not does.
    pub(crate) negative_for: Duration,
    /// How long a callout may take.
    pub(crate) timeout: Duration,
    /// Differs where the configuration of the entry does.
    pub(crate) fingerprint: Vec<u8>,
}

/// What an issuer is asked, and by whom.
#[derive(Clone, Debug)]
pub enum IntrospectionStyle {
    /// RFC 7662: a POST with the token.
    Rfc7662(Asker),
    /// A GET with the caller's token as the credential: who has it may read what it says.
    Itself,
}

/// Who asks.
#[derive(Clone, Debug)]
pub enum Asker {
    /// The bearer of this access token.
    Bearer(Secret),
    /// A client that the issuer knows.
    Client(Box<Client>),
}

/// A claim that answers have under another name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rename {
    /// What it is called here.
    pub(crate) name: String,
    /// Where it stands in answers.
    pub(crate) from: ClaimRef,
}

impl IntrospectionSettings {
    /// Whether `token` is for this issuer to read, as far as its looks say so.
    pub fn fits(&self, token: &[u8]) -> bool {
        TokenForm::is_met(self.form.as_ref(), token)
    }

    /// What its tokens look like; absent: like anything but a JWT.
    pub fn form(&self) -> Option<&TokenForm> {
        self.form.as_ref()
    }

    /// Where it is asked.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// What is sent there, and what comes back.
    pub fn style(&self) -> &IntrospectionStyle {
        &self.style
    }

    /// The claims that its answers have under another name.
    pub fn renames(&self) -> &[Rename] {
        &self.renames
    }

    /// How long the word that a token is active counts, at most.
    pub fn cache_for(&self) -> Duration {
        self.cache_for
    }
}

impl Rename {
    /// What it is called here.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it stands in answers.
    pub fn from(&self) -> &ClaimRef {
        &self.from
    }
}
