//! Anthropic's dialect.

pub(crate) mod reply;
pub(crate) mod request;
