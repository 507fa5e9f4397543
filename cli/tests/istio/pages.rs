//! The pages that are made of policies such as Istio's documentation shows, and what is said where none can be made.

use inspect::configuration::load;

use crate::manifests::Manifests;

const CASES: [&str; 17] = [
    "allow-nothing",
    "audit-and-dry-run",
    "deny-methods",
    "external-authorizer",
    "headers-that-differ",
    "hosts-and-headers",
    "no-policy",
    "one-issuer-required",
    "peers-and-addresses",
    "prefixes",
    "public-paths",
    "require-jwt",
    "required-tokens",
    "several-issuers",
    "shared-secrets",
    "templates",
    "whole-mesh",
];

fn case(name: &str) -> String {
    std::fs::read_to_string(format!("tests/istio/cases/{name}.yaml")).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn every_page_is_a_configuration() {
    let files = std::fs::read_dir("tests/istio/cases").expect("is a folder").count();
    assert_eq!(files, CASES.len(), "every case is tried");
    for name in CASES {
        let options: &[&str] = if name == "whole-mesh" { &["--namespace", "shop", "--label", "app=cart"] } else { &[] };
        let (page, status) = Manifests::new(&format!("{name}.yaml"), &case(name)).translate(options).expect(name);
        assert!(load(&page, None, &|_| None).is_ok(), "{name}: the engine takes it");
        let titles = ["# What passes in Istio and is denied here:", "# What is denied in Istio and passes here:"];
        assert_eq!(status == 1, titles.iter().any(|title| page.contains(title)), "{name}");
        insta::assert_snapshot!(name, format!("{page}exit status: {status}\n"));
    }
}

#[test]
fn policies_are_chosen_by_the_workload() {
    let manifests = Manifests::new("chosen.yaml", &case("whole-mesh"));
    let titles = |options: &[&str]| {
        let (page, _) = manifests.translate(options).expect("is made");
        let lines = page.lines().skip(1).take_while(|line| line.starts_with("# - "));
        lines.map(|line| line.rsplit(' ').next().unwrap_or_default().to_string()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(titles(&["--namespace", "shop"]), "istio-system/jwt istio-system/mesh shop/shop");
    assert_eq!(
        titles(&["--namespace", "shop", "--label", "app=cart"]),
        "istio-system/jwt istio-system/mesh shop/shop shop/cart"
    );
    assert_eq!(titles(&["--namespace", "other"]), "istio-system/jwt istio-system/mesh other/other");
    assert_eq!(
        titles(&["--namespace", "shop", "--target", "Gateway/shop"]),
        "istio-system/jwt istio-system/mesh shop/shop shop/gateway"
    );
    let error = manifests.translate(&[]).expect_err("no workload was named");
    assert!(error.contains("the policies are for 5 different sets of workloads"), "{error}");
    assert!(manifests.translate(&["--namespace", "shop", "--root-namespace", "mesh"]).is_err(), "there is no issuer");
}

#[test]
fn mistakes_are_reported() {
    let good = "{issuer: https://a.example.com, jwksUri: https://a.example.com/jwks}";
    let authentication = |rules: &str| {
        format!(
            "apiVersion: v1\nkind: RequestAuthentication\nmetadata: {{name: a}}\nspec: {{jwtRules: [{rules}]}}\n---\n"
        )
    };
    let policy = |spec: &str| {
        format!(
            "{}apiVersion: v1\nkind: AuthorizationPolicy\nmetadata: {{name: p}}\nspec: {spec}\n",
            authentication(good)
        )
    };
    let operation = |operation: &str| policy(&format!("{{rules: [{{to: [{{operation: {operation}}}]}}]}}"));
    let all: Vec<_> = [
        String::from("apiVersion: v1\nkind: Service\n"),
        String::from("apiVersion: v1\nkind: ["),
        authentication("{issuer: a, jwksUri: ftp://a/}"),
        authentication("{issuer: a}"),
        authentication("{issuer: a, jwks: \"{\"}"),
        authentication("{issuer: a, jwks: \"{}\"}"),
        authentication("{issuer: a, jwks: \"{}\", jwksUri: https://a/}"),
        authentication(&format!("{good}, {{issuer: https://a.example.com, jwksUri: https://b.example.com/jwks}}")),
        authentication("{issuer: a, jwksURL: https://a/}"),
        authentication(
            "{issuer: https://a.example.com, presence: REQUIRED}, {issuer: https://b.example.com, presence: REQUIRED}",
        ),
        authentication("{issuer: https://a.example.com, presence: REQUIRED}, {issuer: https://a.example.com}"),
        authentication("{issuer: https://a.example.com, fromHeaders: [{name: X-Jwt, prefix: \"jwt=\"}]}"),
        authentication(&format!("{good}, {{issuer: https://b.example.com, spaceDelimitedClaims: [roles]}}")),
        policy("{action: PERMIT}"),
        policy("{rules: [{form: []}]}"),
        policy("{rules: [{from: [{source: {requestPrincipal: [a]}}]}]}"),
        operation("{path: [/a]}"),
        operation("{paths: []}"),
        operation("{paths: [\"/a/{*}\", \"/a/b*\"]}"),
        policy("{rules: [], rules: []}"),
    ]
    .iter()
    .map(|text| Manifests::new("broken.yaml", text).translate(&[]).expect_err(text))
    .collect();
    insta::assert_snapshot!(all.join("\n\n"));
}
