//! What the host knows of one VM; it lives in the wasmtime store.

use crate::callout::{Network, Pending, Response};
use crate::clock::Clock;
use crate::exchange::{Direction, Exchange};
use crate::log::LogLine;
use crate::metrics::{Defined, Metrics};
use crate::options::VmOptions;
use crate::shared_data::SharedData;
use crate::signature::VerifySignature;
use crate::status::Status;
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::rc::Rc;
use wasmtime::{Memory, TypedFunc};

/// Something that the plugin must not do, or that Envoy would forgive but nobody should rely on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The host call.
    pub call: &'static str,
    /// The callback in which it was made.
    pub callback: &'static str,
    /// The context that it was made for.
    pub context: u32,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` in `{}` for context {}: {}", self.call, self.callback, self.context, self.message)
    }
}

/// What one proxy's VMs share.
#[derive(Clone, Default)]
pub(crate) struct World {
    pub(crate) clock: Clock,
    pub(crate) metrics: Metrics,
    pub(crate) network: Network,
    pub(crate) shared_data: SharedData,
}

/// A root context: one plugin configuration in one VM.
#[derive(Debug, Default)]
pub(crate) struct RootState {
    pub(crate) configuration: Vec<u8>,
    /// The period and the next tick, as (instant, sequence).
    pub(crate) timer: Option<(u64, (u64, u64))>,
    /// The response that the running callback may read.
    pub(crate) answered: Option<Response>,
    /// `proxy_on_done` answered false: `proxy_done` is awaited.
    pub(crate) winding_down: bool,
}

#[derive(Clone)]
pub(crate) enum Context {
    Root(Rc<RefCell<RootState>>),
    Stream { root: u32, exchange: Rc<RefCell<Exchange>> },
}

/// What Envoy does only once the plugin has returned.
#[derive(Debug)]
pub(crate) enum Deferred {
    Close(u32),
    DeleteRoot(u32),
    Reply(u32),
    Resume(u32, Direction),
}

/// The callback that runs.
#[derive(Clone, Copy)]
pub(crate) struct Running {
    pub(crate) callback: &'static str,
    pub(crate) context: u32,
    /// 0: the context itself.
    pub(crate) effective: u32,
}

pub(crate) struct State {
    pub(crate) vm: u32,
    pub(crate) world: World,
    pub(crate) options: VmOptions,
    pub(crate) memory: Option<Memory>,
    pub(crate) allocate: Option<TypedFunc<u32, u32>>,
    pub(crate) contexts: BTreeMap<u32, Context>,
    pub(crate) last_context: u32,
    pub(crate) running: Running,
    pub(crate) deferred: VecDeque<Deferred>,
    pub(crate) metrics: Defined,
    pub(crate) pending: Pending,
    pub(crate) forced: BTreeMap<&'static str, Status>,
    pub(crate) calls: BTreeMap<&'static str, u64>,
    pub(crate) verify_signature: VerifySignature,
    pub(crate) random: u64,
    pub(crate) log: Vec<LogLine>,
    pub(crate) violations: Vec<Violation>,
}

impl State {
    pub(crate) fn new(vm: u32, world: World, options: VmOptions) -> Self {
        Self {
            vm,
            world,
            memory: None,
            allocate: None,
            contexts: BTreeMap::new(),
            last_context: 0,
            running: Running { callback: "start", context: 0, effective: 0 },
            deferred: VecDeque::new(),
            metrics: Defined::default(),
            pending: Pending::default(),
            forced: BTreeMap::new(),
            calls: BTreeMap::new(),
            verify_signature: VerifySignature::default(),
            random: options.random_seed,
            log: Vec::new(),
            violations: Vec::new(),
            options,
        }
    }

    pub(crate) fn add_context(&mut self, context: Context) -> u32 {
        self.last_context += 1;
        self.contexts.insert(self.last_context, context);
        self.last_context
    }

    /// The id that host calls act on: the effective context while it lives, else the one called back.
    pub(crate) fn context_id(&self) -> u32 {
        let effective = self.running.effective;
        if self.contexts.contains_key(&effective) { effective } else { self.running.context }
    }

    /// The exchange that host calls act on, if the context is a stream.
    pub(crate) fn exchange(&self) -> Option<Rc<RefCell<Exchange>>> {
        match self.contexts.get(&self.context_id())? {
            Context::Root(_) => None,
            Context::Stream { exchange, .. } => Some(exchange.clone()),
        }
    }

    /// The root of the context that host calls act on.
    pub(crate) fn root_id(&self) -> u32 {
        match self.contexts.get(&self.context_id()) {
            Some(Context::Stream { root, .. }) => *root,
            Some(Context::Root(_)) | None => self.context_id(),
        }
    }

    pub(crate) fn root(&self, id: u32) -> Option<Rc<RefCell<RootState>>> {
        match self.contexts.get(&id)? {
            Context::Root(root) => Some(root.clone()),
            Context::Stream { .. } => None,
        }
    }

    pub(crate) fn violation(&mut self, call: &'static str, message: impl Into<String>) {
        let (callback, context) = (self.running.callback, self.context_id());
        self.violations.push(Violation { call, callback, context, message: message.into() });
    }

    /// `SplitMix64`: enough to be different each time and the same in every run.
    pub(crate) fn next_random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
