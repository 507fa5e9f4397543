//! RUN-007: configurations that are refused.

use serde_json::{Value, json};

/// What is wrong, and the text.
pub(crate) fn bad_configs(good: &Value) -> Vec<(&'static str, String)> {
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut config = good.clone();
        change(&mut config);
        config.to_string()
    };
    vec![
        ("an unknown field", changed(&|config| config["isuers"] = json!([]))),
        ("an unknown field of a rule", changed(&|config| config["rules"][0]["acess"] = json!("public"))),
        ("a wrong type", changed(&|config| config["issuers"] = json!({"a": 1}))),
        ("a wrong type of a limit", changed(&|config| config["limits"] = json!({"tokenBytes": "16384"}))),
        ("an empty text", String::new()),
        ("an empty object", "{}".into()),
        ("no JSON", "issuers: []".into()),
        ("no providers", changed(&|config| config["issuers"] = json!([]))),
        ("a bad regex", changed(&|config| config["rules"][0]["match"]["paths"] = json!([{"regex": "/a("}]))),
        ("a negative leeway", changed(&|config| config["issuers"][0]["clockSkew"] = json!("-60s"))),
        ("an issuer twice", changed(&|config| config["issuers"][1]["issuer"] = config["issuers"][0]["issuer"].clone())),
        (
            "a scope rule with an empty list",
            changed(&|config| config["rules"][2]["access"] = json!({"scopes": {"all": []}})),
        ),
        ("no audiences", changed(&|config| config["issuers"][0]["audiences"] = json!([]))),
        ("an algorithm that is none", changed(&|config| config["issuers"][0]["algorithms"] = json!(["none"]))),
    ]
}
