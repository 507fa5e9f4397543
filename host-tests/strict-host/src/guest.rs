//! What a host call sees: the caller's memory and the VM's state.

use crate::headers::{HeaderMap, complaint, decode_pairs};
use crate::state::State;
use crate::status::Status;
use std::ops::{Deref, DerefMut};
use wasmtime::{Caller, Memory};

/// How a host call ends when it does not end well.
pub(crate) enum Fault {
    /// The plugin gets a status.
    Status(Status),
    /// The VM dies.
    Trap(wasmtime::Error),
}

impl From<Status> for Fault {
    fn from(status: Status) -> Self {
        Self::Status(status)
    }
}

pub(crate) type Answer<T = ()> = Result<T, Fault>;

/// A pointer and a length.
pub(crate) type Span = (u32, u32);

/// The VM, from inside of one of its host calls.
pub(crate) struct Guest<'a> {
    caller: Caller<'a, State>,
    call: &'static str,
}

impl Deref for Guest<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        self.caller.data()
    }
}

impl DerefMut for Guest<'_> {
    fn deref_mut(&mut self) -> &mut State {
        self.caller.data_mut()
    }
}

/// Runs a host call, or answers with the status that the test wants. Any status is a legal answer on the wire.
pub(crate) fn answer(
    caller: Caller<'_, State>,
    call: &'static str,
    body: impl FnOnce(&mut Guest<'_>) -> Answer,
) -> wasmtime::Result<u32> {
    let mut guest = Guest { caller, call };
    *guest.calls.entry(call).or_default() += 1;
    if let Some(status) = guest.forced.get(call) {
        return Ok(status.0);
    }
    match body(&mut guest) {
        Ok(()) => Ok(Status::OK.0),
        Err(Fault::Status(status)) => Ok(status.0),
        Err(Fault::Trap(error)) => Err(error),
    }
}

impl Guest<'_> {
    /// Notes a violation; the call goes on.
    pub(crate) fn complain(&mut self, message: impl Into<String>) {
        let call = self.call;
        self.violation(call, message);
    }

    /// Notes a violation and ends the call with that status.
    pub(crate) fn refuse<T>(&mut self, status: Status, message: impl Into<String>) -> Answer<T> {
        self.complain(message);
        Err(Fault::Status(status))
    }

    pub(crate) fn read(&mut self, (pointer, length): Span) -> Answer<Vec<u8>> {
        let memory = self.memory()?;
        let end = pointer as usize + length as usize;
        match memory.data(&self.caller).get(pointer as usize..end) {
            Some(bytes) => Ok(bytes.to_vec()),
            None => self.out_of_range(pointer, length as usize),
        }
    }

    /// Bytes that the ABI calls a string.
    pub(crate) fn read_text(&mut self, what: &str, span: Span) -> Answer<String> {
        let bytes = self.read(span)?;
        match String::from_utf8(bytes) {
            Ok(text) => Ok(text),
            Err(error) => {
                let shown = error.as_bytes().escape_ascii().to_string();
                self.refuse(Status::BAD_ARGUMENT, format!("the {what} `{shown}` is not UTF-8"))
            }
        }
    }

    /// Header lines that the plugin wrote. Envoy takes a broken form as none, and so does this host.
    pub(crate) fn read_pairs(&mut self, span: Span) -> Answer<HeaderMap> {
        let bytes = self.read(span)?;
        let Some(pairs) = decode_pairs(&bytes) else {
            self.complain("the serialized header map is malformed");
            return Ok(HeaderMap::new());
        };
        for (name, value) in &pairs {
            self.check_line(name, value);
        }
        Ok(HeaderMap::from(pairs))
    }

    pub(crate) fn check_line(&mut self, name: &[u8], value: &[u8]) {
        if let Some(complaint) = complaint(name, value) {
            self.complain(complaint);
        }
    }

    pub(crate) fn write(&mut self, pointer: u32, bytes: &[u8]) -> Answer {
        let memory = self.memory()?;
        match memory.write(&mut self.caller, pointer as usize, bytes) {
            Ok(()) => Ok(()),
            Err(_) => self.out_of_range(pointer, bytes.len()),
        }
    }

    pub(crate) fn write_word(&mut self, pointer: u32, word: u32) -> Answer {
        self.write(pointer, &word.to_le_bytes())
    }

    /// Hands bytes over in memory that the plugin allocates; nothing at all is a null pointer.
    pub(crate) fn give(&mut self, bytes: &[u8], pointer_at: u32, length_at: u32) -> Answer {
        let length = u32::try_from(bytes.len()).expect("a value of less than 4 GiB");
        let pointer = if bytes.is_empty() { 0 } else { self.allocate(length)? };
        self.write(pointer, bytes)?;
        self.write_word(pointer_at, pointer)?;
        self.write_word(length_at, length)
    }

    fn allocate(&mut self, length: u32) -> Answer<u32> {
        let allocate = self.allocate.clone().expect("it is checked at load that the plugin can allocate");
        allocate.call(&mut self.caller, length).map_err(Fault::Trap)
    }

    fn memory(&self) -> Answer<Memory> {
        self.memory.ok_or_else(|| {
            Fault::Trap(wasmtime::format_err!("`{}` was called while the module was instantiated", self.call))
        })
    }

    fn out_of_range<T>(&mut self, pointer: u32, length: usize) -> Answer<T> {
        let message = format!("{length} bytes at {pointer:#x} leave the plugin's memory");
        self.refuse(Status::INVALID_MEMORY_ACCESS, message)
    }
}
