//! A server that answers with exactly the bytes that it is given, well-formed or not, or breaks off.

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How long a connection waits for a request, or stays open that is never answered.
const PATIENCE: Duration = Duration::from_secs(30);

/// What becomes of a request.
#[derive(Clone, Debug)]
pub enum Answer {
    /// These bytes, and the end of the connection.
    Bytes(Vec<u8>),
    /// These bytes one by one, with a pause before each.
    Drip(Vec<u8>, Duration),
    /// These bytes, and a reset of the connection (RST).
    Reset(Vec<u8>),
    /// Nothing, and the connection stays open.
    Silence,
}

impl Answer {
    /// A response with this status and body.
    pub fn response(status: u16, content_type: &str, body: impl AsRef<[u8]>) -> Self {
        Self::Bytes(response(status, content_type, body.as_ref()))
    }
}

/// A response on the wire: also one with a body where HTTP allows none (204, 304).
pub fn response(status: u16, content_type: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} Status\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// A running server; it stops when dropped.
#[derive(Debug)]
pub struct RawServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    stopped: AtomicBool,
    paths: Mutex<BTreeMap<String, (Option<Answer>, u64)>>,
}

impl RawServer {
    /// Listens on a free port of 127.0.0.1. Paths without an answer get 404.
    pub fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::<Shared>::default();
        let accepting = Arc::clone(&shared);
        let thread =
            thread::Builder::new().name(format!("raw {address}")).spawn(move || accept(&listener, &accepting))?;
        Ok(Self { address, shared, thread: Some(thread) })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sets what requests for `path` get from now on.
    pub fn set(&self, path: impl Into<String>, answer: Answer) {
        self.shared.paths().entry(path.into()).or_default().0 = Some(answer);
    }

    /// How often `path` was asked for.
    pub fn count(&self, path: &str) -> u64 {
        self.shared.paths().get(path).map_or(0, |(_, count)| *count)
    }

    /// The paths that were asked for since the last call, as they stood in the request line; counts start anew.
    pub fn take_asked(&self) -> Vec<String> {
        let mut paths = self.shared.paths();
        let asked = paths.iter_mut().filter_map(|(path, (_, count))| (std::mem::take(count) > 0).then(|| path.clone()));
        asked.collect()
    }
}

impl Drop for RawServer {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Relaxed);
        // Wakes the thread; if that fails, it is gone already.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn paths(&self) -> MutexGuard<'_, BTreeMap<String, (Option<Answer>, u64)>> {
        self.paths.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, path: &str) -> Answer {
        let mut paths = self.paths();
        let (answer, count) = paths.entry(path.to_owned()).or_default();
        *count += 1;
        answer.clone().unwrap_or_else(|| Answer::response(404, "text/plain", "there is nothing\n"))
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.stopped.load(Ordering::Relaxed) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let shared = Arc::clone(shared);
        // A connection that fails, or gets no thread, is one that was broken off.
        let _ = thread::Builder::new().spawn(move || serve(stream, &shared));
    }
}

fn serve(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    let Some(path) = peek_path(&stream)? else { return Ok(()) };
    match shared.answer(&path) {
        Answer::Bytes(bytes) => {
            read_head(&mut stream)?;
            stream.write_all(&bytes)
        }
        Answer::Drip(bytes, pause) => {
            read_head(&mut stream)?;
            bytes.iter().try_for_each(|byte| {
                thread::sleep(pause);
                stream.write_all(&[*byte])
            })
        }
        // To close a socket that holds unread data resets the connection (RFC 1122 §4.2.2.13).
        Answer::Reset(bytes) => {
            stream.write_all(&bytes)?;
            thread::sleep(Duration::from_millis(20));
            Ok(())
        }
        Answer::Silence => {
            read_head(&mut stream)?;
            // The client closes, or the time is up.
            stream.read(&mut [0]).map(drop)
        }
    }
}

/// The path in the request line, which stays unread.
fn peek_path(stream: &TcpStream) -> io::Result<Option<String>> {
    let mut bytes = [0; 4096];
    loop {
        let count = stream.peek(&mut bytes)?;
        let text = String::from_utf8_lossy(bytes.get(..count).unwrap_or_default()).into_owned();
        if let Some((line, _)) = text.split_once("\r\n") {
            return Ok(line.split(' ').nth(1).map(str::to_owned));
        }
        if count == 0 || count == bytes.len() {
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// Requests here have no body.
fn read_head(stream: &mut TcpStream) -> io::Result<()> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte)? == 0 {
            return Ok(());
        }
        head.extend_from_slice(&byte);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(server: &RawServer, path: &str) -> io::Result<Vec<u8>> {
        get_within(Duration::from_secs(20), server, path)
    }

    fn get_within(limit: Duration, server: &RawServer, path: &str) -> io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(server.address())?;
        stream.set_read_timeout(Some(limit))?;
        stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: h\r\n\r\n").as_bytes())?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).map(|_| bytes)
    }

    #[test]
    fn bytes_are_sent_as_they_are() -> io::Result<()> {
        let server = RawServer::start()?;
        server.set("/odd", Answer::Bytes(b"no HTTP \xff".to_vec()));
        server.set("/none", Answer::response(204, "application/json", "{}"));
        assert_eq!(get(&server, "/odd")?, b"no HTTP \xff");
        assert!(get(&server, "/none")?.ends_with(b"\r\n\r\n{}"));
        assert!(get(&server, "/other")?.starts_with(b"HTTP/1.1 404 "));
        assert_eq!((server.count("/odd"), server.count("/"), server.count("/other")), (1, 0, 1));
        assert_eq!(
            (server.take_asked().as_slice(), server.take_asked().len()),
            (&["/none", "/odd", "/other"].map(String::from)[..], 0)
        );
        Ok(())
    }

    #[test]
    fn connections_break_off_drip_and_stall() -> io::Result<()> {
        let server = RawServer::start()?;
        server.set("/reset", Answer::Reset(b"HTTP/1.1 200 OK\r\n".to_vec()));
        server.set("/drip", Answer::Drip(b"abc".to_vec(), Duration::from_millis(1)));
        server.set("/silence", Answer::Silence);
        let kind = |path| get(&server, path).map_err(|error| error.kind());
        assert_eq!(kind("/reset"), Err(io::ErrorKind::ConnectionReset));
        assert_eq!(kind("/drip"), Ok(b"abc".to_vec()));
        let silence = get_within(Duration::from_millis(300), &server, "/silence");
        assert_eq!(silence.map_err(|error| error.kind()), Err(io::ErrorKind::WouldBlock));
        Ok(())
    }
}
