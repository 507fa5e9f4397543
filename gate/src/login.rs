//! Logging in with a browser: the authorization code flow, from the redirect to the session.

mod address;
mod cross_site;
mod info;
mod navigation;
mod origin;
mod page;
mod return_to;
