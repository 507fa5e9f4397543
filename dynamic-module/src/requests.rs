//! The requests of an engine's worker that Envoy may have to be called for.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use module_abi::{ConfigWaker, StreamId, StreamWaker, stream};

use crate::alarm::{Alarm, Waker};
use crate::later::Later;
use crate::mail::Delivery;

/// The requests that the engine may have to be woken for, and when.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    /// The request whose call this is, or that the driver chose.
    pub(crate) current: Option<StreamId>,
    /// Whether the request whose headers were read last may become a connection of its own.
    pub(crate) is_upgrade: bool,
    pub(crate) later: Vec<Later>,
    /// Answers that the main thread left: requests wait for them.
    pub(crate) mail: Vec<Delivery>,
    waiting: BTreeMap<StreamId, Waiting>,
    /// When the driver wants to be called.
    due: Option<Instant>,
    /// What the alarm was set to, and the request that it wakes.
    armed: Option<(Instant, Option<StreamId>)>,
}

/// A request that the engine may have to act on outside of its own calls.
#[derive(Debug)]
struct Waiting {
    waker: StreamWaker,
    /// What of it waits, if anything does.
    held: Option<Held>,
    /// It was forwarded, and may last: its session may end before it does.
    is_upgraded: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Held {
    Request,
    Response,
}

impl Requests {
    /// A request waits.
    pub(crate) fn request_waits(&mut self, id: StreamId) {
        self.insert(id, Some(Held::Request), false);
    }

    /// The response to a request waits.
    pub(crate) fn response_waits(&mut self, id: StreamId) {
        self.insert(id, Some(Held::Response), false);
    }

    /// The request whose headers were read last was forwarded.
    pub(crate) fn request_passed(&mut self, id: StreamId) {
        if self.is_upgrade {
            self.insert(id, None, true);
        }
    }

    fn insert(&mut self, id: StreamId, held: Option<Held>, is_upgraded: bool) {
        if let Some(waiting) = self.waiting.get_mut(&id) {
            waiting.held = held;
            waiting.is_upgraded |= is_upgraded;
        } else if let Some(waker) = stream::waker(id) {
            self.waiting.insert(id, Waiting { waker, held, is_upgraded });
        }
    }

    /// A request is answered or continued, once the engine is at rest.
    pub(crate) fn settle(&mut self, id: StreamId, later: Later) {
        match later {
            Later::Continue(_) => self.request_passed(id),
            Later::ContinueResponse(_) => {}
            Later::Close(_) | Later::Refuse(_) | Later::Reply { .. } => self.forget(id),
        }
        match self.waiting.get_mut(&id) {
            Some(waiting) if waiting.is_upgraded => waiting.held = None,
            _ => self.forget(id),
        }
        self.later.push(later);
    }

    /// Whether the current call has answered a request.
    pub(crate) fn is_answered(&self, id: StreamId) -> bool {
        self.later.iter().any(|later| matches!(later, Later::Reply { id: answered, .. } if *answered == id))
    }

    /// A request is gone.
    pub(crate) fn forget(&mut self, id: StreamId) {
        self.waiting.remove(&id);
    }

    /// The engine is gone with all that it knew of these: what it had decided on is carried out, and the others end.
    /// What a new one begins with.
    pub(crate) fn abandoned(&mut self) -> Self {
        let mut later = std::mem::take(&mut self.later);
        let waiting = std::mem::take(&mut self.waiting).into_iter();
        let ends = waiting.map(|(id, Waiting { held, is_upgraded, .. })| match held {
            Some(Held::Request) => Later::Refuse(id),
            Some(Held::Response) if !is_upgraded => Later::ContinueResponse(id),
            // A new engine would not end it with its session.
            _ => Later::Close(id),
        });
        let ends: Vec<_> = ends.collect();
        later.retain(|decided| ends.iter().all(|end| end.id() != decided.id()));
        later.extend(ends);
        Self { later, ..Self::default() }
    }

    pub(crate) fn set_timer(&mut self, period: Option<Duration>) {
        self.due = period.and_then(|period| Instant::now().checked_add(period));
    }

    /// Whether the driver is to be called now; it then sets its timer anew.
    pub(crate) fn take_due(&mut self) -> bool {
        self.due.take_if(|due| *due <= Instant::now()).is_some()
    }

    /// Has the alarm wake this engine when something is due: a request that waits, whose thread alone may act on it, or
    /// else the main thread.
    pub(crate) fn arm(&mut self, alarm: &Alarm, engine: usize, main: &ConfigWaker) {
        let first = self.waiting.first_key_value();
        let armed = self.due.map(|due| (due, first.map(|(id, _)| *id)));
        if armed != self.armed {
            self.armed = armed;
            let waker =
                first.map_or_else(|| Waker::Main(main.clone()), |(_, first)| Waker::Worker(first.waker.clone()));
            alarm.set(engine, self.due.map(|due| (due, waker)));
        }
    }

    /// The alarm has rung, once.
    pub(crate) fn rang(&mut self) {
        self.armed = None;
    }

    /// Whether the engine's worker has something to do, which it alone can do.
    pub(crate) fn need_their_worker(&self) -> bool {
        !self.waiting.is_empty() || !self.later.is_empty()
    }

    /// What wakes the engine's worker.
    pub(crate) fn waker(&self) -> Option<StreamWaker> {
        self.waiting.first_key_value().map(|(_, waiting)| waiting.waker.clone())
    }
}
