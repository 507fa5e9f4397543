//! The store and the queues that the VMs of one `vm_id` share.

use crate::status::Status;
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::rc::Rc;

/// One namespace of shared data. Clones share it; give two VMs different ones to give them different `vm_id`s.
///
/// A test may write into it like another plugin that shares the `vm_id`.
#[derive(Clone, Default)]
pub struct SharedData(Rc<RefCell<Inner>>);

#[derive(Default)]
struct Inner {
    entries: BTreeMap<Vec<u8>, (Vec<u8>, u32)>,
    last_cas: u32,
    queues: Vec<Queue>,
    ready: VecDeque<QueueReady>,
}

struct Queue {
    name: Vec<u8>,
    vm: u32,
    root: u32,
    items: VecDeque<Vec<u8>>,
}

/// A queue has something for the root context that registered it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QueueReady {
    pub(crate) vm: u32,
    pub(crate) root: u32,
    pub(crate) queue: u32,
}

impl SharedData {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// The value of a key, and the number that a compare-and-swap must name.
    pub fn get(&self, key: impl AsRef<[u8]>) -> Option<(Vec<u8>, u32)> {
        self.0.borrow().entries.get(key.as_ref()).cloned()
    }

    /// Writes a key. With `cas` 0, or where the key is absent, always; else only if `cas` is the current number.
    pub fn set(&self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>, cas: u32) -> Result<(), Status> {
        let mut inner = self.0.borrow_mut();
        let current = inner.entries.get(key.as_ref()).map(|(_, current)| *current);
        if cas != 0 && current.is_some_and(|current| current != cas) {
            return Err(Status::CAS_MISMATCH);
        }
        // 0 means "no number": it is never given out.
        inner.last_cas = inner.last_cas.checked_add(1).unwrap_or(1);
        let next = inner.last_cas;
        inner.entries.insert(key.as_ref().to_vec(), (value.as_ref().to_vec(), next));
        Ok(())
    }

    /// Removes a key, which no plugin can do: it stands for a host that lost its data.
    pub fn remove(&self, key: impl AsRef<[u8]>) {
        self.0.borrow_mut().entries.remove(key.as_ref());
    }

    /// Every key, sorted.
    pub fn keys(&self) -> Vec<Vec<u8>> {
        self.0.borrow().entries.keys().cloned().collect()
    }

    pub(crate) fn register_queue(&self, name: &[u8], vm: u32, root: u32) -> u32 {
        let queues = &mut self.0.borrow_mut().queues;
        if let Some(at) = queues.iter().position(|queue| queue.name == name) {
            let queue = &mut queues[at];
            (queue.vm, queue.root) = (vm, root);
            return queue_id(at);
        }
        queues.push(Queue { name: name.to_vec(), vm, root, items: VecDeque::new() });
        queue_id(queues.len() - 1)
    }

    pub(crate) fn resolve_queue(&self, name: &[u8]) -> Option<u32> {
        self.0.borrow().queues.iter().position(|queue| queue.name == name).map(queue_id)
    }

    pub(crate) fn enqueue(&self, id: u32, item: Vec<u8>) -> Result<(), Status> {
        let mut inner = self.0.borrow_mut();
        let queue = queue(&mut inner.queues, id)?;
        queue.items.push_back(item);
        let ready = QueueReady { vm: queue.vm, root: queue.root, queue: id };
        inner.ready.push_back(ready);
        Ok(())
    }

    pub(crate) fn dequeue(&self, id: u32) -> Result<Vec<u8>, Status> {
        queue(&mut self.0.borrow_mut().queues, id)?.items.pop_front().ok_or(Status::EMPTY)
    }

    pub(crate) fn take_ready(&self, vm: u32) -> Option<QueueReady> {
        let ready = &mut self.0.borrow_mut().ready;
        let at = ready.iter().position(|ready| ready.vm == vm)?;
        ready.remove(at)
    }
}

impl fmt::Debug for SharedData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = self.0.borrow();
        let entries = inner
            .entries
            .iter()
            .map(|(key, (value, cas))| (key.escape_ascii().to_string(), (value.escape_ascii().to_string(), *cas)));
        f.debug_map().entries(entries).finish()
    }
}

fn queue_id(at: usize) -> u32 {
    u32::try_from(at + 1).expect("fewer than 2^32 queues")
}

fn queue(queues: &mut [Queue], id: u32) -> Result<&mut Queue, Status> {
    let at = (id as usize).checked_sub(1).ok_or(Status::NOT_FOUND)?;
    queues.get_mut(at).ok_or(Status::NOT_FOUND)
}
