//! Requests that wait for keys while their bodies press.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread::sleep;
use std::time::{Duration, Instant};

use real_envoy::http::raise_file_limit;
use serde_json::{Value, json};
use test_support::{SOON, eventually};
use testbed::flaws::Flaw;
use testbed::issuer::{Fault, Issuer, Mode, Options, TokenRequest};

use crate::world::{World, config};

const BODY: usize = 1 << 20;
const POSTS: usize = 400;
const MIB: u64 = 1 << 20;

/// An Envoy whose issuer does not answer.
fn world(limits: &Value, buffer: Option<u32>) -> World {
    let issuer = Issuer::start(Options::default()).unwrap();
    issuer.set_jwks(Fault::lasting(Mode::Slow { millis: 60_000 })).unwrap();
    let keys = json!({"jwksUri": format!("{}/jwks", issuer.url()), "cluster": "issuer", "timeout": "60s"});
    let mut config = config(&issuer, &json!({"limits": limits}));
    config["issuers"][0]["keys"] = keys;
    World::start(issuer, |bootstrap| {
        let bootstrap = bootstrap.plugin(&config.to_string());
        match buffer {
            Some(bytes) => bootstrap.listener("per_connection_buffer_limit_bytes", &json!(bytes)),
            None => bootstrap,
        }
    })
}

/// A request that sends its body as fast as the proxy takes it.
struct Post {
    stream: TcpStream,
    left: usize,
    answer: Vec<u8>,
}

impl Post {
    fn open(address: SocketAddr, token: &str) -> Self {
        let mut stream = TcpStream::connect(address).unwrap();
        let head =
            format!("POST /x HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\ncontent-length: {BODY}\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        stream.set_nonblocking(true).unwrap();
        Self { stream, left: BODY, answer: Vec::new() }
    }

    /// Sends and receives what is possible now. Says whether anything was.
    fn go_on(&mut self) -> bool {
        let piece = vec![b'a'; 65_536];
        let mut buffer = [0; 4096];
        let sent = self.stream.write(&piece[..self.left.min(piece.len())]);
        let received = self.stream.read(&mut buffer);
        let sent = sent.ok().filter(|_| self.answer.is_empty()).unwrap_or_default();
        self.left -= sent;
        let received = match received {
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
            // It was answered, and closed before the body was read.
            Err(_) => 0,
        };
        self.answer.extend_from_slice(&buffer[..received]);
        sent + received > 0
    }

    fn is(&self, status: &str, reason: &str) -> bool {
        let text = String::from_utf8_lossy(&self.answer);
        text.starts_with(&format!("HTTP/1.1 {status} ")) && text.contains(reason)
    }
}

/// Sends unsigned requests with a body each, and says how much memory the proxy took for them.
fn crowd(world: &World) -> (Vec<Post>, u64) {
    raise_file_limit();
    let forged = world.token(&TokenRequest { flaw: Flaw::BadSignature, ..TokenRequest::subject("alice") });
    eventually("the issuer was asked", || world.issuer.count("/jwks") > 0);
    let before = world.envoy.resident().unwrap();
    let mut posts: Vec<_> = (0..POSTS).map(|_| Post::open(world.envoy.address("gateway"), &forged)).collect();
    // Until nothing has come and gone for a second in which both sides had the time for it: a clock would go on while
    // they have none.
    let (start, mut quiet) = (Instant::now(), 0);
    while quiet < 200 && start.elapsed() < SOON {
        let busy = posts.iter_mut().filter_map(|post| post.go_on().then_some(())).count();
        quiet = if busy > 0 { 0 } else { quiet + 1 };
        sleep(Duration::from_millis(5));
    }
    let grown = world.envoy.resident().unwrap().saturating_sub(before);
    (posts, grown)
}

#[test]
fn bodies_that_wait_take_little_memory_and_the_excess_is_told_to_come_back() {
    let unbounded = json!({"waitFor": "50s", "waitingBodies": 1000});
    let (posts, grown) = crowd(&world(&unbounded, None));
    println!("{POSTS} bodies of 1 MiB without bounds: {} MiB", grown / MIB);
    assert!(posts.iter().all(|post| post.answer.is_empty()));
    assert!(grown > 150 * MIB, "nothing to bound: {} MiB", grown / MIB);

    let world = world(&json!({"waitFor": "50s"}), Some(32_768));
    let (posts, grown) = crowd(&world);
    println!("{POSTS} bodies of 1 MiB within bounds: {} MiB", grown / MIB);
    assert!(grown < 60 * MIB, "{} MiB", grown / MIB);
    let waiting = posts.iter().filter(|post| post.answer.is_empty()).count();
    let overloaded = posts.iter().filter(|post| post.is("503", "\"reason\":\"overloaded\"")).count();
    // Both workers have as many slots.
    assert!((100..=200).contains(&waiting), "{waiting} wait");
    assert_eq!(waiting + overloaded, POSTS);
    assert!(posts.iter().filter(|post| post.is("503", "retry-after: 1\r\n")).count() == overloaded);
    assert_eq!(world.upstream.count(), 0);
}
