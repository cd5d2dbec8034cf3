//! A client that costs little: HTTP/1.1 over kept connections, nothing parsed.

use std::{
    net::SocketAddr,
    sync::Mutex,
    time::{Duration, Instant},
};

use anyhow::Context;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// Idle connections kept; more are closed after use.
const IDLE_MAX: usize = 1_024;

/// Where calls go.
pub(crate) struct Target {
    address: SocketAddr,
    idle: Mutex<Vec<SendRequest<Full<Bytes>>>>,
}

/// A call, ready to be sent any number of times.
#[derive(Debug, Clone)]
pub(crate) struct Prepared {
    pub(crate) path: &'static str,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// When a call's answer came, from when it was due.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    /// The first byte of the answer's body.
    pub(crate) first: Duration,
    /// The last one.
    pub(crate) whole: Duration,
}

// === impl Target ===

impl Target {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, idle: Mutex::new(Vec::new()) }
    }

    /// Sends a call and reads its whole answer.
    ///
    /// # Errors
    /// No connection, a status other than 200, or an empty answer.
    pub(crate) async fn call(&self, call: &Prepared, due: Instant) -> anyhow::Result<Sample> {
        let mut connection = self.connection().await?;
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(call.path)
            .body(Full::new(call.body.clone()))?;
        *request.headers_mut() = call.headers.clone();
        let host = self.address.to_string().parse()?;
        request.headers_mut().insert(header::HOST, host);
        let response = connection.send_request(request).await.context("no answer")?;
        let status = response.status();
        let mut body = response.into_body();
        let mut first = None;
        while let Some(frame) = body.frame().await {
            if frame.context("the answer broke off")?.is_data() {
                first.get_or_insert_with(|| due.elapsed());
            }
        }
        let whole = due.elapsed();
        anyhow::ensure!(status == StatusCode::OK, "status {status}");
        self.give_back(connection);
        Ok(Sample { first: first.context("an empty answer")?, whole })
    }

    /// The connection used last, else a new one.
    async fn connection(&self) -> anyhow::Result<SendRequest<Full<Bytes>>> {
        while let Some(mut idle) = self.take_idle() {
            if idle.ready().await.is_ok() {
                return Ok(idle);
            }
        }
        let stream = TcpStream::connect(self.address).await.context("no connection")?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(async move {
            // What ends it is told to the call that uses it.
            let _ = connection.await;
        });
        Ok(sender)
    }

    fn take_idle(&self) -> Option<SendRequest<Full<Bytes>>> {
        self.idle.lock().ok()?.pop()
    }

    fn give_back(&self, connection: SendRequest<Full<Bytes>>) {
        if let Ok(mut idle) = self.idle.lock()
            && idle.len() < IDLE_MAX
        {
            idle.push(connection);
        }
    }
}

/// One request over a connection of its own; the body, whatever the status.
///
/// # Errors
/// When nothing answers.
pub(crate) async fn once(
    address: SocketAddr,
    mut request: Request<Full<Bytes>>,
) -> anyhow::Result<(StatusCode, Bytes)> {
    request.headers_mut().insert(header::HOST, address.to_string().parse()?);
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(async move {
        // What ends it is told to the request.
        let _ = connection.await;
    });
    let response = sender.send_request(request).await?;
    let status = response.status();
    Ok((status, response.into_body().collect().await?.to_bytes()))
}
