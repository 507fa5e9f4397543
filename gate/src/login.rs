//! Logging in with a browser: the authorization code flow, from the redirect to the session.

mod cross_site;
mod navigation;
mod origin;
mod return_to;
