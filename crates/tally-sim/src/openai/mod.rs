//! OpenAI's dialect.

pub(crate) mod embeddings;
pub(crate) mod reply;
pub(crate) mod request;
