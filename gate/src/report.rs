//! What operators get to know of a request: its reason, a metric, a line for the log, properties for the access log.

mod browser;
mod detail;
mod facts;
mod metric;
mod reason;

pub use self::browser::{LoginFailure, SessionEnd};
pub use self::detail::{Cause, Detail};
pub(crate) use self::facts::Facts;
pub use self::facts::Report;
pub use self::metric::{Metric, MetricKind};
pub use self::reason::Reason;
