//! Mail by SMTP.

use std::time::Duration;

use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::{
        Mailbox,
        header::{ContentType, HeaderName, HeaderValue},
    },
    transport::smtp::{
        authentication::Credentials,
        client::{Tls, TlsParameters},
    },
};

use super::{Failure, Letter};
use crate::config::{Security, Smtp};

const COMMAND_MAX: Duration = Duration::from_secs(10);

pub(super) struct Mail {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

// === impl Mail ===

impl Mail {
    pub(super) fn new(smtp: &Smtp, password: Option<String>) -> anyhow::Result<Self> {
        let parameters = || TlsParameters::new(smtp.host.clone());
        let tls = match smtp.security {
            Security::Starttls => Tls::Required(parameters()?),
            Security::Tls => Tls::Wrapper(parameters()?),
            Security::None => Tls::None,
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&smtp.host)
            .port(smtp.port)
            .tls(tls)
            .timeout(Some(COMMAND_MAX));
        if let Some((user, password)) = smtp.user.clone().zip(password) {
            builder = builder.credentials(Credentials::new(user, password));
        }
        Ok(Self { transport: builder.build(), from: smtp.from.parse()? })
    }

    pub(super) async fn send(&self, letter: &Letter<'_>) -> Result<(), Failure> {
        let message = self.message(letter)?;
        match self.transport.send(message).await {
            Ok(_) => Ok(()),
            Err(error) => Err(Failure { reason: chain(&error), for_good: error.is_permanent() }),
        }
    }

    fn message(&self, letter: &Letter<'_>) -> Result<Message, Failure> {
        let to: Mailbox = letter
            .outgoing
            .to
            .parse()
            .map_err(|error| Failure::for_good(format!("the address is none: {error}")))?;
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(letter.title)
            .date(letter.outgoing.at.into())
            // The same at every attempt, so that a mailbox shows it once.
            .message_id(Some(format!("<{}@{}>", letter.id, self.from.email.domain())))
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
            .header(ContentType::TEXT_PLAIN)
            .body(format!("{}\n\n{}\n\n{}\n", letter.title, letter.body, letter.link))
            .map_err(|error| Failure::for_good(format!("no message can be made of it: {error}")))
    }
}

/// The reasons behind a reason.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
