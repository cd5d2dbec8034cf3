//! The one way to the terminal.

use std::io::{self, ErrorKind, IsTerminal as _};

use anyhow::Context as _;
use serde::Serialize;

/// A colour that supports a word or sign, never carries the meaning alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colour {
    /// Added.
    Green,
    /// Changed, or worth a look.
    Yellow,
    /// Gone, or wrong.
    Red,
    /// Less important.
    Dim,
}

/// Whether what is written may be coloured; a value, so that rendering stays testable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paint {
    /// It goes to a terminal.
    On,
    /// It goes to a file or pipe, or the user asked for none.
    Off,
}

/// Writes text to standard output, with a line break at its end.
///
/// # Errors
/// When it cannot be written; a reader that left (`| head`) is none.
pub(crate) fn out(text: &str) -> anyhow::Result<()> {
    finish(write_all(&mut io::stdout().lock(), text)).context("cannot write to standard output")
}

/// Writes text to standard output and nothing after it: a screen.
///
/// # Errors
/// As [`out`].
pub(crate) fn out_as_it_is(text: &str) -> anyhow::Result<()> {
    let mut target = io::stdout().lock();
    let written = io::Write::write_all(&mut target, text.as_bytes());
    finish(written.and_then(|()| io::Write::flush(&mut target)))
        .context("cannot write to standard output")
}

/// Writes what the API answered: as JSON, or as people read it.
///
/// # Errors
/// It is not what was expected; as [`out`].
pub(crate) fn shown<T: serde::de::DeserializeOwned>(
    as_json: bool,
    found: serde_json::Value,
    render: impl FnOnce(T) -> String,
) -> anyhow::Result<()> {
    if as_json {
        return json(&found);
    }
    out(&render(serde_json::from_value(found)?))
}

/// Writes a line to standard error: what matters but is no part of the answer.
pub(crate) fn note(text: &str) {
    // Nothing is left to tell about it when standard error is gone.
    let _ = write_all(&mut io::stderr().lock(), text);
}

/// Writes a value as indented JSON.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    out(&serde_json::to_string_pretty(value)?)
}

fn write_all(target: &mut impl io::Write, text: &str) -> io::Result<()> {
    target.write_all(text.as_bytes())?;
    if !text.ends_with('\n') {
        target.write_all(b"\n")?;
    }
    target.flush()
}

fn finish(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

// === impl Paint ===

impl Paint {
    /// What suits standard output (<https://no-color.org>).
    pub(crate) fn of_stdout() -> Self {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        if io::stdout().is_terminal() && !refused { Self::On } else { Self::Off }
    }

    /// The text, coloured where that is wanted.
    pub(crate) fn text(self, colour: Colour, text: &str) -> String {
        if self == Self::Off {
            return text.to_owned();
        }
        let code = match colour {
            Colour::Green => "32",
            Colour::Yellow => "33",
            Colour::Red => "31",
            Colour::Dim => "2",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_left_is_no_error() {
        assert!(finish(Err(ErrorKind::BrokenPipe.into())).is_ok());
        assert!(finish(Err(ErrorKind::StorageFull.into())).is_err());
    }

    #[test]
    fn text_ends_with_exactly_one_line_break() {
        for text in ["a", "a\n"] {
            let mut written = Vec::new();
            write_all(&mut written, text).unwrap();
            assert_eq!(written, b"a\n");
        }
    }
}
