//! Requests that other sites have browsers send.

/// What becomes of unsafe requests with a credential from a cookie that another site had a browser send.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum CrossSite {
    /// They pass.
    Allow,
    /// They are refused.
    Refuse {
        /// The origins that are excepted, as browsers write them.
        origins: Vec<String>,
    },
}

impl Default for CrossSite {
    fn default() -> Self {
        Self::Refuse { origins: Vec::new() }
    }
}
