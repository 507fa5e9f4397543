//! A configuration of a file, as the engine reads it.

mod environment;
mod load;
mod mistake;
mod read;
mod secrets;

pub use self::environment::Variable;
pub(crate) use self::environment::{environment, is_stand_in};
pub use self::load::{Loaded, Rejection, load};
pub(crate) use self::read::flaws;
pub use self::read::{Configuration, Environment};
pub use self::secrets::without_secrets;
