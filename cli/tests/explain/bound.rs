//! Opaque tokens that are bound to a key: what their issuer says, and what their sender shows.

use std::path::PathBuf;

use crate::command::explain_at;

/// RFC 9449 §7.1: a request with a token and a proof, and what the token is bound to.
const AT: &str = "2019-07-04T17:50:20Z";
const REQUEST: &str = "GET https://resource.example.org/protectedresource";
const TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
const PROOF: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";
const ANSWER: &str = r#"{"active":true,"sub":"alice","aud":"resource","scope":"read","exp":1562266216,
    "cnf":{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}}"#;

/// What is said of the request with what is given beside it.
fn page(name: &str, at: &str, given: &[&str]) -> String {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&file, ANSWER).expect("can be written");
    let path = file.to_str().expect("is text");
    let request = ["tests/explain/bound.yaml", "--request", REQUEST, "--token", TOKEN, "--introspection", path];
    let (text, _) = explain_at(at, &[&request[..], given].concat());
    std::fs::remove_file(&file).expect("can be removed");
    text
}

#[test]
fn the_sender_who_has_the_key_passes() {
    insta::assert_snapshot!("proof", page("proof.json", AT, &["--proof", PROOF]));
}

#[test]
fn a_token_without_its_proof_is_told_what_it_lacks() {
    insta::assert_snapshot!("no_proof", page("no-proof.json", AT, &[]));
}

#[test]
fn a_proof_that_does_not_hold_is_told_why() {
    insta::assert_snapshot!("old_proof", page("old-proof.json", "2019-07-04T18:00:00Z", &["--proof", PROOF]));
}
