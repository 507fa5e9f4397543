//! What the VMs of a proxy share: data, queues and metrics.

use super::host_call::host_call;
use crate::guest::{Answer, Fault, Guest};
use crate::state::State;
use crate::status::Status;
use wasmtime::Linker;

pub(super) fn define(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    define_data(linker)?;
    define_queues(linker)?;
    define_metrics(linker)
}

fn define_data(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    host_call!(linker, proxy_get_shared_data(key, key_size, data_at, size_at, cas_at) => |guest| {
        let key = guest.read((key, key_size))?;
        let (value, cas) = guest.world.shared_data.get(key).ok_or(Status::NOT_FOUND)?;
        guest.give(&value, data_at, size_at)?;
        guest.write_word(cas_at, cas)
    });
    host_call!(linker, proxy_set_shared_data(key, key_size, value, value_size, cas) => |guest| {
        let (key, value) = (guest.read((key, key_size))?, guest.read((value, value_size))?);
        Ok(guest.world.shared_data.set(key, value, cas)?)
    });
    Ok(())
}

fn define_queues(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    host_call!(linker, proxy_register_shared_queue(name, name_size, id_at) => |guest| {
        let name = guest.read((name, name_size))?;
        let id = guest.world.shared_data.register_queue(&name, guest.vm, guest.root_id());
        guest.write_word(id_at, id)
    });
    host_call!(linker, proxy_resolve_shared_queue(_vm_id, _vm_id_size, name, name_size, id_at) => |guest| {
        let name = guest.read((name, name_size))?;
        let id = guest.world.shared_data.resolve_queue(&name).ok_or(Status::NOT_FOUND)?;
        guest.write_word(id_at, id)
    });
    host_call!(linker, proxy_enqueue_shared_queue(id, data, size) => |guest| {
        let data = guest.read((data, size))?;
        let done = guest.world.shared_data.enqueue(id, data);
        known_queue(guest, id, done)
    });
    host_call!(linker, proxy_dequeue_shared_queue(id, data_at, size_at) => |guest| {
        let item = guest.world.shared_data.dequeue(id);
        let item = known_queue(guest, id, item)?;
        guest.give(&item, data_at, size_at)
    });
    Ok(())
}

fn known_queue<T>(guest: &mut Guest<'_>, id: u32, result: Result<T, Status>) -> Answer<T> {
    if matches!(result, Err(Status::NOT_FOUND)) {
        guest.complain(format!("there is no queue {id}"));
    }
    result.map_err(Fault::from)
}

fn define_metrics(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    host_call!(linker, proxy_define_metric(kind, name, name_size, id_at) => |guest| {
        let name = guest.read_text("metric name", (name, name_size))?;
        let metrics = guest.world.metrics.clone();
        match guest.metrics.define(&metrics, kind, &name) {
            Ok(id) => guest.write_word(id_at, id),
            Err(status) => guest.refuse(status, format!("there is no kind {kind} of metrics")),
        }
    });
    host_call!(linker, proxy_increment_metric(id, offset: i64) => |guest| {
        let done = guest.metrics.increment(&guest.world.metrics, id, offset);
        known_metric(guest, id, done)
    });
    host_call!(linker, proxy_record_metric(id, value: u64) => |guest| {
        let done = guest.metrics.record(&guest.world.metrics, id, value);
        known_metric(guest, id, done)
    });
    host_call!(linker, proxy_get_metric(id, value_at) => |guest| {
        let value = guest.metrics.get(&guest.world.metrics, id);
        let value = known_metric(guest, id, value)?;
        guest.write(value_at, &value.to_le_bytes())
    });
    Ok(())
}

fn known_metric<T>(guest: &mut Guest<'_>, id: u32, result: Result<T, Status>) -> Answer<T> {
    match result {
        Err(Status::NOT_FOUND) => guest.refuse(Status::NOT_FOUND, format!("there is no metric {id}")),
        Err(status) => guest.refuse(status, format!("metric {id} is of a kind that cannot do this")),
        Ok(value) => Ok(value),
    }
}
