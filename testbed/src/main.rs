//! `testbed issuer`, `testbed sts` and `testbed upstream`: the servers around a gate, for demos and benchmarks.

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use testbed::issuer::{Issuer, Options};
use testbed::keys::{Algorithm, SigningKey};
use testbed::proof::{Proof, thumbprint};
use testbed::sts::{self, Sts};
use testbed::upstream::Upstream;
use tokio::io::AsyncReadExt as _;
use tokio::signal::unix::{SignalKind, signal};

/// What a gate meets in the world: an issuer and an upstream. For demos, tests and benchmarks only.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    server: Server,
}

#[derive(Subcommand)]
enum Server {
    /// An issuer that mints any token for anybody and fails on demand.
    #[command(after_help = ISSUER_HELP)]
    Issuer(IssuerArguments),
    /// Prints a new private key (ES256) as a JWK.
    Key,
    /// Prints a proof that its sender holds a key (RFC 9449).
    Proof(ProofArguments),
    /// AWS's security token service, and a cluster that reads tokens made of its credentials.
    #[command(after_help = STS_HELP)]
    Sts(StsArguments),
    /// Prints the thumbprint of a key (RFC 7638).
    Thumbprint(KeyFile),
    /// An HTTP server that answers with what reached it, as JSON.
    #[command(after_help = UPSTREAM_HELP)]
    Upstream(Common),
}

const ISSUER_HELP: &str = "\
Tokens:
  curl 'http://127.0.0.1:18001/token?sub=alice&scope=orders:read'
  Parameters, also as members of a JSON body: sub, scope, groups, aud, lifetime (seconds, may be negative), alg,
  kid, typ, claims and header (JSON objects; null removes a member), opaque (the beginning of a token that is no JWT,
  and that /oauth/introspect and /auth/api/v1/token-info tell about), and flaw: alg-none, bad-signature,
  der-signature, duplicate-member, embedded-jwk, empty-signature, foreign-key, hs256-public-jwk,
  hs256-public-key, padded, tampered, unknown-kid or unpublished-key.

Login: an OpenID provider, at which anybody logs in, with any client:
  curl -d '{\"page\": true}' http://127.0.0.1:18001/control/provider   (a page asks for the name)
  Members: user (claims), page, refresh (rotating, fixed, none), grace_ms, ends_replayed, lifetime (seconds),
  jwt_access_tokens and flaws, in which callback, id_token, refreshed_id_token, id_token_header, response,
  refreshed_response, exchange, introspection and userinfo replace members (null removes one), and id_token_flaw is a flaw as above.

Control:
  curl -X POST 'http://127.0.0.1:18001/control/rotate?keep=true'   (publish=false: sign with them, but hide them)
  curl -X POST http://127.0.0.1:18001/control/publish
  curl -d '{\"mode\": \"status\", \"status\": 500, \"times\": 2}' http://127.0.0.1:18001/control/jwks
  curl -d gt-… http://127.0.0.1:18001/control/revoke
  curl http://127.0.0.1:18001/control/stats
  curl -X POST http://127.0.0.1:18001/control/reset
  Modes of /control/jwks, /control/discovery, /control/exchange and /control/introspection: ok, status (status), html, garbage, truncated, cut_off,
  oversize (bytes), stall, slow (millis), close, redirect, endless, duplicate_member (member), error (error, status)
  and body (body, content_type); for the key set also
  empty_set, no_usable_key and odd_keys; for discovery also wrong_issuer, no_jwks_uri and foreign_jwks_uri (uri).
  With `times` all is well again after so many requests.";

const STS_HELP: &str = "\
AssumeRoleWithWebIdentity at /, for an ID token that the issuer has made for the audience; and a cluster's word on a
token, at which the service's own host is not asked:
  curl -H 'Authorization: Bearer k8s-aws-v1.…' 'http://127.0.0.1:18005/authenticate?cluster=prod'
Control:
  curl -d '{\"mode\": \"stall\", \"times\": 1}' http://127.0.0.1:18005/control/sts   (modes as for an issuer's endpoints)";

const UPSTREAM_HELP: &str = "\
The last segment of a path picks the answer: /sse?events=3&interval_ms=100, /ndjson?lines=3&interval_ms=100,
/status/CODE, /ws (a WebSocket that echoes), /mirror (the body, as it arrives), /slow?ms=1000; or the parameter `as`
in its place: /orders/7?as=sse. Everything else is answered with the request as JSON.";

#[derive(Args)]
struct Common {
    /// Where to listen: a port of 127.0.0.1, 0 for any that is free.
    #[arg(long, value_name = "127.0.0.1:PORT", value_parser = loopback)]
    listen: SocketAddrV4,
    /// Stop when standard input ends, as it does when the process at its other end dies.
    #[arg(long)]
    stop_with_parent: bool,
}

#[derive(Args)]
struct IssuerArguments {
    #[command(flatten)]
    common: Common,
    /// The `iss` of tokens; by default the URL where it listens.
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// One key is made for each; the first signs by default.
    #[arg(long, value_delimiter = ',', default_values = ["RS256", "ES256", "EdDSA"])]
    algorithms: Vec<Algorithm>,
    /// The `aud` of tokens that ask for no other.
    #[arg(long, value_name = "NAME", default_value = "demo")]
    audience: String,
    /// The `Cache-Control` of the key set and the discovery document.
    #[arg(long, value_name = "VALUE")]
    cache_control: Option<String>,
}

#[derive(Args)]
struct KeyFile {
    /// The file that `testbed key` was written to.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
}

#[derive(Args)]
struct ProofArguments {
    #[command(flatten)]
    key: KeyFile,
    /// The method of the request.
    method: String,
    /// Its URL.
    url: String,
    /// The token that it comes with.
    #[arg(long, value_name = "TOKEN")]
    token: Option<String>,
    /// The nonce that was asked for.
    #[arg(long, value_name = "NONCE")]
    nonce: Option<String>,
}

#[derive(Args)]
struct StsArguments {
    #[command(flatten)]
    common: Common,
    /// Whose ID tokens are good.
    #[arg(long, value_name = "URL")]
    issuer: String,
    /// The client that they must be made for.
    #[arg(long, value_name = "NAME")]
    audience: String,
    /// A role that there is; any number.
    #[arg(long = "role", value_name = "ARN")]
    roles: Vec<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match serve(Arguments::parse().server).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("testbed: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(server: Server) -> std::io::Result<()> {
    match server {
        Server::Issuer(arguments) => {
            let common = arguments.common;
            let issuer = Issuer::start(Options {
                port: common.listen.port(),
                issuer: arguments.issuer,
                algorithms: arguments.algorithms,
                audience: arguments.audience,
                cache_control: arguments.cache_control,
                ..Options::default()
            })?;
            announce("issuer", issuer.address())?;
            until_stopped(common.stop_with_parent).await
        }
        Server::Key => print(&SigningKey::generate(Algorithm::ES256).private_jwk().unwrap_or_default().to_string()),
        Server::Proof(ProofArguments { key, method, url, token, nonce }) => {
            let key = key.read()?;
            let proof = Proof::new(&key, &method, &url);
            let proof = token.iter().fold(proof, |proof, token| proof.of(token));
            print(&nonce.iter().fold(proof, |proof, nonce| proof.nonce(nonce)).text())
        }
        Server::Thumbprint(key) => print(&thumbprint(&key.read()?)),
        Server::Sts(StsArguments { common, issuer, audience, roles }) => {
            let sts = Sts::start(sts::Options { port: common.listen.port(), issuer, audience, roles })?;
            announce("sts", sts.address())?;
            until_stopped(common.stop_with_parent).await
        }
        Server::Upstream(common) => {
            let upstream = Upstream::start(common.listen.port())?;
            announce("upstream", upstream.address())?;
            until_stopped(common.stop_with_parent).await
        }
    }
}

impl KeyFile {
    fn read(&self) -> std::io::Result<SigningKey> {
        let jwk = serde_json::from_slice(&std::fs::read(&self.key)?)?;
        SigningKey::from_private_jwk(&jwk).ok_or_else(|| std::io::Error::other("the file has no key of that kind"))
    }
}

fn print(text: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{text}")
}

fn announce(name: &str, address: SocketAddr) -> std::io::Result<()> {
    let mut output = std::io::stdout();
    writeln!(output, "testbed {name} listening on http://{address}")?;
    output.flush()
}

async fn until_stopped(with_parent: bool) -> std::io::Result<()> {
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = interrupted.recv() => {}
        _ = terminated.recv() => {}
        () = end_of_input(), if with_parent => {
            // The thread that reads cannot be woken, so the process must not wait for it.
            std::process::exit(0);
        }
    }
    Ok(())
}

async fn end_of_input() {
    let mut input = tokio::io::stdin();
    let mut bytes = [0; 256];
    while input.read(&mut bytes).await.is_ok_and(|count| count > 0) {}
}

/// Tokens for anybody and failures on demand must not be offered to a network.
fn loopback(text: &str) -> Result<SocketAddrV4, String> {
    let address: SocketAddrV4 = text.parse().map_err(|_| "expected 127.0.0.1:PORT".to_owned())?;
    if *address.ip() == Ipv4Addr::LOCALHOST { Ok(address) } else { Err("it listens on 127.0.0.1 only".to_owned()) }
}
