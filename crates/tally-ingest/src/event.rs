//! Usage that others metered.

use std::collections::BTreeMap;

use jiff::ToSpan;
use serde::Deserialize;
use tally_pricing::{PriceCatalog, leave_unpriced};
use tally_types::{
    CallId, CallStatus, CountQuality, Environment, EventId, PersonName, PicoUsd, ProviderName,
    Role, ServiceTier, Source, TemplateName, Timestamp, Tokens, UsageEvent, WorkloadName,
};
use uuid::Uuid;

use crate::{
    cloud_event,
    edge::Caller,
    items,
    model::{Models, Served},
};

/// Ids of events are UUIDs of version 5 in this namespace. Never change it: the
/// same event would count again.
const NAMESPACE: Uuid = Uuid::from_u128(0x7573_6167_6545_4576_9a5c_7461_6c6c_7902);
const TEXT_BYTES_MAX: usize = 256;
const TAGS_MAX: usize = 32;
/// Modifiers, and tools, that a provider reports of one call.
const BILLING_FACTS_MAX: usize = 16;
/// No call takes a month.
const LATENCY_MS_MAX: u64 = 31 * 24 * 3_600_000;
/// Clocks differ; by more than a day they are wrong.
const AHEAD_HOURS_MAX: i64 = 24;
/// May report for other people and name any registered workload.
pub(crate) const FOR_OTHERS: &[Role] = &[Role::Admin, Role::Finops];

/// Usage as reported.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Usage {
    /// Only without an envelope.
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    source: Option<String>,
    #[serde(default)]
    time: Option<Timestamp>,
    model: String,
    #[serde(default)]
    provider: Option<ProviderName>,
    tokens: Tokens,
    #[serde(default)]
    service_tier: ServiceTier,
    /// What else the provider reported that changes its price, such as `inference_geo:us`.
    #[serde(default)]
    billing_modifiers: Vec<String>,
    /// How often each of the provider's tools was used.
    #[serde(default)]
    tool_requests: BTreeMap<String, u64>,
    /// Paid for by a subscription, not per call.
    #[serde(default)]
    subscription: bool,
    #[serde(default)]
    operation: Option<String>,
    #[serde(default)]
    workload: Option<WorkloadName>,
    #[serde(default)]
    environment: Option<Environment>,
    #[serde(default)]
    task_id: Option<String>,
    #[serde(default)]
    task_type: Option<String>,
    #[serde(default)]
    person: Option<PersonName>,
    #[serde(default)]
    session: Option<String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    #[serde(default)]
    latency_ms: Option<u64>,
    #[serde(default)]
    status: Option<CallStatus>,
    #[serde(default)]
    request_id: Option<String>,
    #[serde(default)]
    value_tag: Option<String>,
    #[serde(default)]
    template: Option<TemplateName>,
}

/// Reads the usage that one caller reports.
pub(crate) struct Reader<'a> {
    caller: &'a Caller,
    models: Models<'a>,
    now: Timestamp,
}

// === impl Reader ===

impl<'a> Reader<'a> {
    pub(crate) fn new(caller: &'a Caller, now: Timestamp) -> Self {
        Self { caller, models: Models::new(caller.plane.snapshot()), now }
    }

    /// Reads one item.
    ///
    /// # Errors
    /// What is wrong with it, for the sender.
    pub(crate) fn read(&self, item: &str) -> Result<UsageEvent, String> {
        let envelope = cloud_event::open(item)?;
        let mut usage: Usage = items::parse(envelope.data)?;
        usage.check()?;
        let id = envelope
            .id
            .or_else(|| usage.id.take())
            .ok_or("expected `id`: with it, sending the same event again changes nothing")?;
        let source = match envelope.source.or_else(|| usage.source.take()) {
            Some(source) => source,
            // Ids of one key need not differ from those of another.
            None => format!("tally:key/{}", self.caller.identity.key),
        };
        let event_id = stable_id(NAMESPACE, &[&source, &id]);
        let time = time_within(envelope.time.or(usage.time), self.now)?;
        let mut event = UsageEvent::new(EventId(event_id), CallId(event_id), time, Source::Import);
        self.attribute(&mut event, &usage)?;
        describe(&mut event, usage);
        let served = self.models.resolve(&event.model_requested, event.provider.as_ref());
        serve(&mut event, &served);
        price(&mut event, self.caller.plane.prices(), &served);
        Ok(event)
    }

    /// Who, for which work, who pays: as for a call through the gateway, except
    /// that some roles report for others.
    fn attribute(&self, event: &mut UsageEvent, usage: &Usage) -> Result<(), String> {
        let identity = &self.caller.identity;
        let snapshot = self.caller.plane.snapshot();
        event.key = Some(identity.key.clone());
        event.person.clone_from(&identity.person);
        event.team.clone_from(&identity.team);
        event.department.clone_from(&identity.department);
        event.cost_center.clone_from(&identity.cost_center);
        if let Some(person) =
            usage.person.as_ref().filter(|named| Some(*named) != identity.person.as_ref())
        {
            self.attribute_person(event, person)?;
        }
        event.tags.clone_from(&usage.tags);
        let Some(workload) = self.workload(event, usage)? else {
            Self::claim_environment(event, usage);
            return Ok(());
        };
        if let Some(spec) = snapshot.workloads.get(workload.as_str()) {
            let owner = snapshot.people.get(spec.owner.as_str());
            let team = owner.and_then(|owner| owner.team.clone());
            event.team = event.team.take().or(team.clone());
            event.department = event
                .department
                .take()
                .or_else(|| snapshot.teams.get(team.as_ref()?.as_str())?.department.clone());
            event.cost_center = Some(spec.cost_center.clone());
            event.workload_class = Some(spec.class);
            event.environment = spec.environment;
            event.data_class = spec.data_class;
            event.workload = Some(workload);
        }
        Self::claim_environment(event, usage);
        Ok(())
    }

    fn attribute_person(&self, event: &mut UsageEvent, person: &PersonName) -> Result<(), String> {
        if !self.caller.has_any(FOR_OTHERS) {
            return Err(format!(
                "`person`: this key reports for its own person only; reporting for `{person}` needs the role admin or finops"
            ));
        }
        let snapshot = self.caller.plane.snapshot();
        let spec = snapshot.people.get(person.as_str());
        let spec = spec.ok_or_else(|| format!("`person`: there is no Person `{person}`"))?;
        let team = spec.team.as_ref().and_then(|team| snapshot.teams.get(team.as_str()));
        event.person = Some(person.clone());
        event.team.clone_from(&spec.team);
        event.department = team.and_then(|team| team.department.clone());
        event.cost_center = team.and_then(|team| team.cost_center.clone());
        Ok(())
    }

    /// A workload that the key may not name counts for nothing, but is seen.
    fn workload(
        &self,
        event: &mut UsageEvent,
        usage: &Usage,
    ) -> Result<Option<WorkloadName>, String> {
        let own = &self.caller.identity.workload;
        let Some(named) = &usage.workload else { return Ok(own.clone()) };
        if self.caller.is_bound_to(named) {
            return Ok(Some(named.clone()));
        }
        if !self.caller.has_any(FOR_OTHERS) {
            event.tags.insert("tally.unbound_workload".to_owned(), named.to_string());
            return Ok(own.clone());
        }
        if self.caller.plane.snapshot().workloads.contains_key(named.as_str()) {
            return Ok(Some(named.clone()));
        }
        Err(format!("`workload`: there is no Workload `{named}`"))
    }

    /// Where a call counts is its workload's to say; another claim is only seen.
    fn claim_environment(event: &mut UsageEvent, usage: &Usage) {
        if let Some(claimed) = usage.environment.filter(|claimed| *claimed != event.environment) {
            event.tags.insert("tally.claimed_environment".to_owned(), claimed.to_string());
        }
    }
}

// === impl Usage ===

impl Usage {
    fn check(&self) -> Result<(), String> {
        bounded("model", &self.model, TEXT_BYTES_MAX)?;
        let texts = [
            ("id", &self.id),
            ("source", &self.source),
            ("operation", &self.operation),
            ("task_id", &self.task_id),
            ("task_type", &self.task_type),
            ("session", &self.session),
            ("request_id", &self.request_id),
            ("value_tag", &self.value_tag),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                bounded(name, text, TEXT_BYTES_MAX)?;
            }
        }
        self.check_billing()?;
        if self.tags.len() > TAGS_MAX {
            return Err(format!("`tags`: expected at most {TAGS_MAX}, found {}", self.tags.len()));
        }
        for (name, value) in &self.tags {
            bounded("tags", name, TEXT_BYTES_MAX)?;
            if value.len() > TEXT_BYTES_MAX || value.contains(char::is_control) {
                return Err(format!("`tags.{name}`: expected at most {TEXT_BYTES_MAX} bytes"));
            }
        }
        if !self.tokens.is_plausible() {
            return Err(format!(
                "`tokens`: expected at most {} of each kind, and no more reasoning than output",
                Tokens::PLAUSIBLE_MAX
            ));
        }
        if self.status == Some(CallStatus::Refused) && self.tokens != Tokens::default() {
            // Else dashboards would show a cost that no statement has.
            return Err("`tokens`: expected none of a refused call: no model saw it".to_owned());
        }
        if self.latency_ms.is_some_and(|latency| latency > LATENCY_MS_MAX) {
            return Err(format!("`latency_ms`: expected at most {LATENCY_MS_MAX}"));
        }
        Ok(())
    }
}

impl Usage {
    fn check_billing(&self) -> Result<(), String> {
        for (name, count) in [
            ("billing_modifiers", self.billing_modifiers.len()),
            ("tool_requests", self.tool_requests.len()),
        ] {
            if count > BILLING_FACTS_MAX {
                return Err(format!(
                    "`{name}`: expected at most {BILLING_FACTS_MAX}, found {count}"
                ));
            }
        }
        for fact in &self.billing_modifiers {
            bounded("billing_modifiers", fact, TEXT_BYTES_MAX)?;
        }
        for (tool, count) in &self.tool_requests {
            bounded("tool_requests", tool, TEXT_BYTES_MAX)?;
            if *count > Tokens::PLAUSIBLE_MAX {
                return Err(format!(
                    "`tool_requests.{tool}`: expected at most {}",
                    Tokens::PLAUSIBLE_MAX
                ));
            }
        }
        Ok(())
    }
}

/// What needs no looking up.
fn describe(event: &mut UsageEvent, usage: Usage) {
    event.value_tag = usage.value_tag.or_else(|| event.tags.get("value").cloned());
    event.model_reported = Some(usage.model.clone());
    event.model_requested = usage.model;
    event.provider = usage.provider;
    event.operation = usage.operation.unwrap_or_else(|| "unknown".to_owned());
    event.service_tier = usage.service_tier;
    event.billing_modifiers = usage.billing_modifiers;
    event.tool_requests = usage.tool_requests;
    event.subscription = usage.subscription;
    event.tokens = usage.tokens;
    event.counts = CountQuality::Reported;
    event.task_id = usage.task_id;
    event.task_type = usage.task_type;
    event.session = usage.session;
    event.template = usage.template;
    event.latency_us = usage.latency_ms.map(|latency| latency.saturating_mul(1_000));
    event.status = usage.status.unwrap_or(CallStatus::Ok);
    event.provider_request_id = usage.request_id;
}

fn price(event: &mut UsageEvent, prices: &PriceCatalog, served: &Served) {
    if event.status == CallStatus::Refused {
        // As through the gateway: nobody served it, so nobody bills it.
        event.cost_list_usd = Some(PicoUsd::ZERO);
        event.cost_internal_usd = Some(PicoUsd::ZERO);
        return;
    }
    let Some(provider) = &served.price_provider else {
        let name = &served.name;
        let reason = format!("`{name}`: no provider was named, and the model is not registered");
        leave_unpriced(event, reason);
        return;
    };
    let names: Vec<&str> = served.price_models.iter().map(String::as_str).collect();
    prices.price_event(provider, &names, event);
}

fn serve(event: &mut UsageEvent, served: &Served) {
    event.provider.clone_from(&served.provider);
    event.model_family.clone_from(&served.family);
    event.tier = served.tier;
    event.model_served = Some(served.name.clone());
}

/// A text that is there, short, and without control characters.
pub(crate) fn bounded(field: &str, text: &str, bytes_max: usize) -> Result<String, String> {
    let trimmed = text.trim();
    if trimmed.is_empty() || trimmed.len() > bytes_max || trimmed.contains(char::is_control) {
        return Err(format!(
            "`{field}`: expected 1 to {bytes_max} bytes without control characters"
        ));
    }
    Ok(trimmed.to_owned())
}

/// The time given, or now; not in the future beyond what clocks differ by.
pub(crate) fn time_within(given: Option<Timestamp>, now: Timestamp) -> Result<Timestamp, String> {
    let Some(time) = given else { return Ok(now) };
    let latest = now.checked_add(AHEAD_HOURS_MAX.hours()).unwrap_or(now);
    if time > latest || time < Timestamp::UNIX_EPOCH {
        return Err(format!(
            "`time`: {time} is not between 1970 and a day from now; expected when it happened"
        ));
    }
    Ok(time)
}

/// The same for the same parts; bounded parts hold no control characters, so no two
/// lists of them run together alike.
pub(crate) fn stable_id(namespace: Uuid, parts: &[&str]) -> Uuid {
    Uuid::new_v5(&namespace, parts.join("\0").as_bytes())
}
