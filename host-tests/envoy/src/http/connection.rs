//! One connection, for requests in pieces and answers that stream.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use super::decoder::{Decoder, Piece};
use super::request::Request;
use super::response::{Head, Response};

/// How long any single read or write may take.
const TIMEOUT: Duration = Duration::from_secs(20);

impl Request {
    /// Sends it over a new connection and reads the whole answer.
    pub fn send(&self, address: SocketAddr) -> io::Result<Response> {
        let mut connection = Connection::open(address)?;
        connection.send(self)
    }
}

/// A connection that stays open between requests.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    decoder: Decoder,
}

impl Connection {
    /// Connects; every read and write fails after twenty seconds.
    pub fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, decoder: Decoder::new(Vec::new(), false) })
    }

    /// Another limit for single reads.
    pub fn set_timeout(&self, timeout: Duration) -> io::Result<()> {
        self.stream.set_read_timeout(Some(timeout))
    }

    /// Sends any bytes.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Ends the sending side.
    pub fn finish(&self) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)
    }

    /// Sends a request and reads the whole answer.
    pub fn send(&mut self, request: &Request) -> io::Result<Response> {
        self.write(&request.bytes())?;
        self.response(request.is_head())
    }

    /// Reads a whole answer. `to_head`: the request's method was `HEAD`.
    pub fn response(&mut self, to_head: bool) -> io::Result<Response> {
        let head = self.head(to_head)?;
        let mut body = Vec::new();
        while let Some(data) = self.piece()? {
            body.extend_from_slice(&data);
        }
        Ok(Response { status: head.status, head, body, trailers: self.decoder.take_trailers() })
    }

    /// Reads the head of an answer; the body follows with [`Connection::piece`].
    pub fn head(&mut self, to_head: bool) -> io::Result<Head> {
        let rest = std::mem::replace(&mut self.decoder, Decoder::new(Vec::new(), false)).into_rest();
        self.decoder = Decoder::new(rest, to_head);
        loop {
            if let Some(head) = self.decoder.head()? {
                return Ok(head);
            }
            self.receive()?;
        }
    }

    /// The next piece of the body (a chunk, where it is chunked), as soon as it is there; none at the end.
    pub fn piece(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            match self.decoder.piece()? {
                Piece::Data(data) => return Ok(Some(data)),
                Piece::End => return Ok(None),
                Piece::Wait => self.receive()?,
            }
        }
    }

    /// Reads bytes that are no HTTP, after an upgrade for example; none at the end.
    pub fn read_raw(&mut self) -> io::Result<Vec<u8>> {
        let rest = std::mem::replace(&mut self.decoder, Decoder::new(Vec::new(), false)).into_rest();
        if rest.is_empty() { self.read() } else { Ok(rest) }
    }

    fn receive(&mut self) -> io::Result<()> {
        let bytes = self.read()?;
        self.decoder.push(&bytes);
        Ok(())
    }

    fn read(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; 16_384];
        let count = self.stream.read(&mut bytes)?;
        bytes.truncate(count);
        Ok(bytes)
    }
}

/// To wait for the answers on several connections.
impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
