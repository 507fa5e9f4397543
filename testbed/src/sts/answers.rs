//! The answers to `AssumeRoleWithWebIdentity`, and what may be wrong with them.

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::assume::{Credentials, Refusal};
use crate::clock::utc;

/// What is wrong with an answer of status 200.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Flaw {
    /// A value in a CDATA section.
    Cdata,
    /// A comment in the middle of a value.
    Comment,
    /// A document type, with an entity that a value refers to.
    Doctype,
    /// `SessionToken` twice.
    DuplicateElement,
    /// A character of a value as a reference.
    Entity,
    /// They have expired.
    Expired,
    /// They never end.
    Forever,
    /// `SecretAccessKey` is not there.
    MissingElement,
    /// The credentials stand within an element of another name.
    Nested,
    /// Nothing is wrong.
    #[default]
    None,
    /// A secret that does not belong to the access key.
    OtherSecret,
    /// Half of it.
    Truncated,
}

/// The answer with credentials, as AWS writes it.
pub(super) fn assumed(credentials: &Credentials, flaw: Flaw) -> String {
    let Credentials { access_key, secret_key, session_token, expiration, arn, subject, provider, audience } =
        credentials;
    let (role_session, end) = (arn.rsplit('/').next().unwrap_or_default(), utc(*expiration));
    let good = format!(
        "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n  \
           <AssumeRoleWithWebIdentityResult>\n    \
             <Audience>{audience}</Audience>\n    \
             <AssumedRoleUser>\n      \
               <AssumedRoleId>AROAEXAMPLEEXAMPLEEXA:{role_session}</AssumedRoleId>\n      \
               <Arn>{arn}</Arn>\n    \
             </AssumedRoleUser>\n    \
             <Provider>{provider}</Provider>\n    \
             <Credentials>\n      \
               <AccessKeyId>{access_key}</AccessKeyId>\n      \
               <SecretAccessKey>{secret_key}</SecretAccessKey>\n      \
               <SessionToken>{session_token}</SessionToken>\n      \
               <Expiration>{end}</Expiration>\n    \
             </Credentials>\n    \
             <SubjectFromWebIdentityToken>{subject}</SubjectFromWebIdentityToken>\n  \
           </AssumeRoleWithWebIdentityResult>\n  \
           <ResponseMetadata>\n    \
             <RequestId>ad4156e9-bce1-11e2-82e6-6b6efEXAMPLE</RequestId>\n  \
           </ResponseMetadata>\n\
         </AssumeRoleWithWebIdentityResponse>\n"
    );
    flawed(&good, credentials, flaw)
}

fn flawed(good: &str, credentials: &Credentials, flaw: Flaw) -> String {
    let Credentials { secret_key, session_token, expiration, .. } = credentials;
    let (first, rest) = secret_key.split_at(1);
    let end = utc(*expiration);
    match flaw {
        Flaw::None => good.to_owned(),
        Flaw::Cdata => good.replace(secret_key, &format!("<![CDATA[{secret_key}]]>")),
        Flaw::Comment => good.replace(secret_key, &format!("{first}<!-- -->{rest}")),
        Flaw::Doctype => {
            let entity = format!("<!DOCTYPE a [<!ENTITY key \"{secret_key}\">]>\n");
            entity + &good.replace(secret_key, "&key;")
        }
        Flaw::DuplicateElement => {
            let element = format!("<SessionToken>{session_token}</SessionToken>");
            good.replace(&element, &format!("<SessionToken>another</SessionToken>{element}"))
        }
        Flaw::Entity => {
            let code = first.chars().next().map_or(0, u32::from);
            good.replace(secret_key, &format!("&#{code};{rest}"))
        }
        Flaw::Expired => good.replace(&end, "2020-01-01T00:00:00Z"),
        Flaw::Forever => good.replace(&end, "9999-12-31T23:59:59Z"),
        Flaw::MissingElement => good.replace(&format!("<SecretAccessKey>{secret_key}</SecretAccessKey>"), ""),
        Flaw::Nested => good.replace("Credentials>", "Others>"),
        Flaw::OtherSecret => good.replace(secret_key, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        Flaw::Truncated => good.chars().take(good.len() / 2).collect(),
    }
}

/// An error, as AWS writes it.
pub(super) fn refused(refusal: &Refusal) -> Response {
    let Refusal { status, code, message } = refusal;
    let message = message.replace('&', "&amp;").replace('<', "&lt;");
    let text = format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n  <Error>\n    <Type>Sender</Type>\n    \
         <Code>{code}</Code>\n    <Message>{message}</Message>\n  </Error>\n  \
         <RequestId>ad4156e9-bce1-11e2-82e6-6b6efEXAMPLE</RequestId>\n</ErrorResponse>\n"
    );
    let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::BAD_REQUEST);
    (status, [(CONTENT_TYPE, "text/xml")], text).into_response()
}
