//! Configurations that are made from the schema, and what is broken in them.

use std::collections::{BTreeSet, HashSet};
use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use crate::judges::{JUDGES, engine, schema_value};

/// How often a definition may be inside itself.
const NESTING: usize = 2;

/// Makes instances of a schema.
struct Maker {
    schema: Value,
}

impl Maker {
    /// A reference's target, with the members beside the reference instead of its own.
    fn resolve(&self, node: &Value) -> Value {
        let Some(name) = node["$ref"].as_str().and_then(|target| target.strip_prefix("#/$defs/")) else {
            return node.clone();
        };
        let mut target = self.schema["$defs"][name].clone();
        assert!(target.is_object(), "{name} is defined");
        let beside = node.as_object().expect("is an object").iter().filter(|(name, _)| *name != "$ref");
        beside.for_each(|(name, value)| target[name] = value.clone());
        target
    }

    /// The least instance.
    fn least(&self, node: &Value) -> Value {
        assert!(node.is_object(), "there is nothing to make a value from");
        let node = self.resolve(node);
        let told = [&node["examples"][0], &node["const"], &node["enum"][0], &node["default"]];
        if let Some(value) = told.into_iter().find(|value| !value.is_null()) {
            return value.clone();
        }
        match node["type"].as_str() {
            Some("object") => self.object(&node, Map::new()),
            Some("array") if node["minItems"].is_null() => json!([]),
            Some("array") => json!([self.least(&node["items"])]),
            Some("string") => json!("x"),
            Some("boolean") => json!(true),
            Some("null") => Value::Null,
            Some("integer" | "number") => node["minimum"].clone(),
            _ => self.least(&node["oneOf"][0]),
        }
    }

    /// An object of these members, and what it needs beside them.
    fn object(&self, node: &Value, mut members: Map<String, Value>) -> Value {
        let add = |name: &str, members: &mut Map<String, Value>| {
            let property = beside(node, members, name).unwrap_or(&node["properties"][name]);
            assert!(property.is_object(), "{name}: {node}");
            let value = self.least(property);
            members.entry(name).or_insert(value);
        };
        for name in names(&node["required"]) {
            add(&name, &mut members);
        }
        let conditional: Vec<_> = conditions(node, &members).flat_map(|then| names(&then["required"])).collect();
        for name in conditional {
            add(&name, &mut members);
        }
        let depending = members.keys().flat_map(|name| names(&node["dependentRequired"][name])).collect::<Vec<_>>();
        for name in &depending {
            add(name, &mut members);
        }
        for keyword in ["oneOf", "anyOf"] {
            let sets: Vec<_> = elements(&node[keyword]).iter().map(|option| names(&option["required"])).collect();
            let is_met = sets.iter().any(|set| set.iter().all(|name| members.contains_key(name)));
            if let (false, Some(set)) = (is_met, sets.first()) {
                for name in set {
                    add(name, &mut members);
                }
            }
        }
        let wanted = node["minProperties"].as_u64().unwrap_or(0);
        let more = node["properties"].as_object().into_iter().flatten().map(|(name, _)| name);
        for name in more {
            if u64::try_from(members.len()).expect("fits") < wanted {
                add(name, &mut members);
            }
        }
        if u64::try_from(members.len()).expect("fits") < wanted {
            members.insert(self.name(node), self.least(&node["additionalProperties"]));
        }
        Value::Object(members)
    }

    /// The name of a member of a map.
    fn name(&self, node: &Value) -> String {
        self.least(&node["propertyNames"]).as_str().expect("is a name").to_string()
    }

    /// Instances that show everything that the schema names: each property, each word, each example.
    fn all(&self, node: &Value, inside: &[&str]) -> Vec<Value> {
        let reference = node["$ref"].as_str();
        if inside.iter().filter(|outer| Some(**outer) == reference).count() > NESTING {
            return vec![self.least(node)];
        }
        let inside = &[inside, &reference.into_iter().collect::<Vec<_>>()].concat();
        let node = &self.resolve(node);
        let mut all = elements(&node["examples"]).to_vec();
        all.extend(elements(&node["enum"]).iter().cloned());
        all.extend([&node["const"], &node["default"], &node["minimum"], &node["maximum"]].into_iter().cloned());
        if node["properties"].is_null() {
            all.extend(elements(&node["oneOf"]).iter().flat_map(|option| self.all(option, inside)));
        }
        if node["type"] == "array" && node["items"].is_object() {
            all.extend(self.all(&node["items"], inside).into_iter().map(|element| json!([element])));
        }
        for (name, property) in node["properties"].as_object().into_iter().flatten() {
            let values = self.all(property, inside).into_iter();
            all.extend(values.map(|value| self.object(node, Map::from_iter([(name.clone(), value)]))));
        }
        if node["additionalProperties"].is_object() {
            let values = self.all(&node["additionalProperties"], inside).into_iter();
            all.extend(values.map(|value| json!({self.name(node): value})));
        }
        all.retain(|value| !value.is_null());
        if all.is_empty() {
            all.push(self.least(node));
        }
        all
    }
}

/// What a schema asks for where there are these members.
fn conditions<'n>(node: &'n Value, members: &Map<String, Value>) -> impl Iterator<Item = &'n Value> {
    let members = Value::Object(members.clone());
    let asks = move |rule: &'n Value| match jsonschema::draft202012::is_valid(&rule["if"], &members) {
        true => &rule["then"],
        false => &rule["else"],
    };
    elements(&node["allOf"]).iter().map(asks)
}

/// A property that is another one beside these members.
fn beside<'n>(node: &'n Value, members: &Map<String, Value>, name: &str) -> Option<&'n Value> {
    conditions(node, members).map(|then| &then["properties"][name]).find(|property| property["examples"].is_array())
}

fn elements(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn names(value: &Value) -> Vec<String> {
    elements(value).iter().filter_map(Value::as_str).map(String::from).collect()
}

/// Every configuration that the schema leads to, once.
static CONFIGURATIONS: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let schema = schema_value();
    let made = Maker { schema: schema.clone() }.all(&schema, &[]);
    let mut seen = BTreeSet::new();
    made.into_iter()
        .map(with_segments)
        .map(with_upstream)
        .map(with_login)
        .filter(|config| seen.insert(config.to_string()))
        .collect()
});

/// A rule whose tests compare a claim with a segment has paths with that segment, which a schema cannot say.
fn with_segments(mut config: Value) -> Value {
    for rule in config.get_mut("rules").and_then(Value::as_array_mut).into_iter().flatten() {
        if rule["access"].to_string().contains(r#""path":"#) {
            rule["match"] = json!({"paths": ["/orders/{id}"]});
        }
    }
    config
}

/// What names a credential for the upstream has one, which a schema cannot say.
fn with_upstream(mut config: Value) -> Value {
    if config["upstreamCredentials"].is_null() && config.to_string().contains(r#""upstream":"#) {
        let token =
            json!({"issuer": "https://gate.example.com", "audience": "orders", "keys": [{"env": "SIGNING_KEY"}]});
        config["upstreamCredentials"] = json!([{"name": "internal", "token": token}]);
    }
    // One that is only published signs nothing.
    for credential in config.get_mut("upstreamCredentials").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(keys) = credential.pointer_mut("/token/keys").and_then(Value::as_array_mut) {
            keys.push(json!({"env": "SIGNING_KEY"}));
        }
        // The issuer has no discovery document to find it by.
        if let Some(exchange) = credential.get_mut("exchange").and_then(Value::as_object_mut) {
            for (name, value) in [("endpoint", "https://idp.example.com/token"), ("cluster", "idp")] {
                exchange.entry(name).or_insert(json!(value));
            }
        }
        // Roles compare no claim with a part of a request.
        for role in credential.pointer_mut("/eks/roles").and_then(Value::as_array_mut).into_iter().flatten() {
            let text = role["access"].to_string();
            if [r#""path":"#, r#""header":"#, r#""host":"#].iter().any(|test| text.contains(test)) {
                role["access"] = json!("authenticated");
            }
        }
    }
    config
}

/// A login is at an issuer that fits, and what names a login or reads its sessions has one, which a schema cannot say.
fn with_login(mut config: Value) -> Value {
    let text = config.to_string();
    let keeps = [r#""session":"accessToken""#, r#""session":"idToken""#, r#""eks":"#, r#""subjectToken":"#]
        .map(|part| text.contains(part));
    let needs_login = [
        r#""session":true"#,
        r#""session":"accessToken""#,
        r#""session":"idToken""#,
        r#""eks":"#,
        r#""subjectToken":"#,
        r#""unauthenticated":"#,
        r#""login":"main""#,
        r#""nonce":true"#,
    ]
    .map(|part| text.contains(part));
    if config["login"].is_null() && needs_login.contains(&true) {
        config["login"] = json!({"issuer": "main", "client": {"id": "dashboard"}});
        config["session"] =
            json!({"secrets": [{"env": "JOTGATE_SESSION_SECRET"}], "publicUrl": "https://dash.example.com"});
    }
    if keeps.contains(&true) {
        config["session"]["keep"] = json!(["accessToken", "idToken"]);
    }
    let Some(login) = config.get_mut("login") else { return config };
    let login = if login.is_array() { &mut login[0] } else { login };
    if login["provider"] == "github" || !login["endpoints"]["api"].is_null() {
        login["issuer"] = json!("github");
        login["provider"] = json!("github");
        login["cluster"] = json!("github");
        login["clusters"] = json!({"api": "github-api"});
        let issuers = config["issuers"].as_array_mut().expect("is a list");
        issuers.push(json!({"name": "github", "issuer": "https://github.com", "keys": "none"}));
    } else if let Some(scopes) = login.get_mut("scopes").and_then(Value::as_array_mut) {
        scopes.push(json!("openid"));
    }
    config
}

#[test]
fn whatever_the_schema_names_the_engine_takes() {
    assert!(CONFIGURATIONS.len() > 200, "{}", CONFIGURATIONS.len());
    for config in CONFIGURATIONS.iter() {
        JUDGES.take(config);
    }
}

/// Each property and word of the schema occurs in what is made, so that none is left untried.
#[test]
fn nothing_that_the_schema_names_is_left_out() {
    let all = CONFIGURATIONS.iter().map(Value::to_string).collect::<String>();
    let mut named = Vec::new();
    collect(&schema_value(), &mut named);
    assert!(named.len() > 100, "{}", named.len());
    for text in named {
        assert!(all.contains(&text), "{text} occurs in no configuration");
    }
}

fn collect(schema: &Value, named: &mut Vec<String>) {
    let properties = schema["properties"].as_object().into_iter().flatten();
    named.extend(properties.map(|(name, _)| format!("{}:", Value::from(name.as_str()))));
    named.extend(elements(&schema["enum"]).iter().map(Value::to_string));
    match schema {
        Value::Array(elements) => elements.iter().for_each(|element| collect(element, named)),
        Value::Object(members) => members.values().for_each(|member| collect(member, named)),
        _ => {}
    }
}

#[test]
fn the_defaults_are_the_engines() {
    let base = json!({
        "issuers": [{"name": "main", "issuer": "https://idp.example.com", "audiences": ["api"],
            "keys": {"discovery": {}, "cluster": "idp"}}],
        "rules": [{"access": "authenticated"}],
        "identityHeaders": {"X-User": {"claim": "sub"}},
        "limits": {},
        "login": {"issuer": "main", "client": {"id": "dashboard"}},
        "session": {"secrets": ["a-secret-for-tests-has-32-octets"], "publicUrl": "https://dash.example.com", "cookie": {}, "paths": {}},
        "crossSite": {},
    });
    let mut tried = 0;
    for (pointer, description) in [
        ("", ""),
        ("/issuers/0", "/$defs/issuer"),
        ("/issuers/0/keys", "/$defs/keys"),
        ("/rules/0", "/$defs/rule"),
        ("/identityHeaders/X-User", "/$defs/identityValue/oneOf/2"),
        ("/limits", "/$defs/limits"),
        ("/login", "/$defs/login"),
        ("/session", "/$defs/session"),
        ("/session/cookie", "/$defs/sessionCookie"),
        ("/session/paths", "/$defs/ownPaths"),
        ("/crossSite", "/$defs/crossSite/oneOf/0"),
    ] {
        let schema = schema_value();
        let described = schema.pointer(description).expect(description);
        for (name, property) in described["properties"].as_object().expect("is an object") {
            let mut without = base.clone();
            // With a login, a session is one of the `credentials`.
            if name == "credentials" {
                without.as_object_mut().expect("is an object").retain(|name, _| name != "login" && name != "session");
            }
            without.pointer_mut(pointer).and_then(Value::as_object_mut).expect(pointer).remove(name);
            let mut with = without.clone();
            let Some(default) = property.get("default") else { continue };
            with.pointer_mut(pointer).expect(pointer)[name] = default.clone();
            assert!(policy(&with) == policy(&without), "{pointer}/{name}: {default} is not the default");
            tried += 1;
        }
    }
    assert!(tried > 45, "{tried}");
}

/// What the engine makes of a configuration, but for what keys are shared by, which follows from how `keys` is written,
/// and for the order of headers, which the maps of this test do not keep.
fn policy(config: &Value) -> Vec<String> {
    let policy = gate::Policy::parse(config.to_string().as_bytes(), &|_| None).expect("is a configuration");
    let text = format!("{policy:#?}");
    let is_shared_name = |line: &&str| line.trim_start().starts_with("name: \"jotgate.keys.");
    let mut lines: Vec<_> = text.lines().filter(|line| !is_shared_name(line)).map(String::from).collect();
    lines.sort();
    lines
}

#[test]
fn both_reject_an_unknown_member() {
    let mut tried = 0;
    for (mut broken, pointer) in locations() {
        let Some(object) = broken.pointer_mut(&pointer).and_then(Value::as_object_mut) else { continue };
        // Maps take any name, and key sets are what their RFC makes them.
        if is_map(&pointer) || pointer.contains("/inline") {
            continue;
        }
        object.insert(String::from("unknown"), json!("x"));
        assert!(JUDGES.schema(&broken).is_err(), "the schema takes `unknown` at {pointer}: {broken}");
        assert!(engine(&broken).is_err(), "the engine takes `unknown` at {pointer}: {broken}");
        tried += 1;
    }
    assert!(tried > 100, "{tried}");
}

fn is_map(pointer: &str) -> bool {
    let last = pointer.rsplit('/').next().unwrap_or_default();
    ["identityHeaders", "headers", "groupScopes", "claims", "parameters"].contains(&last)
}

#[test]
fn both_agree_on_values_of_another_kind() {
    let (mut refused, mut seen) = (0, 0);
    // Locations that differ in their own members alone become the same.
    let mut tried = HashSet::new();
    let odd =
        [json!(null), json!(true), json!(-1), json!(1.5), json!(""), json!(" ? "), json!([]), json!({}), json!([[]])];
    for (config, pointer) in locations() {
        for value in &odd {
            let mut broken = config.clone();
            *broken.pointer_mut(&pointer).expect("is there") = value.clone();
            if !tried.insert(broken.to_string()) {
                continue;
            }
            let verdicts = JUDGES.agree(&broken);
            refused += usize::from(!verdicts.engine);
            seen += usize::from(!verdicts.schema);
        }
    }
    // What only the engine sees: unknown names, empty header values, rules that hide each other, …
    assert!(refused > 1000 && seen * 100 >= refused * 99, "the schema sees {seen} of {refused} mistakes");
}

/// Each location once for each kind of value and the members beside it, in a configuration that has it there.
fn locations() -> Vec<(Value, String)> {
    let mut seen = HashSet::new();
    let mut places = Vec::new();
    for config in CONFIGURATIONS.iter() {
        for pointer in pointers(config, "") {
            let value = config.pointer(&pointer).expect("is there");
            let members = value.as_object().map(|members| members.keys().cloned().collect::<Vec<_>>());
            if seen.insert((pointer.clone(), std::mem::discriminant(value), members)) {
                places.push((config.clone(), pointer));
            }
        }
    }
    places
}

/// The pointer of each value, but for the whole and what is inside key sets.
fn pointers(value: &Value, path: &str) -> Vec<String> {
    let mut found = vec![path.to_string()];
    match value {
        Value::Array(elements) => {
            let inside = elements.iter().enumerate();
            found.extend(inside.flat_map(|(index, element)| pointers(element, &format!("{path}/{index}"))));
        }
        Value::Object(members) if !path.ends_with("/inline") => {
            let inside = members.iter().map(|(name, member)| (name.replace('~', "~0").replace('/', "~1"), member));
            found.extend(inside.flat_map(|(name, member)| pointers(member, &format!("{path}/{name}"))));
        }
        _ => {}
    }
    found
}
