//! Calls that leave the VM: HTTP callouts, gRPC and foreign functions.

use super::host_call::host_call;
use crate::callout::{Callout, Delivery};
use crate::guest::{Answer, Guest, Span};
use crate::signature;
use crate::state::State;
use crate::status::Status;
use std::time::Duration;
use wasmtime::Linker;

pub(super) fn define(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    host_call!(
        linker,
        proxy_http_call(
            cluster, cluster_size, headers, headers_size, body, body_size, trailers, trailers_size,
            timeout: i32, token_at
        ) => |guest| {
            let request = Request {
                cluster: (cluster, cluster_size),
                headers: (headers, headers_size),
                body: (body, body_size),
                trailers: (trailers, trailers_size),
                timeout,
            };
            guest.write_word(token_at, 0)?;
            let token = http_call(guest, &request)?;
            guest.write_word(token_at, token)
        }
    );
    host_call!(linker, proxy_call_foreign_function(name, name_size, arguments, arguments_size, data_at, size_at) =>
        |guest| {
            let name = guest.read((name, name_size))?;
            let arguments = guest.read((arguments, arguments_size))?;
            let results = match name.as_slice() {
                b"verify_signature" => signature::call(guest.verify_signature, &arguments)?,
                _ => return Err(Status::NOT_FOUND.into()),
            };
            guest.give(&results, data_at, size_at)
        }
    );
    define_grpc(linker)
}

/// There are no gRPC callouts: a plugin that wants them gets the answer of a host without.
fn define_grpc(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    host_call!(linker, proxy_grpc_call(_a, _b, _c, _d, _e, _f, _g, _h, _i, _j, _k, _l) => unimplemented);
    host_call!(linker, proxy_grpc_stream(_a, _b, _c, _d, _e, _f, _g, _h, _i) => unimplemented);
    host_call!(linker, proxy_grpc_send(_a, _b, _c, _d) => unimplemented);
    host_call!(linker, proxy_grpc_cancel(_a) => unimplemented);
    host_call!(linker, proxy_grpc_close(_a) => unimplemented);
    Ok(())
}

fn unimplemented(_: &mut Guest<'_>) -> Answer {
    Err(Status::UNIMPLEMENTED.into())
}

struct Request {
    cluster: Span,
    headers: Span,
    body: Span,
    trailers: Span,
    timeout: i32,
}

fn http_call(guest: &mut Guest<'_>, request: &Request) -> Answer<u32> {
    let cluster = guest.read_text("cluster", request.cluster)?;
    let headers = guest.read_pairs(request.headers)?;
    let body = guest.read(request.body)?;
    let trailers = guest.read_pairs(request.trailers)?;
    let Ok(timeout) = u64::try_from(request.timeout) else {
        return guest.refuse(Status::BAD_ARGUMENT, format!("a timeout of {} ms", request.timeout));
    };
    for name in [":method", ":path", ":authority"] {
        if !headers.contains(name) {
            return guest.refuse(Status::BAD_ARGUMENT, format!("the callout has no `{name}`"));
        }
    }
    let callout = Callout {
        vm: guest.vm,
        root: guest.root_id(),
        context: guest.context_id(),
        token: guest.pending.next_token(),
        cluster,
        headers,
        body,
        trailers,
        timeout: Duration::from_millis(timeout),
        sent_at: guest.world.clock.now(),
        dispatched: Status::OK,
    };
    dispatch(guest, callout)
}

fn dispatch(guest: &mut Guest<'_>, mut callout: Callout) -> Answer<u32> {
    let network = guest.world.network.clone();
    let answer = network.ask(&callout);
    if let Some(status) = answer.refusal() {
        callout.dispatched = status;
        network.record(callout);
        return Err(status.into());
    }
    let (token, delivery) = (callout.token, Delivery::new(answer, callout.timeout, &guest.world.clock));
    network.record(callout.clone());
    guest.pending.insert(callout, delivery);
    Ok(token)
}
