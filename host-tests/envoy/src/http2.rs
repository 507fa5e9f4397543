//! An HTTP/2 client without TLS (RFC 9113 §3.3, prior knowledge): many streams share a connection, any of them can send
//! and receive in pieces, and end early.
//!
//! It sends what the client for HTTP/1.1 sends, a [`Request`]; `Host` becomes `:authority`. The library underneath
//! refuses what HTTP/2 cannot carry.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use h2::client::{Builder, ResponseFuture, SendRequest};
use h2::ext::Protocol;
use h2::{RecvStream, SendStream};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use tokio::net::TcpStream;
use tokio::runtime::{self, Runtime};
use tokio::time::{sleep, timeout};

use crate::http::{Head, Line, Request, Response};

pub use h2::Reason;

/// How long any single step may take.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Room for every answer, so that none waits for another to be read.
const WINDOW: u32 = 1 << 24;

/// Where connections are served while tests look elsewhere.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let runtime = runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime starts")
});

/// A connection; its clones are the same one. It ends when all of them and their streams are gone.
#[derive(Clone, Debug)]
pub struct Connection {
    sender: SendRequest<Bytes>,
}

impl Connection {
    /// Connects.
    pub fn open(address: SocketAddr) -> io::Result<Self> {
        wait(async {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let mut builder = Builder::new();
            builder.enable_push(false).initial_window_size(WINDOW).initial_connection_window_size(WINDOW);
            let (sender, connection) = builder.handshake(stream).await.map_err(io::Error::other)?;
            tokio::spawn(async move {
                // Whatever ends the connection ends each of its streams with an error, too.
                let _ = connection.await;
            });
            Ok(Self { sender })
        })
    }

    /// Sends a request and reads the whole answer.
    pub fn send(&self, request: &Request) -> io::Result<Response> {
        self.start(request)?.response()
    }

    /// Sends a request with its body and trailers. Waits only for the other side to allow one more stream.
    pub fn start(&self, request: &Request) -> io::Result<Stream> {
        let has_more = !request.body.is_empty() || !request.trailers.is_empty();
        let mut stream = self.begin(request, None, !has_more)?;
        // An answer may be there already, and nothing more wanted: what came of the request, it says.
        if !request.body.is_empty() {
            let _ = stream.write(&request.body, request.trailers.is_empty());
        }
        if !request.trailers.is_empty() {
            let _ = stream.finish_with(&request.trailers);
        }
        Ok(stream)
    }

    /// Sends the head of a request; the body follows with [`Stream::write`].
    pub fn open_request(&self, request: &Request) -> io::Result<Stream> {
        self.begin(request, None, false)
    }

    /// Extended CONNECT (RFC 8441): asks for a protocol such as `websocket`, once the other side allows that.
    pub fn connect(&self, protocol: &str, request: &Request) -> io::Result<Stream> {
        wait(async {
            while !self.sender.is_extended_connect_protocol_enabled() {
                sleep(Duration::from_millis(5)).await;
            }
            Ok(())
        })?;
        self.begin(request, Some(Protocol::from(protocol)), false)
    }

    fn begin(&self, request: &Request, protocol: Option<Protocol>, is_last: bool) -> io::Result<Stream> {
        let head = head(request, protocol)?;
        wait(async {
            let mut sender = self.sender.clone().ready().await.map_err(io::Error::other)?;
            let (response, send) = sender.send_request(head, is_last).map_err(io::Error::other)?;
            Ok(Stream { send, receive: Receive::Head(response) })
        })
    }
}

/// A request and its answer. Dropped before the answer has ended, it is reset.
#[derive(Debug)]
pub struct Stream {
    send: SendStream<Bytes>,
    receive: Receive,
}

#[derive(Debug)]
enum Receive {
    Head(ResponseFuture),
    Body(RecvStream),
}

impl Stream {
    /// Sends a piece of the body.
    pub fn write(&mut self, piece: &[u8], is_last: bool) -> io::Result<()> {
        self.send.send_data(Bytes::copy_from_slice(piece), is_last).map_err(io::Error::other)
    }

    /// Ends the request with these trailers.
    pub fn finish_with(&mut self, trailers: &[Line]) -> io::Result<()> {
        self.send.send_trailers(map(trailers)?).map_err(io::Error::other)
    }

    /// Ends the stream at once.
    pub fn reset(mut self, reason: Reason) {
        self.send.send_reset(reason);
    }

    /// The head of the answer. To be asked for once.
    pub fn head(&mut self) -> io::Result<Head> {
        let Receive::Head(future) = &mut self.receive else { panic!("the head was taken already") };
        let (parts, body) = wait(async { future.await.map_err(io::Error::other) })?.into_parts();
        self.receive = Receive::Body(body);
        Ok(Head { status: parts.status.as_u16(), headers: lines(&parts.headers) })
    }

    /// Whether the last thing that was read was the last of the answer: no body is to come, nor trailers.
    pub fn is_ended(&self) -> bool {
        matches!(&self.receive, Receive::Body(body) if body.is_end_stream())
    }

    /// The next piece of the body, as soon as it is there; none at its end.
    pub fn piece(&mut self) -> io::Result<Option<Vec<u8>>> {
        let body = self.body()?;
        wait(async {
            while let Some(piece) = body.data().await {
                let piece = piece.map_err(io::Error::other)?;
                body.flow_control().release_capacity(piece.len()).map_err(io::Error::other)?;
                // An empty frame may end a stream.
                if !piece.is_empty() {
                    return Ok(Some(piece.to_vec()));
                }
            }
            Ok(None)
        })
    }

    /// The trailers, once the body has ended.
    pub fn trailers(&mut self) -> io::Result<Vec<(String, Vec<u8>)>> {
        let body = self.body()?;
        let trailers = wait(async { body.trailers().await.map_err(io::Error::other) })?;
        Ok(trailers.map(|trailers| lines(&trailers)).unwrap_or_default())
    }

    /// Reads the whole answer.
    pub fn response(mut self) -> io::Result<Response> {
        let head = self.head()?;
        let mut body = Vec::new();
        while let Some(piece) = self.piece()? {
            body.extend_from_slice(&piece);
        }
        let trailers = self.trailers()?;
        Ok(Response { status: head.status, head, body, trailers })
    }

    fn body(&mut self) -> io::Result<&mut RecvStream> {
        if matches!(self.receive, Receive::Head(_)) {
            self.head()?;
        }
        match &mut self.receive {
            Receive::Body(body) => Ok(body),
            Receive::Head(_) => Err(io::Error::other("no answer")),
        }
    }
}

fn wait<T>(step: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    RUNTIME.block_on(async { timeout(TIMEOUT, step).await? })
}

fn head(request: &Request, protocol: Option<Protocol>) -> io::Result<http::Request<()>> {
    let (hosts, others): (Vec<_>, Vec<_>) =
        request.headers.iter().cloned().partition(|(name, _)| name.eq_ignore_ascii_case(b"host"));
    let authority = hosts.first().map_or(&b"localhost"[..], |(_, value)| value);
    let uri = Uri::builder().scheme("http").authority(authority).path_and_query(request.target.as_str());
    let mut head = http::Request::builder().method(request.method.as_str()).uri(uri.build().map_err(io::Error::other)?);
    if let Some(headers) = head.headers_mut() {
        *headers = map(&others)?;
    }
    if let Some(protocol) = protocol {
        head = head.extension(protocol);
    }
    head.body(()).map_err(io::Error::other)
}

/// Lines of one name go together.
fn map(lines: &[Line]) -> io::Result<HeaderMap> {
    let mut map = HeaderMap::new();
    for (name, value) in lines {
        let name = HeaderName::from_bytes(name).map_err(io::Error::other)?;
        map.append(name, HeaderValue::from_bytes(value).map_err(io::Error::other)?);
    }
    Ok(map)
}

fn lines(map: &HeaderMap) -> Vec<(String, Vec<u8>)> {
    map.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect()
}
