//! A request, as people write it.

mod credential_location;
mod head;
mod line;
mod session;

pub use self::credential_location::CredentialLocation;
pub use self::head::RequestHead;
pub use self::line::{RequestLine, header};
pub(crate) use self::session::add_session;
