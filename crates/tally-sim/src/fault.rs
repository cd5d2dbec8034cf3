//! The ways in which the simulator can misbehave.

use crate::options::FaultRates;
use crate::random::Rng;

/// One way of answering badly. [`Fault::parse`] lists the names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// 429 with `retry-after`.
    RateLimited,
    /// 500.
    ServerError,
    /// 529 in Anthropic's dialect, 503 in OpenAI's.
    Overloaded,
    /// The request is accepted and never answered.
    Hang,
    /// The answer stops in the middle and the connection stays open.
    HangMidStream,
    /// The connection is aborted in the middle of the answer.
    Cut,
    /// The answer ends in the middle, yet its transfer ends properly.
    TruncatedSse,
    /// An error event in the middle of a stream; 500 for a call not streamed.
    ErrorMidStream,
    /// Broken JSON: the whole body, or one event of a stream.
    Malformed,
    /// No usage anywhere in the answer.
    NoUsage,
    /// Negative token counts on the wire.
    NegativeUsage,
    /// Token counts near 2^62 on the wire.
    AbsurdUsage,
    /// `content-encoding: gzip`, whether asked for or not.
    Gzip,
    /// A load balancer's HTML error page, status 502.
    Html,
}

impl Fault {
    /// Every fault, in the order in which rates are drawn.
    pub const ALL: [Self; 14] = [
        Self::RateLimited,
        Self::ServerError,
        Self::Overloaded,
        Self::Hang,
        Self::HangMidStream,
        Self::Cut,
        Self::TruncatedSse,
        Self::ErrorMidStream,
        Self::Malformed,
        Self::NoUsage,
        Self::NegativeUsage,
        Self::AbsurdUsage,
        Self::Gzip,
        Self::Html,
    ];

    /// The fault's name in headers, directives and records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::RateLimited => "429",
            Self::ServerError => "500",
            Self::Overloaded => "529",
            Self::Hang => "hang",
            Self::HangMidStream => "hang_mid",
            Self::Cut => "cut",
            Self::TruncatedSse => "truncated_sse",
            Self::ErrorMidStream => "error_mid",
            Self::Malformed => "malformed",
            Self::NoUsage => "no_usage",
            Self::NegativeUsage => "negative_usage",
            Self::AbsurdUsage => "absurd_usage",
            Self::Gzip => "gzip",
            Self::Html => "html",
        }
    }

    /// The fault of that name (see [`Fault::name`]; `503` is another word for
    /// `529`, `502` for `html`); `None` for an unknown name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "503" => Some(Self::Overloaded),
            "502" => Some(Self::Html),
            _ => Self::ALL.into_iter().find(|fault| fault.name() == name),
        }
    }

    /// True when the call fails before any work is done, so nothing is billed.
    pub(crate) fn refuses(self) -> bool {
        matches!(
            self,
            Self::RateLimited | Self::ServerError | Self::Overloaded | Self::Hang | Self::Html
        )
    }

    /// True when the answer is broken off before its end.
    pub(crate) fn breaks_off(self) -> bool {
        matches!(self, Self::HangMidStream | Self::Cut | Self::TruncatedSse | Self::ErrorMidStream)
    }

    /// The fault that the configured rates draw for a call.
    pub(crate) fn draw(rates: &FaultRates, rng: &mut Rng) -> Option<Self> {
        let mut point = rng.unit();
        Self::ALL.into_iter().find(|fault| {
            let rate = rates.of(*fault);
            let hit = point < rate;
            point -= rate;
            hit
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for fault in Fault::ALL {
            assert_eq!(Fault::parse(fault.name()), Some(fault));
        }
        assert_eq!(Fault::parse("503"), Some(Fault::Overloaded));
        assert_eq!(Fault::parse("nonsense"), None);
    }

    #[test]
    fn rates_are_met() {
        let rates = FaultRates { fault_429: 0.25, fault_cut: 0.25, ..FaultRates::default() };
        let mut rng = Rng::new(3);
        let mut drawn = [0_u32; 3];
        for _ in 0..4_000 {
            match Fault::draw(&rates, &mut rng) {
                Some(Fault::RateLimited) => drawn[0] += 1,
                Some(Fault::Cut) => drawn[1] += 1,
                None => drawn[2] += 1,
                Some(other) => panic!("{other:?} has no rate"),
            }
        }
        assert!((900..1_100).contains(&drawn[0]), "{drawn:?}");
        assert!((900..1_100).contains(&drawn[1]), "{drawn:?}");
    }
}
