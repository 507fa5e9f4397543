#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use jose::json::Document;

const TOKEN: &str = "aa.eyJhIjoxfQ.cc";

fn render(header: &IdentityHeader, claims: &str) -> Result<Option<String>, Unrepresentable> {
    on(header, claims, &RequestFacts { max_bytes: 20, ..RequestFacts::default() })
}

fn on(header: &IdentityHeader, claims: &str, facts: &RequestFacts<'_>) -> Result<Option<String>, Unrepresentable> {
    of(header, claims, facts, false)
}

fn of(
    header: &IdentityHeader,
    claims: &str,
    facts: &RequestFacts<'_>,
    trusts_email: bool,
) -> Result<Option<String>, Unrepresentable> {
    let document = Document::parse(claims.as_bytes()).expect(claims);
    let (scopes, groups) = (["a".to_string(), "b".to_string()], ["g,h".to_string()]);
    let source = ClaimSource {
        token: Some(TOKEN),
        payload: TOKEN.split('.').nth(1),
        claims: document.root(),
        issuer: "https://idp",
        trusts_email,
        scopes: &scopes,
        groups: &groups,
        max_bytes: 20,
    };
    header.render(&source).complete(facts).map_err(|UnrepresentableHeader(_)| Unrepresentable).map(|header| {
        header.map(|edit| match edit {
            HeaderEdit::Add(_, value) => value.to_string(),
            other => panic!("{other:?} adds nothing"),
        })
    })
}

fn reference(path: &str) -> ClaimRef {
    ClaimRef::dotted(path).expect("is a reference")
}

fn of_claim() -> IdentityHeader {
    IdentityHeader::plain("x-h", IdentityValue::of_claim(reference("c")))
}

fn claim(json: &str) -> Result<Option<String>, Unrepresentable> {
    render(&of_claim(), &format!("{{\"c\":{json}}}"))
}

#[expect(clippy::unnecessary_wraps, reason = "it is compared with what may fail")]
fn forwarded(text: &str) -> Result<Option<String>, Unrepresentable> {
    Ok(Some(text.to_string()))
}

#[test]
fn values_are_carried_as_they_are() {
    for (json, text) in [
        ("\"alice\"", "alice"),
        ("\"Jos\u{e9}\"", "Jos\u{e9}"),
        ("9007199254740993", "9007199254740993"),
        ("1.50", "1.50"),
        ("-0", "-0"),
        ("true", "true"),
        ("[\"a\",\"b c\",1,false]", "a,b c,1,false"),
        ("\"\"", ""),
        ("\"a,b\"", "a,b"),
    ] {
        assert_eq!(claim(json), forwarded(text), "{json}");
    }
    assert_eq!(claim("null"), Ok(None));
    assert_eq!(claim("[]"), Ok(None));
}

#[test]
fn what_a_header_cannot_carry_is_refused_or_left_out_and_never_altered() {
    for json in [
        "\"a\\nb\"",
        "\"a\\rb\"",
        "\"\\u0000\"",
        "\"\\u0085\"",
        "\" a\"",
        "\"a \"",
        "\"\\ta\"",
        "\"123456789012345678901\"",
        "{}",
        "[[]]",
        "[null]",
        "[\"a,b\"]",
        "[\"\"]",
        "[\" a\",\"b\"]",
        "[{}]",
    ] {
        assert_eq!(claim(json), Err(Unrepresentable), "{json}");
        let omitted = IdentityHeader { omit: true, ..of_claim() };
        assert_eq!(render(&omitted, &format!("{{\"c\":{json}}}")), Ok(None), "{json}");
    }
    assert_eq!(render(&IdentityHeader::plain("x-h", IdentityValue::Groups), "{}"), Err(Unrepresentable));
}

#[test]
fn what_names_a_person_names_one() {
    let name = |claims: &str| render(&IdentityHeader::plain("x-h", IdentityValue::of_claim(reference("sub"))), claims);
    assert_eq!(name(r#"{"sub":"alice"}"#), forwarded("alice"));
    assert_eq!(name(r#"{"sub":9007199254740993}"#), forwarded("9007199254740993"));
    assert_eq!((name("{}"), name(r#"{"sub":null}"#)), (Ok(None), Ok(None)));
    for sub in [r#""""#, "true", "[]", r#"["alice"]"#, r#"{"a":1}"#] {
        assert_eq!(name(&format!("{{\"sub\":{sub}}}")), Err(Unrepresentable), "{sub}");
    }
    assert!(matches!(IdentityValue::of_claim(reference("a.sub")), IdentityValue::Claim(_)));
}

#[test]
fn an_email_that_is_not_verified_is_not_forwarded() {
    let header = IdentityHeader::plain("x-h", IdentityValue::VerifiedEmail);
    let email = |claims: &str| render(&header, claims);
    let trusted = |claims: &str| of(&header, claims, &RequestFacts { max_bytes: 20, ..RequestFacts::default() }, true);
    assert_eq!(email(r#"{"email":"a@b","email_verified":true}"#), forwarded("a@b"));
    assert_eq!(email(r#"{"email":"a@b","email_verified":"true"}"#), forwarded("a@b"), "some issuers write text");
    assert_eq!(email(r#"{"email":["a@b","c@d"],"email_verified":true}"#), Err(Unrepresentable));
    assert_eq!((email(r#"{"email":"a@b"}"#), trusted(r#"{"email":"a@b"}"#)), (Ok(None), forwarded("a@b")));
    for verified in ["false", "null", "\"false\"", "\"True\"", "\"true \"", "1", "\"\"", "[true]", "{\"a\":true}"] {
        let claims = format!("{{\"email\":\"a@b\",\"email_verified\":{verified}}}");
        assert_eq!((email(&claims), trusted(&claims)), (Ok(None), forwarded("a@b")), "{verified}");
    }
    assert_eq!((trusted("{}"), trusted(r#"{"email":null}"#)), (Ok(None), Ok(None)));
    assert_eq!(trusted(r#"{"email":""}"#), Err(Unrepresentable), "it names no one");
}

#[test]
fn a_list_comes_out_of_its_header_as_it_went_in() {
    let joined = |separator: &str, json: &str| {
        let header = IdentityHeader { form: Form::Joined(Some(separator.into())), ..of_claim() };
        render(&header, &format!("{{\"c\":{json}}}"))
    };
    assert_eq!(joined(";", r#"["a,b","c"]"#), forwarded("a,b;c"));
    assert_eq!(joined(", ", r#"["a","b"]"#), forwarded("a, b"));
    assert_eq!(joined(" ", r#"["a"]"#), forwarded("a"));
    assert_eq!(joined("aa", r#"["b","ac"]"#), forwarded("baaac"), "which no other list makes");
    for (separator, json) in [(";", r#"["a;b"]"#), (" ", r#"["a b","c"]"#), ("aa", r#"["ba","c"]"#)] {
        assert_eq!(joined(separator, json), Err(Unrepresentable), "{separator} {json}");
    }
    let scopes =
        IdentityHeader { form: Form::Joined(Some(",".into())), ..IdentityHeader::plain("x-h", IdentityValue::Scopes) };
    assert_eq!(render(&scopes, "{}"), forwarded("a,b"));
}

#[test]
fn json_carries_what_a_list_cannot() {
    let json = |value: IdentityValue, claims: &str| {
        render(&IdentityHeader { form: Form::Json, ..IdentityHeader::plain("x-h", value) }, claims)
    };
    let claim = || IdentityValue::of_claim(reference("c"));
    assert_eq!(json(claim(), r#"{"c":{"a": [1.0, "\n"]}}"#), forwarded(r#"{"a":[1.0,"\n"]}"#));
    assert_eq!(json(claim(), r#"{"c":"a"}"#), forwarded("\"a\""));
    assert_eq!(json(claim(), r#"{"c":[]}"#), forwarded("[]"));
    assert_eq!(json(claim(), r#"{"c":null}"#), Ok(None));
    assert_eq!(json(claim(), r#"{"c":"12345678901234567890"}"#), Err(Unrepresentable), "it is too long");
    assert_eq!(json(IdentityValue::Groups, "{}"), forwarded("[\"g,h\"]"));
    assert_eq!(json(IdentityValue::Scopes, "{}"), forwarded("[\"a\",\"b\"]"));
    assert_eq!(json(IdentityValue::of_claim(reference("sub")), r#"{"sub":["alice"]}"#), Err(Unrepresentable));
}

#[test]
fn the_first_present_value_is_used() {
    let first = |claims: &str| {
        let values = ["a", "b"].map(|path| IdentityValue::of_claim(reference(path)));
        render(&IdentityHeader { values: values.to_vec(), ..of_claim() }, claims)
    };
    assert_eq!(first(r#"{"a":"1","b":"2"}"#), forwarded("1"));
    assert_eq!(first(r#"{"a":null,"b":"2"}"#), forwarded("2"));
    assert_eq!(first(r#"{"a":[],"b":"2"}"#), forwarded("2"));
    assert_eq!(first(r#"{"a":"","b":"2"}"#), forwarded(""));
    assert_eq!(first("{}"), Ok(None));
    assert_eq!(first(r#"{"a":"\n","b":"2"}"#), Err(Unrepresentable), "a broken value is no reason to use another");
}

#[test]
fn what_stands_behind_a_value_that_is_there_is_not_looked_at() {
    let values = vec![IdentityValue::ClientIp, IdentityValue::of_claim(reference("c"))];
    let header = IdentityHeader { values, ..of_claim() };
    let here = RequestFacts { client_ip: Some("192.0.2.1"), max_bytes: 20, ..RequestFacts::default() };
    let nowhere = RequestFacts { client_ip: None, ..here };
    let broken = r#"{"c":"\n"}"#;
    assert_eq!(on(&header, broken, &here), forwarded("192.0.2.1"));
    assert_eq!(on(&header, broken, &nowhere), Err(Unrepresentable));
    assert_eq!(on(&header, r#"{"c":"d"}"#, &nowhere), forwarded("d"));
}

#[test]
fn the_request_provides_the_rest() {
    let facts = RequestFacts {
        rule: Some("write"),
        required_scopes: Some("a b"),
        satisfy: Some("any"),
        client_ip: Some("192.0.2.1"),
        max_bytes: 20,
    };
    let header_of =
        |value: IdentityValue, facts: &RequestFacts<'_>| on(&IdentityHeader::plain("x-h", value), "{}", facts);
    for (value, text) in [
        (IdentityValue::Rule, "write"),
        (IdentityValue::RequiredScopes, "a b"),
        (IdentityValue::Satisfy, "any"),
        (IdentityValue::ClientIp, "192.0.2.1"),
    ] {
        assert_eq!(header_of(value.clone(), &facts), forwarded(text));
        assert_eq!(header_of(value.clone(), &RequestFacts { max_bytes: 20, ..RequestFacts::default() }), Ok(None));
        assert_eq!(
            header_of(value, &RequestFacts { max_bytes: 2, ..facts }),
            Err(Unrepresentable),
            "{text} is too long"
        );
    }
    assert_eq!(header_of(IdentityValue::Token, &facts), forwarded(TOKEN));
    assert_eq!(header_of(IdentityValue::Payload, &facts), forwarded("eyJhIjoxfQ"));
    assert_eq!(header_of(IdentityValue::Issuer, &facts), forwarded("https://idp"));
}
