//! Resuming, resetting and answering streams.

use super::host_call::host_call;
use crate::cookies;
use crate::exchange::{Direction, Exchange, Half};
use crate::guest::{Answer, Guest, Span};
use crate::reply::LocalReply;
use crate::state::{Context, Deferred, State};
use crate::status::Status;
use std::cell::RefCell;
use std::rc::Rc;
use wasmtime::Linker;

pub(super) fn define(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    host_call!(linker, proxy_continue_stream(stream) => |guest| continue_stream(guest, stream));
    host_call!(linker, proxy_close_stream(stream) => |guest| close_stream(guest, stream));
    host_call!(
        linker,
        proxy_send_local_response(
            status, details, details_size, body, body_size, headers, headers_size, grpc_status: i32
        ) => |guest| {
            let spans = Reply {
                status,
                details: (details, details_size),
                body: (body, body_size),
                headers: (headers, headers_size),
                grpc_status,
            };
            send_local_response(guest, &spans)
        }
    );
    Ok(())
}

fn direction(guest: &mut Guest<'_>, number: u32) -> Answer<Direction> {
    match number {
        0 => Ok(Direction::Request),
        1 => Ok(Direction::Response),
        2 | 3 => guest.refuse(Status::OK, "this is no network filter: only HTTP streams exist"),
        _ => guest.refuse(Status::BAD_ARGUMENT, format!("there is no stream type {number}")),
    }
}

/// Lets a paused message go on, once the plugin has returned.
fn continue_stream(guest: &mut Guest<'_>, number: u32) -> Answer {
    let direction = direction(guest, number)?;
    let Some(exchange) = stream(guest) else { return Ok(()) };
    let complaint = {
        let mut exchange = exchange.borrow_mut();
        let over = exchange.is_over(direction);
        let half = exchange.half(direction);
        let complaint = match half.paused {
            _ if over => Some("is over"),
            None if half.callback_runs => Some("is not paused yet: answer Continue instead"),
            None => Some("is not paused"),
            Some(_) if half.resuming => Some("was resumed already"),
            Some(_) => None,
        };
        half.resuming |= complaint.is_none();
        complaint
    };
    let id = guest.context_id();
    match complaint {
        Some(complaint) => guest.complain(format!("the {} of stream {id} {complaint}", direction.name())),
        None => guest.deferred.push_back(Deferred::Resume(id, direction)),
    }
    Ok(())
}

/// Ends a stream, once the plugin has returned.
fn close_stream(guest: &mut Guest<'_>, number: u32) -> Answer {
    let direction = direction(guest, number)?;
    let Some(exchange) = stream(guest) else { return Ok(()) };
    if exchange.borrow().is_over(direction) {
        guest.complain("the stream is over");
        return Ok(());
    }
    exchange.borrow_mut().reset = true;
    let stream = guest.context_id();
    guest.deferred.push_back(Deferred::Close(stream));
    Ok(())
}

struct Reply {
    status: u32,
    details: Span,
    body: Span,
    headers: Span,
    grpc_status: i32,
}

fn send_local_response(guest: &mut Guest<'_>, reply: &Reply) -> Answer {
    let details = guest.read_text("response code details", reply.details)?;
    let body = guest.read(reply.body)?;
    let headers = guest.read_pairs(reply.headers)?;
    if let Some(complaint) = cookies::repeated(&headers) {
        guest.complain(complaint);
    }
    if headers.iter().any(|(name, _)| name.starts_with(b":")) {
        guest.complain("a pseudo-header among the reply's headers");
    }
    if !(200..600).contains(&reply.status) {
        guest.complain(format!("{} is no status of a final response", reply.status));
    }
    // Envoy replaces blanks, since access logs separate fields by them.
    if details.contains(char::is_whitespace) {
        guest.complain(format!("the response code details `{details}` hold a blank"));
    }
    let Some(exchange) = stream(guest) else { return Ok(()) };
    if let Some(complaint) = cannot_reply(&mut exchange.borrow_mut()) {
        guest.complain(complaint);
        return Ok(());
    }
    let grpc_status = (reply.grpc_status >= 0).then_some(reply.grpc_status);
    let stream = guest.context_id();
    hold_the_caller(guest, stream);
    guest.deferred.push_back(Deferred::Reply(stream));
    let mut exchange = exchange.borrow_mut();
    exchange.replaced = exchange.response.headers.is_some();
    exchange.reply = Some(LocalReply { status: reply.status, headers, body, grpc_status, details });
    Ok(())
}

/// Envoy forces the callback that runs to stop, whichever stream the reply is for.
fn hold_the_caller(guest: &Guest<'_>, replied: u32) {
    let running = guest.running.context;
    if let Some(Context::Stream { exchange, .. }) = guest.contexts.get(&running).filter(|_| running != replied) {
        exchange.borrow_mut().replied_to_another = true;
    }
}

fn cannot_reply(exchange: &mut Exchange) -> Option<&'static str> {
    if exchange.reply.is_some() {
        return Some("the stream has got a local reply already");
    }
    if exchange.is_over(Direction::Request) {
        return Some("the stream is over");
    }
    if exchange.response.sent.headers.is_some() {
        return Some("the response's headers were sent on already");
    }
    let mine = |half: &Half| half.callback_runs || half.paused.is_some() && !half.resuming;
    let held = mine(&exchange.request) || mine(&exchange.response);
    (!held).then_some("the stream is not paused, nor in one of its callbacks: the upstream answers it")
}

/// The stream that the call is for. Envoy ignores the call in a root context.
fn stream(guest: &mut Guest<'_>) -> Option<Rc<RefCell<Exchange>>> {
    let exchange = guest.exchange();
    if exchange.is_none() {
        guest.complain("a root context has no stream: set the effective context first");
    }
    exchange
}
