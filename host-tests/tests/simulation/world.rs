//! The proxy, its VMs and its requests.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::rc::Rc;
use std::sync::LazyLock;
use std::time::Duration;

use serde_json::{Value, json};
use strict_host::{Outcome, Plugin, Proxy, Root, Stream, VerifySignature, Vm, VmOptions};
use test_support::random::Random;

use crate::budget::Budget;
use crate::issuer::{Held, Issuer};
use crate::knowledge::Knowledge;

pub(crate) const REFRESH: Duration = Duration::from_mins(1);
pub(crate) const MAX_STALE: Duration = Duration::from_mins(10);
pub(crate) const COOLDOWN: Duration = Duration::from_secs(10);
pub(crate) const TIMEOUT: Duration = Duration::from_secs(2);
pub(crate) const WAIT_FOR: Duration = Duration::from_secs(3);
/// Followers look at the shared store each second.
pub(crate) const LOOK: Duration = Duration::from_millis(1100);
/// A crowd is resumed some at a time, a tick apart.
const TICKS: Duration = Duration::from_millis(50);
const WAITING: usize = 40;
/// What a VM may grow by, however it is treated.
const GROWTH: usize = 3 << 20;

static PLUGIN: LazyLock<Plugin> =
    LazyLock::new(|| strict_host::built("JOTGATE_PLUGIN", "dist/jotgate.wasm", "make plugin"));

/// What a token is, and so what it may get.
#[derive(Clone, Debug)]
pub(crate) enum Bearer {
    Current(Held),
    Forged,
    Retired(Held),
    Unknown,
}

struct Waiting {
    stream: Stream,
    vm: u32,
    since: Duration,
    issuer: usize,
    bearer: Bearer,
}

pub(crate) struct World {
    pub(crate) random: Random,
    pub(crate) proxy: Proxy,
    pub(crate) vms: Vec<Root>,
    pub(crate) issuers: Rc<RefCell<Vec<Issuer>>>,
    pub(crate) budgets: Rc<RefCell<Vec<Budget>>>,
    pub(crate) knowledge: Rc<RefCell<Vec<Knowledge>>>,
    /// Entries of the shared store as they once were.
    pub(crate) memories: Vec<(Vec<u8>, Vec<u8>)>,
    elapsed: Rc<RefCell<Duration>>,
    waiting: Vec<Waiting>,
    events: VecDeque<String>,
    fresh_bytes: usize,
    discovers: bool,
    /// How far clocks were set in all: ages may be wrong by that.
    pub(crate) skew: Duration,
    /// When the clock was last set back.
    pub(crate) set_back: Option<Duration>,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let count = 1 + random.below(3);
        let mut world = Self {
            discovers: random.once_in(2),
            random,
            proxy: Proxy::new(),
            vms: Vec::new(),
            issuers: Rc::new(RefCell::new((0..count).map(Issuer::new).collect())),
            budgets: Rc::new(RefCell::new((0..count).map(|_| Budget::default()).collect())),
            knowledge: Rc::new(RefCell::new((0..count).map(|_| Knowledge::default()).collect())),
            memories: Vec::new(),
            elapsed: Rc::default(),
            waiting: Vec::new(),
            events: VecDeque::new(),
            fresh_bytes: usize::MAX,
            skew: Duration::ZERO,
            set_back: None,
        };
        world.answer_callouts();
        for _ in 0..=world.random.below(8) {
            world.start_vm();
        }
        world
    }

    /// The time since the start, which no setting of clocks changes.
    pub(crate) fn now(&self) -> Duration {
        *self.elapsed.borrow()
    }

    fn answer_callouts(&self) {
        let (issuers, budgets, knowledge, elapsed) =
            (Rc::clone(&self.issuers), Rc::clone(&self.budgets), Rc::clone(&self.knowledge), Rc::clone(&self.elapsed));
        self.proxy.on_callout(move |callout| {
            let now = *elapsed.borrow();
            let index: usize = callout.cluster.trim_start_matches('i').parse().unwrap();
            let issuer = &issuers.borrow()[index];
            let is_set = callout.path() == "/jwks";
            // A fetch begins with the first of its callouts: the set alone, or the document in front of it.
            if is_set || !issuer.mood.is_good() {
                budgets.borrow_mut()[index].fetched(now, issuer.mood.is_good());
            }
            if let (true, true, Some(delay)) = (is_set, issuer.mood.is_good(), issuer.mood.delay()) {
                knowledge.borrow_mut()[index].served(now, delay, callout.vm);
            }
            issuer.answer(&callout.path())
        });
    }

    pub(crate) fn config(&self) -> String {
        let keys = |issuer: &Issuer| {
            let mut keys = json!({
                "cluster": issuer.name, "timeout": "2s", "refreshAfter": "60s", "maxStale": "10m",
                "unknownKeyCooldown": "10s",
            });
            match self.discovers {
                true => keys["discovery"] = json!({}),
                false => keys["jwksUri"] = json!(format!("{}/jwks", issuer.url())),
            }
            keys
        };
        let issuer = |issuer: &Issuer| json!({"name": issuer.name, "issuer": issuer.url(), "audiences": ["api"], "keys": keys(issuer)});
        let issuers: Vec<Value> = self.issuers.borrow().iter().map(issuer).collect();
        let rules = json!([{"match": {"paths": ["/public"]}, "access": "public"}, {"access": "authenticated"}]);
        json!({"issuers": issuers, "rules": rules, "limits": {"waitFor": "3s", "waiting": WAITING}}).to_string()
    }

    pub(crate) fn start_vm(&mut self) {
        let root = self.new_vm();
        self.fresh_bytes = self.fresh_bytes.min(root.vm().memory_bytes());
        self.note(&format!("VM {} begins", root.vm().id()));
        self.vms.push(root);
    }

    pub(crate) fn new_vm(&mut self) -> Root {
        let vm: Vm = self.proxy.vm(&PLUGIN, VmOptions::new().random_seed(self.random.number()));
        // How signatures are checked is tested elsewhere; without the host a VM begins in no time.
        vm.set_verify_signature(VerifySignature::Missing);
        let now = self.now();
        self.knowledge.borrow_mut().iter_mut().for_each(|known| known.vm_begins(vm.id(), now));
        vm.start(self.config()).unwrap()
    }

    /// All that waits there is lost with it.
    pub(crate) fn end_vm(&mut self, index: usize) {
        let root = self.vms.swap_remove(index);
        self.note(&format!("VM {} ends", root.vm().id()));
        let now = self.now();
        self.waiting.retain(|waiting| waiting.vm != root.vm().id());
        self.knowledge.borrow_mut().iter_mut().for_each(|known| known.vm_ends(root.vm().id(), now));
        self.disturb();
    }

    /// The word of who fetches, or what was fetched, may be lost.
    pub(crate) fn disturb(&mut self) {
        let (now, vms) = (self.now(), self.vms.len() + 1);
        self.budgets.borrow_mut().iter_mut().for_each(|budget| budget.disturb(now, vms));
    }

    pub(crate) fn spoil(&mut self) {
        let now = self.now();
        self.knowledge.borrow_mut().iter_mut().for_each(|known| known.spoil(now));
        self.disturb();
    }

    /// Lets time pass in small steps, and looks at everything that waits after each.
    pub(crate) fn advance(&mut self, by: Duration) {
        const STEP: Duration = Duration::from_millis(10);
        let end = self.now() + by;
        while self.now() < end {
            // Between requests that wait nothing is looked at, and time may pass faster.
            let step = if self.waiting.is_empty() { Duration::from_millis(200) } else { STEP };
            let step = step.min(end - self.now());
            *self.elapsed.borrow_mut() += step;
            self.proxy.advance(step);
            self.settle_waiting();
        }
        let now = self.now();
        for (issuer, budget) in self.issuers.borrow().iter().zip(self.budgets.borrow_mut().iter_mut()) {
            budget.check(&issuer.name, now);
        }
        for root in &self.vms {
            let grown = root.vm().memory_bytes().saturating_sub(self.fresh_bytes);
            assert!(grown <= GROWTH, "VM {} has grown by {grown} bytes", root.vm().id());
        }
    }

    pub(crate) fn send(&mut self, vm: usize, path: &str, token: Option<&str>) -> Stream {
        let text = token.map(|token| format!("Bearer {token}"));
        let mut lines = vec![(":method", "GET"), (":path", path), (":scheme", "https"), (":authority", "api")];
        lines.extend(text.as_deref().map(|text| ("authorization", text)));
        self.vms[vm].request(lines.as_slice(), true)
    }

    /// Sends a request with a token, and judges what becomes of it, now or later.
    pub(crate) fn send_bearer(&mut self, vm: usize, issuer: usize, bearer: Bearer) {
        let junk = self.random.number();
        let (token, must_pass) = {
            let issuers = self.issuers.borrow();
            let sender = &issuers[issuer];
            let token = match &bearer {
                Bearer::Current(key) | Bearer::Retired(key) => sender.token(key),
                Bearer::Forged => sender.forged(sender.current().next().unwrap()),
                Bearer::Unknown => sender.unknown(junk),
            };
            (token, self.must_pass(vm, issuer, &bearer))
        };
        let stream = self.send(vm, "/x", Some(&token));
        let (vm, since) = (self.vms[vm].vm().id(), self.now());
        if stream.is_waiting() {
            assert!(!must_pass, "VM {vm}: {bearer:?} of issuer {issuer} waits for keys that are there");
            self.waiting.push(Waiting { stream, vm, since, issuer, bearer });
            let there = self.waiting.iter().filter(|waiting| waiting.vm == vm).count();
            assert!(there <= WAITING, "{there} requests wait in VM {vm}");
            return;
        }
        let found = summary(&stream);
        assert!(!must_pass || found == "ok", "VM {vm}: {bearer:?} of issuer {issuer} got {found}");
        self.judge(vm, issuer, &bearer, &found);
        stream.end();
    }

    /// Whether the VM must know of the key by now.
    fn must_pass(&self, vm: usize, issuer: usize, bearer: &Bearer) -> bool {
        let Bearer::Current(key) = bearer else { return false };
        let known = self.knowledge.borrow()[issuer].known(self.vms[vm].vm().id(), self.now(), self.skew);
        known.is_some_and(|made| made > key.published || key.published.is_zero())
    }

    fn judge(&self, vm: u32, issuer: usize, bearer: &Bearer, found: &str) {
        let is_expected = match bearer {
            Bearer::Current(_) => {
                matches!(found, "ok" | "401 unknown_key" | "503 keys_unavailable" | "503 overloaded")
            }
            Bearer::Retired(key) if found == "ok" => self.may_still_pass(issuer, key),
            Bearer::Retired(_) | Bearer::Unknown => {
                matches!(found, "401 unknown_key" | "503 keys_unavailable" | "503 overloaded")
            }
            Bearer::Forged => {
                matches!(found, "401 bad_signature" | "401 unknown_key" | "503 keys_unavailable" | "503 overloaded")
            }
        };
        assert!(is_expected, "VM {vm}: {bearer:?} of issuer {issuer} got {found}");
    }

    /// A withdrawn key is used until its issuer says so: at the next refresh (a tenth late at most) if it answers, or
    /// after a back-off; and as long as `maxStale` allows while it does not.
    fn may_still_pass(&self, issuer: usize, key: &Held) -> bool {
        let withdrawn = key.withdrawn.unwrap();
        let asked = self.issuers.borrow()[issuer].good_since.map(|since| since.max(withdrawn));
        let next_answer = REFRESH * 11 / 10 + Duration::from_secs(33) + TIMEOUT * 4 + LOOK;
        let is_unheard = asked.is_none_or(|asked| self.now() <= asked + next_answer);
        is_unheard && self.now() <= withdrawn + REFRESH + MAX_STALE + TIMEOUT + self.skew
    }

    fn settle_waiting(&mut self) {
        let now = self.now();
        let mut settled = Vec::new();
        self.waiting.retain_mut(|waiting| {
            if waiting.stream.is_waiting() {
                let waited = now - waiting.since;
                // The plugin has the wall clock alone: one that is set back hides the time since it last looked.
                let hidden = if self.set_back.is_some_and(|at| at >= waiting.since) { WAIT_FOR } else { TICKS };
                assert!(waited <= WAIT_FOR + hidden + TICKS, "a request waits for {waited:?} in VM {}", waiting.vm);
                return true;
            }
            settled.push((waiting.vm, waiting.issuer, waiting.bearer.clone(), summary(&waiting.stream)));
            waiting.stream.end();
            false
        });
        for (vm, issuer, bearer, found) in settled {
            self.judge(vm, issuer, &bearer, &found);
        }
    }

    pub(crate) fn note(&mut self, event: &str) {
        self.events.push_back(format!("{:>9.3}s {event}", self.now().as_secs_f64()));
        if self.events.len() > 50 {
            self.events.pop_front();
        }
    }

    /// What happened last.
    pub(crate) fn trace(&self) -> String {
        self.events.iter().fold(String::new(), |mut text, event| {
            let _ = writeln!(text, "  {event}");
            text
        })
    }
}

/// `ok`, `waiting`, or status and reason.
pub(crate) fn summary(stream: &Stream) -> String {
    match stream.outcome() {
        Outcome::Continued(_) => "ok".into(),
        Outcome::Paused(_) => "waiting".into(),
        Outcome::Replied(reply) => {
            let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
            format!("{} {}", reply.status, body["reason"].as_str().unwrap_or("-"))
        }
        other => format!("{other:?}"),
    }
}
