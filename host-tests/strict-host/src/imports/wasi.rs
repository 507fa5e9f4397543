//! The part of WASI that proxies have. Its functions answer an errno.

use super::names::WASI_MODULE;
use crate::clock::nanos;
use crate::guest::{Answer, Guest, answer};
use crate::log::{LogLevel, LogLine};
use crate::state::State;
use crate::status::Status;
use wasmtime::{Caller, Linker};

const EBADF: Status = Status(8);
const ENOTSUP: Status = Status(58);

pub(super) fn define(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    type C<'a> = Caller<'a, State>;
    linker.func_wrap(WASI_MODULE, "clock_time_get", |caller: C<'_>, clock: u32, _precision: u64, time_at: u32| {
        answer(caller, "clock_time_get", |guest| clock_time_get(guest, clock, time_at))
    })?;
    linker.func_wrap(WASI_MODULE, "environ_get", |caller: C<'_>, pointers_at: u32, text_at: u32| {
        answer(caller, "environ_get", |guest| environ_get(guest, pointers_at, text_at))
    })?;
    linker.func_wrap(WASI_MODULE, "environ_sizes_get", |caller: C<'_>, count_at: u32, size_at: u32| {
        answer(caller, "environ_sizes_get", |guest| {
            let lines = environment(guest);
            guest.write_word(count_at, length(lines.len()))?;
            guest.write_word(size_at, length(lines.iter().map(Vec::len).sum()))
        })
    })?;
    linker.func_wrap(WASI_MODULE, "fd_write", |caller: C<'_>, fd: u32, slices: u32, count: u32, written_at: u32| {
        answer(caller, "fd_write", |guest| fd_write(guest, fd, (slices, count), written_at))
    })?;
    linker.func_wrap(WASI_MODULE, "proc_exit", |_: C<'_>, code: u32| -> wasmtime::Result<()> {
        Err(wasmtime::format_err!("the plugin exited with code {code}"))
    })?;
    linker.func_wrap(WASI_MODULE, "random_get", |caller: C<'_>, data_at: u32, size: u32| {
        answer(caller, "random_get", |guest| {
            let words = (0..size.div_ceil(8)).flat_map(|_| guest.next_random().to_le_bytes());
            let bytes: Vec<u8> = words.take(size as usize).collect();
            guest.write(data_at, &bytes)
        })
    })?;
    Ok(())
}

fn clock_time_get(guest: &mut Guest<'_>, clock: u32, time_at: u32) -> Answer {
    let time = match clock {
        0 => nanos(guest.world.clock.now()),
        1 => guest.world.clock.monotonic(),
        _ => return Err(ENOTSUP.into()),
    };
    guest.write(time_at, &time.to_le_bytes())
}

/// The environment as `NAME=value` with a NUL at the end.
fn environment(guest: &Guest<'_>) -> Vec<Vec<u8>> {
    guest.options.environment.iter().map(|(name, value)| format!("{name}={value}\0").into_bytes()).collect()
}

fn environ_get(guest: &mut Guest<'_>, mut pointers_at: u32, mut text_at: u32) -> Answer {
    for line in environment(guest) {
        guest.write_word(pointers_at, text_at)?;
        guest.write(text_at, &line)?;
        pointers_at += 4;
        text_at += length(line.len());
    }
    Ok(())
}

/// Standard output and error become log lines.
fn fd_write(guest: &mut Guest<'_>, fd: u32, (slices, count): (u32, u32), written_at: u32) -> Answer {
    let level = match fd {
        1 => LogLevel::Info,
        2 => LogLevel::Error,
        _ => return Err(EBADF.into()),
    };
    let mut text = Vec::new();
    for slice in guest.read((slices, count.saturating_mul(8)))?.chunks_exact(8) {
        let (pointer, size) = slice.split_at(4);
        let word = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().expect("four bytes"));
        text.extend(guest.read((word(pointer), word(size)))?);
    }
    let message = String::from_utf8_lossy(text.strip_suffix(b"\n").unwrap_or(&text)).into_owned();
    if !text.is_empty() {
        guest.log.push(LogLine { level, message });
    }
    guest.write_word(written_at, length(text.len()))
}

fn length(size: usize) -> u32 {
    u32::try_from(size).expect("a size of less than 4 GiB")
}
