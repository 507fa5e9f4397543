//! How a command ends.

/// What a command prints, and its exit status.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What it prints; it may hold colours.
    pub output: String,
    /// What it prints beside it, on the standard error.
    pub aside: Option<String>,
    /// Its exit status.
    pub status: u8,
}

/// Why a command cannot do what it was asked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Error(pub String);

/// Something is wrong with what was asked about.
pub const STATUS_TROUBLE: u8 = 1;
/// The command could not do what it was asked.
pub const STATUS_USAGE: u8 = 2;

impl Outcome {
    /// The exit status says whether all is well.
    pub(crate) fn new(output: String, is_fine: bool) -> Self {
        Self { output, aside: None, status: if is_fine { 0 } else { STATUS_TROUBLE } }
    }
}
