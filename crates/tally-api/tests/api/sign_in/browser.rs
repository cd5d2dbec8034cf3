//! A browser, as far as the door can tell.

use std::net::SocketAddr;

use axum::{body::Body, extract::ConnectInfo};
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use serde_json::{Value, json};

use crate::support::{Company, Reply};

pub struct Browser<'a> {
    company: &'a Company,
    pub cookie: Option<String>,
    /// The last `Me`.
    pub me: Value,
    /// Sent with everything.
    pub headers: HeaderMap,
    pub address: Option<SocketAddr>,
}

impl<'a> Browser<'a> {
    pub fn new(company: &'a Company) -> Self {
        Self { company, cookie: None, me: Value::Null, headers: HeaderMap::new(), address: None }
    }

    pub fn header(&mut self, name: &'static str, value: &'static str) {
        self.headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }

    pub async fn sign_in(&mut self, name: &str, password: &str) -> Reply {
        self.enter("/api/v1/sign-in", json!({ "name": name, "password": password })).await
    }

    /// By an operation that signs in; keeps the cookie.
    pub async fn enter(&mut self, path: &str, body: Value) -> Reply {
        let reply = self.send("POST", path, Some(body)).await;
        if let Some(cookie) = reply.headers.get("set-cookie") {
            let cookie = cookie.to_str().unwrap().split(';').next().unwrap();
            self.cookie = Some(cookie.to_owned());
            self.me = reply.json();
        }
        reply
    }

    /// With the cookie, and with the token of the session where something is changed.
    pub async fn send(&self, method: &str, path: &str, body: Option<Value>) -> Reply {
        let token = self.me["csrf_token"].as_str().filter(|_| method != "GET");
        self.send_with(token, method, path, body).await
    }

    pub async fn send_with(
        &self,
        csrf_token: Option<&str>,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Reply {
        let mut request =
            Request::builder().method(method).uri(path).header("user-agent", "a browser");
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", format!("theme=dark; {cookie}"));
        }
        if let Some(token) = csrf_token {
            request = request.header("x-tally-csrf", token);
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let mut request = request.body(body).unwrap();
        request.headers_mut().extend(self.headers.clone());
        if let Some(address) = self.address {
            request.extensions_mut().insert(ConnectInfo(address));
        }
        self.company.send(request).await
    }
}
