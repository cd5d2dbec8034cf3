//! Routes and the listener.

use crate::error::{ApiError, Dialect};
use crate::exchange::{Endpoint, exchange};
use crate::headers::{credential, provider_headers, request_id};
use crate::ledger::ServedQuery;
use crate::models;
use crate::options::SimOptions;
use crate::state::Sim;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::{HeaderMap, Request, StatusCode, Uri};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// The simulator's routes: OpenAI's and Anthropic's under `/v1`, its own under
/// `/sim`.
pub fn router(sim: Sim) -> Router {
    let metered = |endpoint: Endpoint| {
        post(move |State(sim): State<Sim>, request: Request<Body>| exchange(sim, endpoint, request))
    };
    Router::new()
        .route("/", get(|| async { StatusCode::OK }))
        .route(Endpoint::Chat.path(), metered(Endpoint::Chat))
        .route(Endpoint::Embeddings.path(), metered(Endpoint::Embeddings))
        .route(Endpoint::Messages.path(), metered(Endpoint::Messages))
        .route(Endpoint::CountTokens.path(), metered(Endpoint::CountTokens))
        .route("/v1/models", get(list_models))
        .route("/v1/models/{id}", get(find_model))
        .route("/sim/config", get(read_config).put(change_config))
        .route("/sim/served", get(read_served).delete(reset_served))
        .fallback(unknown_path)
        .with_state(sim)
}

/// Serves a new simulator until `shutdown` resolves; connections that are still
/// open then are dropped, which ends even calls that hang.
///
/// # Errors
/// The options are out of range.
pub async fn serve(
    listener: TcpListener,
    options: SimOptions,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let invalid = |message| io::Error::new(io::ErrorKind::InvalidInput, message);
    options.config.validate().map_err(invalid)?;
    serve_sim(listener, Sim::new(&options), shutdown).await;
    Ok(())
}

/// Serves a simulator that the caller keeps a handle to.
pub async fn serve_sim(listener: TcpListener, sim: Sim, shutdown: impl Future<Output = ()>) {
    let routes = router(sim);
    let mut connections = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve_connection(stream, routes.clone()));
                }
                Err(error) => {
                    // Out of descriptors, most likely: some will be closed soon.
                    tracing::warn!(%error, "the simulator cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve_connection(stream: TcpStream, routes: Router) {
    // Events must leave one by one, as a provider's do.
    let _ = stream.set_nodelay(true);
    let service = TowerToHyperService::new(routes);
    let builder = auto::Builder::new(TokioExecutor::new());
    // Connections end in errors when clients leave or faults cut them.
    if let Err(error) = builder.serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(error = %error, "a connection to the simulator ended early");
    }
}

/// A simulator on a port of its own; dropping it stops the server.
#[derive(Debug)]
pub struct RunningSim {
    /// Access to the counters and settings.
    pub sim: Sim,
    /// Where it listens.
    pub address: SocketAddr,
    _stop: oneshot::Sender<()>,
}

impl RunningSim {
    /// Starts on a free local port, on the current Tokio runtime.
    ///
    /// # Errors
    /// The port cannot be bound.
    pub async fn start(options: &SimOptions) -> io::Result<Self> {
        let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let sim = Sim::new(options);
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async {
            // Resolves when the sender is dropped.
            let _ = stopped.await;
        };
        tokio::spawn(serve_sim(listener, sim.clone(), shutdown));
        Ok(Self { sim, address, _stop: stop })
    }

    /// The address as the base of URLs, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

async fn list_models(State(sim): State<Sim>, headers: HeaderMap) -> Response {
    let dialect = models::dialect_of(&headers);
    let listed = credential(&headers, dialect).map(|_| models::list(dialect));
    plain(&sim, dialect, listed)
}

async fn find_model(
    State(sim): State<Sim>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let dialect = models::dialect_of(&headers);
    let found = credential(&headers, dialect).and_then(|_| models::find(dialect, &id));
    plain(&sim, dialect, found)
}

async fn unknown_path(State(sim): State<Sim>, uri: Uri, headers: HeaderMap) -> Response {
    let error = ApiError::UnknownPath(uri.path().to_owned());
    plain(&sim, models::dialect_of(&headers), Err(error))
}

/// A reply that is not metered.
fn plain(sim: &Sim, dialect: Dialect, result: Result<Value, ApiError>) -> Response {
    let draw = sim.unidentified_draw();
    let id = request_id(draw, dialect);
    let head = provider_headers(dialect, draw, &id, 0);
    match result {
        Ok(value) => (head, Json(value)).into_response(),
        Err(error) => (error.status(dialect), head, Json(error.body(dialect, &id))).into_response(),
    }
}

async fn read_config(State(sim): State<Sim>) -> Response {
    Json(sim.config()).into_response()
}

async fn change_config(State(sim): State<Sim>, body: Bytes) -> Response {
    let changed = serde_json::from_slice(&body)
        .map_err(|error| error.to_string())
        .and_then(|patch: Value| sim.config().patched(&patch))
        .and_then(|config| sim.set_config(config).map(|()| config));
    match changed {
        Ok(config) => Json(config).into_response(),
        Err(message) => (StatusCode::BAD_REQUEST, Json(json!({"error": message}))).into_response(),
    }
}

async fn read_served(State(sim): State<Sim>, Query(query): Query<ServedQuery>) -> Response {
    Json(sim.served(query)).into_response()
}

async fn reset_served(State(sim): State<Sim>) -> StatusCode {
    sim.reset_served();
    StatusCode::NO_CONTENT
}
