//! What operators load, and the page that explains it, speak of metrics, properties and lines that there are.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::fs;

use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::{Expr, VectorSelector, parse};
use promql_parser::util::{ExprVisitor, walk_expr};
use real_envoy::http::{Connection, Request};
use serde_json::{Value, json};
use test_support::{eventually, workspace};
use testbed::issuer::{Issuer, Options, TokenRequest};

use crate::reasons::{REASONS, Refusing};
use crate::world::{World, config};

/// Those that only browsers get, and which audit mode does not let through.
const BROWSER_REASONS: [(&str, u16); 3] = [("cross_site_request", 403), ("login_failed", 400), ("login_redirect", 303)];

const PAGE: &str = "docs/observability.md";
const DASHBOARD: &str = "operations/grafana-dashboard.json";
const ALERTS: &str = "operations/prometheus-alerts.yaml";

#[test]
fn every_metric_is_explained_and_every_query_finds_what_it_asks_for() {
    let metrics = after_all_traffic();
    check_page(&metrics);
    let dashboard: Value = serde_json::from_str(&read(DASHBOARD)).unwrap();
    let alerts: Value = yaml_serde::from_str(&read(ALERTS)).unwrap();
    let queries: Vec<String> = panels(&dashboard)
        .flat_map(|panel| list(&panel["targets"]))
        .map(|target| for_prometheus(&target["expr"]))
        .chain(rules(&alerts).map(|rule| for_prometheus(&rule["expr"])))
        .chain(blocks(&read(PAGE), "promql"))
        .collect();
    assert!(queries.len() > 20, "{queries:#?}");
    let names: BTreeSet<String> = metrics.iter().flat_map(|(name, kind)| series(name, kind)).collect();
    let mut seen = BTreeSet::new();
    for query in &queries {
        let expr = parse(query).unwrap_or_else(|error| panic!("{query}: {error}"));
        let mut check = Check { query, names: &names, seen: &mut seen };
        let Ok(_) = walk_expr(&mut check, &expr);
    }
    for name in &names {
        let is_shown = seen.contains(name) || name.ends_with("_ms_sum") || name.ends_with("_ms_count");
        assert!(is_shown, "no query asks for {name}");
    }
}

/// Every reason, enforced and audited, and keys that come and that do not.
fn after_all_traffic() -> BTreeMap<String, String> {
    let world = Refusing::start();
    let token = world.issuer.token(&TokenRequest::subject("alice")).unwrap();
    // Each worker has a cache of its own.
    let mut connection = Connection::open(world.envoy.address("gateway")).unwrap();
    for _ in 0..2 {
        assert_eq!(connection.send(&Request::get("/x").bearer(&token)).unwrap().status, 200);
    }
    for (reason, listener, request) in world.requests("GET") {
        let audit = if listener == "gateway" { String::from("audit") } else { format!("{listener}-audit") };
        for (listener, passes) in [(listener, false), (&*audit, true)] {
            let status = request.send(world.envoy.address(listener)).unwrap().status;
            assert_eq!(status == 200, passes, "{reason} at {listener}");
        }
    }
    assert_eq!(usize::try_from(world.upstream.count()).unwrap(), 2 + REASONS.len());
    fail_to_log_in(&world);
    // Gauges follow fetches within seconds.
    eventually("all metrics are there", || {
        let metrics = metrics(&world);
        metrics.contains_key("jotgate_keys_age_seconds_main")
            && metrics.contains_key("jotgate_callout_ms")
            && metrics.contains_key("jotgate_introspection_ms")
            && metrics.contains_key("jotgate_token_endpoint_ms")
    });
    metrics(&world)
}

/// A browser is sent to the provider, and comes back with a code that is none: the token endpoint is asked.
fn fail_to_log_in(world: &Refusing) {
    let address = world.envoy.address("login");
    let browse = |path: &str| {
        let request = Request::get(path).header("sec-fetch-mode", "navigate").header("sec-fetch-dest", "document");
        request.header("host", "127.0.0.1")
    };
    let sent = browse("/x").send(address).unwrap();
    assert_eq!(sent.status, 303);
    let location = sent.header("location").unwrap();
    let state = location.split(['?', '&']).find_map(|parameter| parameter.strip_prefix("state=")).unwrap();
    let cookie = sent.header("set-cookie").unwrap().split(';').next().unwrap().to_string();
    let back = browse(&format!("/.jotgate/callback?code=none&state={state}")).header("cookie", cookie);
    assert_eq!(back.send(address).unwrap().status, 400);
}

/// Every reason there is, in the order of the names.
fn all_reasons() -> Vec<(&'static str, u16)> {
    let mut all: Vec<_> = REASONS.into_iter().chain(BROWSER_REASONS).collect();
    all.sort_unstable();
    all
}

/// The plugin's metrics as Prometheus gets them, with their types.
fn metrics(world: &Refusing) -> BTreeMap<String, String> {
    let text = world.envoy.admin_get("/stats/prometheus").unwrap().text();
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let own = types.filter(|(name, _)| name.starts_with("jotgate_"));
    own.map(|(name, kind)| (name.to_string(), kind.to_string())).collect()
}

fn series(name: &str, kind: &str) -> Vec<String> {
    match kind {
        "histogram" => ["bucket", "sum", "count"].map(|part| format!("{name}_{part}")).into(),
        _ => vec![name.to_string()],
    }
}

/// The tables of metrics and reasons: nothing is missing, nothing is made up.
fn check_page(metrics: &BTreeMap<String, String>) {
    let page = read(PAGE);
    let rows = table(&page, "jotgate_");
    let fits = |pattern: &str, name: &str| match pattern.split_once('<') {
        Some((start, placeholder)) => {
            let rest = name.strip_prefix(start).unwrap_or_default();
            let is_reason = all_reasons().iter().any(|(reason, _)| *reason == rest);
            let is_issuer = ["main", "dead_end", "lost", "opaque", "stalling"].contains(&rest);
            let is_cause = page.contains(&format!("\n| `{rest}` | "));
            match placeholder {
                "cause>" => is_cause,
                "credential>" => ["exchanged", "kept"].contains(&rest),
                "reason>" => is_reason,
                _ => is_issuer,
            }
        }
        None => pattern == name,
    };
    for (name, kind) in metrics {
        let row: Vec<_> = rows.iter().filter(|row| fits(&row[0], name)).collect();
        assert!(row.len() == 1 && row[0][1] == *kind, "{PAGE} says of {name}, a {kind}: {row:?}");
    }
    for row in &rows {
        assert!(metrics.keys().any(|name| fits(&row[0], name)), "there is no {}", row[0]);
    }
    for outcome in ["denied", "audited"] {
        for (reason, _) in all_reasons() {
            assert!(metrics.contains_key(&format!("jotgate_requests_{outcome}_{reason}")), "{outcome} {reason}");
        }
    }
    let (_, reasons) = page.split_once("### Reasons").unwrap();
    let (reasons, _) = reasons.split_once("\n## ").unwrap();
    let listed: Vec<_> = table(reasons, "").iter().map(|row| (row[0].clone(), row[1].clone())).collect();
    let expected: Vec<_> =
        all_reasons().iter().map(|(reason, status)| (reason.to_string(), status.to_string())).collect();
    assert_eq!(listed, expected);
}

struct Check<'c> {
    query: &'c str,
    names: &'c BTreeSet<String>,
    seen: &'c mut BTreeSet<String>,
}

impl ExprVisitor for Check<'_> {
    type Error = Infallible;

    fn pre_visit(&mut self, expr: &Expr) -> Result<bool, Infallible> {
        match expr {
            Expr::VectorSelector(selector) => drop(self.select(selector)),
            Expr::MatrixSelector(matrix) => {
                let pattern = self.select(&matrix.vs);
                assert!(pattern.is_none(), "{}: series that differ in names only cannot lose them", self.query);
            }
            Expr::Call(call) if call.func.name == "label_replace" => self.check_label(&call.args.args),
            _ => {}
        }
        Ok(true)
    }
}

impl Check<'_> {
    /// Notes what is selected; answers the pattern if names are chosen by one.
    fn select(&mut self, selector: &VectorSelector) -> Option<String> {
        let by_name = selector.matchers.find_matchers("__name__");
        let pattern = match (&selector.name, by_name.as_slice()) {
            (Some(_), []) => None,
            (None, [Matcher { op: MatchOp::Re(_), value, .. }]) => Some(value.clone()),
            other => panic!("{}: {other:?}", self.query),
        };
        let is_meant = |found: &&String| match &selector.name {
            Some(name) => name == *found,
            None => by_name.iter().all(|matcher| matcher.is_match(found)),
        };
        let found: Vec<_> = self.names.iter().filter(is_meant).cloned().collect();
        assert!(!found.is_empty(), "{}: nothing is called {:?} or {pattern:?}", self.query, selector.name);
        self.seen.extend(found);
        pattern
    }

    /// The label is the part of the name that the selector leaves open.
    fn check_label(&mut self, arguments: &[Box<Expr>]) {
        let [series, label, replacement, source, regex] = arguments else { panic!("{}", self.query) };
        let text = |expr: &Expr| match expr {
            Expr::StringLiteral(text) => text.val.clone(),
            other => panic!("{}: {other:?} is no text", self.query),
        };
        let (Expr::VectorSelector(selector), label) = (&**series, text(label)) else { panic!("{}", self.query) };
        assert_eq!((text(replacement).as_str(), text(source).as_str()), ("$1", "__name__"), "{}", self.query);
        let regex = text(regex);
        assert_eq!(self.select(selector), Some(regex.replace("(.+)", ".+")), "{}", self.query);
        let part = regex.split('_').nth(1);
        let expected = match part {
            Some("introspections" | "keys") => "issuer",
            Some("requests") => "reason",
            Some("upstream") => "credential",
            _ => "cause",
        };
        assert_eq!(label, expected, "{}", self.query);
    }
}

#[test]
fn the_dashboard_can_be_imported() {
    let dashboard: Value = serde_json::from_str(&read(DASHBOARD)).unwrap();
    let (mut ids, mut cells) = (BTreeSet::new(), BTreeSet::new());
    for panel in panels(&dashboard) {
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "two panels with one id");
        for member in ["title", "description"] {
            assert!(!panel[member].as_str().unwrap().is_empty(), "{panel}");
        }
        for place in list(&panel["targets"]).chain([panel.clone()]) {
            assert_eq!(
                place["datasource"],
                json!({"type": "prometheus", "uid": "${datasource}"}),
                "{}",
                panel["title"]
            );
        }
        let place = |name: &str| panel["gridPos"][name].as_u64().unwrap();
        for x in place("x")..place("x") + place("w") {
            for y in place("y")..place("y") + place("h") {
                assert!(x < 24 && cells.insert((x, y)), "{} overlaps", panel["title"]);
            }
        }
    }
    let variables: Vec<_> = list(&dashboard["templating"]["list"]).collect();
    assert_eq!((&variables[0]["name"], &variables[0]["type"]), (&json!("datasource"), &json!("datasource")));
    assert_eq!(variables[1]["definition"], "label_values(jotgate_requests_allowed, job)");
    assert!(dashboard.get("__inputs").is_none() && dashboard["id"].is_null());
}

#[test]
fn each_alert_says_what_it_means_and_what_to_do() {
    let alerts: Value = yaml_serde::from_str(&read(ALERTS)).unwrap();
    let mut names = Vec::new();
    for rule in rules(&alerts) {
        for text in [&rule["annotations"]["summary"], &rule["annotations"]["description"], &rule["labels"]["severity"]]
        {
            assert!(!text.as_str().unwrap().trim().is_empty(), "{rule}");
        }
        assert!(["critical", "warning"].contains(&rule["labels"]["severity"].as_str().unwrap()), "{rule}");
        names.push(rule["alert"].as_str().unwrap().to_string());
    }
    let explained: Vec<_> = table(&read(PAGE), "Jotgate").into_iter().map(|row| row[0].clone()).collect();
    assert_eq!(explained, names);
}

/// The page's own format, in a real Envoy.
#[test]
fn the_access_log_and_the_log_are_as_the_page_shows_them() {
    let page = read(PAGE);
    let format = blocks(&page, "yaml").remove(0).replace("/dev/stdout", "\"{{dir}}/access.log\"");
    let format: Value = yaml_serde::from_str(&format).unwrap();
    let issuer = Issuer::start(Options::default()).unwrap();
    let config = config(
        &issuer,
        &json!({
            "rules": [
                {"name": "write", "match": {"methods": ["POST"]}, "access": {"scopes": {"all": ["write"]}}},
                {"name": "tried", "match": {"paths": ["/tried"]}, "access": "authenticated", "mode": "audit"},
                {"name": "rest", "access": "authenticated"},
            ],
            "resourceMetadata": {"resource": "http://localhost"},
        }),
    );
    let world = World::start(issuer, |bootstrap| {
        bootstrap.connection_manager("access_log", &format["access_log"]).plugin(&config.to_string())
    });
    let token = world.alice();
    for (request, expected) in [
        (
            Request::get("/x?access_token=secret").bearer(&token),
            [
                json!("allowed"),
                Value::Null,
                json!("rest"),
                json!("main"),
                json!("alice"),
                json!(200),
                json!("via_upstream"),
            ],
        ),
        (
            Request::new("POST", "/orders/7").bearer(&token),
            [
                json!("denied"),
                json!("insufficient_scope"),
                json!("write"),
                json!("main"),
                json!("alice"),
                json!(403),
                json!("jotgate_insufficient_scope"),
            ],
        ),
        (
            Request::get("/tried"),
            [
                json!("audited"),
                json!("missing_token"),
                json!("tried"),
                Value::Null,
                Value::Null,
                json!(200),
                json!("via_upstream"),
            ],
        ),
        (
            Request::get("/.well-known/oauth-protected-resource"),
            [
                json!("answered"),
                Value::Null,
                Value::Null,
                Value::Null,
                Value::Null,
                json!(200),
                json!("jotgate_resource_metadata"),
            ],
        ),
    ] {
        let before = world.envoy.access_log(0).len();
        world.send(&request);
        let entry = world.envoy.access_log(before + 1).pop().unwrap();
        let names = ["decision", "reason", "rule", "issuer", "subject", "status", "details"];
        assert_eq!(names.map(|name| entry[name].clone()), expected, "{entry}");
        assert!(!entry.to_string().contains("secret") && entry["path"].is_string(), "{entry}");
    }
    let key_of = |line: &str| line.split_once(" kid=").map(|(_, rest)| rest.split(' ').next().unwrap().to_string());
    let log = world.envoy.log();
    let logged = log.lines().find_map(|line| line.get(line.find("jotgate: request refused")?..)).unwrap();
    let shown = blocks(&page, "text")[0].lines().next().unwrap().to_string();
    let same_key = shown.replace(&key_of(&shown).unwrap(), &key_of(logged).unwrap());
    assert_eq!(logged, same_key);
}

fn read(path: &str) -> String {
    fs::read_to_string(workspace().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn list(value: &Value) -> impl Iterator<Item = Value> + use<> {
    value.as_array().cloned().unwrap_or_default().into_iter()
}

fn panels(dashboard: &Value) -> impl Iterator<Item = Value> + use<> {
    list(&dashboard["panels"])
}

fn rules(alerts: &Value) -> impl Iterator<Item = Value> + use<> {
    list(&alerts["groups"]).flat_map(|group| list(&group["rules"]))
}

/// With Grafana's variables filled in.
fn for_prometheus(query: &Value) -> String {
    query.as_str().unwrap().replace("$__rate_interval", "5m").replace("$job", ".*")
}

/// The blocks of code in that language.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let mut lines = page.lines();
    let mut blocks = Vec::new();
    while let Some(fence) = lines.find(|line| line.trim() == format!("```{language}")) {
        let indent = fence.len() - fence.trim_start().len();
        let block = lines.by_ref().take_while(|line| line.trim() != "```");
        blocks.push(block.map(|line| line.get(indent..).unwrap_or_default()).collect::<Vec<_>>().join("\n"));
    }
    blocks
}

/// The rows of tables whose first cell is code that starts so; code loses its backticks.
fn table(page: &str, start: &str) -> Vec<Vec<String>> {
    let rows = page.lines().filter(|line| line.starts_with(&format!("| `{start}")));
    let cell = |cell: &str| cell.trim().trim_matches('`').to_string();
    rows.map(|row| row.trim_matches('|').split('|').map(cell).collect()).collect()
}
