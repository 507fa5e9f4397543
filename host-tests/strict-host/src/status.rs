//! What a host call answers.

use std::fmt;

/// The answer of a host call: any number, since a host newer than the plugin's SDK may know more of them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Status(
    /// The number on the wire.
    pub u32,
);

impl Status {
    /// It worked.
    pub const OK: Self = Self(0);
    /// What was asked for does not exist.
    pub const NOT_FOUND: Self = Self(1);
    /// An argument is wrong, or wrong in this phase.
    pub const BAD_ARGUMENT: Self = Self(2);
    /// A value could not be serialized.
    pub const SERIALIZATION_FAILURE: Self = Self(3);
    /// A value could not be parsed.
    pub const PARSE_FAILURE: Self = Self(4);
    /// An expression is malformed.
    pub const BAD_EXPRESSION: Self = Self(5);
    /// A pointer leaves the plugin's memory.
    pub const INVALID_MEMORY_ACCESS: Self = Self(6);
    /// The queue is empty.
    pub const EMPTY: Self = Self(7);
    /// Somebody else wrote in between.
    pub const CAS_MISMATCH: Self = Self(8);
    /// The result is not what was expected.
    pub const RESULT_MISMATCH: Self = Self(9);
    /// The host failed.
    pub const INTERNAL_FAILURE: Self = Self(10);
    /// The connection broke.
    pub const BROKEN_CONNECTION: Self = Self(11);
    /// The host does not offer this call.
    pub const UNIMPLEMENTED: Self = Self(12);
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match *self {
            Self::OK => "Ok",
            Self::NOT_FOUND => "NotFound",
            Self::BAD_ARGUMENT => "BadArgument",
            Self::SERIALIZATION_FAILURE => "SerializationFailure",
            Self::PARSE_FAILURE => "ParseFailure",
            Self::BAD_EXPRESSION => "BadExpression",
            Self::INVALID_MEMORY_ACCESS => "InvalidMemoryAccess",
            Self::EMPTY => "Empty",
            Self::CAS_MISMATCH => "CasMismatch",
            Self::RESULT_MISMATCH => "ResultMismatch",
            Self::INTERNAL_FAILURE => "InternalFailure",
            Self::BROKEN_CONNECTION => "BrokenConnection",
            Self::UNIMPLEMENTED => "Unimplemented",
            Self(other) => return write!(f, "Status({other})"),
        };
        f.write_str(name)
    }
}
