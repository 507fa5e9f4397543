//! One reading of HTTP (RFC 9110), which every part of the engine shares: what a request says, and what is changed in it.

pub(crate) mod authority;
mod client_ip;
pub(crate) mod cookie;
mod edit;
pub(crate) mod freshness;
mod grammar;
pub(crate) mod list;
mod path;
mod reply;
mod request;
mod response;
pub(crate) mod set_cookie;
pub(crate) mod spelling;
mod uri;

pub use self::authority::{AmbiguousHost, Authority};
pub use self::client_ip::TrustedProxies;
pub use self::edit::HeaderEdit;
pub(crate) use self::grammar::{is_header_name, is_scope, is_token_byte};
pub use self::path::{AmbiguousPath, CanonicalPath, PathMode};
pub(crate) use self::path::{
    LONGEST_ESCAPED_FOR_REGEX, LONGEST_FOR_REGEX, PathSegments, decode_printable, decode_segment,
};
pub use self::reply::Reply;
pub use self::request::{Connection, HeaderLine, Request};
pub use self::response::Response;
pub use self::set_cookie::SameSite;
pub(crate) use self::spelling::{essence, essences};
pub use self::uri::HttpUri;
