//! A login, as a browser goes through it: from the gate to the issuer, and back with a session.

use std::net::SocketAddr;

use real_envoy::http::{Request, Response};
use testbed::issuer::Behaviour;
use testbed::mint::object;

use crate::failure::{Failure, Result};
use crate::world::{HOST, LIFETIME, World, identity};

const LOGIN: &str = "/.jotgate/login";

/// Logs in at the gate that listens there, as somebody who has these scopes, and gives the `Cookie` of the session.
pub(crate) fn log_in(world: &World, gate: SocketAddr, scopes: &str) -> Result<String> {
    world.issuer.set_behaviour(Behaviour {
        user: object(identity(scopes)),
        lifetime: LIFETIME,
        ..Behaviour::default()
    });
    let start = navigate(LOGIN).send(gate)?;
    let asked = sent_to(&start, &world.issuer.url())?;
    let answered =
        Request::get(&asked).header("host", world.issuer.address().to_string()).send(world.issuer.address())?;
    let callback = sent_to(&answered, &format!("https://{HOST}"))?;
    let done = navigate(&callback).header("cookie", cookies(&start)).send(gate)?;
    match cookies(&done) {
        cookie if done.status == 303 && !cookie.is_empty() => Ok(cookie),
        _ => Err(Failure::new(format!("expected a session from the login, found {}: {}", done.status, done.text()))),
    }
}

fn navigate(target: &str) -> Request {
    let request = Request::get(target).header("host", HOST).header("accept", "text/html");
    request.header("sec-fetch-mode", "navigate").header("sec-fetch-dest", "document")
}

/// The path and query of a redirection, which has to lead to `origin`.
fn sent_to(response: &Response, origin: &str) -> Result<String> {
    let location = response.header("location").unwrap_or_default();
    location.strip_prefix(origin).map(str::to_owned).ok_or_else(|| {
        Failure::new(format!("expected a redirection to {origin}, found {} to `{location}`", response.status))
    })
}

/// What the browser sends from now on: cookies that were set, without those that were deleted.
fn cookies(response: &Response) -> String {
    let lines = response.head.all("set-cookie");
    let pairs = lines.iter().filter_map(|line| line.split(';').next());
    pairs.filter(|pair| !pair.ends_with('=')).collect::<Vec<_>>().join("; ")
}
