//! The certificate of the client: that of its connection, or what a trusted proxy in front says of it.

use crate::http::{Request, TrustedProxies};
use jose::hex;

/// The SHA-256 of the certificate that the client's connection was made with.
pub(crate) fn of_connection(request: &Request<'_>) -> Option<[u8; 32]> {
    hex::decode(&request.peer_certificate())
}

/// The SHA-256 of the certificate that the last proxy in front names in `X-Forwarded-Client-Cert`, or a header in its
/// form, if that proxy is trusted: that of the last element. What it does not write as the proxy does is none.
pub(crate) fn in_header(request: &Request<'_>, name: &str, trusted: &TrustedProxies) -> Option<[u8; 32]> {
    if !trusted.sent(request) {
        return None;
    }
    let line = request.lines(name).last()?;
    let element = split(line, b',')?.pop()?;
    let mut hashes = Vec::new();
    for pair in split(element, b';')? {
        let at = pair.iter().position(|&byte| byte == b'=')?;
        let (key, value) = pair.split_at_checked(at)?;
        if key.trim_ascii().eq_ignore_ascii_case(b"hash") {
            hashes.push(value.get(1..)?);
        }
    }
    match hashes.as_slice() {
        [hash] => hex::decode(unquoted(hash)),
        _ => None,
    }
}

/// What stands between separators outside of quotes, in which a backslash escapes; `None` where a quote has no end.
fn split(text: &[u8], separator: u8) -> Option<Vec<&[u8]>> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let parts = text.split(|&byte| {
        let was_escaped = std::mem::take(&mut is_escaped);
        match byte {
            b'"' if !was_escaped => is_quoted = !is_quoted,
            b'\\' if is_quoted && !was_escaped => is_escaped = true,
            _ => {}
        }
        byte == separator && !is_quoted
    });
    let parts = parts.collect();
    (!is_quoted).then_some(parts)
}

fn unquoted(value: &[u8]) -> &[u8] {
    value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::http::HeaderLine;

    const HASH: &str = "468ed33be74eee6556d90c0149c1309e9ba61d6425303443c0748a02dd8de688";
    const OTHER: &str = "368ed33be74eee6556d90c0149c1309e9ba61d6425303443c0748a02dd8de688";

    /// Whether the lines are read as one of the certificate of `HASH`; `#` stands for that, `@` for another.
    fn names(lines: &[&str], peer: &str) -> bool {
        let lines: Vec<_> = lines.iter().map(|line| line.replace('#', HASH).replace('@', OTHER)).collect();
        let lines: Vec<HeaderLine<'_>> =
            lines.iter().map(|line| (&b"x-forwarded-client-cert"[..], line.as_bytes())).collect();
        let trusted = TrustedProxies::new(vec!["10.0.0.0/8".parse().expect("is a network")]);
        let found = in_header(&Request::new(&lines).with_peer(peer.as_bytes()), "x-forwarded-client-cert", &trusted);
        found.is_some_and(|found| hex::encode(&found) == HASH)
    }

    #[test]
    fn the_last_element_counts() {
        for lines in [
            &["Hash=#"][..],
            &["hash=\"#\""],
            &[
                "By=http://frontend.lyft.com;Hash=#;Subject=\"/C=US/ST=CA/L=San Francisco/OU=Lyft/CN=Test Client\";URI=http://testclient.lyft.com",
            ],
            &["By=a;Hash=@,By=b;Hash=#;URI=c"],
            &["Hash=@", "Hash=#"],
            &["Subject=\"a,Hash=@;\\\"\";Hash=#"],
            &["Hash=@;Subject=\"a\\\\\",Hash=#;URI="],
        ] {
            assert!(names(lines, "10.1.2.3:80"), "{lines:?}");
        }
    }

    #[test]
    fn nothing_else_does() {
        for lines in [
            &[][..],
            &[""],
            &["#"],
            &["Hash=#,By=b"],
            &["Hash=#,"],
            &["Hash=#,Hash=@"],
            &["Hash=#", "Hash=@"],
            &["Hash=#;Hash=#"],
            &["Hash=@;Hash=#"],
            &["Hash=#;x"],
            &["Hash=#0"],
            &["Hash=\"#"],
            &["Hash=#\""],
            &["Subject=\"a,Hash=#"],
            &["Subject=\"a,Hash=#\""],
            &["Subject=\"a\\\",Hash=#;\""],
            &["xHash=#"],
            &["Hash= #"],
        ] {
            assert!(!names(lines, "10.1.2.3:80"), "{lines:?}");
        }
    }

    #[test]
    fn the_word_of_others_does_not_count() {
        for peer in ["203.0.113.9:1", "", "/run/socket"] {
            assert!(!names(&["Hash=#"], peer), "{peer}");
        }
    }

    #[cfg(not(target_family = "wasm"))]
    mod properties {
        use proptest::collection::vec;
        use proptest::prelude::*;

        use super::{HASH, OTHER, names};

        /// As Envoy writes a value.
        fn written(value: &str) -> String {
            match value.contains([',', ';', '=', '"', '\\']) {
                true => format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")),
                false => value.to_string(),
            }
        }

        fn element(pairs: &[(String, String)], hash: &str, at: usize) -> String {
            let mut pairs: Vec<_> = pairs.iter().map(|(key, value)| format!("{key}={}", written(value))).collect();
            pairs.insert(at.min(pairs.len()), format!("Hash={hash}"));
            pairs.join(";")
        }

        fn pairs() -> impl Strategy<Value = Vec<(String, String)>> {
            let value =
                prop_oneof!["[a-c,;=\"\\\\ ]{0,8}", Just(format!("a,Hash={HASH};\"")), Just(format!("Hash={OTHER}"))];
            vec(("By|URI|Subject|DNS|Cert".prop_map(String::from), value), 0..4)
        }

        proptest! {
            #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

            #[test]
            fn what_envoy_writes_is_read(elements in vec((pairs(), 0_usize..4, any::<bool>()), 1..4)) {
                let is_own = elements.last().is_some_and(|(.., is_own)| *is_own);
                let line = elements.iter().map(|(pairs, at, is_own)| element(pairs, if *is_own { HASH } else { OTHER }, *at));
                let line = line.collect::<Vec<_>>().join(",");
                prop_assert_eq!(names(&[&line], "10.1.2.3:80"), is_own, "{}", line);
                prop_assert_eq!(names(&["Hash=#", &line], "10.1.2.3:80"), is_own, "{}", line);
            }
        }
    }
}
