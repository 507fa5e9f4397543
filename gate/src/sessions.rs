//! Sessions: who logged in, sealed in cookies that the browser keeps.
