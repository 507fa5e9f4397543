//! `session`: how the sessions of logins are kept.

use std::time::Duration;

use jose::json::Kind;
use oauth::Secret;

use super::reader::{Node, all};
use super::{Environment, duration, instant, origin, own_paths, secret, session_cookie};
use crate::login::Destinations;
use crate::policy::{Issuer, Keep, Login, OwnPaths, PublicUrl, SessionSettings};
use crate::sessions::{Binding, Keyring};

/// With less, who reads a page is logged out meanwhile.
const LEAST_IDLE: Duration = Duration::from_mins(1);

/// What `logins` and `issuers` have is bound into the keys.
pub(super) fn read(
    node: &Node<'_, '_>,
    logins: Option<&[Login]>,
    issuers: Option<&[Issuer]>,
    env: Environment<'_>,
) -> Option<SessionSettings> {
    let mut object = node.object()?;
    let secrets = object.required("secrets").and_then(|node| read_secrets(&node, env));
    let public_url = object.required("publicUrl").and_then(|node| read_public_url(&node));
    let cookie = session_cookie::read(&mut object, public_url.as_ref());
    let lifetime = object.or("lifetime", Duration::from_hours(12), duration::whole_seconds);
    let idle = object.unless_null("idle", None, |node| read_idle(node, lifetime).map(Some));
    let refresh_after = object.or("refreshAfter", Duration::from_mins(5), |node| read_refresh_after(node, lifetime));
    let keep_after_expiry = object.or("keepAfterExpiry", false, Node::boolean);
    let outage = object.or("outage", Duration::from_mins(15), |node| duration::in_whole_seconds(node, Duration::ZERO));
    let keep = object.or("keep", Keep::default(), read_keep);
    let paths = object.or("paths", OwnPaths::default(), own_paths::read);
    let return_to = object.or("returnTo", Vec::new(), |node| all(node.elements()?.iter().map(origin::read_text)));
    let after_logout = object.or("afterLogout", String::from("/"), Node::owned_text);
    let not_before = object.unless_null("notBefore", None, |node| instant::read(node).map(Some));
    let close_web_sockets = object.or("closeWebSockets", true, Node::boolean);
    object.finish();
    let public_url = public_url?;
    let settings = SessionSettings {
        keyring: keyring(&secrets?, &public_url, logins?, issuers?),
        public_url,
        cookie: cookie?,
        lifetime: lifetime?,
        idle: idle?,
        refresh_after: refresh_after?,
        keep_after_expiry: keep_after_expiry?,
        outage: outage?,
        keep: keep?,
        paths: paths?,
        return_to: return_to?,
        after_logout: after_logout?,
        not_before: not_before?,
        close_web_sockets: close_web_sockets?,
    };
    check_after_logout(node, &settings);
    Some(settings)
}

/// Who logged out goes where who logs in could return to.
fn check_after_logout(node: &Node<'_, '_>, settings: &SessionSettings) {
    let address = Destinations::from(settings).read(&settings.after_logout);
    if address.is_none_or(|address| address.as_str() != settings.after_logout) {
        let message = "expected a path in its canonical form that is none of `paths`, or a URL in one of the origins of \
                       `returnTo`";
        node.error_at("afterLogout", message);
    }
}

fn read_secrets(node: &Node<'_, '_>, env: Environment<'_>) -> Option<Vec<Secret>> {
    if node.value.kind() != Kind::Array {
        return node.fail("expected a list of secrets");
    }
    let nodes = node.list()?;
    let secrets: Vec<_> = nodes.iter().map(|node| secret::read_for_keys(node, env)).collect();
    for (index, (node, secret)) in nodes.iter().zip(&secrets).enumerate() {
        let Some(secret) = secret else { continue };
        let is_same = |other: &Option<Secret>| other.as_ref().is_some_and(|other| other.reveal() == secret.reveal());
        if let Some(earlier) = secrets.iter().take(index).position(is_same) {
            node.error(format!("the same secret as that of `session.secrets[{earlier}]`"));
        }
    }
    all(secrets.into_iter())
}

/// `https`, or `http` on the machine that the browser runs on.
fn read_public_url(node: &Node<'_, '_>) -> Option<PublicUrl> {
    let uri = origin::read(node)?;
    match uri.is_https || uri.is_loopback() {
        true => Some(PublicUrl { text: uri.origin(), uri }),
        false => node.expected(
            "an `https` origin: with `http`, which is for `127.0.0.1`, `[::1]` and `localhost` alone, everybody on the way \
             reads the session",
        ),
    }
}

fn read_idle(node: &Node<'_, '_>, lifetime: Option<Duration>) -> Option<Duration> {
    let idle = duration::in_whole_seconds(node, LEAST_IDLE)?;
    match lifetime.is_some_and(|lifetime| idle >= lifetime) {
        true => node.fail("has no effect: `lifetime` ends the session before"),
        false => Some(idle),
    }
}

fn read_refresh_after(node: &Node<'_, '_>, lifetime: Option<Duration>) -> Option<Duration> {
    let refresh_after = duration::whole_seconds(node)?;
    match lifetime.is_some_and(|lifetime| refresh_after >= lifetime) {
        true => node.fail("has no effect: `lifetime` ends the session before"),
        false => Some(refresh_after),
    }
}

fn read_keep(node: &Node<'_, '_>) -> Option<Keep> {
    let id_token = Keep { id_token: true, ..Keep::default() };
    let access_token = Keep { access_token: true, ..Keep::default() };
    let words = [("accessToken", access_token), ("idToken", id_token)];
    let kept = all(node.elements()?.iter().map(|node| node.word(&words)))?;
    Some(Keep {
        id_token: kept.iter().any(|kept| kept.id_token),
        access_token: kept.iter().any(|kept| kept.access_token),
    })
}

fn keyring(secrets: &[Secret], public_url: &PublicUrl, logins: &[Login], issuers: &[Issuer]) -> Keyring {
    let binding = |login| -> Binding<'_> {
        let login: &Login = login;
        Binding {
            public_url: &public_url.text,
            login: &login.name,
            issuer: issuers.get(login.issuer).map_or("", Issuer::identifier),
            client: login.client.id(),
        }
    };
    let bindings: Vec<_> = logins.iter().map(binding).collect();
    Keyring::new(secrets, &bindings)
}
