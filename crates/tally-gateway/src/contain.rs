//! Containment: a key that a severe rule suspended opens nothing from the very next call on,
//! and after a crash, whatever becomes of the store.
//!
//! What happened here is held in memory until the resources show it. It comes back after a
//! crash from the journal: each event says what it had suspended ([`CONTAINED_TAG`]), and what
//! is held is kept with the budgets' counters, before the rows are forgotten.
//!
//! [`CONTAINED_TAG`]: tally_types::CONTAINED_TAG

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use arc_swap::ArcSwap;
use http::StatusCode;
use tally_types::{
    KeyName, Name, UsageEvent,
    spec::{KeySpec, KeySuspension},
};
use tokio::sync::Notify;

use crate::{call::Call, plane::Identity, refusal::Refusal};

/// Who did it, in the audit trail.
const ACTOR: &str = "tally gateway";
/// What the journal calls it among the budgets' counters, whose ids are JSON.
pub(crate) const COUNTER: &str = "contained";

pub(crate) type Suspensions = BTreeMap<KeyName, Arc<KeySuspension>>;

/// Keys that were suspended here and whose resources do not show it yet: at most one entry for
/// each key there is.
#[derive(Debug, Default)]
pub struct Contained {
    keys: ArcSwap<Suspensions>,
    /// Whether the journal has to keep it anew.
    is_changed: AtomicBool,
    added: Notify,
}

// === impl Contained ===

impl Contained {
    /// What the resources do not show yet.
    pub fn waiting(&self) -> Vec<(KeyName, Arc<KeySuspension>)> {
        self.all().iter().map(|(key, why)| (key.clone(), Arc::clone(why))).collect()
    }

    /// Waits until there is more.
    pub async fn added(&self) {
        self.added.notified().await;
    }

    pub(crate) fn all(&self) -> Arc<Suspensions> {
        self.keys.load_full()
    }

    /// Suspends a key. Told again, nothing changes; what is older than what is known is known.
    fn add(&self, key: &KeyName, why: KeySuspension) {
        let why = Arc::new(why);
        let is_newer = |keys: &Suspensions| keys.get(key).is_none_or(|known| known.at < why.at);
        let before = self.keys.rcu(|keys| {
            let mut keys = Arc::clone(keys);
            if is_newer(&keys) {
                Arc::make_mut(&mut keys).insert(key.clone(), Arc::clone(&why));
            }
            keys
        });
        if is_newer(&before) {
            self.is_changed.store(true, Ordering::Release);
            self.added.notify_one();
        }
    }

    /// A committed row, which may come again after a start.
    pub(crate) fn committed(&self, event: &UsageEvent) {
        let (Some(rule), Some(key)) = (event.contained_by(), &event.key) else { return };
        self.add(key, suspension(event, rule, "A call of this key met a severe rule."));
    }

    /// Forgets what the resources show, or have ended since.
    pub(crate) fn settle(&self, known: &BTreeMap<Name, KeySpec>) {
        let still_waits = |key: &KeyName, why: &KeySuspension| {
            known
                .get(key.as_str())
                .is_some_and(|spec| spec.suspended.is_none() && !spec.was_reinstated_since(why.at))
        };
        if self.all().iter().all(|(key, why)| still_waits(key, why)) {
            return;
        }
        self.keys.rcu(|keys| {
            let kept = keys.iter().filter(|(key, why)| still_waits(key, why));
            Arc::new(kept.map(|(key, why)| (key.clone(), Arc::clone(why))).collect::<Suspensions>())
        });
        self.is_changed.store(true, Ordering::Release);
    }

    /// What the journal has to keep, if it changed since it did.
    pub(crate) fn to_keep(&self) -> Option<String> {
        let is_changed = self.is_changed.swap(false, Ordering::AcqRel);
        let keys = is_changed.then(|| self.all())?;
        let plain: BTreeMap<&KeyName, &KeySuspension> =
            keys.iter().map(|(key, why)| (key, &**why)).collect();
        serde_json::to_string(&plain).ok()
    }

    /// It was not kept.
    pub(crate) fn not_kept(&self) {
        self.is_changed.store(true, Ordering::Release);
    }

    /// What an earlier run kept.
    pub(crate) fn restore(&self, state: &str) {
        match serde_json::from_str::<BTreeMap<KeyName, KeySuspension>>(state) {
            Ok(kept) => kept.into_iter().for_each(|(key, why)| self.add(&key, why)),
            Err(error) => tracing::error!(%error, "suspensions of an earlier run are unreadable"),
        }
    }
}

// === impl Identity ===

impl Identity {
    /// Why the key opens nothing for now: as the resources say, or as happened here since.
    /// What happened here must be read before the plane: it leaves only once it is in one.
    pub(crate) fn suspended(&self, here: &Suspensions) -> Option<Arc<KeySuspension>> {
        let since = |why: &&Arc<KeySuspension>| self.reinstated_at.is_none_or(|at| at < why.at);
        self.suspended.clone().or_else(|| here.get(&self.key).filter(since).cloned())
    }
}

// === impl Call ===

impl Call {
    pub(crate) fn refuse_suspended(&self) -> Result<(), Refusal> {
        let why = self.suspended.as_ref();
        why.map_or(Ok(()), |why| Err(refusal(&self.identity.key, why)))
    }

    /// Suspends the key from the next call on, where a rule said so; the event is committed
    /// before the call goes on, and says it again after a crash.
    pub(crate) fn contain(&self, event: &UsageEvent) {
        if let Some((rule, says)) = self.policed.contain() {
            self.gateway.contained.add(&self.identity.key, suspension(event, rule, says));
        }
    }
}

fn suspension(event: &UsageEvent, rule: &str, says: &str) -> KeySuspension {
    KeySuspension {
        at: event.time,
        by: ACTOR.to_owned(),
        reason: says.to_owned(),
        rule: Some(rule.to_owned()),
        event: Some(event.event_id),
        call: Some(event.call_id),
    }
}

/// Says why, and the way back.
pub(crate) fn refusal(key: &KeyName, why: &KeySuspension) -> Refusal {
    let message = format!("this Tally key is suspended: {}", why.reason);
    let next_step = format!(
        "security or an admin looks at it in Tally at {} and reinstates it (`tally key reinstate {key} --note …`)",
        page_of(key)
    );
    let refusal =
        Refusal::new(StatusCode::FORBIDDEN, "key_suspended", message).with_next_step(next_step);
    match &why.rule {
        Some(rule) => refusal.with_rule(rule, "deny"),
        None => refusal,
    }
}

/// The key's page of the interface.
fn page_of(key: &KeyName) -> String {
    format!("/keys?q={}", key.as_str().replace('+', "%2B"))
}
