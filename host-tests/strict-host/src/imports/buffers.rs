//! Bodies and configurations.

use super::host_call::host_call;
use crate::exchange::Direction;
use crate::guest::{Answer, Guest};
use crate::state::State;
use crate::status::Status;
use std::ops::Range;
use wasmtime::Linker;

pub(super) fn define(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    host_call!(linker, proxy_get_buffer_bytes(buffer, start, length, data_at, size_at) => |guest| {
        let bytes = read_buffer(guest, buffer)?;
        let range = range(guest, start, length, bytes.len())?;
        // Nothing to give: Envoy leaves the pointers alone.
        if range.is_empty() { Ok(()) } else { guest.give(&bytes[range], data_at, size_at) }
    });
    host_call!(linker, proxy_get_buffer_status(buffer, size_at, flags_at) => |guest| {
        let size = read_buffer(guest, buffer)?.len();
        guest.write_word(size_at, u32::try_from(size).expect("a buffer of less than 4 GiB"))?;
        guest.write_word(flags_at, 0)
    });
    host_call!(linker, proxy_set_buffer_bytes(buffer, start, length, data, size) => |guest| {
        let data = guest.read((data, size))?;
        edit_buffer(guest, buffer, start, length, &data)
    });
    Ok(())
}

/// The bytes of a buffer. A body outside of its callbacks is empty in Envoy, and a violation here.
fn read_buffer(guest: &mut Guest<'_>, number: u32) -> Answer<Vec<u8>> {
    match number {
        0 => Ok(body(guest, Direction::Request)),
        1 => Ok(body(guest, Direction::Response)),
        4 => callout_body(guest),
        6 => Ok(guest.options.vm_configuration.clone()),
        7 => plugin_configuration(guest),
        2 | 3 | 5 | 8 => {
            guest.complain(format!("no HTTP filter without gRPC callouts finds anything in buffer {number}"));
            Ok(Vec::new())
        }
        _ => guest.refuse(Status::BAD_ARGUMENT, format!("there is no buffer {number}")),
    }
}

fn body(guest: &mut Guest<'_>, direction: Direction) -> Vec<u8> {
    let visible = guest.exchange().and_then(|exchange| {
        let mut exchange = exchange.borrow_mut();
        let half = exchange.half(direction);
        half.body_visible.then(|| half.buffer.clone())
    });
    if visible.is_none() {
        guest.complain(format!("there is no {} body outside of its callback", direction.name()));
    }
    visible.unwrap_or_default()
}

fn callout_body(guest: &mut Guest<'_>) -> Answer<Vec<u8>> {
    let answered = guest.root(guest.root_id()).and_then(|root| root.borrow().answered.clone());
    if let Some(response) = answered {
        return Ok(response.body);
    }
    let message = "there is no callout response outside of `proxy_on_http_call_response`";
    guest.refuse(Status::NOT_FOUND, message)
}

fn plugin_configuration(guest: &mut Guest<'_>) -> Answer<Vec<u8>> {
    let root = guest.root(guest.context_id());
    match root {
        Some(root) if guest.running.callback == "proxy_on_configure" => Ok(root.borrow().configuration.clone()),
        _ => {
            let message = "the plugin configuration exists only in `proxy_on_configure`";
            guest.refuse(Status::NOT_FOUND, message)
        }
    }
}

/// Envoy cuts a length that goes too far, but not a start.
fn range(guest: &mut Guest<'_>, start: u32, length: u32, size: usize) -> Answer<Range<usize>> {
    let start = start as usize;
    if start > size {
        return guest.refuse(Status::BAD_ARGUMENT, format!("offset {start} is beyond the buffer's {size} bytes"));
    }
    Ok(start..start.saturating_add(length as usize).min(size))
}

fn edit_buffer(guest: &mut Guest<'_>, number: u32, start: u32, length: u32, data: &[u8]) -> Answer {
    let direction = match number {
        0 => Direction::Request,
        1 => Direction::Response,
        2..=8 => return guest.refuse(Status::BAD_ARGUMENT, format!("buffer {number} is read-only")),
        _ => return guest.refuse(Status::BAD_ARGUMENT, format!("there is no buffer {number}")),
    };
    let size = body(guest, direction).len();
    // 0 and a length that goes too far mean "prepend", "replace" and "append" in the SDK's conveniences.
    let range = range(guest, start.min(u32::try_from(size).unwrap_or(u32::MAX)), length, size)?;
    if let Some(exchange) = guest.exchange() {
        exchange.borrow_mut().half(direction).buffer.splice(range, data.iter().copied());
    }
    Ok(())
}
