//! What humans see of the server's start and end.

use std::{
    io::{self, Write},
    process::ExitCode,
};

/// Prints a line; a closed pipe is nobody's problem.
pub(crate) fn line(text: &str) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// Prints an error with its causes.
pub(crate) fn fail(error: &anyhow::Error) -> ExitCode {
    let _ = writeln!(io::stderr().lock(), "error: {error:#}");
    ExitCode::FAILURE
}
