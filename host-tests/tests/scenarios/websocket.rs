//! Just enough of RFC 6455 to talk over a connection that was upgraded.

use real_envoy::http::{Connection, Head, Request};

pub(crate) struct WebSocket {
    connection: Connection,
    received: Vec<u8>,
}

impl WebSocket {
    /// Asks for an upgrade; what came of it.
    pub(crate) fn open(address: std::net::SocketAddr, request: Request) -> (Self, Head) {
        let request = request
            .header("connection", "Upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        let mut connection = Connection::open(address).unwrap();
        connection.write(&request.bytes()).unwrap();
        let head = connection.head(false).unwrap();
        (Self { connection, received: Vec::new() }, head)
    }

    /// Sends a text in one frame, masked by zeros.
    pub(crate) fn send(&mut self, text: &str) {
        let mut frame = vec![0x81];
        match u16::try_from(text.len()).unwrap() {
            short @ 0..126 => frame.push(0x80 | short.to_le_bytes()[0]),
            long => frame.extend_from_slice(&[&[0xFE], long.to_be_bytes().as_slice()].concat()),
        }
        frame.extend_from_slice(&[0; 4]);
        frame.extend_from_slice(text.as_bytes());
        self.connection.write(&frame).unwrap();
    }

    /// The next text.
    pub(crate) fn receive(&mut self) -> String {
        let head = self.take(2);
        assert_eq!(head[0], 0x81, "a whole text frame");
        let length = match head[1] {
            126 => u16::from_be_bytes(self.take(2).try_into().unwrap()).into(),
            short => usize::from(short),
        };
        String::from_utf8(self.take(length)).unwrap()
    }

    fn take(&mut self, count: usize) -> Vec<u8> {
        while self.received.len() < count {
            let bytes = self.connection.read_raw().unwrap();
            assert!(!bytes.is_empty(), "the socket was closed");
            self.received.extend_from_slice(&bytes);
        }
        self.received.drain(..count).collect()
    }
}
