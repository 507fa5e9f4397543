//! What the endpoints of the provider share.

use std::collections::BTreeSet;
use std::sync::Mutex;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

use super::behaviour::Behaviour;
use super::client::{self, Client};
use super::grants::Grants;
use super::ledger::Ledger;
use super::parameters::Parameters;
use super::refusal::Refusal;
use crate::faults::Slot;
use crate::locked::locked;

#[derive(Debug, Default)]
pub(crate) struct Provider {
    pub(super) clients: Vec<Client>,
    pub(super) behaviour: Mutex<Behaviour>,
    pub(crate) grants: Mutex<Grants>,
    pub(crate) ledger: Mutex<Ledger>,
    assertions: Mutex<BTreeSet<String>>,
    pub(crate) token: Mutex<Slot>,
    pub(crate) exchange: Mutex<Slot>,
    pub(crate) introspection: Mutex<Slot>,
    pub(crate) userinfo: Mutex<Slot>,
    pub(crate) revocation: Mutex<Slot>,
}

impl Provider {
    pub(crate) fn new(clients: Vec<Client>) -> Self {
        Self { clients, ..Self::default() }
    }

    pub(super) fn behaviour(&self) -> Behaviour {
        locked(&self.behaviour).clone()
    }

    pub(crate) fn set_behaviour(&self, behaviour: Behaviour) {
        *locked(&self.behaviour) = behaviour;
    }

    /// Ends every login.
    pub(crate) fn revoke_all(&self) {
        locked(&self.grants).revoke_all();
    }

    /// No faults, and counts from zero; logins and how it behaves stay.
    pub(crate) fn reset(&self) {
        for slot in [&self.token, &self.exchange, &self.introspection, &self.userinfo, &self.revocation] {
            *locked(slot) = Slot::default();
        }
        locked(&self.ledger).reset();
    }

    /// Reads a request for which clients authenticate, and notes what must stay secret in it.
    pub(super) fn parameters(&self, headers: &HeaderMap, body: &[u8]) -> Result<Parameters, Refusal> {
        let parameters = Parameters::read(body)?;
        let mut ledger = locked(&self.ledger);
        ledger.note(&parameters);
        if let Some((_, credentials)) = authorization(headers).and_then(|value| value.split_once(' ')) {
            ledger.note_secret("client credentials", credentials);
        }
        for client in &self.clients {
            if let client::Authentication::Basic(secret) | client::Authentication::Post(secret) = &client.authentication
            {
                ledger.note_secret("client_secret", secret);
            }
        }
        Ok(parameters)
    }

    /// The client that such a request is from.
    pub(super) fn authenticate(
        &self,
        headers: &HeaderMap,
        parameters: &Parameters,
        audiences: &[String],
    ) -> Result<String, Refusal> {
        let mut used = locked(&self.assertions);
        client::authenticate(&self.clients, authorization(headers), parameters, audiences, &mut used)
    }

    /// The client of that name. Where no clients are known, there is each.
    pub(super) fn client(&self, id: &str) -> Option<Client> {
        if self.clients.is_empty() {
            return Some(Client::new(id, client::Authentication::None));
        }
        self.clients.iter().find(|client| client.id == id).cloned()
    }
}

pub(super) fn authorization(headers: &HeaderMap) -> Option<&str> {
    headers.get(AUTHORIZATION)?.to_str().ok()
}
