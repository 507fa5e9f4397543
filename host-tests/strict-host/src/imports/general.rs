//! Logs, time, properties and contexts.

use super::host_call::host_call;
use crate::clock::nanos;
use crate::guest::{Answer, Guest};
use crate::log::{LogLevel, LogLine};
use crate::state::{Context, Deferred, State};
use crate::status::Status;
use std::time::Duration;
use wasmtime::Linker;

pub(super) fn define(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    host_call!(linker, proxy_log(level, message, size) => |guest| {
        let message = String::from_utf8_lossy(&guest.read((message, size))?).into_owned();
        let Some(level) = LogLevel::from_number(level) else {
            return guest.refuse(Status::BAD_ARGUMENT, format!("there is no log level {level}"));
        };
        guest.log.push(LogLine { level, message });
        Ok(())
    });
    host_call!(linker, proxy_get_log_level(level_at) => |guest| {
        let level = guest.options.log_level;
        guest.write_word(level_at, level as u32)
    });
    host_call!(linker, proxy_get_current_time_nanoseconds(time_at) => |guest| {
        let now = nanos(guest.world.clock.now());
        guest.write(time_at, &now.to_le_bytes())
    });
    host_call!(linker, proxy_set_tick_period_milliseconds(period) => |guest| {
        set_tick_period(guest, period);
        Ok(())
    });
    host_call!(linker, proxy_get_property(path, path_size, data_at, size_at) => |guest| {
        let path = guest.read((path, path_size))?;
        let value = property(guest, &path).ok_or(Status::NOT_FOUND)?;
        guest.give(&value, data_at, size_at)
    });
    host_call!(linker, proxy_set_property(path, path_size, value, value_size) => |guest| {
        let (path, value) = (guest.read((path, path_size))?, guest.read((value, value_size))?);
        set_property(guest, path, value)
    });
    host_call!(linker, proxy_set_effective_context(context) => |guest| set_effective_context(guest, context));
    host_call!(linker, proxy_done() => done);
    host_call!(linker, proxy_get_status(code_at, message_at, size_at) => |guest| {
        guest.write_word(code_at, 0)?;
        guest.give(b"", message_at, size_at)
    });
    Ok(())
}

/// Arms the timer of the root context, from now; 0 stops it.
fn set_tick_period(guest: &mut Guest<'_>, milliseconds: u32) {
    let clock = guest.world.clock.clone();
    let period = nanos(Duration::from_millis(milliseconds.into()));
    if let Some(root) = guest.root(guest.root_id()) {
        let due = (clock.monotonic().saturating_add(period), clock.next_sequence());
        root.borrow_mut().timer = (period > 0).then_some((period, due));
    }
}

/// A property, from the most special source to the most general: the stream's, the VM's, what every host knows.
fn property(guest: &Guest<'_>, path: &[u8]) -> Option<Vec<u8>> {
    let path = path.strip_suffix(b"\0").unwrap_or(path);
    let of_stream = guest.exchange().and_then(|exchange| {
        let exchange = exchange.borrow();
        exchange.properties.get(path).or_else(|| exchange.filter_state.get(path)).cloned()
    });
    of_stream.or_else(|| guest.options.properties.get(path).cloned()).or_else(|| match path {
        b"plugin_name" => Some(guest.options.plugin_name.clone().into_bytes()),
        b"plugin_root_id" | b"plugin_vm_id" => Some(Vec::new()),
        _ => None,
    })
}

fn set_property(guest: &mut Guest<'_>, path: Vec<u8>, value: Vec<u8>) -> Answer {
    if path.contains(&0) {
        guest.complain("a path of several segments becomes one name with NULs in it, which nothing can read");
    }
    let Some(exchange) = guest.exchange() else {
        return guest.refuse(Status::NOT_FOUND, "a root context has no filter state");
    };
    exchange.borrow_mut().filter_state.insert(path, value);
    Ok(())
}

fn set_effective_context(guest: &mut Guest<'_>, context: u32) -> Answer {
    if !guest.contexts.contains_key(&context) {
        let state = if (1..=guest.last_context).contains(&context) { "was deleted" } else { "was never created" };
        return guest.refuse(Status::BAD_ARGUMENT, format!("context {context} {state}"));
    }
    guest.running.effective = context;
    Ok(())
}

/// Ends a context whose `proxy_on_done` answered false.
fn done(guest: &mut Guest<'_>) -> Answer {
    let id = guest.context_id();
    let winding_down = match guest.contexts.get(&id) {
        Some(Context::Root(root)) => std::mem::take(&mut root.borrow_mut().winding_down),
        _ => false,
    };
    if !winding_down {
        return guest.refuse(Status::NOT_FOUND, "the context is not waiting for `proxy_done`");
    }
    guest.deferred.push_back(Deferred::DeleteRoot(id));
    Ok(())
}
