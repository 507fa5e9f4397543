//! The commands.

mod check;
mod completions;
mod explain;
mod from_istio;
mod load;
mod schema;
mod test;

pub(crate) use self::check::check;
pub(crate) use self::completions::completions;
pub(crate) use self::explain::explain;
pub(crate) use self::from_istio::from_istio;
pub(crate) use self::schema::schema;
pub(crate) use self::test::test;
