//! A strict reader for JSON texts (RFC 8259) whose author is not trusted, and what [`write`](mod@write) makes of values.
//!
//! Beyond the grammar it refuses what parsers disagree about (RFC 7493 §2): members that occur twice, at any depth,
//! and surrogates that stand alone. It keeps the digits of numbers as they were written, since a date or an
//! identifier must not pass through floating point. It does not recurse: nesting costs a stack entry, up to
//! [`MAX_DEPTH`].

mod decimal;
mod document;
mod parser;
pub mod write;

pub use decimal::Decimal;
pub use document::{Document, Error, ErrorKind, Kind, MAX_DEPTH, Value};

use parser::Duplicates;

impl<'t> Document<'t> {
    /// Reads `text`, all of it.
    pub fn parse(text: &'t [u8]) -> Result<Self, Error> {
        parser::parse(utf8(text)?, Duplicates::Refuse)
    }

    /// Like [`Document::parse`], except for members that occur twice: [`Value::has_duplicates`] reports them, so
    /// that one of many things in the text need not spoil the others.
    pub fn parse_keeping_duplicates(text: &'t [u8]) -> Result<Self, Error> {
        parser::parse(utf8(text)?, Duplicates::Keep)
    }
}

fn utf8(text: &[u8]) -> Result<&str, Error> {
    core::str::from_utf8(text).map_err(|error| Error::new(error.valid_up_to(), ErrorKind::NotUtf8))
}
