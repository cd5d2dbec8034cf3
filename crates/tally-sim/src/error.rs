//! Errors in each dialect's own shape.

use http::StatusCode;
use serde_json::{Value, json};

/// The APIs that the simulator speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    OpenAi,
    Anthropic,
}

/// Why a call is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ApiError {
    MissingKey,
    BadKey,
    MalformedJson,
    /// A field is missing or wrong.
    Invalid {
        param: &'static str,
        message: String,
        missing: bool,
    },
    TooLarge,
    ModelNotFound(String),
    RateLimited {
        retry_after: u64,
    },
    Server,
    Overloaded,
    UnknownPath(String),
}

impl ApiError {
    /// A required field that is not there.
    pub(crate) fn missing(param: &'static str) -> Self {
        Self::Invalid { param, message: String::new(), missing: true }
    }

    /// A field that has a wrong value.
    pub(crate) fn invalid(param: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid { param, message: message.into(), missing: false }
    }

    /// True when the request is at fault, not the simulated provider.
    pub(crate) fn is_the_clients(&self) -> bool {
        !matches!(self, Self::RateLimited { .. } | Self::Server | Self::Overloaded)
    }

    pub(crate) fn status(&self, dialect: Dialect) -> StatusCode {
        match self {
            Self::MissingKey | Self::BadKey => StatusCode::UNAUTHORIZED,
            Self::MalformedJson | Self::Invalid { .. } => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::ModelNotFound(_) | Self::UnknownPath(_) => StatusCode::NOT_FOUND,
            Self::RateLimited { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Server => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Overloaded => match dialect {
                Dialect::OpenAi => StatusCode::SERVICE_UNAVAILABLE,
                Dialect::Anthropic => {
                    StatusCode::from_u16(529).unwrap_or(StatusCode::SERVICE_UNAVAILABLE)
                }
            },
        }
    }

    /// The body; `request_id` appears in Anthropic's shape only.
    pub(crate) fn body(&self, dialect: Dialect, request_id: &str) -> Value {
        match dialect {
            Dialect::OpenAi => self.openai_body(),
            Dialect::Anthropic => self.anthropic_body(request_id),
        }
    }

    fn openai_body(&self) -> Value {
        let (kind, param, code) = match self {
            Self::MissingKey => ("invalid_request_error", None, None),
            Self::BadKey => ("invalid_request_error", None, Some("invalid_api_key")),
            Self::MalformedJson | Self::TooLarge => ("invalid_request_error", None, None),
            Self::Invalid { param, missing: true, .. } => {
                ("invalid_request_error", Some(*param), Some("missing_required_parameter"))
            }
            Self::Invalid { param, .. } => {
                ("invalid_request_error", Some(*param), Some("invalid_value"))
            }
            Self::ModelNotFound(_) => ("invalid_request_error", None, Some("model_not_found")),
            Self::RateLimited { .. } => ("requests", None, Some("rate_limit_exceeded")),
            Self::Server | Self::Overloaded => ("server_error", None, None),
            Self::UnknownPath(_) => ("invalid_request_error", None, Some("unknown_url")),
        };
        let message = self.openai_message();
        json!({"error": {"message": message, "type": kind, "param": param, "code": code}})
    }

    fn openai_message(&self) -> String {
        match self {
            Self::MissingKey => "You didn't provide an API key. You need to provide your API key \
                in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY)."
                .to_owned(),
            Self::BadKey => "Incorrect API key provided.".to_owned(),
            Self::MalformedJson => "We could not parse the JSON body of your request.".to_owned(),
            Self::Invalid { param, missing: true, .. } => {
                format!("Missing required parameter: '{param}'.")
            }
            Self::Invalid { message, .. } => message.clone(),
            Self::TooLarge => "The request body is too large.".to_owned(),
            Self::ModelNotFound(model) => {
                format!("The model `{model}` does not exist or you do not have access to it.")
            }
            Self::RateLimited { retry_after } => {
                format!("Rate limit reached for requests. Please try again in {retry_after}s.")
            }
            Self::Server => "The server had an error while processing your request.".to_owned(),
            Self::Overloaded => {
                "The engine is currently overloaded, please try again later.".to_owned()
            }
            Self::UnknownPath(path) => format!("Invalid URL ({path})"),
        }
    }

    fn anthropic_body(&self, request_id: &str) -> Value {
        let (kind, message) = match self {
            Self::MissingKey => ("authentication_error", "x-api-key header is required".to_owned()),
            Self::BadKey => ("authentication_error", "invalid x-api-key".to_owned()),
            Self::MalformedJson => {
                ("invalid_request_error", "The request body is not valid JSON".to_owned())
            }
            Self::Invalid { param, missing: true, .. } => {
                ("invalid_request_error", format!("{param}: Field required"))
            }
            Self::Invalid { param, message, .. } => {
                ("invalid_request_error", format!("{param}: {message}"))
            }
            Self::TooLarge => ("request_too_large", "Request exceeds the maximum size".to_owned()),
            Self::ModelNotFound(model) => ("not_found_error", format!("model: {model}")),
            Self::RateLimited { .. } => (
                "rate_limit_error",
                "This request would exceed your organization's rate limit.".to_owned(),
            ),
            Self::Server => ("api_error", "Internal server error".to_owned()),
            Self::Overloaded => ("overloaded_error", "Overloaded".to_owned()),
            Self::UnknownPath(_) => ("not_found_error", "Not found".to_owned()),
        };
        json!({
            "type": "error",
            "error": {"type": kind, "message": message},
            "request_id": request_id,
        })
    }
}
