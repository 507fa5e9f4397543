//! A JWT that the gate signs (RFC 7519), in the name of the caller.

use std::time::Duration;

use jose::base64url;
use jose::json::write;
use jose::sign::Header;

use super::caller::Caller;
use super::minted::{Lack, Minted};
use crate::known::Known;
use crate::policy::{SignedToken, UpstreamCredential};
use crate::random::draw;
use crate::sessions::Bounds;
use crate::time::Timestamp;

pub(super) fn mint(
    credential: &UpstreamCredential,
    settings: &SignedToken,
    caller: &Caller<'_>,
    known: &Known<'_>,
) -> Result<Minted, Lack> {
    let unavailable = Lack::Unavailable { retry_after: 1 };
    let signing = settings.signing().ok_or(Lack::Denied)?;
    let Some(claims) = caller.entry.principal.signed_claims(settings.index) else { return Err(Lack::Denied) };
    let Ok(jti) = draw::<16>(known.random) else { return Err(unavailable) };
    let iat = known.verification.now.since_epoch().as_secs();
    let lasting = iat.saturating_add(settings.lifetime.as_secs());
    let own_end = caller.session_end(known).map(|end| end.since_epoch().as_secs()).or(claims.exp);
    let exp = own_end.map_or(lasting, |end| end.min(lasting));
    let payload = format!(
        r#"{{"iss":{},"aud":{},"iat":{iat},"exp":{exp},"jti":"{}"{}}}"#,
        write::string(&settings.issuer),
        settings.audience(),
        base64url::encode(&jti),
        claims.members,
    );
    let header = Header { kid: Some(&signing.kid), typ: Some("JWT") };
    let token = signing.key.sign_compact_by(known.signer, header, payload.as_bytes());
    let half = Duration::from_secs(exp.saturating_sub(iat)) / 2;
    Ok(Minted { value: credential.value(&token), ends: known.verification.steady.after(half) })
}

impl Caller<'_> {
    /// When the session ends at the latest that it came with.
    fn session_end(&self, known: &Known<'_>) -> Option<Timestamp> {
        let policy = known.verification.policy;
        let (session, browser) = (self.session?, policy.browser.as_ref()?);
        Some(Bounds::of_login(policy, browser, session.login).ends_at(session))
    }
}
