//! What `docs/paths.md` says is true.

use gate::http::{CanonicalPath, PathMode};
use gate::rules::PathPattern;
use serde_json::{Value, json};

use super::{forwarded, seen};

const PAGE: &str = include_str!("../../../docs/paths.md");

/// The rows of the table whose first column is called `title`.
fn table(title: &str) -> Vec<Vec<String>> {
    let rows: Vec<_> =
        PAGE.lines().skip_while(|line| !line.starts_with(&format!("| {title} |"))).skip(2).map_while(cells).collect();
    assert!(!rows.is_empty(), "there is no table of `{title}`");
    rows
}

fn cells(line: &str) -> Option<Vec<String>> {
    let row = line.strip_prefix('|')?.strip_suffix('|')?.replace("\\|", "\0");
    Some(row.split('|').map(|cell| cell.trim().replace('\0', "|")).collect())
}

/// Everything in code marks.
fn codes(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

fn code(cell: &str) -> &str {
    codes(cell).first().copied().unwrap_or(cell)
}

/// What the upstream gets, as the table writes it.
fn written(path: &str, mode: &str, rules: &Value) -> String {
    forwarded(path, mode, rules).unwrap_or_else(|status| status.to_string())
}

#[test]
fn each_path_becomes_what_the_table_says() {
    for row in table("the client sends") {
        let [path, strict_seen, strict, lenient_seen, lenient, _why] = &row[..] else { panic!("{row:?}") };
        let path = code(path);
        let found = [
            seen(path, PathMode::Strict).unwrap_or("400".into()),
            written(path, "strict", &json!([])),
            seen(path, PathMode::Lenient).unwrap_or("400".into()),
            written(path, "lenient", &json!([])),
        ];
        assert_eq!(found, [strict_seen, strict, lenient_seen, lenient].map(|cell| code(cell)), "{path}");
    }
}

#[test]
fn each_pattern_matches_what_the_table_says() {
    for row in table("pattern") {
        let [pattern, matches, others] = &row[..] else { panic!("{row:?}") };
        let text = code(pattern);
        let regex = text.strip_prefix("{regex: \"").and_then(|text| text.strip_suffix("\"}"));
        let pattern = regex.map_or_else(|| PathPattern::parse(text), PathPattern::regex).unwrap();
        for (paths, expected) in [(matches, true), (others, false)] {
            assert!(!codes(paths).is_empty(), "{text}");
            for path in codes(paths) {
                let canonical = CanonicalPath::strict(path.as_bytes()).unwrap();
                assert_eq!(pattern.matches(&canonical), expected, "{text} {path}");
            }
        }
    }
}

#[test]
fn each_reserved_escape_becomes_what_the_table_says() {
    for row in table("rules, in this order") {
        let [rules, path, expected] = &row[..] else { panic!("{row:?}") };
        let rules: Vec<_> = rules
            .split(", ")
            .map(|rule| {
                let access = rule.rsplit_once(' ').unwrap().1;
                json!({"match": {"paths": [code(rule)]}, "access": access})
            })
            .collect();
        for mode in ["strict", "lenient"] {
            let found = written(code(path), mode, &json!(rules));
            assert_eq!(if found == code(path) { "200" } else { &found }, expected, "{mode} {path}");
        }
    }
}
