//! A proxy: several VMs around one clock, one network, one shared data and one set of metrics.

use crate::callout::{Callout, CalloutAnswer, Delivery, Response};
use crate::clock::{Clock, nanos};
use crate::flow::call;
use crate::instance::Instance;
use crate::log::LogLevel;
use crate::metrics::Metrics;
use crate::options::VmOptions;
use crate::plugin::Plugin;
use crate::shared_data::SharedData;
use crate::state::{Context, State, World};
use crate::vm::Vm;
use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::time::Duration;

/// A simulated proxy process. Nothing happens in it but what the test does, and what falls due when the test moves
/// the clock.
#[derive(Default)]
pub struct Proxy {
    world: World,
    vms: RefCell<Vec<Weak<Instance>>>,
    last_vm: Cell<u32>,
}

/// More events than this at one instant are a loop that feeds itself.
const MAX_EVENTS: u32 = 10_000;

/// Something that falls due.
enum Event {
    QueueReady { root: u32, queue: u32 },
    Response { token: u32 },
    Tick { root: u32 },
}

impl Proxy {
    /// A proxy with its own clock, shared data and metrics.
    pub fn new() -> Self {
        Self::default()
    }

    /// A proxy around things that others share too.
    pub fn with(clock: Clock, shared_data: SharedData, metrics: Metrics) -> Self {
        Self { world: World { clock, metrics, shared_data, ..World::default() }, ..Self::default() }
    }

    /// Starts a VM, as each worker of Envoy does. It lives as long as the test holds it.
    pub fn vm(&self, plugin: &Plugin, options: VmOptions) -> Vm {
        self.last_vm.set(self.last_vm.get() + 1);
        let mut world = self.world.clone();
        if let Some(shared_data) = &options.shared_data {
            world.shared_data = shared_data.clone();
        }
        let vm = Vm::new(self.last_vm.get(), plugin, world, options);
        self.vms.borrow_mut().push(Rc::downgrade(&vm.0));
        vm
    }

    /// The clock.
    pub fn clock(&self) -> &Clock {
        &self.world.clock
    }

    /// The shared data of VMs that bring none of their own.
    pub fn shared_data(&self) -> &SharedData {
        &self.world.shared_data
    }

    /// The metrics.
    pub fn metrics(&self) -> &Metrics {
        &self.world.metrics
    }

    /// Who answers callouts from now on. It is asked while the plugin runs, so it must not touch the VM. Without one,
    /// callouts hang.
    pub fn on_callout(&self, handler: impl FnMut(&Callout) -> CalloutAnswer + 'static) {
        self.world.network.set_handler(Box::new(handler));
    }

    /// Every callout that reached the network or was refused by it, oldest first.
    pub fn callouts(&self) -> Vec<Callout> {
        self.world.network.recorded()
    }

    /// Answers a callout that is under way; without a delay at once. Its timeout counts from now.
    pub fn answer(&self, callout: &Callout, answer: CalloutAnswer) {
        let vm = self.alive().into_iter().find(|vm| vm.id == callout.vm);
        let vm = vm.unwrap_or_else(|| panic!("VM {} is gone", callout.vm));
        let (call, _) = vm
            .state(|state| state.pending.take(callout.token))
            .unwrap_or_else(|| panic!("callout {} of VM {} is not under way", callout.token, callout.vm));
        let now = self.world.clock.monotonic();
        let delivery = Delivery::new(answer, call.timeout, &self.world.clock);
        if delivery.due == Some(now) {
            respond(&vm, &call, delivery.response);
        } else {
            vm.state(|state| state.pending.insert(call, delivery));
        }
    }

    /// Moves the clock. Ticks, responses and timeouts that fall due happen on the way, each at its instant.
    pub fn advance(&self, by: Duration) {
        let until = self.world.clock.monotonic().saturating_add(nanos(by));
        let (mut instant, mut events) = (self.world.clock.monotonic(), 0);
        while let Some((due, vm, event)) = self.next_event().filter(|(due, ..)| *due <= until) {
            (instant, events) = if due > instant { (due, 1) } else { (instant, events + 1) };
            assert!(events <= MAX_EVENTS, "{MAX_EVENTS} events at one instant: does a callback re-trigger itself?");
            self.world.clock.move_to(due);
            fire(&vm, &event);
        }
        self.world.clock.move_to(until);
    }

    /// Lets everything happen that is due already.
    pub fn settle(&self) {
        self.advance(Duration::ZERO);
    }

    /// The earliest event of all VMs.
    fn next_event(&self) -> Option<(u64, Rc<Instance>, Event)> {
        let mut next: Option<((u64, u64), Rc<Instance>, Event)> = None;
        for vm in self.alive() {
            if let Some(ready) = vm.state(|state| state.world.shared_data.take_ready(state.vm)) {
                let event = Event::QueueReady { root: ready.root, queue: ready.queue };
                return Some((self.world.clock.monotonic(), vm, event));
            }
            let Some((at, event)) = vm.state(|state| next_event_of(state)) else { continue };
            if next.as_ref().is_none_or(|(other, ..)| at < *other) {
                next = Some((at, vm, event));
            }
        }
        next.map(|((due, _), vm, event)| (due, vm, event))
    }

    fn alive(&self) -> Vec<Rc<Instance>> {
        let mut vms = self.vms.borrow_mut();
        vms.retain(|vm| vm.strong_count() > 0);
        vms.iter().filter_map(Weak::upgrade).collect()
    }
}

impl Plugin {
    /// Whether the plugin takes a configuration in such a VM; where it does not, the errors that it logs.
    pub fn check(&self, configuration: &str, options: VmOptions) -> Result<(), Vec<String>> {
        let vm = Proxy::new().vm(self, options);
        vm.start(configuration).map(drop).map_err(|_| vm.log_at_least(LogLevel::Error))
    }
}

/// A VM's earliest event, as ((instant, sequence), event).
fn next_event_of(state: &State) -> Option<((u64, u64), Event)> {
    let response = state.pending.next().map(|(due, sequence, token)| ((due, sequence), Event::Response { token }));
    let ticks = state.contexts.iter().filter_map(|(root, context)| match context {
        Context::Root(state) => state.borrow().timer.map(|(_, at)| (at, Event::Tick { root: *root })),
        Context::Stream { .. } => None,
    });
    response.into_iter().chain(ticks).min_by_key(|(at, _)| *at)
}

fn fire(vm: &Instance, event: &Event) {
    match *event {
        Event::QueueReady { root, queue } => {
            call::<_, ()>(vm, "proxy_on_queue_ready", root, (root, queue));
        }
        Event::Response { token } => {
            if let Some((callout, delivery)) = vm.state(|state| state.pending.take(token)) {
                respond(vm, &callout, delivery.response);
            }
        }
        Event::Tick { root } => tick(vm, root),
    }
}

/// The timer is armed again after the callback, from then on, unless the callback stopped it.
fn tick(vm: &Instance, id: u32) {
    call::<_, ()>(vm, "proxy_on_tick", id, id);
    vm.state(|state| {
        let clock = state.world.clock.clone();
        if let Some(root) = state.root(id) {
            let period = root.borrow().timer.map(|(period, _)| period);
            let again = |period| (period, (clock.monotonic().saturating_add(period), clock.next_sequence()));
            root.borrow_mut().timer = period.map(again);
        }
    });
}

/// Calls back for a callout. Its response can be read only meanwhile.
fn respond(vm: &Instance, callout: &Callout, response: Response) {
    let Some(root) = vm.state(|state| state.root(callout.root)) else { return };
    let count = |size: usize| u32::try_from(size).expect("a response of less than 4 GiB");
    let (headers, body, trailers) =
        (count(response.headers.len()), count(response.body.len()), count(response.trailers.len()));
    root.borrow_mut().answered = Some(response);
    let parameters = (callout.root, callout.token, headers, body, trailers);
    call::<_, ()>(vm, "proxy_on_http_call_response", callout.root, parameters);
    root.borrow_mut().answered = None;
}
