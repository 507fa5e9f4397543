//! Tokens that only their issuer can read (RFC 7662): what it is asked, and what its answers are worth.

mod endpoints;

use std::borrow::Cow;
use std::time::Duration;

use jose::Hash;
use jose::base64url;
use jose::json::Value;
use oauth::client::AssertionFacts;
use oauth::introspection::{self, Introspection};
use oauth::{ResponseError, Secret};

pub(crate) use self::endpoints::{Endpoints, Trouble};
use crate::callout::Callout;
use crate::http::HttpUri;
use crate::json_text;
use crate::policy::{Asker, IntrospectionSettings, IntrospectionStyle, Rename};
use crate::question::{Answer, Question, Step, Subject, Topic};
use crate::random::{NoRandomness, Randomness, draw};
use crate::time::Timestamp;

/// How long a client assertion is good.
const ASSERTION_LIFETIME: Duration = Duration::from_mins(1);

/// What an issuer says of a token.
#[derive(Debug)]
pub(crate) enum Answered<'b> {
    /// It is active: its claims, a JSON object. They are still to be checked, as those of a JWT are.
    Active(Cow<'b, [u8]>),
    /// It is unknown, expired or revoked.
    Inactive,
}

/// What a question about `token` is about; its issuer by index.
pub(crate) fn topic(issuer: usize, token: &[u8]) -> Topic {
    let digest = Hash::Sha256.digest(&[token]);
    Topic {
        subject: Subject::Token(issuer, digest.first_chunk().copied().unwrap_or_default()),
        step: Step::Introspection,
    }
}

/// The question to an issuer what `token` is worth.
pub(crate) fn question(
    settings: &IntrospectionSettings,
    topic: Topic,
    token: &Secret,
    now: Timestamp,
    random: &dyn Randomness,
) -> Result<Question, NoRandomness> {
    let endpoint = &settings.endpoint;
    let uri = HttpUri::from(endpoint);
    let callout = match &settings.style {
        IntrospectionStyle::Itself => Callout::get(&settings.cluster, &uri, Some(token), settings.timeout),
        IntrospectionStyle::Rfc7662(asker) => {
            let request = match asker {
                Asker::Bearer(bearer) => introspection::request_as_bearer(token, bearer),
                Asker::Client(client) => {
                    let jti = base64url::encode(&draw::<16>(random)?);
                    let facts = AssertionFacts {
                        audience: endpoint.as_str(),
                        jti: &jti,
                        issued_at: now.since_epoch(),
                        lifetime: ASSERTION_LIFETIME,
                    };
                    introspection::request(token, client, &facts)
                }
            };
            Callout::post(&settings.cluster, &uri, &request, settings.timeout)
        }
    };
    Ok(Question { topic, callout })
}

/// Reads an answer. What is neither a yes nor a no is an error.
pub(crate) fn read<'b>(settings: &IntrospectionSettings, answer: &'b Answer) -> Result<Answered<'b>, ResponseError> {
    let (status, body) = (answer.status, answer.body.as_slice());
    let found = match settings.style {
        IntrospectionStyle::Itself => Introspection::read_of_bearer(status, body)?,
        IntrospectionStyle::Rfc7662(_) => Introspection::read(status, body)?,
    };
    Ok(match found {
        Introspection::Inactive => Answered::Inactive,
        Introspection::Active(_) if settings.renames.is_empty() => Answered::Active(Cow::Borrowed(body)),
        Introspection::Active(token) => Answered::Active(Cow::Owned(renamed(&settings.renames, token.claims()))),
    })
}

/// The claims under the names that they have here. What has the name of another one stands for nothing.
fn renamed(renames: &[Rename], claims: Value<'_>) -> Vec<u8> {
    let is_taken = |name: &str| renames.iter().any(|rename| rename.name == name);
    let kept = claims.members().filter(|(name, _)| !is_taken(name));
    let kept = kept.map(|(name, value)| [json_text::string(name), json_text::compact(value)].join(":"));
    let moved = renames.iter().filter_map(|rename| {
        let value = rename.from.find(claims)?;
        // Some number their users; `sub` is a string (RFC 7519 §4.1.2).
        let value = match value.as_number().filter(|_| rename.name == "sub") {
            Some(number) => json_text::string(number.text()),
            None => json_text::compact(value),
        };
        Some([json_text::string(&rename.name), value].join(":"))
    });
    let members: Vec<_> = kept.chain(moved).collect();
    ["{", &members.join(","), "}"].concat().into_bytes()
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use jose::json::Document;

    use super::*;
    use crate::claims::ClaimRef;

    fn rename(name: &str, from: &str) -> Rename {
        Rename { name: name.to_string(), from: ClaimRef::dotted(from).expect("is a claim") }
    }

    fn renamed_text(renames: &[Rename], claims: &str) -> String {
        let document = Document::parse(claims.as_bytes()).expect("is JSON");
        let text = String::from_utf8(renamed(renames, document.root())).expect("is text");
        Document::parse(text.as_bytes()).expect("is JSON");
        text
    }

    #[test]
    fn claims_get_the_names_that_they_have_here() {
        let renames = [rename("sub", "id"), rename("exp", "token.expires")];
        let claims = r#"{"id":583231,"login":"octocat","token":{"expires":1700000000}}"#;
        let expected =
            r#"{"id":583231,"login":"octocat","token":{"expires":1700000000},"sub":"583231","exp":1700000000}"#;
        assert_eq!(renamed_text(&renames, claims), expected);
    }

    #[test]
    fn what_has_the_name_of_a_renamed_claim_stands_for_nothing() {
        let renames = [rename("sub", "username")];
        assert_eq!(
            renamed_text(&renames, r#"{"sub":"admin","username":"alice"}"#),
            r#"{"username":"alice","sub":"alice"}"#
        );
        assert_eq!(renamed_text(&renames, r#"{"sub":"admin","a":1}"#), r#"{"a":1}"#);
    }

    #[test]
    fn two_names_may_be_exchanged() {
        let renames = [rename("a", "b"), rename("b", "a")];
        assert_eq!(renamed_text(&renames, r#"{"a":1,"b":2}"#), r#"{"a":2,"b":1}"#);
    }
}
