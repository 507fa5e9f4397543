//! What is asked of Envoy once the engine is at rest: within such a call, Envoy calls hooks of this and other requests.

use gate::Reply;
use module_abi::{StreamId, stream};

#[derive(Debug)]
pub(crate) enum Later {
    Close(StreamId),
    Continue(StreamId),
    ContinueResponse(StreamId),
    Refuse(StreamId),
    Reply { id: StreamId, reply: Reply, details: String },
}

impl Later {
    /// The request that it is about.
    pub(crate) fn id(&self) -> StreamId {
        match self {
            Self::Close(id)
            | Self::Continue(id)
            | Self::ContinueResponse(id)
            | Self::Refuse(id)
            | Self::Reply { id, .. } => *id,
        }
    }

    /// Asks it, of a request that may be gone by now.
    pub(crate) fn carry_out(self) {
        match self {
            Self::Close(id) => stream::reset(id, "jotgate_session_over"),
            Self::Continue(id) => stream::continue_request(id),
            Self::ContinueResponse(id) => stream::continue_response(id),
            Self::Refuse(id) => stream::refuse(id),
            Self::Reply { id, reply, details } => answer(id, &reply, &details),
        };
    }
}

fn answer(id: StreamId, reply: &Reply, details: &str) -> bool {
    let mut headers: Vec<_> = reply.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let grpc_status = reply.grpc_status.or_else(|| {
        let is_grpc = stream::read_headers(id, module_abi::Headers::Request, stream::is_grpc);
        is_grpc.unwrap_or_default().then(|| grpc_status(reply.status))
    });
    let grpc_status = grpc_status.map(|status| status.to_string());
    // Envoy takes a status that it is not given for 0, success.
    headers.extend(grpc_status.iter().map(|status| ("grpc-status", status.as_str())));
    stream::send_response(id, reply.status, &headers, &reply.body, details)
}

/// What Envoy makes of an HTTP status for clients of gRPC, as gRPC's own `http-grpc-status-mapping.md` has it.
fn grpc_status(status: u16) -> u8 {
    match status {
        400 => 13,
        401 => 16,
        403 => 7,
        404 => 12,
        429 | 502..=504 => 14,
        _ => 2,
    }
}
