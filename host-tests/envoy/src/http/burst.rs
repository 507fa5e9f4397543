//! Many requests at the same moment.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::runtime;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::decoder::{Decoder, Piece};
use super::request::Request;
use super::response::Response;

/// Sends all requests at once, each over a connection of its own, and returns what came of each, in their order.
/// The connections are open before the first request leaves. Each answer has `limit` to arrive.
///
/// # Panics
///
/// If the system gives no threads.
pub fn burst(address: SocketAddr, requests: &[Request], limit: Duration) -> Vec<io::Result<Response>> {
    raise_file_limit();
    let runtime = runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime starts").block_on(async {
        let connected = in_order(requests.iter().map(|_| TcpStream::connect(address))).await;
        let exchanges = connected.into_iter().zip(requests).map(|(stream, request)| {
            let (bytes, to_head) = (request.bytes(), request.is_head());
            async move { timeout(limit, exchange(stream?, bytes, to_head)).await? }
        });
        in_order(exchanges).await
    })
}

/// Lifts the number of files that this process, and those it starts, may open.
pub fn raise_file_limit() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // Where that is refused, a burst that needs it fails with a message that says so.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}

async fn in_order<T, F>(futures: impl Iterator<Item = F>) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for (index, future) in futures.enumerate() {
        tasks.spawn(async move { (index, future.await) });
    }
    let mut results = tasks.join_all().await;
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

async fn exchange(mut stream: TcpStream, request: Vec<u8>, to_head: bool) -> io::Result<Response> {
    stream.write_all(&request).await?;
    let mut decoder = Decoder::new(Vec::new(), to_head);
    let head = loop {
        if let Some(head) = decoder.head()? {
            break head;
        }
        receive(&mut stream, &mut decoder).await?;
    };
    let mut body = Vec::new();
    loop {
        match decoder.piece()? {
            Piece::Data(data) => body.extend_from_slice(&data),
            Piece::End => {
                return Ok(Response { status: head.status, head, body, trailers: decoder.take_trailers() });
            }
            Piece::Wait => receive(&mut stream, &mut decoder).await?,
        }
    }
}

async fn receive(stream: &mut TcpStream, decoder: &mut Decoder) -> io::Result<()> {
    let mut bytes = vec![0; 16_384];
    let count = stream.read(&mut bytes).await?;
    decoder.push(&bytes[..count]);
    Ok(())
}
