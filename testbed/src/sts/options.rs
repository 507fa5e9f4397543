//! How the service is set up.

/// How it is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// The port on 127.0.0.1; 0 takes any free one.
    pub port: u16,
    /// Whose ID tokens are good. Its discovery document and keys are fetched for each.
    pub issuer: String,
    /// The client that they must be made for.
    pub audience: String,
    /// The roles that there are.
    pub roles: Vec<String>,
}
