//! The address at which a login begins, as pages and programs link to it.

use oauth::form::Form;

use super::return_to::{RETURN_TO, ReturnTo};

/// The parameter that names one of several logins.
pub(crate) const LOGIN: &str = "login";

/// The address of a login at `path`: of the one called `login`, to return to `to`.
pub(crate) fn address(path: &str, login: Option<&str>, to: Option<&ReturnTo>) -> String {
    let mut form = Form::default();
    form.push_if(LOGIN, login);
    form.push_if(RETURN_TO, to.map(ReturnTo::as_str));
    if form.as_str().is_empty() { path.to_string() } else { [path, "?", form.as_str()].concat() }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn names_and_addresses_are_parameters() {
        let to = ReturnTo::default();
        assert_eq!(address("/login", None, None), "/login");
        assert_eq!(address("/login", None, Some(&to)), "/login?returnTo=%2F");
        assert_eq!(address("/login", Some("R&D=1"), Some(&to)), "/login?login=R%26D%3D1&returnTo=%2F");
    }
}
