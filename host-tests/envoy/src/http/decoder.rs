//! Answers from bytes, as they come in. It knows nothing of sockets.

use std::io;

use super::response::Head;

/// More than any answer in a test has.
const HEADERS: usize = 512;

#[derive(Debug)]
pub(super) struct Decoder {
    buffer: Vec<u8>,
    to_head: bool,
    ended: bool,
    body: Body,
    trailers: Vec<(String, Vec<u8>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Body {
    /// The head has not been read.
    Unknown,
    Chunked,
    Complete,
    Length(usize),
    UntilEnd,
}

/// The next piece of a body.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Data(Vec<u8>),
    End,
    /// More bytes are needed.
    Wait,
}

impl Decoder {
    /// `buffer` holds what was received already; an answer to a `HEAD` request has no body.
    pub(super) const fn new(buffer: Vec<u8>, to_head: bool) -> Self {
        Self { buffer, to_head, ended: false, body: Body::Unknown, trailers: Vec::new() }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            self.ended = true;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// What was received after the answer.
    pub(super) fn into_rest(self) -> Vec<u8> {
        self.buffer
    }

    /// The head, once it is there. Interim answers (1xx except 101) are skipped.
    pub(super) fn head(&mut self) -> io::Result<Option<Head>> {
        loop {
            let mut headers = [httparse::EMPTY_HEADER; HEADERS];
            let mut response = httparse::Response::new(&mut headers);
            let length = match response.parse(&self.buffer).map_err(invalid)? {
                httparse::Status::Complete(length) => length,
                httparse::Status::Partial if self.ended => return Err(unexpected_end(&self.buffer)),
                httparse::Status::Partial => return Ok(None),
            };
            let head = Head {
                status: response.code.unwrap_or_default(),
                headers: response.headers.iter().map(line).collect(),
            };
            self.buffer.drain(..length);
            if head.status == 101 || head.status >= 200 {
                self.body = self.framing(&head)?;
                return Ok(Some(head));
            }
        }
    }

    pub(super) fn piece(&mut self) -> io::Result<Piece> {
        match self.body {
            Body::Unknown => Ok(Piece::Wait),
            Body::Complete | Body::Length(0) => Ok(Piece::End),
            Body::Chunked => self.chunk(),
            Body::Length(missing) => {
                let Some(data) = self.take(missing) else { return self.wait() };
                self.body = Body::Length(missing - data.len());
                Ok(Piece::Data(data))
            }
            Body::UntilEnd => match self.take(usize::MAX) {
                Some(data) => Ok(Piece::Data(data)),
                None if self.ended => Ok(Piece::End),
                None => Ok(Piece::Wait),
            },
        }
    }

    /// The trailers, once the body has ended.
    pub(super) fn take_trailers(&mut self) -> Vec<(String, Vec<u8>)> {
        std::mem::take(&mut self.trailers)
    }

    /// RFC 9112 §6.3.
    fn framing(&self, head: &Head) -> io::Result<Body> {
        if self.to_head || head.status < 200 || matches!(head.status, 204 | 304) {
            return Ok(Body::Complete);
        }
        if head.all("transfer-encoding").iter().any(|value| value.eq_ignore_ascii_case("chunked")) {
            return Ok(Body::Chunked);
        }
        match head.header("content-length") {
            Some(length) => length.parse().map(Body::Length).map_err(invalid),
            None => Ok(Body::UntilEnd),
        }
    }

    fn chunk(&mut self) -> io::Result<Piece> {
        let httparse::Status::Complete((start, size)) = httparse::parse_chunk_size(&self.buffer).map_err(chunk_size)?
        else {
            return self.wait();
        };
        let size = usize::try_from(size).map_err(invalid)?;
        if size == 0 {
            return self.last_chunk(start);
        }
        let end = start + size;
        if self.buffer.len() < end + 2 {
            return self.wait();
        }
        let data = self.buffer[start..end].to_vec();
        self.buffer.drain(..end + 2);
        Ok(Piece::Data(data))
    }

    fn last_chunk(&mut self, start: usize) -> io::Result<Piece> {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS];
        match httparse::parse_headers(&self.buffer[start..], &mut headers).map_err(invalid)? {
            httparse::Status::Complete((length, trailers)) => {
                self.trailers = trailers.iter().map(line).collect();
                self.buffer.drain(..start + length);
                self.body = Body::Complete;
                Ok(Piece::End)
            }
            httparse::Status::Partial => self.wait(),
        }
    }

    fn take(&mut self, at_most: usize) -> Option<Vec<u8>> {
        let length = self.buffer.len().min(at_most);
        (length > 0).then(|| self.buffer.drain(..length).collect())
    }

    fn wait(&self) -> io::Result<Piece> {
        if self.ended { Err(unexpected_end(&self.buffer)) } else { Ok(Piece::Wait) }
    }
}

fn line(header: &httparse::Header<'_>) -> (String, Vec<u8>) {
    (header.name.to_owned(), header.value.to_vec())
}

fn invalid(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

fn chunk_size(_: httparse::InvalidChunkSize) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "invalid chunk size")
}

fn unexpected_end(received: &[u8]) -> io::Error {
    let message = format!("the answer ended early, after {:?}", String::from_utf8_lossy(received));
    io::Error::new(io::ErrorKind::UnexpectedEof, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_in_single_bytes_is_the_same() {
        let text = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: \xFF\r\n\r\n\
            3\r\nabc\r\n2\r\nde\r\n0\r\nt: 1\r\n\r\nrest";
        let mut decoder = Decoder::new(Vec::new(), false);
        let (mut head, mut body) = (None, Vec::new());
        for byte in text {
            decoder.push(&[*byte]);
            if head.is_none() {
                head = decoder.head().unwrap();
            }
            while let Piece::Data(data) = decoder.piece().unwrap() {
                body.extend_from_slice(&data);
            }
        }
        let head = head.unwrap();
        assert_eq!((head.status, head.headers[1].1.as_slice()), (200, b"\xFF".as_slice()));
        assert_eq!(body, b"abcde");
        assert_eq!(decoder.take_trailers(), [("t".into(), b"1".to_vec())]);
        assert_eq!(decoder.into_rest(), b"rest");
    }

    #[test]
    fn a_body_that_ends_early_is_an_error() {
        let mut decoder = Decoder::new(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab".to_vec(), false);
        assert!(decoder.head().unwrap().is_some());
        assert_eq!(decoder.piece().unwrap(), Piece::Data(b"ab".to_vec()));
        decoder.push(&[]);
        assert_eq!(decoder.piece().unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn some_answers_have_no_body() {
        for (text, to_head) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true),
            ("HTTP/1.1 204 No Content\r\n\r\n", false),
            ("HTTP/1.1 101 Switching Protocols\r\n\r\n", false),
        ] {
            let mut decoder = Decoder::new(text.into(), to_head);
            assert!(decoder.head().unwrap().is_some());
            assert_eq!(decoder.piece().unwrap(), Piece::End);
        }
    }
}
