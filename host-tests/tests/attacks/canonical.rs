//! What can be read in more than one way: in each dimension the request that a rule protects is written otherwise, and
//! what is left for it without that rule is public.

use serde_json::json;

use crate::exchange::Request;
use crate::run::{Host, Run};
use crate::setting::Setting;

pub(crate) fn setting() -> Setting {
    let mut setting = Setting::own();
    setting.name = "canonical".into();
    setting.config["rules"] = json!([
        {"name": "site", "match": {"hosts": ["admin.example"]}, "access": "deny"},
        {"name": "tenant", "match": {"headers": {"x-tenant": "acme"}}, "access": "deny"},
        {"name": "delete", "match": {"methods": ["DELETE"]}, "access": "deny"},
        {"name": "escapes", "match": {"paths": ["/p/%7Badmin%7D/**", "/p%7Cq", "/jobs/*%3Adelete"]}, "access": "deny"},
        {"name": "styles", "match": {"paths": ["/static/*.css"]}, "access": "public"},
        {"name": "static", "match": {"paths": ["/static/**", "/admin/**"]}, "access": "deny"},
        {"name": "all", "access": "public"},
    ]);
    setting
}

pub(crate) fn all<H: Host>(run: &mut Run<'_, H>) {
    let setting = setting();
    for (method, verdict) in METHODS {
        let request = Request::new(method, "/x");
        // In HTTP/1.1 Envoy knows methods in capitals only; in HTTP/2 it passes all on (`tests/servers/methods.rs`).
        match run.host.is_real() && *verdict == "ambiguous_request" {
            true => run.expect_refusal(method, &setting, &request),
            false => drop(run.expect(method, &setting, &request, verdict)),
        }
    }
    for (host, verdict) in HOSTS {
        run.expect(host, &setting, &Request::get("/x").header("host", host), verdict);
    }
    for (lines, verdict) in TENANTS {
        let request = lines.iter().fold(Request::get("/x"), |request, line| request.header("x-tenant", line));
        run.expect(&format!("{lines:?}"), &setting, &request, verdict);
    }
    for (path, verdict) in PATHS {
        run.expect(path, &setting, &Request::get(path), verdict);
    }
    for (name, value) in OVERRIDES {
        let answer = run.expect(name, &setting, &Request::get("/x").header(name, value), "ok");
        run.check(!answer.upstream_saw(value), &format!("{name} reached the upstream: {answer:?}"));
    }
}

const METHODS: &[(&str, &str)] = &[
    ("DELETE", "denied_by_rule"),
    ("GET", "ok"),
    ("PUT", "ok"),
    ("delete", "ambiguous_request"),
    ("Delete", "ambiguous_request"),
    ("dELETE", "ambiguous_request"),
    ("DELETe", "ambiguous_request"),
    ("get", "ambiguous_request"),
    ("Post", "ambiguous_request"),
    ("options", "ambiguous_request"),
];

const HOSTS: &[(&str, &str)] = &[
    ("admin.example", "denied_by_rule"),
    ("ADMIN.example", "denied_by_rule"),
    ("admin.example:80", "denied_by_rule"),
    ("admin.example:443", "denied_by_rule"),
    ("other.example", "ok"),
    ("other.example:8080", "ok"),
    ("admin.example.", "ambiguous_request"),
    ("admin.example..", "ambiguous_request"),
    ("admin.example:", "ambiguous_request"),
    ("admin.example::", "ambiguous_request"),
    ("admin.example:0", "ambiguous_request"),
    ("admin.example:1", "ambiguous_request"),
    ("admin.example:0443", "ambiguous_request"),
    ("admin.example:080", "ambiguous_request"),
    ("admin.example:65536", "ambiguous_request"),
    ("admin.example:65616", "ambiguous_request"),
    ("admin.example:4294967376", "ambiguous_request"),
    ("admin.example:+80", "ambiguous_request"),
    ("admin.example:8o", "ambiguous_request"),
    ("admin.example:80:80", "ambiguous_request"),
    ("admin.example.:443", "ambiguous_request"),
    ("user@admin.example", "ambiguous_request"),
    ("@admin.example", "ambiguous_request"),
    ("other.example@admin.example", "ambiguous_request"),
    ("admin.example@other.example", "ambiguous_request"),
    ("other.example.", "ambiguous_request"),
    ("other.example:", "ambiguous_request"),
    ("admin.example%2e", "ambiguous_request"),
    ("admin%2eexample", "ambiguous_request"),
];

const TENANTS: &[(&[&str], &str)] = &[
    (&["acme"], "denied_by_rule"),
    (&[" acme\t"], "denied_by_rule"),
    (&["other"], "ok"),
    (&["acmes"], "ok"),
    (&[""], "ok"),
    (&["acme", ""], "ambiguous_request"),
    (&["", "acme"], "ambiguous_request"),
    (&["acme", "acme"], "ambiguous_request"),
    (&["acme", "other"], "ambiguous_request"),
    (&["other", "acme"], "ambiguous_request"),
    (&["other", "other"], "ambiguous_request"),
    (&["Acme"], "ambiguous_request"),
    (&["ACME"], "ambiguous_request"),
    (&["acme,"], "ambiguous_request"),
    (&[",acme"], "ambiguous_request"),
    (&["acme ,"], "ambiguous_request"),
    (&[", Acme ,"], "ambiguous_request"),
    (&["acme,other"], "ambiguous_request"),
    (&["other , acme"], "ambiguous_request"),
];

const PATHS: &[(&str, &str)] = &[
    ("/p/%7Badmin%7D/x", "denied_by_rule"),
    ("/p/%7badmin%7d/x", "denied_by_rule"),
    ("/p%7cq", "denied_by_rule"),
    ("/jobs/1%3adelete", "denied_by_rule"),
    ("/%6Aobs/1%3Adelete", "denied_by_rule"),
    ("/%61dmin/x", "denied_by_rule"),
    ("/static/a.css", "ok"),
    ("/static/a.cs%73", "ok"),
    ("/jobs/1%3Alist", "ok"),
    ("/p/%7Bx%7D/y", "ok"),
    ("/caf%c3%a9", "ok"),
    ("/100%25", "ok"),
    ("/p/{admin}/x", "ambiguous_path"),
    ("/p/{admin%7D/x", "ambiguous_path"),
    ("/p/%7Badmin}/x", "ambiguous_path"),
    ("/p|q", "ambiguous_path"),
    ("/a^b", "ambiguous_path"),
    ("/a`b", "ambiguous_path"),
    ("/a\"b", "ambiguous_path"),
    ("/a<b", "ambiguous_path"),
    ("/a>b", "ambiguous_path"),
    ("/jobs/1:delete", "ambiguous_path"),
    ("/%6Aobs/1:delete", "ambiguous_path"),
    ("/static/secret.json%3F.css", "ambiguous_path"),
    ("/static/secret.json%3f.css", "ambiguous_path"),
    ("/static/secret.json%23.css", "ambiguous_path"),
    ("/static/secret.json%3B.css", "ambiguous_path"),
    ("/static/secret.json;.css", "ambiguous_path"),
    ("/static/secret.json%00.css", "ambiguous_path"),
    ("/static%3F/a.css", "ambiguous_path"),
    ("/admin%3Fx", "ambiguous_path"),
    ("/admin%3Bx/y", "ambiguous_path"),
    ("/%25u0061dmin/x", "ambiguous_path"),
    ("/%u0061dmin/x", "ambiguous_path"),
    ("/%2561dmin/x", "ambiguous_path"),
    ("/%ff", "ambiguous_path"),
    ("/%80", "ambiguous_path"),
    ("/%c3", "ambiguous_path"),
    ("/%c3%28", "ambiguous_path"),
    ("/%c1%a1dmin/x", "ambiguous_path"),
    ("/%e0%81%a1dmin/x", "ambiguous_path"),
    ("/%e2%82", "ambiguous_path"),
    ("/%ed%a0%80", "ambiguous_path"),
    ("/%f0%80%81%a1dmin/x", "ambiguous_path"),
    ("/%f4%90%80%80", "ambiguous_path"),
    ("/%f8%88%80%80%80", "ambiguous_path"),
];

const OVERRIDES: &[(&str, &str)] = &[
    ("x-http-method-override", "DELETE"),
    ("X_HTTP_Method_Override", "DELETE"),
    ("x-http-method", "DELETE"),
    ("x-method-override", "DELETE"),
    ("x-original-url", "/admin/x"),
    ("x_original_url", "/admin/x"),
    ("x-rewrite-url", "/admin/x"),
    ("script_name", "/admin/x"),
    ("path_info", "/admin/x"),
    ("x-forwarded-host", "admin.example"),
    ("x_forwarded_host", "admin.example"),
    ("x_tenant", "acme"),
];
