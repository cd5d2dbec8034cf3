//! A reply that is written while it is read: what waits between is a few pieces.

use std::{
    fmt::Display,
    io::{self, BufWriter, Write},
};

use axum::body::Body;
use futures::stream;
use tally_ingest::edge::Problem;
use tokio::sync::mpsc;

use crate::{query::turn, state::Api};

const PIECE_BYTES: usize = 64 << 10;
const PIECES_WAITING_MAX: usize = 4;

type Piece = Result<Vec<u8>, io::Error>;

/// Sends on what is written to it, and waits while the reader is slow.
struct Pieces(mpsc::Sender<Piece>);

/// A body that `write` writes, off the async threads, in its turn among the queries. When
/// `write` fails the body breaks off, so that nobody takes half a file for a whole one.
pub(super) async fn written<E: Display + Send>(
    api: &Api,
    write: impl FnOnce(&mut (dyn Write + Send)) -> Result<(), E> + Send + 'static,
) -> Result<Body, Problem> {
    let turn = turn(api).await?;
    let (sender, receiver) = mpsc::channel(PIECES_WAITING_MAX);
    let failure = sender.clone();
    // Ends when the file is written or its reader has gone.
    tokio::task::spawn_blocking(move || {
        let _turn = turn;
        let mut out = BufWriter::with_capacity(PIECE_BYTES, Pieces(sender));
        let written = write(&mut out).map_err(|error| error.to_string());
        let written = written.and_then(|()| out.flush().map_err(|error| error.to_string()));
        if let Err(error) = written {
            tracing::warn!(error, "an export broke off");
            let _ = failure.blocking_send(Err(io::Error::other("the export broke off")));
        }
    });
    let pieces = stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|piece| (piece, receiver))
    });
    Ok(Body::from_stream(pieces))
}

// === impl Pieces ===

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let gone = |_| io::Error::new(io::ErrorKind::BrokenPipe, "the reader has gone");
        self.0.blocking_send(Ok(bytes.to_vec())).map_err(gone)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
