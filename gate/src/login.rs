//! Logging in with a browser: the authorization code flow, from the redirect to the session.

mod navigation;
