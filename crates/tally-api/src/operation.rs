//! Operations: what can be done by the API. The router, the guard and the OpenAPI
//! document are made from one list of them, so they cannot differ.

use std::sync::Arc;

use axum::routing::{MethodFilter, MethodRouter, on};
use http::{Method, StatusCode};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::Value;
use tally_types::{KeyScope, Kind, Role};

use crate::state::Api;

/// Who may use an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Anyone, without a key.
    Open,
    /// Whoever is signed in or shows a key with a role.
    SignedIn,
    /// People who are signed in; keys are refused.
    Session,
    /// These roles.
    Roles(&'static [Role]),
    /// These roles; whoever else has a person sees and changes what is their own.
    OwnOr(&'static [Role]),
    /// These roles see all usage, managers that of their teams, developers their own.
    Usage(&'static [Role]),
}

/// Writes the schema of something into the document.
pub(crate) type SchemaOf = Arc<dyn Fn(&mut SchemaGenerator) -> Schema + Send + Sync>;

/// What is sent.
#[derive(Clone)]
pub(crate) struct RequestBody {
    pub(crate) schema: SchemaOf,
    pub(crate) example: Value,
}

/// What comes back when it goes well.
#[derive(Clone)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) description: &'static str,
    /// Content types with their schemas; none for an empty reply.
    pub(crate) contents: Vec<(&'static str, SchemaOf)>,
}

/// What can come back instead.
#[derive(Clone)]
pub(crate) struct OtherReply {
    pub(crate) description: &'static str,
    pub(crate) schema: SchemaOf,
}

/// One thing that can be done.
#[derive(Clone)]
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) access: Access,
    pub(crate) tag: &'static str,
    pub(crate) summary: String,
    pub(crate) description: &'static str,
    pub(crate) query: Option<SchemaOf>,
    pub(crate) request: Option<RequestBody>,
    pub(crate) reply: Reply,
    /// What comes back instead, with 200, when something else was asked for.
    pub(crate) other_reply: Option<OtherReply>,
    /// The kind of resource that it reads or changes, where it is one kind.
    pub(crate) kind: Option<Kind>,
    /// Whether it only reads, though it is a `POST`.
    pub(crate) reads: bool,
    /// Whether the reply holds a secret, which is never kept to be shown again.
    pub(crate) is_secret: bool,
    /// Whether a change of it must have an entry in the audit trail.
    pub(crate) is_audited: bool,
    pub(crate) route: MethodRouter<Arc<Api>>,
}

// === impl Operation ===

/// One constructor for each method.
macro_rules! methods {
    ($($(#[$doc:meta])* $name:ident = $method:ident;)*) => {
        impl Operation {
            $($(#[$doc])*
            pub(crate) fn $name<H, T>(
                id: impl Into<String>,
                path: impl Into<String>,
                access: Access,
                handler: H,
            ) -> Self
            where
                H: axum::handler::Handler<T, Arc<Api>>,
                T: 'static,
            {
                let route = on(MethodFilter::$method, handler);
                Self::new(id.into(), Method::$method, path.into(), access, route)
            })*
        }
    };
}

methods! {
    /// A `GET`.
    get = GET;
    /// A `POST`.
    post = POST;
    /// A `PUT`.
    put = PUT;
    /// A `DELETE`.
    delete = DELETE;
}

impl Operation {
    fn new(
        id: String,
        method: Method,
        path: String,
        access: Access,
        route: MethodRouter<Arc<Api>>,
    ) -> Self {
        Self {
            id,
            path,
            access,
            tag: "",
            summary: String::new(),
            description: "",
            query: None,
            request: None,
            reply: Reply {
                status: StatusCode::NO_CONTENT,
                description: "Done.",
                contents: Vec::new(),
            },
            other_reply: None,
            kind: None,
            reads: method == Method::GET,
            is_secret: false,
            is_audited: method != Method::GET,
            route,
            method,
        }
    }

    /// Under which heading, in short, and at length.
    pub(crate) fn about(
        mut self,
        tag: &'static str,
        summary: impl Into<String>,
        description: &'static str,
    ) -> Self {
        (self.tag, self.summary, self.description) = (tag, summary.into(), description);
        self
    }

    /// The parameters of the query string are the fields of this type.
    pub(crate) fn query<T: JsonSchema + 'static>(mut self) -> Self {
        self.query = Some(Arc::new(T::json_schema));
        self
    }

    /// The body is this type; an example of it.
    pub(crate) fn body<T: JsonSchema + 'static>(self, example: Value) -> Self {
        self.body_schema(Arc::new(SchemaGenerator::subschema_for::<T>), example)
    }

    pub(crate) fn body_schema(mut self, schema: SchemaOf, example: Value) -> Self {
        self.request = Some(RequestBody { schema, example });
        self
    }

    /// The reply is this type, as JSON.
    pub(crate) fn reply<T: JsonSchema + 'static>(self, description: &'static str) -> Self {
        self.reply_schema(description, Arc::new(SchemaGenerator::subschema_for::<T>))
    }

    pub(crate) fn reply_schema(mut self, description: &'static str, schema: SchemaOf) -> Self {
        let contents = vec![("application/json", schema)];
        self.reply = Reply { status: StatusCode::OK, description, contents };
        self
    }

    /// The reply can also be text of this content type.
    pub(crate) fn also(mut self, content_type: &'static str) -> Self {
        self.reply.contents.push((content_type, text_schema()));
        self
    }

    /// The reply is text of this content type.
    pub(crate) fn text(mut self, content_type: &'static str, description: &'static str) -> Self {
        let contents = vec![(content_type, text_schema())];
        self.reply = Reply { status: StatusCode::OK, description, contents };
        self
    }

    /// The reply is a stream of server-sent events with this as their data.
    pub(crate) fn stream<T: JsonSchema + 'static>(mut self, description: &'static str) -> Self {
        let schema: SchemaOf = Arc::new(SchemaGenerator::subschema_for::<T>);
        let contents = vec![("text/event-stream", schema)];
        self.reply = Reply { status: StatusCode::OK, description, contents };
        self
    }

    /// Something else may come back, with 200.
    pub(crate) fn or_reply(mut self, description: &'static str, schema: SchemaOf) -> Self {
        self.other_reply = Some(OtherReply { description, schema });
        self
    }

    /// Something new is made: 201.
    pub(crate) fn creates(mut self) -> Self {
        self.reply.status = StatusCode::CREATED;
        self
    }

    pub(crate) fn of_kind(mut self, kind: Kind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// It reads only, or what it changes is no one's business but the caller's.
    pub(crate) fn unaudited(mut self) -> Self {
        self.is_audited = false;
        self
    }

    /// A `POST` that only asks.
    pub(crate) fn asks(mut self) -> Self {
        self.reads = true;
        self.unaudited()
    }

    /// The reply holds a secret.
    pub(crate) fn secret(mut self) -> Self {
        self.is_secret = true;
        self
    }

    /// What a key must be for.
    pub(crate) fn scope(&self) -> KeyScope {
        if self.reads { KeyScope::Read } else { KeyScope::Write }
    }
}

fn text_schema() -> SchemaOf {
    Arc::new(SchemaGenerator::subschema_for::<String>)
}
