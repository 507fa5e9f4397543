//! An HTTP server (1.1, and 2 with prior knowledge) on a thread of its own, that can drop connections on demand.

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use axum::response::Response;
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::{self, Runtime};
use tokio::sync::oneshot;
use tower::ServiceExt as _;

/// Enough for the bursts of tests; the kernel cuts it at `net.core.somaxconn`.
const BACKLOG: u32 = 4096;
/// Hyper refuses more than 100 by default, which a test of header limits may well send.
const MAX_HEADERS: usize = 1000;
/// A proxy has the streams of many clients on one connection. They may all come before it has read any settings (hyper
/// would refuse more than 200), and leave at once (hyper would hang up at 20).
const MAX_STREAMS: u16 = 10_000;

/// A response extension: the connection is dropped and nothing is answered.
#[derive(Clone, Copy, Debug)]
pub struct DropConnection;

/// A running server; it stops, with all its connections, when this is dropped.
#[derive(Debug)]
pub struct Background {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Background {
    /// Listens on 127.0.0.1 (port 0: any free one) and serves the router made for the address that resulted.
    pub fn start(port: u16, router: impl FnOnce(SocketAddr) -> Router) -> io::Result<Self> {
        let runtime = runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let listener = {
            let _context = runtime.enter();
            listen(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))?
        };
        let address = listener.local_addr()?;
        let router = router(address);
        let (stop, stopped) = oneshot::channel();
        let (started, ready) = mpsc::channel();
        let thread = std::thread::Builder::new().name(format!("testbed {address}")).spawn(move || {
            // Whoever started this waits for it, so the send cannot fail.
            let _ = started.send(());
            run(&runtime, listener, router, stopped);
            runtime.shutdown_timeout(Duration::from_millis(100));
        })?;
        ready.recv().map_err(io::Error::other)?;
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }

    /// Where the server listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic in a handler ends its connection only; one in the server has been printed by then.
            let _ = thread.join();
        }
    }
}

fn listen(address: SocketAddrV4) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address.into())?;
    socket.listen(BACKLOG)
}

fn run(runtime: &Runtime, listener: TcpListener, router: Router, stopped: oneshot::Receiver<()>) {
    runtime.block_on(async move {
        tokio::select! {
            never = accept(listener, router) => match never {},
            _ = stopped => {}
        }
    });
}

async fn accept(listener: TcpListener, router: Router) -> Infallible {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(serve(stream, router.clone()));
            }
            // Out of file descriptors, most likely: the ones that are open must end first.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

async fn serve(stream: TcpStream, router: Router) {
    // Streams are written in small pieces, each of which should leave at once.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: Request<Incoming>| answer(router.clone(), request));
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().max_headers(MAX_HEADERS);
    builder
        .http2()
        .max_concurrent_streams(u32::from(MAX_STREAMS))
        .max_pending_accept_reset_streams(usize::from(MAX_STREAMS));
    // The client went away, or was dropped on purpose: neither is of interest.
    let _ = builder.serve_connection_with_upgrades(TokioIo::new(stream), service).await;
}

async fn answer(router: Router, request: Request<Incoming>) -> Result<Response, Dropped> {
    let Ok(response) = router.oneshot(request).await;
    if response.extensions().get::<DropConnection>().is_some() { Err(Dropped) } else { Ok(response) }
}

/// Makes hyper end the connection.
#[derive(Debug)]
struct Dropped;

impl fmt::Display for Dropped {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the connection is dropped on purpose")
    }
}

impl std::error::Error for Dropped {}
