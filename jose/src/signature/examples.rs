//! Published examples, by which an implementation shows that it can be trusted to work.
//!
//! The private halves of these keys are published, too: they are good for nothing else.

use crate::jwk::{KeyMaterial, KeySet, Origin};
use crate::{Algorithm, base64url};

/// The keys of RFC 7515 A.1 to A.4, RFC 6979 A.2.6 and RFC 8037 A.1.
pub(super) const KEYS: &str = r#"{"keys":[
    {"kty":"RSA","kid":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"},
    {"kty":"EC","kid":"P-256","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},
    {"kty":"OKP","kid":"Ed25519","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
    {"kty":"EC","kid":"P-384","crv":"P-384","x":"7DpOQVtOGaRWhhgCn0J_pdqai8SukuAuBqrlKGswDGTe-PDqkFWGYGSiVFFUgLwT","y":"gBXZty19VyROqO-awMYhiWcIpZNn-d-59UyoSz8cnbEoiyMcOuDU_nNE_SUzJkcg"},
    {"kty":"EC","kid":"P-521","crv":"P-521","x":"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk","y":"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"},
    {"kty":"oct","kid":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}]}"#;

/// Signing input and signature. HS256, RS256, ES256 and ES512 are those of RFC 7515 A.1 to A.4, ES384 that of RFC 6979
/// A.2.6, EdDSA that of RFC 8037 A.4; the others sign the claims of RFC 7515 A.1 with its keys.
pub(super) const EXAMPLES: [(Algorithm, &str, &str); 13] = [
    (
        Algorithm::EdDsa,
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
    ),
    (
        Algorithm::Es256,
        "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
    ),
    (
        Algorithm::Es384,
        "sample",
        "lO27kqXsuKrUc25WxpGRaz-IFAZmzp-nPWTE6pWtEzyBpkgVLkSs-W423R6A-r5Gme9K6xXxeM6h_kDbJgMTjxMOdAoZYkUmIDtjUdCjqU-jKcFFeG5nnnuCxxo4YorI",
    ),
    (
        Algorithm::Es512,
        "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA",
        "AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn",
    ),
    (
        Algorithm::Hs256,
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
    ),
    (
        Algorithm::Hs384,
        "eyJhbGciOiJIUzM4NCJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
        "oXDrZsBTd6_RlkXLUTQJ0DSfHx5raR4Pq5jlRHf5v0WTm-zt8xcsCvXagNl0J4eM",
    ),
    (
        Algorithm::Hs512,
        "eyJhbGciOiJIUzUxMiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
        "CyfHecbVPqPzB3zBwYd3rgVBi2Dgg-eAeX7JT8B85QbKLwSXyll8WKGdehse606szf9G3i-jr24QGkEtMAGSpg",
    ),
    (
        Algorithm::Ps256,
        "eyJhbGciOiJQUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
        "i2OJUDS_qTMHHrLT3phkw0gH9VdjKK8LXLR6m0t-U-ugEsK2g7eW4TxifSf9KPA84Bok6GoKcW8ciRgUFn3hITCG8aIvL4BAtMV_YaghruVJ27bGKsZGt0OnGCnWLjpf-MbQYmdeJaMA1xmayOGUZP6VjuGKX9RhFsAi_PGXgAMtG9YrU8l0b8SBu9jXEihnvOH4crUrdZ1KQPIcyCjbzjUhKnz0r56gl0xF47_wgDTYfO_wrQqQdsgVh_CbOhh-ThVDAjKW8Us-LAAVn26WeXnf-BjQl1z9Zm2h25i6TrXIfLJOtbBuksamM-Yzeh27DuE-B0pPLTpOx4GcMCfofA",
    ),
    (
        Algorithm::Ps384,
        "eyJhbGciOiJQUzM4NCJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
        "lddKHRGvx5FdiimrHwBj0p1kF-vn3kyQ6jbOxiXi-LLmzNwxlgOPvSdRih-Ovx-p10Zi3Ur_izS12PWg2VaBFDNy07RcKSx1Oud7qFwP5kccB57YuYPUMNO_TZJPwZFwGfP90O1PZIo6V79MxrjsvrUZ8dbWcc9mz75CWiOogR-sUuX-k9pgWB_RQr8uruRg29d5Gp9O03Ef6fPjsty3xknFMMjAFYn2vjiHqvSCF_7Ehdj5zVIKMsfhvxyGZrZHPgNDSc0vdGNw_DYuu3r8NxRVLk_GpKGKoaiOU-LfE-75qlpX5Rt8QyTMMVbA21PQb_KnUtk78fOrqrx1luinnA",
    ),
    (
        Algorithm::Ps512,
        "eyJhbGciOiJQUzUxMiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
        "k8fYTxZVD60FTRK19I_PLyWngL33gQkUTpT42l4udOp8kaD7mPF6vYDEuCtNP5N9hSM4pDzpGyWWnFv-SgfAPJbT6br2izaulCGVORJ48zeuS7UFrUvPTqJPAGQW2_twa-6EhwUxhJ0DQvsSRd1SKx6V_zNnJxKaS52N6fhRMAhSIYbafuIxucPBwOEhyHyGyNRJFXI8udwCtgP0zriTV0nvJ0aZ6cEqAE7kmjgiJQO9wyG8KP3SNfbnl30OwmaYFs_syQAHc7SzWfxC_Vy-kZvKdramNvLBNhBkqznKuBRPif16g68L1_mwnhryJpT8acZHMOrRE1a1zY0qvy5pdA",
    ),
    (
        Algorithm::Rs256,
        "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
        "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
    ),
    (
        Algorithm::Rs384,
        "eyJhbGciOiJSUzM4NCJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
        "UqgNjrJOGhk4wfoSG6Uvrt9GcKu-TgPwInExALrMBadg1pol1uTw7mZADTddAWsC6ZzdFiTFUmIi7DuD38ftLAZoW4qezdAO7RYf1yZDsbT20bt8DJJN1I4VovL2PLg80B6x6ug-kaW8k5LaM5ce0dk1zgWhjafKC3Mb4UNLL8f9fqVMkHpdWYRjF6QjTz12Ap-gq-tPyUoWSdvzCIYOcZ9-08SQQdUTTgsNF1Qwu3TqeWPqzNJwmWHiHMmaV8I4ktMFEX-AiEBa55KsfYTx0jSbTHP-odqmnLQJ4n-oQJ2RSXy0HQP6BkdiwDHdoMUk4z_wAeOsfDTs_mLxTgOInQ",
    ),
    (
        Algorithm::Rs512,
        "eyJhbGciOiJSUzUxMiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
        "ZatQfsb2gyCu3y9cDuz59a-IKm4bkqtT0HuT8BpNlPCmA3Y2eH91CVSI0TbkPqI9v2jaXuWvPcoJGNRtTpUXafTAbqzxWSMjqx8SkJRTuUz6imaHBctra42j2AvJ1t7qJwf2NN49y9PZbkYn3ejhU-iCmKJ3J-_GLsYp5VlximYm-o3sMul0tyCMvHUdmuWvadnVEaio-jix3pXYWfyFC8tp19zZrTaofxTAzCqlqundx22tfsuqchto_zVnZk_ZBr1R5lr29Qle5JgLmRkfDNbVSQZFdwg6mSlODL8BrOiM_vreMaPCO8U_JGezKUob0ONv7DA7XDfpbaXaFsHipQ",
    ),
];

/// Whether `verify` judges the published example of `algorithm` right, the good signature as well as bad ones.
///
/// `verify` takes a key, a message and a signature, and answers `None` where it can do nothing.
pub fn passes_examples(algorithm: Algorithm, verify: impl Fn(&KeyMaterial, &[u8], &[u8]) -> Option<bool>) -> bool {
    judge(algorithm, verify).unwrap_or(false)
}

fn judge(algorithm: Algorithm, verify: impl Fn(&KeyMaterial, &[u8], &[u8]) -> Option<bool>) -> Option<bool> {
    let keys = KeySet::from_json(KEYS.as_bytes(), EXAMPLES.len(), Origin::Configuration).ok()?;
    let key = keys.keys().iter().find(|key| key.allows(algorithm))?.material();
    let (_, message, signature) = EXAMPLES.into_iter().find(|(of, ..)| *of == algorithm)?;
    let good = base64url::decode(signature.as_bytes())?;
    let mut bad = good.clone();
    *bad.last_mut()? ^= 1;
    let message = message.as_bytes();
    let is_right = verify(key, message, &good)? && !verify(key, message, &bad)? && !verify(key, b"another", &good)?;
    Some(is_right)
}
