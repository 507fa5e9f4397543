//! Ports that nothing else takes, neither a test in this process nor one in another.

use std::fs::File;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};
use std::{env, fs, io, process};

/// Nothing listens there: such a port is given to none that does not ask for it.
pub const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1);

/// Below the range from which the kernel takes ports for outgoing connections.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A port of 127.0.0.1, reserved until this is dropped.
///
/// Envoy listens with `SO_REUSEPORT`: two of them on one port would share it in silence. So a port is held by a
/// lock on a file that all tests agree on.
#[derive(Debug)]
pub struct Port {
    number: u16,
    _lock: Option<File>,
}

impl Port {
    /// A port that is free, and stays so for others who ask here.
    pub fn reserve() -> io::Result<Self> {
        let directory = env::temp_dir().join("jotgate-test-ports");
        fs::create_dir_all(&directory)?;
        // Processes start at different numbers, so that they seldom meet.
        let start = u16::try_from(process::id() * 101 % u32::from(COUNT)).unwrap_or_default();
        for _ in 0..COUNT {
            let number = FIRST + (start + NEXT.fetch_add(1, Ordering::Relaxed) % COUNT) % COUNT;
            let lock = File::create(directory.join(number.to_string()))?;
            if lock.try_lock().is_ok() && TcpListener::bind((Ipv4Addr::LOCALHOST, number)).is_ok() {
                return Ok(Self { number, _lock: Some(lock) });
            }
        }
        Err(io::Error::other("no port is free"))
    }

    /// A port on which something else listens.
    pub(crate) const fn taken(number: u16) -> Self {
        Self { number, _lock: None }
    }

    /// Its number.
    pub const fn number(&self) -> u16 {
        self.number
    }
}
