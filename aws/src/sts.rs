//! `AssumeRoleWithWebIdentity`: the credentials of a role for an ID token
//! (<https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html>).

use std::fmt;
use std::time::Duration;

use oauth::Secret;
use oauth::form::Form;

use crate::arn::RoleArn;
use crate::instant;
use crate::sigv4::Credentials;
use crate::xml::{self, Element};

/// How many octets of an answer are read.
pub const MAX_BODY: usize = 64 * 1024;
/// How long a role may be assumed for at least.
pub const LEAST_DURATION: Duration = Duration::from_mins(15);
/// How long at most; the role itself may allow less.
pub const MOST_DURATION: Duration = Duration::from_hours(12);

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
const MEMBERS: [&str; 4] = ["AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"];

/// A role that is asked for.
#[derive(Clone, Copy, Debug)]
pub struct AssumeRole<'a> {
    /// Which role.
    pub role: &'a RoleArn,
    /// See [`crate::session_name`].
    pub session_name: &'a str,
    /// The ID token.
    pub token: &'a Secret,
    /// For how long, within [`LEAST_DURATION`] and [`MOST_DURATION`].
    pub duration: Duration,
}

impl AssumeRole<'_> {
    /// The body of the request. It is not signed: the ID token says whose it is.
    pub fn form(&self) -> Form {
        let duration = self.duration.clamp(LEAST_DURATION, MOST_DURATION);
        let mut form = Form::default();
        form.push("Action", "AssumeRoleWithWebIdentity");
        form.push("Version", "2011-06-15");
        form.push("RoleArn", self.role.as_str());
        form.push("RoleSessionName", self.session_name);
        form.push("WebIdentityToken", self.token.reveal());
        form.push("DurationSeconds", &duration.as_secs().to_string());
        form
    }
}

/// A role that was assumed.
#[derive(Clone, Debug)]
pub struct AssumedRole {
    /// What it signs with.
    pub credentials: Credentials,
    /// When they end, since 1970.
    pub expiration: Duration,
}

impl AssumedRole {
    /// Reads an answer.
    pub fn read(status: u16, body: &[u8]) -> Result<Self, StsError> {
        let root =
            str::from_utf8(body).ok().filter(|_| body.len() <= MAX_BODY).and_then(|text| xml::read(text, NAMESPACE));
        if status == 200 {
            return root.as_ref().and_then(Self::from_response).ok_or(StsError::Malformed);
        }
        let code = root.as_ref().and_then(code);
        let is_denied = matches!(status, 400 | 401 | 403) && !code.is_some_and(StsCode::is_temporary);
        Err(if is_denied { StsError::Denied { status, code } } else { StsError::Unavailable { status, code } })
    }

    fn from_response(root: &Element<'_>) -> Option<Self> {
        let is_response = root.name == "AssumeRoleWithWebIdentityResponse";
        let result = root.one("AssumeRoleWithWebIdentityResult").filter(|_| is_response)?;
        let found = result.one("Credentials")?;
        (found.children.len() == MEMBERS.len()).then_some(())?;
        let [id, secret, token, expiration] = MEMBERS.map(|member| found.value(member));
        let is_id = |id: &&str| id.len() <= 128 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let credentials = Credentials {
            access_key_id: id.filter(is_id)?.to_string(),
            secret_access_key: Secret::new(secret?),
            session_token: Some(Secret::new(token?)),
        };
        Some(Self { credentials, expiration: instant::parse(expiration?)? })
    }
}

/// The code of an error document.
fn code(root: &Element<'_>) -> Option<StsCode> {
    let error = root.one("Error").filter(|_| root.name == "ErrorResponse")?;
    StsCode::ALL.into_iter().find(|code| Some(code.as_str()) == error.value("Code"))
}

/// The errors of STS that are known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StsCode {
    /// The role's trust policy does not allow it.
    AccessDenied,
    /// The token is over.
    ExpiredToken,
    /// STS has a fault.
    InternalFailure,
    /// The provider's keys could not be fetched.
    IdpCommunicationError,
    /// The provider says that the token is not good.
    IdpRejectedClaim,
    /// The token is not from a provider that the account knows, or not for its client.
    InvalidIdentityToken,
    /// What belongs to the session is too large.
    PackedPolicyTooLarge,
    /// The account does not use STS in that region.
    RegionDisabled,
    /// STS has no capacity.
    ServiceUnavailable,
    /// Too many requests.
    Throttling,
    /// A parameter is wrong.
    ValidationError,
}

impl StsCode {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::AccessDenied,
        Self::ExpiredToken,
        Self::InternalFailure,
        Self::IdpCommunicationError,
        Self::IdpRejectedClaim,
        Self::InvalidIdentityToken,
        Self::PackedPolicyTooLarge,
        Self::RegionDisabled,
        Self::ServiceUnavailable,
        Self::Throttling,
        Self::ValidationError,
    ];

    /// As STS writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccessDenied => "AccessDenied",
            Self::ExpiredToken => "ExpiredTokenException",
            Self::InternalFailure => "InternalFailure",
            Self::IdpCommunicationError => "IDPCommunicationError",
            Self::IdpRejectedClaim => "IDPRejectedClaim",
            Self::InvalidIdentityToken => "InvalidIdentityToken",
            Self::PackedPolicyTooLarge => "PackedPolicyTooLarge",
            Self::RegionDisabled => "RegionDisabledException",
            Self::ServiceUnavailable => "ServiceUnavailable",
            Self::Throttling => "Throttling",
            Self::ValidationError => "ValidationError",
        }
    }

    /// What it means, and what to do.
    pub const fn advice(self) -> &'static str {
        match self {
            Self::AccessDenied => "the role's trust policy does not admit this user, client or provider",
            Self::ExpiredToken => "the ID token has expired",
            Self::InternalFailure | Self::ServiceUnavailable => "STS is unavailable",
            Self::IdpCommunicationError => "STS could not fetch the provider's keys",
            Self::IdpRejectedClaim => "the provider rejected the ID token",
            Self::InvalidIdentityToken => {
                "the account has no OIDC provider for this issuer and client, or its keys differ"
            }
            Self::PackedPolicyTooLarge => "the session's tags are too large",
            Self::RegionDisabled => "the account does not use STS in this region",
            Self::Throttling => "STS limits the requests of this account",
            Self::ValidationError => "STS rejected a parameter: compare `duration` with the role's maximum",
        }
    }

    /// Whether the same request may succeed later.
    const fn is_temporary(self) -> bool {
        matches!(
            self,
            Self::IdpCommunicationError | Self::InternalFailure | Self::ServiceUnavailable | Self::Throttling
        )
    }
}

/// Why a role was not assumed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StsError {
    /// STS does not give the role to this caller.
    Denied {
        /// The status.
        status: u16,
        /// The code, where it is a known one.
        code: Option<StsCode>,
    },
    /// The answer is not what STS answers.
    Malformed,
    /// STS cannot answer now.
    Unavailable {
        /// The status.
        status: u16,
        /// The code, where it is a known one.
        code: Option<StsCode>,
    },
}

impl StsError {
    /// Whether the same request may succeed later.
    pub const fn is_temporary(self) -> bool {
        !matches!(self, Self::Denied { .. })
    }
}

impl std::error::Error for StsError {}

impl fmt::Display for StsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied { status, code: Some(code) } | Self::Unavailable { status, code: Some(code) } => {
                write!(formatter, "answered {status} {}: {}", code.as_str(), code.advice())
            }
            Self::Denied { status, code: None } | Self::Unavailable { status, code: None } => {
                write!(formatter, "answered {status}, without an error code of STS")
            }
            Self::Malformed => formatter.write_str("answered with other XML than STS's"),
        }
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    /// The example of the API reference, with its keys replaced.
    const RESPONSE: &str = r#"<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleWithWebIdentityResult>
    <SubjectFromWebIdentityToken>a&amp;b</SubjectFromWebIdentityToken>
    <Audience>client.5498841531868486423.1548@apps.example.com</Audience>
    <AssumedRoleUser>
      <Arn>arn:aws:sts::123456789012:assumed-role/FederatedWebIdentityRole/app1</Arn>
      <AssumedRoleId>AROACLKWSDQRAOEXAMPLE:app1</AssumedRoleId>
    </AssumedRoleUser>
    <Credentials>
      <SessionToken>AQoDYXdzEE0a8ANXXXXXXXXNO1ewxE5TijQyp+IEXAMPLE=</SessionToken>
      <SecretAccessKey>wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY</SecretAccessKey>
      <Expiration>2014-10-24T23:00:23Z</Expiration>
      <AccessKeyId>ASgeIAIOSFODNN7EXAMPLE</AccessKeyId>
    </Credentials>
    <Provider>www.amazon.com</Provider>
  </AssumeRoleWithWebIdentityResult>
  <ResponseMetadata>
    <RequestId>ad4156e9-bce1-11e2-82e6-6b6efEXAMPLE</RequestId>
  </ResponseMetadata>
</AssumeRoleWithWebIdentityResponse>"#;

    fn error(status: u16, code: &str) -> StsError {
        let body = format!(
            "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>Sender</Type><Code>{code}</Code>\
            <Message>No OpenIDConnect provider found in your account for &quot;https://x&quot;</Message></Error>\
            <RequestId>1</RequestId></ErrorResponse>"
        );
        AssumedRole::read(status, body.as_bytes()).expect_err("is an error")
    }

    #[test]
    fn a_role_is_asked_for_with_a_token() {
        let role = RoleArn::parse("arn:aws:iam::111122223333:role/viewer").expect("is a role");
        let token = Secret::new("a.b.c");
        let ask = |duration| AssumeRole { role: &role, session_name: "a@b", token: &token, duration }.form();
        assert_eq!(
            ask(Duration::from_hours(1)).as_str(),
            "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fviewer\
            &RoleSessionName=a%40b&WebIdentityToken=a.b.c&DurationSeconds=3600"
        );
        assert!(ask(Duration::ZERO).as_str().ends_with("=900") && ask(Duration::MAX).as_str().ends_with("=43200"));
    }

    #[test]
    fn an_answer_has_the_four_members() {
        let role = AssumedRole::read(200, RESPONSE.as_bytes()).expect("is read");
        let token = role.credentials.session_token.expect("is there");
        assert_eq!(role.credentials.access_key_id, "ASgeIAIOSFODNN7EXAMPLE");
        assert_eq!(role.credentials.secret_access_key.reveal(), "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY");
        assert_eq!(token.reveal(), "AQoDYXdzEE0a8ANXXXXXXXXNO1ewxE5TijQyp+IEXAMPLE=");
        assert_eq!(role.expiration, Duration::from_secs(1_414_191_623));
    }

    #[test]
    fn each_member_stands_once_in_the_credentials() {
        let id = "<AccessKeyId>ASgeIAIOSFODNN7EXAMPLE</AccessKeyId>";
        let result = "<Provider>www.amazon.com</Provider>";
        for (from, to) in [
            (id, String::new()),
            (id, [id, id].concat()),
            (id, id.replace("AccessKeyId", "accessKeyId")),
            (id, id.replace("AccessKeyId", "a:AccessKeyId")),
            (id, id.replace("ASge", "<!-- -->ASge")),
            (id, id.replace("ASge", "<![CDATA[ASge]]>")),
            (id, id.replace("ASge", "&#65;Sge")),
            (id, id.replace("ASge", "&x;")),
            (id, id.replace("ASge", "<?x?>")),
            (id, id.replace("ASge", "AS ge")),
            (id, id.replace("ASge", "AS/ge")),
            (id, id.replace("ASge", "\nASge")),
            (id, "<AccessKeyId/>".into()),
            (id, "<AccessKeyId><AccessKeyId>A</AccessKeyId></AccessKeyId>".into()),
            (id, [id, "<Extra>1</Extra>"].concat()),
            ("2014-10-24T23:00:23Z", "2014-10-24".into()),
            ("2014-10-24T23:00:23Z", "1414191623".into()),
            ("<Credentials>", "<Credentials xmlns=\"urn:x\">".into()),
            (result, "<Credentials></Credentials>".into()),
            (result, format!("<Credentials>{id}</Credentials>")),
            (
                "<AssumeRoleWithWebIdentityResult>",
                "<AssumeRoleWithWebIdentityResult/><AssumeRoleWithWebIdentityResult>".into(),
            ),
            ("AssumeRoleWithWebIdentityResult>", "AssumeRoleResult>".into()),
            ("AssumeRoleWithWebIdentityResponse", "AssumeRoleResponse".into()),
            ("2011-06-15", "2010-05-08".into()),
            ("<AssumeRoleWithWebIdentityResponse", "<!DOCTYPE a><AssumeRoleWithWebIdentityResponse".into()),
        ] {
            let body = RESPONSE.replace(from, &to);
            assert_ne!(body, RESPONSE, "{to}");
            assert_eq!(AssumedRole::read(200, body.as_bytes()).map(drop), Err(StsError::Malformed), "{to}");
        }
        let large = RESPONSE.replace(result, &" ".repeat(MAX_BODY));
        for body in [&b""[..], b"{}", b"\xff", large.as_bytes(), error_document().as_bytes()] {
            assert_eq!(AssumedRole::read(200, body).map(drop), Err(StsError::Malformed));
        }
    }

    fn error_document() -> String {
        format!("<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Code>AccessDenied</Code></Error></ErrorResponse>")
    }

    #[test]
    fn status_and_code_say_whether_it_was_denied() {
        use StsCode::{AccessDenied, ExpiredToken, IdpCommunicationError, Throttling};
        let denied = |status, code| StsError::Denied { status, code };
        let unavailable = |status, code| StsError::Unavailable { status, code };
        for (status, code, expected) in [
            (400, "ExpiredTokenException", denied(400, Some(ExpiredToken))),
            (400, "IDPCommunicationError", unavailable(400, Some(IdpCommunicationError))),
            (400, "Throttling", unavailable(400, Some(Throttling))),
            (403, "AccessDenied", denied(403, Some(AccessDenied))),
            (403, "Evil\u{202e}<!-- -->", denied(403, None)),
            (403, "Unknown", denied(403, None)),
            (500, "AccessDenied", unavailable(500, Some(AccessDenied))),
            (503, "", unavailable(503, None)),
            (302, "", unavailable(302, None)),
        ] {
            assert_eq!(error(status, code), expected, "{status} {code}");
            assert_eq!(error(status, code).is_temporary(), matches!(expected, StsError::Unavailable { .. }));
        }
        assert_eq!(AssumedRole::read(403, b"<html>").map(drop), Err(denied(403, None)));
        assert_eq!(AssumedRole::read(201, RESPONSE.as_bytes()).map(drop), Err(unavailable(201, None)));
    }

    #[test]
    fn errors_say_what_to_do() {
        for (status, code, words) in [
            (400, "ExpiredTokenException", "answered 400 ExpiredTokenException: the ID token has expired"),
            (404, "Unknown", "answered 404, without an error code of STS"),
        ] {
            assert_eq!(error(status, code).to_string(), words);
        }
        assert_eq!(StsError::Malformed.to_string(), "answered with other XML than STS's");
    }
}
