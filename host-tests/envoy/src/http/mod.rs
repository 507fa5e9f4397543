//! An HTTP/1.1 client that sends anything, well-formed or not, and reads whole answers.

mod burst;
mod connection;
mod decoder;
mod request;
mod response;

pub use self::burst::{burst, raise_file_limit};
pub use self::connection::Connection;
pub use self::request::{Line, Request};
pub use self::response::{Head, Response};
