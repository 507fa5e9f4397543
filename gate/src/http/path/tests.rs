#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

fn strict(path: &str) -> Result<String, AmbiguousPath> {
    CanonicalPath::strict(path.as_bytes()).map(|path| path.as_str().to_string())
}

fn lenient(path: &str) -> Result<String, AmbiguousPath> {
    CanonicalPath::of(path.as_bytes(), PathMode::Lenient).map(|path| path.as_str().to_string())
}

#[test]
fn plain_paths_stay_as_they_are() {
    for path in [
        "/",
        "/a/b",
        "/a/",
        "/a.b/c~d",
        "/.well-known",
        "/...",
        "/a/..b",
        "/a:b@c!$&'()*+,=",
        "/%20",
        "/%C3%A9",
        "/%3B",
        "/a%25b/c",
        "/...%3B/.a%20",
        "/%E2%82%AC/%F0%9F%94%91",
        "/[a]",
        "/%7B%7D%7C%5E%60%22%3C%3E",
    ] {
        assert_eq!((strict(path).as_deref(), lenient(path).as_deref()), (Ok(path), Ok(path)));
    }
}

#[test]
fn unreserved_escapes_are_decoded_once_and_others_take_capitals() {
    for byte in 0..=0xff_u8 {
        let expected = match byte {
            b'/' | b'\\' => Err(AmbiguousPath::EncodedSlash),
            0..=0x1f | 0x7f => Err(AmbiguousPath::Control),
            0x80.. => Err(AmbiguousPath::NotUtf8),
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                Ok(format!("/x{}", char::from(byte)))
            }
            _ => Ok(format!("/x%{byte:02X}")),
        };
        for path in [format!("/x%{byte:02x}"), format!("/x%{byte:02X}")] {
            assert_eq!((strict(&path), lenient(&path)), (expected.clone(), expected.clone()), "{path}");
        }
    }
    assert_eq!(strict("/%61%2D%7e").as_deref(), Ok("/a-~"));
    assert_eq!(strict("/%c3%a9%3A").as_deref(), Ok("/%C3%A9%3A"));
}

#[test]
fn the_query_takes_no_part() {
    for (path, expected) in [("/a?", "/a"), ("/a?x=/../y;z//%2f%zz", "/a"), ("/a??/b", "/a"), ("/?\u{e9}", "/")] {
        assert_eq!((strict(path).as_deref(), lenient(path).as_deref()), (Ok(expected), Ok(expected)));
    }
}

#[test]
fn what_two_parsers_may_read_differently_is_refused() {
    use AmbiguousPath::*;
    for (path, problem) in [
        ("", NotAPath),
        ("*", NotAPath),
        ("a", NotAPath),
        ("http://a/b", NotAPath),
        ("example.com:443", NotAPath),
        ("?/", NotAPath),
        ("/a\\b", Backslash),
        ("/\\../a", Backslash),
        ("/a%5cb", EncodedSlash),
        ("/a%5Cb", EncodedSlash),
        ("/a%2Fb", EncodedSlash),
        ("/%2f", EncodedSlash),
        ("/%00", Control),
        ("/%0a", Control),
        ("/%7F", Control),
        ("/a\u{1}", Control),
        ("/a b", Control),
        ("/a\tb", Control),
        ("/a\u{7f}", Control),
        ("/%", InvalidEscape),
        ("/%4", InvalidEscape),
        ("/%zz", InvalidEscape),
        ("/%+1", InvalidEscape),
        ("/%u002e", InvalidEscape),
        ("/a%/b", InvalidEscape),
        ("/%%32%65", InvalidEscape),
        ("/a#b", Fragment),
        ("/a?b#c", Fragment),
        ("/\u{e9}", NonAscii),
        ("/%252e", DoubleEscape),
        ("/%2541", DoubleEscape),
        ("/%25%32%65", DoubleEscape),
        ("/%2525", DoubleEscape),
        ("/a%25ff", DoubleEscape),
        ("/%c0%ae", NotUtf8),
        ("/%C1%9C", NotUtf8),
        ("/%c0.%c0./a", NotUtf8),
        ("/%e0%80%af", NotUtf8),
        ("/%F0%80%80%AF", NotUtf8),
        ("/%E9", NotUtf8),
        ("/%c3/%a9", NotUtf8),
        ("/%c3%a9%ff", NotUtf8),
        ("/%ED%A0%80", NotUtf8),
        ("/%f4%90%80%80", NotUtf8),
        ("/%C2%85", Control),
        ("/a%c2%9fb", Control),
        ("/%25u002e", DoubleEscape),
        ("/%25U002E", DoubleEscape),
        ("/%25%75002e", DoubleEscape),
        ("/{a", Raw),
        ("/a}", Raw),
        ("/a|b", Raw),
        ("/a^b", Raw),
        ("/a`b", Raw),
        ("/\"a", Raw),
        ("/<a", Raw),
        ("/a>/b", Raw),
        ("/..%3B/a", DotSegment),
        ("/a/.%3f", DotSegment),
        ("/..%20/a", DotSegment),
        ("/%2E.%23", DotSegment),
    ] {
        assert_eq!((strict(path), lenient(path)), (Err(problem), Err(problem)), "{path}");
    }
}

#[test]
fn strict_refuses_what_lenient_takes_out() {
    use AmbiguousPath::*;
    for (path, problem, left) in [
        ("/.", DotSegment, "/"),
        ("/a/.", DotSegment, "/a/"),
        ("/a/..", DotSegment, "/"),
        ("/a/b/..", DotSegment, "/a/"),
        ("/a/b/../", DotSegment, "/a/"),
        ("/a/./b", DotSegment, "/a/b"),
        ("/a/../b", DotSegment, "/b"),
        ("/a/b/../../c/./d", DotSegment, "/c/d"),
        ("/%2e%2E/a", DotSegment, "/a"),
        ("/a/.%2e/b", DotSegment, "/b"),
        ("/..", DotSegment, "/"),
        ("/../../a", DotSegment, "/a"),
        ("/a/../../../b", DotSegment, "/b"),
        ("//", EmptySegment, "/"),
        ("///a", EmptySegment, "/a"),
        ("/a//b", EmptySegment, "/a/b"),
        ("/a//", EmptySegment, "/a/"),
        ("/a//../b", EmptySegment, "/b"),
        ("/./", DotSegment, "/"),
        ("/.//a", EmptySegment, "/a"),
        ("/a;b", Parameters, "/a"),
        ("/a;", Parameters, "/a"),
        ("/;a", Parameters, "/"),
        ("/a;x=1;y/b;z", Parameters, "/a/b"),
        ("/a/;/b", Parameters, "/a/b"),
        ("/a/..;/b", Parameters, "/b"),
        ("/a/%2e%2e;x=1/b", Parameters, "/b"),
        ("/a/.;./b", Parameters, "/a/b"),
        ("/a;/../b", Parameters, "/b"),
        ("/a;%3b/%c3%a9//%3B", Parameters, "/a/%C3%A9/%3B"),
        ("/a;b//c/../d?x=;//../y", Parameters, "/a/d"),
    ] {
        assert_eq!((strict(path), lenient(path).as_deref()), (Err(problem), Ok(left)), "{path}");
    }
}

#[test]
fn nothing_is_cut_off_before_it_was_looked_at() {
    for path in ["/a;%2f", "/a;%00", "/a;\\", "/a;%zz", "/a;%2541", "/a;#", "/a/%2f/..", "/a/%c0%ae/..", "/a; "] {
        assert!(lenient(path).is_err(), "{path}");
    }
}

#[test]
fn servers_that_decode_too_much_see_other_paths() {
    let decoded = |path: &str| {
        let path = CanonicalPath::strict(path.as_bytes()).expect(path);
        path.decoded().iter().map(|path| path.as_str().to_string()).collect::<Vec<_>>()
    };
    for path in ["/a", "/%20", "/%C3%A9", "/a%25b"] {
        assert!(decoded(path).is_empty(), "{path}");
    }
    for (path, expected) in [
        ("/x%3Adelete", &["/x:delete"][..]),
        ("/%40%21%24%26%27%28%29%2A%2B%2C%3D%7b%7D", &["/@!$&'()*+,={}"]),
        ("/a%20%3A%C3%A9", &["/a%20:%C3%A9"]),
        ("/a%3Bb/c", &["/a/c", "/a;b/c"]),
        ("/a%3Fb/c", &["/a", "/a?b/c"]),
        ("/a%3Bb/c%3Fd%3Be", &["/a/c", "/a;b/c", "/a/c?d", "/a;b/c?d;e"]),
        ("/a%23b/c", &["/a", "/a#b/c"]),
        ("/a/%3B/b", &["/a/b", "/a/;/b"]),
        ("/%3F", &["/", "/?"]),
    ] {
        assert_eq!(decoded(path), expected, "{path}");
    }
}

#[test]
fn bytes_outside_ascii_are_refused_wherever_they_stand_in_the_path() {
    for byte in 0x80..=0xff {
        for path in [&[b'/', byte][..], &[b'/', b'a', byte, b'/'], &[b'/', b'a', b';', byte]] {
            for mode in [PathMode::Strict, PathMode::Lenient] {
                assert_eq!(CanonicalPath::of(path, mode), Err(AmbiguousPath::NonAscii));
            }
        }
        assert!(CanonicalPath::strict(&[b'/', b'?', byte]).is_ok());
    }
}
