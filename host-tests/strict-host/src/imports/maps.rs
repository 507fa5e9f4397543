//! Header maps.

use super::host_call::host_call;
use crate::cookies;
use crate::exchange::{Direction, Exchange, Life};
use crate::guest::{Answer, Guest, Span};
use crate::headers::HeaderMap;
use crate::state::State;
use crate::status::Status;
use std::cell::RefCell;
use std::rc::Rc;
use wasmtime::Linker;

pub(super) fn define(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    host_call!(linker, proxy_get_header_map_pairs(map, data_at, size_at) => |guest| {
        let pairs = read_map(guest, map)?.unwrap_or_default().encode();
        guest.give(&pairs, data_at, size_at)
    });
    host_call!(linker, proxy_set_header_map_pairs(map, data, size) => |guest| {
        let pairs = guest.read_pairs((data, size))?;
        edit_map(guest, map, |map| *map = pairs)
    });
    host_call!(linker, proxy_get_header_map_size(map, size_at) => |guest| {
        let size = existing(guest, map)?.byte_size();
        guest.write_word(size_at, u32::try_from(size).expect("headers of less than 4 GiB"))
    });
    host_call!(linker, proxy_get_header_map_value(map, key, key_size, data_at, size_at) => |guest| {
        let key = guest.read((key, key_size))?;
        let value = existing(guest, map)?.get(&key).ok_or(Status::NOT_FOUND)?.to_vec();
        guest.give(&value, data_at, size_at)
    });
    host_call!(linker, proxy_add_header_map_value(map, key, key_size, value, value_size) => |guest| {
        let (key, value) = read_line(guest, (key, key_size), (value, value_size))?;
        edit_map(guest, map, |map| map.add(&key, value))?;
        check_cookies(guest, map, &key)
    });
    host_call!(linker, proxy_replace_header_map_value(map, key, key_size, value, value_size) => |guest| {
        let (key, value) = read_line(guest, (key, key_size), (value, value_size))?;
        edit_map(guest, map, |map| map.replace(key, value))
    });
    host_call!(linker, proxy_remove_header_map_value(map, key, key_size) => |guest| {
        let key = guest.read((key, key_size))?;
        guest.check_line(&key, b"");
        edit_map(guest, map, |map| map.remove(key))
    });
    Ok(())
}

/// Which map a number means.
#[derive(Clone, Copy)]
enum Which {
    Headers(Direction),
    Trailers(Direction),
    GrpcMetadata,
    CalloutHeaders,
    CalloutTrailers,
}

fn which(guest: &mut Guest<'_>, number: u32) -> Answer<Which> {
    Ok(match number {
        0 => Which::Headers(Direction::Request),
        1 => Which::Trailers(Direction::Request),
        2 => Which::Headers(Direction::Response),
        3 => Which::Trailers(Direction::Response),
        4 | 5 => Which::GrpcMetadata,
        6 => Which::CalloutHeaders,
        7 => Which::CalloutTrailers,
        _ => return guest.refuse(Status::BAD_ARGUMENT, format!("there is no header map {number}")),
    })
}

fn read_line(guest: &mut Guest<'_>, key: Span, value: Span) -> Answer<(Vec<u8>, Vec<u8>)> {
    let (key, value) = (guest.read(key)?, guest.read(value)?);
    guest.check_line(&key, &value);
    Ok((key, value))
}

/// A map that a call needs.
fn existing(guest: &mut Guest<'_>, number: u32) -> Answer<HeaderMap> {
    Ok(read_map(guest, number)?.ok_or(Status::BAD_ARGUMENT)?)
}

/// A map; `None`, and a violation, where there is none in this phase.
fn read_map(guest: &mut Guest<'_>, number: u32) -> Answer<Option<HeaderMap>> {
    let which = which(guest, number)?;
    let found = match which {
        Which::Headers(direction) => stream_map(guest, |exchange| {
            let logging = exchange.life == Life::Logging;
            let half = exchange.half(direction);
            if logging || half.headers_open() { half.headers.clone() } else { None }
        }),
        Which::Trailers(direction) => stream_map(guest, |exchange| {
            let logging = exchange.life == Life::Logging;
            let half = exchange.half(direction);
            if logging || half.trailers_open() { half.trailers.clone() } else { None }
        }),
        Which::GrpcMetadata => None,
        Which::CalloutHeaders | Which::CalloutTrailers => callout_map(guest, which),
    };
    if found.is_none() {
        let state = absence(guest, which);
        guest.complain(state);
    }
    Ok(found)
}

fn stream_map(guest: &Guest<'_>, find: impl FnOnce(&mut Exchange) -> Option<HeaderMap>) -> Option<HeaderMap> {
    find(&mut guest.exchange()?.borrow_mut())
}

/// A map of the response to a callout: only its root's contexts see it, and only during the callback.
fn callout_map(guest: &Guest<'_>, which: Which) -> Option<HeaderMap> {
    let root = guest.root(guest.root_id())?;
    let root = root.borrow();
    let response = root.answered.clone()?;
    Some(if matches!(which, Which::CalloutHeaders) { response.headers } else { response.trailers })
}

/// An edit of the response's cookies leaves each of them once.
fn check_cookies(guest: &mut Guest<'_>, map: u32, key: &[u8]) -> Answer {
    let is_edited = matches!(which(guest, map)?, Which::Headers(Direction::Response)) && key == b"set-cookie";
    let edited = if is_edited { read_map(guest, map)? } else { None };
    if let Some(complaint) = edited.and_then(|map| cookies::repeated(&map)) {
        guest.complain(complaint);
    }
    Ok(())
}

fn edit_map(guest: &mut Guest<'_>, number: u32, edit: impl FnOnce(&mut HeaderMap)) -> Answer {
    let which = which(guest, number)?;
    let exchange = guest.exchange();
    match which {
        Which::Headers(direction) => {
            let joins = direction == Direction::Request && !guest.options.keep_duplicate_lines;
            edit_stream(guest, exchange, direction, which, |exchange| {
                let half = exchange.half(direction);
                let map = half.headers.as_mut().filter(|_| half.sent.headers.is_none())?;
                edit(map);
                if joins {
                    *map = std::mem::take(map).joined();
                }
                Some(())
            })
        }
        Which::Trailers(direction) => edit_stream(guest, exchange, direction, which, |exchange| {
            let half = exchange.half(direction);
            edit(half.trailers.as_mut().filter(|_| half.sent.trailers.is_none())?);
            Some(())
        }),
        Which::GrpcMetadata | Which::CalloutHeaders | Which::CalloutTrailers => {
            guest.refuse(Status::BAD_ARGUMENT, format!("header map {number} is read-only"))
        }
    }
}

fn edit_stream(
    guest: &mut Guest<'_>,
    exchange: Option<Rc<RefCell<Exchange>>>,
    direction: Direction,
    which: Which,
    edit: impl FnOnce(&mut Exchange) -> Option<()>,
) -> Answer {
    let (mut replied, mut edited) = (false, None);
    if let Some(exchange) = exchange {
        let mut exchange = exchange.borrow_mut();
        replied = exchange.reply.is_some() && exchange.is_over(direction);
        edited = if exchange.life == Life::Logging { None } else { edit(&mut exchange) };
    }
    if replied {
        guest.complain("the stream has got a local reply: nobody will see this edit");
    }
    if edited.is_none() {
        let absence = absence(guest, which);
        return guest.refuse(Status::BAD_ARGUMENT, absence);
    }
    Ok(())
}

/// Why a map is not there.
fn absence(guest: &Guest<'_>, which: Which) -> String {
    let (what, direction) = match which {
        Which::GrpcMetadata => return "there is no gRPC metadata".to_owned(),
        Which::CalloutHeaders | Which::CalloutTrailers => {
            return "there is no callout response outside of `proxy_on_http_call_response`".to_owned();
        }
        Which::Headers(direction) => ("headers", direction),
        Which::Trailers(direction) => ("trailers", direction),
    };
    let name = direction.name();
    let Some(exchange) = guest.exchange() else {
        return format!("there are no {name} {what} in a root context: set the effective context first");
    };
    let mut exchange = exchange.borrow_mut();
    if exchange.life == Life::Logging {
        return format!("the {name} {what} are read-only in `proxy_on_log`, if they came at all");
    }
    let half = exchange.half(direction);
    let came = if what == "headers" { half.headers.is_some() } else { half.trailers.is_some() };
    let state = if came { "were sent on already" } else { "do not exist yet" };
    format!("the {name} {what} {state}")
}
