//! Key pairs whose private halves were thrown away once they had signed one token each.
//!
//! So whatever else verifies is a forgery.

use jose::Algorithm;

/// The public keys, as a JWK set.
pub const KEYS: &str = r#"{"keys":[
    {"kty":"OKP","crv":"Ed25519","kid":"ed","x":"vNYzA3cBFyHFRPt557kQpJWoUPOULnOFQDx4MZ4A-eE"},
    {"kty":"EC","crv":"P-256","kid":"es","x":"o8kzHnlSEu4q-4cE3xtme01kYGxqamTretuZSw22UQs","y":"6_aCi57qhBVndvz1Dlv1qbLGQe2Qf7-JBd_qv08RFio"},
    {"kty":"RSA","kid":"rs","n":"i6vpDUstVSSOf1yf_ZR93R_vZyHY9yYQ3EwnKKkxlAgsH7_yzdzpLVF4e3-uAKqE0GAPqBIvJanOXx3opni1DfT51gYyQ_gjAtpwK1OMbGfF3cN3TuCWCpVczEEHVG3YBexLBhB5Q_OaNAogY9BHiRvUHsANg8mYQC7wky0SYeatIIGotxxMF_BeeuTpN3QP4RIac7xTiSDvHBMhICCfsaaj_nuUIXDkC8NvIGcG6nk1EkcItinhB-NN7Sk4u1L3Z2dZ-1yJaB7FgvqIkvix_4KB_hjf-CHzBAxL6OBi8tVsv9n8p_9oD4S0EscnzPgcYBkeAxxa47vNzvP6weWqTQ","e":"AQAB"}]}"#;

/// The tokens, with the algorithm of each; all of them hold the same claims.
pub const TOKENS: [(Algorithm, &str); 3] = [
    (
        Algorithm::EdDsa,
        "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCIsImtpZCI6ImVkIn0.eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlLmNvbSIsInN1YiI6ImFsaWNlIiwiYXVkIjoiYXBpIiwiaWF0IjoxODAwMDAwMDAwLCJleHAiOjE4MDAwMDM2MDB9.UExf3U0eDV6h10ltMumYG0_ErRPRn6MRcyLRfYFAazmkj4F7X567H34JztXz2y3W1ziTMkAasvg-JAqM351qDg",
    ),
    (
        Algorithm::Es256,
        "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6ImVzIn0.eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlLmNvbSIsInN1YiI6ImFsaWNlIiwiYXVkIjoiYXBpIiwiaWF0IjoxODAwMDAwMDAwLCJleHAiOjE4MDAwMDM2MDB9.u7-rczZWqcWKvTd5ORh0bjxQW7NywBWZg8EL9bzhn5lnlZRYLvKrr1YclcftF12K6a0ZYWX9phzXmCRmU53LPQ",
    ),
    (
        Algorithm::Rs256,
        "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6InJzIn0.eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlLmNvbSIsInN1YiI6ImFsaWNlIiwiYXVkIjoiYXBpIiwiaWF0IjoxODAwMDAwMDAwLCJleHAiOjE4MDAwMDM2MDB9.VuO-vIbk6cZ568PMgAg9dASPAGIZuW05ku1a8JftDC-UJS4WCqUHucolBWFDuzBiFOimIeM3MQqBaT_XNF2b1tryj-3wMf3jFmSB1ycMfNlMf4d1_T4HbLtUlz_bYMcC96E24PZ37izM94nbLsh7XtgJphXWWKtUBCZGxyA7V8PZ0jurHty6bZMziNP997-vAq4Z9_W14Z--KRQxcGU_V8rTg44OfsvF2TaHq78sUl_ChluLEdEAuq4DpBmbfpEoIfY8N-FDu46eddoWzaohpi6GHXFphIZ8y8bCc-kBQjMsHO6aYJb5p0_eqQ58bnh_SfXYI0UiXUhsR6TJ99kQ6g",
    ),
];
