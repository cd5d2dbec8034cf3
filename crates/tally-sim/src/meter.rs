//! Follows one call to its end, whichever that is, and settles it in the ledger.

use crate::fault::Fault;
use crate::ledger::{Entry, Outcome, Settlement};

/// Settles the call when it ends: by [`finish`](Meter::finish), or by being
/// dropped, which is what happens when the client goes away.
#[derive(Debug)]
pub(crate) struct Meter {
    entry: Option<Entry>,
    fault: Option<Fault>,
    status: Option<u16>,
    output: u64,
    reasoning: u64,
}

impl Meter {
    pub(crate) fn new(entry: Entry, fault: Option<Fault>) -> Self {
        Self { entry: Some(entry), fault, status: None, output: 0, reasoning: 0 }
    }

    /// The reply's head goes out now.
    pub(crate) fn answered(&mut self, status: u16) {
        self.status = Some(status);
    }

    /// Output goes out now.
    pub(crate) fn sent(&mut self, tokens: u64, reasoning: bool) {
        self.output += tokens;
        if reasoning {
            self.reasoning += tokens;
        }
    }

    /// The whole of a reply goes out at once.
    pub(crate) fn sent_whole(&mut self, output: u64, reasoning: u64) {
        self.output = output;
        self.reasoning = reasoning;
    }

    pub(crate) fn finish(&mut self, outcome: Outcome) {
        let Some(entry) = self.entry.take() else { return };
        entry.settle(&Settlement {
            outcome,
            status: self.status,
            output: self.output,
            reasoning: self.reasoning,
        });
    }

    /// The simulator has sent all that it ever will.
    pub(crate) fn finish_sent(&mut self) {
        self.finish(match self.fault {
            Some(Fault::Cut) => Outcome::Cut,
            Some(fault) if fault.refuses() || fault.breaks_off() => Outcome::Fault,
            Some(Fault::Malformed) => Outcome::Fault,
            _ => Outcome::Complete,
        });
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        let hangs = matches!(self.fault, Some(Fault::Hang | Fault::HangMidStream));
        self.finish(if hangs { Outcome::Fault } else { Outcome::AbortedByClient });
    }
}
