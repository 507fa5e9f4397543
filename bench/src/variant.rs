//! What is compared: each variant is a gate, and what is sent through it.

use real_envoy::Gate as Host;
use testbed::keys::Algorithm;

/// What stands between the caller and the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gate {
    /// Nothing but the router.
    Open,
    /// A Wasm plugin that does nothing.
    Nothing,
    /// A Wasm plugin that makes the host calls of a gate, and does nothing else.
    Calls,
    /// Envoy's `jwt_authn` and `rbac`.
    Native {
        /// `jwt_cache_config` is set.
        caches: bool,
    },
    /// What is measured.
    Jotgate(Jotgate),
    /// `ext_authz`, to a service that does nothing.
    Hop(Protocol),
}

/// Jotgate, and how it is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Jotgate {
    pub(crate) host: Host,
    pub(crate) rules: Rules,
    pub(crate) issuers: usize,
    /// It is called for responses, too.
    pub(crate) responses: bool,
    /// It sets what access logs show of a request.
    pub(crate) properties: bool,
    pub(crate) caller: Caller,
    pub(crate) upstream: Upstream,
}

/// What callers bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// A token that only its issuer can read.
    Opaque,
    Session(Session),
    /// A JWT.
    Token,
}

/// What the upstream gets in place of the caller's token. Both are made once, and kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Upstream {
    /// A token that the caller's was exchanged for.
    Exchanged,
    Nothing,
    /// A token that the gate signed.
    Signed,
}

/// The usual ones.
pub(crate) const PLUGIN: Jotgate = Jotgate {
    host: Host::Plugin,
    rules: Rules::Mixed(10),
    issuers: 1,
    responses: true,
    properties: true,
    caller: Caller::Token,
    upstream: Upstream::Nothing,
};
const MODULE: Jotgate = Jotgate { host: Host::Module, ..PLUGIN };
const JOTGATE: Gate = Gate::Jotgate(PLUGIN);
const NATIVE: Gate = Gate::Native { caches: true };

/// The session of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Session {
    /// Sealed with the secret that seals now.
    Current,
    /// Sealed with the one before: each response brings it anew.
    Old,
}

/// The rules of the gate. The last one decides in each case, so that none is spared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rules {
    /// So many: literal paths, patterns and hosts, below different prefixes.
    Mixed(usize),
    /// So many, below the prefix that is asked for.
    Siblings(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Grpc,
    Http,
}

/// The tokens of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tokens {
    pub(crate) algorithm: Algorithm,
    pub(crate) fresh: Fresh,
    /// How long they are at the least.
    pub(crate) bytes: usize,
}

/// What does not come twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fresh {
    Nothing,
    /// The proofs of one token (RFC 9449).
    Proofs,
    Tokens,
}

/// What is sent, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Load {
    pub(crate) tokens: Tokens,
    /// Headers beside those that every request needs.
    pub(crate) headers: usize,
    /// Connections that each have a request under way.
    pub(crate) connections: usize,
    /// Of Envoy.
    pub(crate) workers: usize,
    /// Envoy logs each request, with four fields of what the gate knows.
    pub(crate) logs: bool,
}

const REPEATED: Tokens = Tokens { algorithm: Algorithm::RS256, fresh: Fresh::Nothing, bytes: 0 };
const USUAL: Load = Load { tokens: REPEATED, headers: 3, connections: 1, workers: 1, logs: false };
const LOGGED: Load = Load { logs: true, ..USUAL };

/// One line of a table.
#[derive(Clone, Debug)]
pub(crate) struct Variant {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) gate: Gate,
    pub(crate) load: Load,
    /// The name of the variant whose cost is taken off, as what any request costs.
    pub(crate) baseline: String,
}

impl Variant {
    fn new(name: impl Into<String>, title: impl Into<String>, gate: Gate, load: Load) -> Self {
        Self { name: name.into(), title: title.into(), gate, load, baseline: OPEN.into() }
    }

    fn beside(self, baseline: impl Into<String>) -> Self {
        Self { baseline: baseline.into(), ..self }
    }

    /// Others are compared with it.
    pub(crate) fn is_baseline(&self) -> bool {
        self.baseline == self.name
    }
}

/// The variant that all others are compared with.
pub(crate) const OPEN: &str = "open";

/// The usual one of the plugin.
pub(crate) const WARM: &str = "jotgate-repeated";

/// The usual one of the native module.
pub(crate) const WARM_MODULE: &str = "module-repeated";

/// No filter, with the access log of those that have one.
const OPEN_LOGGED: &str = "open-logged";

/// The algorithms of fresh tokens, with the name that each has in the names of variants.
const FRESH: [(Algorithm, &str); 4] = [
    (Algorithm::RS256, "rs256"),
    (Algorithm::ES256, "es256"),
    (Algorithm::EdDSA, "eddsa"),
    (Algorithm::PS256, "ps256"),
];

/// The comparison that the targets are about.
pub(crate) fn usual() -> Vec<Variant> {
    [bare(), of_repeated_tokens(), with_log(), of_other_credentials(), of_fresh_tokens(), hops()].concat()
}

/// What there is without a gate.
fn bare() -> Vec<Variant> {
    vec![
        Variant::new(OPEN, "no filter", Gate::Open, USUAL),
        Variant::new("nothing", "a Wasm plugin that does nothing", Gate::Nothing, USUAL),
        Variant::new("calls", "a Wasm plugin that makes the calls to the host alone", Gate::Calls, USUAL),
    ]
}

fn of_repeated_tokens() -> Vec<Variant> {
    let requests_only = Gate::Jotgate(Jotgate { responses: false, ..PLUGIN });
    let unlogged = |usual| Gate::Jotgate(Jotgate { properties: false, ..usual });
    vec![
        Variant::new("native-repeated", "native, repeated token", NATIVE, USUAL),
        Variant::new(WARM, "Jotgate, repeated token", JOTGATE, USUAL),
        Variant::new(WARM_MODULE, "module, repeated token", Gate::Jotgate(MODULE), USUAL),
        Variant::new("jotgate-unlogged", "Jotgate, repeated token, nothing for access logs", unlogged(PLUGIN), USUAL),
        Variant::new("module-unlogged", "module, repeated token, nothing for access logs", unlogged(MODULE), USUAL),
        Variant::new("jotgate-mixed", "Jotgate, repeated token, 1,000 rules", with_rules(Rules::Mixed(1000)), USUAL),
        Variant::new(
            "jotgate-siblings",
            "Jotgate, repeated token, 1,000 rules below one prefix",
            with_rules(Rules::Siblings(1000)),
            USUAL,
        ),
        Variant::new(
            "jotgate-requests",
            "Jotgate, repeated token, without the callback for responses",
            requests_only,
            USUAL,
        ),
    ]
}

/// With an access log that shows who was admitted.
fn with_log() -> Vec<Variant> {
    let logged = |name: &str, title, gate| Variant::new(name, title, gate, LOGGED).beside(OPEN_LOGGED);
    vec![
        logged(OPEN_LOGGED, "no filter, access log", Gate::Open),
        logged("native-logged", "native, repeated token, access log", NATIVE),
        logged("jotgate-logged", "Jotgate, repeated token, access log", JOTGATE),
        logged("module-logged", "module, repeated token, access log", Gate::Jotgate(MODULE)),
    ]
}

/// What callers bring, and what the upstream gets, beside tokens that are passed on to nobody.
fn of_other_credentials() -> Vec<Variant> {
    let with = |name: &str, title: &str, caller, upstream| {
        [("jotgate", "Jotgate", PLUGIN), ("module", "module", MODULE)].map(|(prefix, host, usual)| {
            let gate = Gate::Jotgate(Jotgate { caller, upstream, ..usual });
            Variant::new(format!("{prefix}-{name}"), format!("{host}, {title}"), gate, USUAL)
        })
    };
    let mut variants = [
        with("upstream-token", "repeated token, a signed one for the upstream", Caller::Token, Upstream::Signed),
        with("exchanged", "repeated token, exchanged for the upstream", Caller::Token, Upstream::Exchanged),
        with("introspected", "repeated opaque token", Caller::Opaque, Upstream::Nothing),
        with("session", "repeated session", Caller::Session(Session::Current), Upstream::Nothing),
    ]
    .concat();
    let sealed = Gate::Jotgate(Jotgate { caller: Caller::Session(Session::Old), ..PLUGIN });
    let title = "Jotgate, repeated session, sealed anew for each response";
    variants.push(Variant::new("jotgate-sealed", title, sealed, USUAL));
    let proofs = Tokens { algorithm: Algorithm::ES256, fresh: Fresh::Proofs, bytes: 0 };
    for (name, title, gate) in [("jotgate-dpop", "Jotgate", PLUGIN), ("module-dpop", "module", MODULE)] {
        let title = format!("{title}, repeated token, new ES256 proof");
        variants.push(Variant::new(name, title, Gate::Jotgate(gate), Load { tokens: proofs, ..USUAL }));
    }
    variants
}

fn of_fresh_tokens() -> Vec<Variant> {
    let of = |(algorithm, name): (Algorithm, &str)| {
        let load = Load { tokens: Tokens { algorithm, fresh: Fresh::Tokens, bytes: 0 }, ..USUAL };
        [
            ("native", "native", Gate::Native { caches: false }),
            ("jotgate", "Jotgate", JOTGATE),
            ("module", "module", Gate::Jotgate(MODULE)),
        ]
        .map(|(prefix, host, gate)| {
            Variant::new(format!("{prefix}-{name}"), format!("{host}, new {algorithm} token"), gate, load)
        })
    };
    FRESH.into_iter().flat_map(of).collect()
}

fn hops() -> Vec<Variant> {
    vec![
        Variant::new("hop-http", "ext_authz over HTTP", Gate::Hop(Protocol::Http), USUAL),
        Variant::new("hop-grpc", "ext_authz over gRPC", Gate::Hop(Protocol::Grpc), USUAL),
    ]
}

/// What more rules cost.
pub(crate) fn by_rules() -> Vec<Variant> {
    let mut variants = vec![Variant::new(OPEN, "no filter", Gate::Open, USUAL)];
    for count in [10, 100, 1000] {
        let gate = with_rules(Rules::Mixed(count));
        variants.push(Variant::new(format!("rules-{count}"), format!("{count} rules"), gate, USUAL));
    }
    variants
}

/// What more issuers cost.
pub(crate) fn by_issuers() -> Vec<Variant> {
    let mut variants = vec![Variant::new(OPEN, "no filter", Gate::Open, USUAL)];
    for issuers in [1, 10] {
        let gate = Gate::Jotgate(Jotgate { issuers, ..PLUGIN });
        variants.push(Variant::new(format!("issuers-{issuers}"), format!("issuers: {issuers}"), gate, USUAL));
    }
    variants
}

/// What longer tokens cost.
pub(crate) fn by_token_size() -> Vec<Variant> {
    [512, 2048, 8192]
        .into_iter()
        .flat_map(|bytes| {
            // Signatures of RSA alone are longer than the shortest.
            let tokens = Tokens { algorithm: Algorithm::ES256, fresh: Fresh::Nothing, bytes };
            all_gates(&format!("token-{bytes}"), &format!("token of {bytes} bytes"), Load { tokens, ..USUAL })
        })
        .collect()
}

/// What more request headers cost.
pub(crate) fn by_headers() -> Vec<Variant> {
    [5, 20, 60]
        .into_iter()
        .flat_map(|headers| {
            // Two are there in any case.
            let load = Load { headers: headers - 2, ..USUAL };
            all_gates(&format!("headers-{headers}"), &format!("{headers} request headers"), load)
        })
        .collect()
}

/// What more workers cost.
pub(crate) fn by_workers() -> Vec<Variant> {
    [1, 2, 4]
        .into_iter()
        .flat_map(|workers| {
            let load = Load { connections: 8, workers, ..USUAL };
            all_gates(&format!("workers-{workers}"), &format!("workers: {workers}"), load)
        })
        .collect()
}

/// Those whose latency is measured.
pub(crate) fn with_latency() -> Vec<Variant> {
    named(&[OPEN, "nothing", "native-repeated", WARM, "native-rs256", "jotgate-rs256", "hop-http", "hop-grpc"])
}

/// Those whose start is measured.
pub(crate) fn with_start() -> Vec<Variant> {
    named(&[OPEN, "nothing", "native-repeated", WARM, "jotgate-mixed"])
}

/// Those whose fetches of keys are counted.
pub(crate) fn with_fetches() -> Vec<Variant> {
    [1, 2, 4]
        .into_iter()
        .map(|workers| {
            let tokens = Tokens { algorithm: Algorithm::ES256, ..REPEATED };
            let load = Load { tokens, connections: 16, workers, ..USUAL };
            Variant::new(format!("fetches-{workers}"), format!("workers: {workers}"), JOTGATE, load)
        })
        .collect()
}

/// Of the usual ones.
fn named(names: &[&str]) -> Vec<Variant> {
    usual().into_iter().filter(|variant| names.contains(&variant.name.as_str())).collect()
}

/// The gates that are compared wherever something grows.
fn all_gates(name: &str, title: &str, load: Load) -> [Variant; 3] {
    let open = format!("{name}-{OPEN}");
    [
        Variant::new(&open, format!("{title}, no filter"), Gate::Open, load).beside(&open),
        Variant::new(format!("{name}-native"), format!("{title}, native"), NATIVE, load).beside(&open),
        Variant::new(format!("{name}-jotgate"), format!("{title}, Jotgate"), JOTGATE, load).beside(&open),
    ]
}

const fn with_rules(rules: Rules) -> Gate {
    Gate::Jotgate(Jotgate { rules, ..PLUGIN })
}
