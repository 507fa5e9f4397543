//! `session.paths`: where the gate answers itself.

use super::reader::Node;
use crate::http::CanonicalPath;
use crate::policy::OwnPaths;

pub(super) fn read(node: &Node<'_, '_>) -> Option<OwnPaths> {
    let defaults = OwnPaths::default();
    let mut object = node.object()?;
    let login = object.or("login", defaults.login, read_path);
    let callback = object.or("callback", defaults.callback, read_path);
    let logout = object.or("logout", defaults.logout, read_path);
    let check = object.or("check", defaults.check, read_path);
    let session = object.or("session", defaults.session, read_path);
    object.finish();
    let paths = OwnPaths { login: login?, callback: callback?, logout: logout?, check: check?, session: session? };
    check_distinct(node, &paths);
    Some(paths)
}

/// `login` and `callback` may be one: their parameters tell them apart.
fn check_distinct(node: &Node<'_, '_>, paths: &OwnPaths) {
    let all = paths.all();
    for (index, (name, path)) in all.iter().enumerate() {
        let is_same =
            |(other, other_path): &&(&str, &str)| other_path == path && (*other, *name) != ("login", "callback");
        if let Some((other, _)) = all.iter().take(index).find(is_same) {
            node.error_at(name, format!("the same path as `{other}`"));
        }
    }
}

/// A path as rules see it: it is compared with those of requests.
pub(super) fn read_path(node: &Node<'_, '_>) -> Option<String> {
    let text = node.string()?;
    if text.contains('?') {
        return node.expected("a path without a query");
    }
    match CanonicalPath::strict(text.as_bytes()) {
        Ok(path) if path.as_str() == "/" => node.expected("another path than `/`, which is the application's own"),
        Ok(path) if path.as_str() == text => Some(text.to_string()),
        Ok(path) => node.expected(&format!("a path in its canonical form, here `{}`", path.as_str())),
        Err(problem) => node.fail(format!("no request has this path: {problem}")),
    }
}
