//! What the targets judge the product by: readings of their own, and a proxy's part of the work.
//!
//! Nothing here calls the code that it judges, except to hand it something.

pub mod base64url;
pub mod json;
pub mod location;
pub mod number;
pub mod path;
pub mod proxy;
pub mod sealed;
pub mod signed;
pub mod uri;
