//! Callbacks, and the way of a message through them.

use crate::exchange::{Direction, Exchange, Life, Pause};
use crate::headers::HeaderMap;
use crate::instance::Instance;
use crate::state::{Context, Deferred};
use std::cell::RefCell;
use std::rc::Rc;
use wasmtime::{WasmParams, WasmResults};

/// Calls an export, if there is one, then does what had to wait for its return. A trap fails the test.
pub(crate) fn call<P: WasmParams, R: WasmResults>(
    vm: &Instance,
    export: &'static str,
    context: u32,
    parameters: P,
) -> Option<R> {
    let result = vm.run(export, context, parameters)?;
    while let Some(next) = vm.state(|state| state.deferred.pop_front()) {
        do_deferred(vm, &next);
    }
    Some(result)
}

fn do_deferred(vm: &Instance, deferred: &Deferred) {
    match *deferred {
        Deferred::Close(stream) => {
            if let Some(exchange) = exchange_of(vm, stream) {
                end(vm, stream, &exchange);
            }
        }
        Deferred::DeleteRoot(root) => delete_root(vm, root),
        Deferred::Reply(stream) => {
            if let Some(exchange) = exchange_of(vm, stream) {
                send_reply(vm, stream, &exchange);
            }
        }
        Deferred::Resume(stream, direction) => {
            if let Some(exchange) = exchange_of(vm, stream) {
                resume(vm, stream, &exchange, direction);
            }
        }
    }
}

fn exchange_of(vm: &Instance, stream: u32) -> Option<Rc<RefCell<Exchange>>> {
    vm.state(|state| match state.contexts.get(&stream)? {
        Context::Stream { exchange, .. } => Some(exchange.clone()),
        Context::Root(_) => None,
    })
}

/// The plugin learns that a root context goes, which takes its callouts with it.
pub(crate) fn delete_root(vm: &Instance, root: u32) {
    call::<_, ()>(vm, "proxy_on_delete", root, root);
    vm.state(|state| {
        state.contexts.remove(&root);
        state.pending.cancel_of(root);
    });
}

/// A stream is over: `proxy_on_log`, `proxy_on_done` and `proxy_on_delete`, in Envoy's order.
pub(crate) fn end(vm: &Instance, id: u32, exchange: &RefCell<Exchange>) {
    exchange.borrow_mut().life = Life::Logging;
    call::<_, ()>(vm, "proxy_on_log", id, id);
    exchange.borrow_mut().life = Life::Open;
    // Envoy does not ask again: a stream is deleted whatever `proxy_on_done` says.
    call::<_, i32>(vm, "proxy_on_done", id, id);
    call::<_, ()>(vm, "proxy_on_delete", id, id);
    exchange.borrow_mut().life = Life::Ended;
    vm.state(|state| state.contexts.remove(&id));
}

/// Headers come from one side: the callback sees them, and decides.
pub(crate) fn pass_headers(
    vm: &Instance,
    id: u32,
    exchange: &RefCell<Exchange>,
    direction: Direction,
    headers: HeaderMap,
    ended: bool,
) {
    let joins = direction == Direction::Request && !vm.state(|state| state.options.keep_duplicate_lines);
    let headers = if joins { headers.joined() } else { headers };
    let lines = number(headers.len());
    {
        let mut exchange = exchange.borrow_mut();
        let half = exchange.half(direction);
        (half.headers, half.callback_runs) = (Some(headers), true);
    }
    let action = call::<_, u32>(vm, Callback::Headers.export(direction), id, (id, lines, u32::from(ended)));
    settle(vm, exchange, direction, Callback::Headers, action);
}

/// The plugin's own answer goes to the client. It passes the plugin's response callbacks, unless it stands in for a
/// response that was among them already.
fn send_reply(vm: &Instance, id: u32, exchange: &RefCell<Exchange>) {
    let (message, replaced) = {
        let exchange = exchange.borrow();
        let Some(reply) = &exchange.reply else { return };
        let request = exchange.request.headers.clone().unwrap_or_default();
        (reply.response(&request), exchange.replaced)
    };
    if replaced {
        exchange.borrow_mut().response.sent = message;
        return;
    }
    let headers = message.headers.unwrap_or_default();
    pass_headers(vm, id, exchange, Direction::Response, headers, message.body.is_empty());
    if !message.body.is_empty() {
        pass_body(vm, id, exchange, Direction::Response, &message.body, true);
    }
}

/// The plugin lets a paused message go on: what was held back goes first, then what no callback has seen yet.
fn resume(vm: &Instance, id: u32, exchange: &RefCell<Exchange>, direction: Direction) {
    let held = {
        let mut exchange = exchange.borrow_mut();
        if exchange.is_over(direction) {
            return;
        }
        let half = exchange.half(direction);
        (half.paused, half.resuming, half.body_visible) = (None, false, false);
        half.send_on();
        std::mem::take(&mut half.held)
    };
    if held.body_came {
        pass_body(vm, id, exchange, direction, &held.body, held.ended);
    }
    if let Some(trailers) = held.trailers {
        // The body callback may have paused again.
        if stops_everything(vm, exchange.borrow_mut().half(direction).paused) {
            exchange.borrow_mut().half(direction).held.trailers = Some(trailers);
        } else {
            pass_trailers(vm, id, exchange, direction, trailers);
        }
    }
}

/// A part of a body comes.
pub(crate) fn pass_body(
    vm: &Instance,
    id: u32,
    exchange: &RefCell<Exchange>,
    direction: Direction,
    chunk: &[u8],
    ended: bool,
) {
    let size = {
        let mut exchange = exchange.borrow_mut();
        if exchange.is_over(direction) {
            return;
        }
        let half = exchange.half(direction);
        half.buffer.extend_from_slice(chunk);
        (half.callback_runs, half.body_visible) = (true, true);
        number(half.buffer.len())
    };
    let action = call::<_, u32>(vm, Callback::Body.export(direction), id, (id, size, u32::from(ended)));
    settle(vm, exchange, direction, Callback::Body, action);
}

/// Trailers come.
pub(crate) fn pass_trailers(
    vm: &Instance,
    id: u32,
    exchange: &RefCell<Exchange>,
    direction: Direction,
    trailers: HeaderMap,
) {
    let lines = number(trailers.len());
    {
        let mut exchange = exchange.borrow_mut();
        if exchange.is_over(direction) {
            return;
        }
        let half = exchange.half(direction);
        half.trailers = Some(trailers);
        half.callback_runs = true;
    }
    let action = call::<_, u32>(vm, Callback::Trailers.export(direction), id, (id, lines));
    settle(vm, exchange, direction, Callback::Trailers, action);
}

/// The three callbacks of a message.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Callback {
    Headers,
    Body,
    Trailers,
}

impl Callback {
    fn export(self, direction: Direction) -> &'static str {
        match (direction, self) {
            (Direction::Request, Self::Headers) => "proxy_on_request_headers",
            (Direction::Request, Self::Body) => "proxy_on_request_body",
            (Direction::Request, Self::Trailers) => "proxy_on_request_trailers",
            (Direction::Response, Self::Headers) => "proxy_on_response_headers",
            (Direction::Response, Self::Body) => "proxy_on_response_body",
            (Direction::Response, Self::Trailers) => "proxy_on_response_trailers",
        }
    }
}

/// Does what a callback answered. No callback is a callback that continues.
fn settle(vm: &Instance, exchange: &RefCell<Exchange>, direction: Direction, callback: Callback, action: Option<u32>) {
    let mut exchange = exchange.borrow_mut();
    let over = exchange.is_over(direction);
    let replied_to_another = std::mem::take(&mut exchange.replied_to_another);
    let half = exchange.half(direction);
    (half.callback_runs, half.body_visible) = (false, false);
    if over {
        return;
    }
    let paused = match (callback, action.unwrap_or(0)) {
        (_, 0) if replied_to_another => {
            let export = callback.export(direction);
            let complaint = "it continues after a local reply to another stream: Envoy holds it";
            vm.state(|state| state.violation(export, complaint));
            Some(Pause::StopAllIterationAndWatermark)
        }
        (_, 0) => None,
        (Callback::Headers, 1) => Some(Pause::StopIteration),
        (Callback::Headers, 3) => Some(Pause::StopAllIterationAndBuffer),
        (Callback::Headers, 4) => Some(Pause::StopAllIterationAndWatermark),
        (Callback::Body, 1 | 2) => Some(Pause::InBody),
        (Callback::Body, 3) => {
            // StopIterationNoBuffer: the plugin has taken the bytes.
            half.buffer.clear();
            Some(Pause::InBody)
        }
        (Callback::Trailers, 1) => Some(Pause::InTrailers),
        (_, other) => {
            let export = callback.export(direction);
            vm.state(|state| state.violation(export, format!("it answered {other}, which is no action")));
            Some(Pause::StopAllIterationAndWatermark)
        }
    };
    match paused {
        Some(Pause::InBody) if half.paused == Some(Pause::StopIteration) => {}
        Some(pause) => half.paused = Some(pause),
        None => {
            half.paused = None;
            half.send_on();
        }
    }
    half.body_visible = half.paused.is_some() && callback == Callback::Body;
}

/// Whether a pause keeps the rest of the message from the plugin.
pub(crate) fn stops_everything(vm: &Instance, pause: Option<Pause>) -> bool {
    match pause {
        None | Some(Pause::InBody) => false,
        Some(Pause::StopIteration) => !vm.state(|state| state.options.allow_on_headers_stop_iteration),
        Some(_) => true,
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).expect("fewer than 2^32 bytes or lines")
}
