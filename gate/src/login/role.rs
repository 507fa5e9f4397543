//! The role that a user chooses, at the path of logins: `?choose=role` asks for one, `?role=NAME` chooses it.

use oauth::form::{Form, Parameters};

use super::page::choose_role;
use super::return_to::{Destinations, RETURN_TO, ReturnTo};
use crate::http::{Reply, Request};
use crate::policy::Browser;

const CHOOSE: &str = "choose";
const ROLE: &str = "role";

/// What a user asks for.
#[derive(Clone, Debug)]
pub(crate) struct RoleAsked {
    /// The name of a role; `None`: it is to be chosen.
    pub(crate) name: Option<String>,
    pub(crate) return_to: ReturnTo,
}

impl RoleAsked {
    /// What the query of `request` asks for, if it is about roles.
    pub(crate) fn read(browser: &Browser, request: &Request<'_>) -> Option<Self> {
        let parameters = Parameters::parse(request.query().unwrap_or_default()).ok()?;
        let one = |name| parameters.one(name).ok().flatten();
        let name = one(ROLE).map(String::from);
        let is_about_roles = name.is_some() || one(CHOOSE) == Some(ROLE);
        let return_to = Destinations::from(&browser.session).asked(&parameters).unwrap_or_default();
        is_about_roles.then_some(Self { name, return_to })
    }

    /// The page to choose one of `names` from.
    pub(crate) fn choose(&self, browser: &Browser, names: &[&str]) -> Reply {
        let path = &browser.session.paths.login;
        let roles = names.iter().map(|&name| (name, address(path, (ROLE, name), &self.return_to)));
        choose_role(&roles.collect::<Vec<_>>())
    }
}

/// Where a role is chosen, before somebody goes on to `return_to`.
pub(crate) fn role_page(browser: &Browser, return_to: &ReturnTo) -> String {
    address(&browser.session.paths.login, (CHOOSE, ROLE), return_to)
}

fn address(path: &str, (name, value): (&str, &str), return_to: &ReturnTo) -> String {
    let mut form = Form::default();
    form.push(name, value);
    form.push(RETURN_TO, return_to.as_str());
    [path, "?", form.as_str()].concat()
}
