//! What can go wrong; never with a word of what was said.

/// Why a prompt could not be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum PromptError {
    /// SQLite refuses.
    #[error("the file of kept prompts: {0}")]
    Database(#[from] rusqlite::Error),
    /// The file of the key cannot be read or written.
    #[error("the key of kept prompts: {0}")]
    Key(#[from] std::io::Error),
    /// The key's file holds something else.
    #[error(
        "the key of kept prompts, {0}: expected 64 hexadecimal digits; restore the file, or remove it to lose what was kept and begin anew"
    )]
    KeyMalformed(String),
    /// It was sealed with another key, or changed since.
    #[error(
        "the kept prompt cannot be opened: `prompts.key` is not the key that sealed it, or the file was changed"
    )]
    Sealed,
    /// The system gives no random numbers.
    #[error("the system gives no random numbers")]
    Random,
    /// The file was written by a newer version.
    #[error(
        "prompts.db was written by a newer tally (schema {0}); this one reads up to schema {1}"
    )]
    Newer(i64, i64),
}
