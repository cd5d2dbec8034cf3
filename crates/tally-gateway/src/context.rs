//! Who calls, for which work: from the key, the headers and the body's metadata,
//! trusted only as far as the caller may be.

use std::{collections::BTreeMap, sync::Arc};

use http::HeaderMap;
use tally_policy::redact::RedactionKey;
use tally_types::{
    CallId, DataClass, EventId, Fingerprint, Source, TemplateName, Timestamp, UsageEvent,
    WorkloadName, spec::PolicyCall,
};

use crate::{
    plane::{DataPlane, Identity, Workload},
    policy::workload_facts,
    protocol::ParsedRequest,
    refusal::Refusal,
};

const VALUE_BYTES_MAX: usize = 256;
const TAGS_MAX: usize = 32;
const USER_AGENT_BYTES_MAX: usize = 256;

/// What the caller said about the call.
pub(crate) struct Context {
    pub(crate) workload: Option<Arc<Workload>>,
    task_id: Option<String>,
    task_type: Option<String>,
    template: Option<TemplateName>,
    /// What takes the place of a template that is retired.
    template_replaced_by: Option<String>,
    prompt_fingerprint: Option<Fingerprint>,
    data_class: DataClass,
    session: Option<String>,
    tags: BTreeMap<String, String>,
    user_agent: Option<String>,
}

/// Reads `x-tally-*` from headers, or from the body's metadata under the same names.
struct Said<'a> {
    headers: &'a HeaderMap,
    metadata: &'a BTreeMap<String, String>,
}

// === impl Said ===

impl Said<'_> {
    fn text(&self, name: &str) -> Result<Option<String>, Refusal> {
        let too_long = || {
            let message =
                format!("`{name}`: expected at most {VALUE_BYTES_MAX} bytes of visible ASCII");
            Refusal::bad_request("header_invalid", message)
        };
        let value = match self.headers.get(name) {
            Some(value) => Some(value.to_str().map_err(|_| too_long())?),
            None => self.metadata.get(name).map(String::as_str),
        };
        let value = value.map(str::trim).filter(|text| !text.is_empty());
        match value {
            Some(text) if text.len() > VALUE_BYTES_MAX => Err(too_long()),
            other => Ok(other.map(str::to_owned)),
        }
    }

    fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
        &self,
        name: &str,
    ) -> Result<Option<T>, Refusal> {
        let parse = |text: String| {
            text.parse::<T>().map_err(|error| {
                Refusal::bad_request("header_invalid", format!("`{name}`: {error}"))
                    .with_next_step(format!("correct the header `{name}`, or leave it out"))
            })
        };
        self.text(name)?.map(parse).transpose()
    }

    /// `k=v,k=v`
    fn tags(&self) -> Result<BTreeMap<String, String>, Refusal> {
        let mut tags = BTreeMap::new();
        let Some(text) = self.text("x-tally-tags")? else { return Ok(tags) };
        for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let Some((name, value)) =
                pair.split_once('=').filter(|(name, _)| !name.trim().is_empty())
            else {
                let message = format!("`x-tally-tags`: expected `k=v,k=v`, found `{pair}`");
                return Err(Refusal::bad_request("header_invalid", message));
            };
            tags.insert(name.trim().to_owned(), value.trim().to_owned());
        }
        if tags.len() > TAGS_MAX {
            let message = format!("`x-tally-tags`: expected at most {TAGS_MAX} tags");
            return Err(Refusal::bad_request("header_invalid", message));
        }
        Ok(tags)
    }
}

// === impl Context ===

impl Context {
    pub(crate) fn read(
        plane: &DataPlane,
        identity: &Identity,
        headers: &HeaderMap,
        request: &ParsedRequest,
    ) -> Result<Self, Refusal> {
        let said = Said { headers, metadata: &request.metadata };
        let mut tags = said.tags()?;
        let named: Option<WorkloadName> = said.parsed("x-tally-workload")?;
        let workload_name = match named {
            Some(name) if identity.is_bound_to(&name) => Some(name),
            // Counts for nothing, but is seen.
            Some(name) => {
                tags.insert("tally.unbound_workload".to_owned(), name.to_string());
                identity.workload.clone()
            }
            None => identity.workload.clone(),
        };
        let workload = workload_name.as_ref().and_then(|name| plane.workload(name)).map(Arc::clone);
        if let Some(retired) = workload_name.filter(|_| workload.is_none()) {
            tags.insert("tally.retired_workload".to_owned(), retired.to_string());
        }
        if let Some(claimed) = said.parsed::<tally_types::Environment>("x-tally-environment")? {
            let counted = environment(workload.as_deref());
            if claimed != counted {
                tags.insert("tally.claimed_environment".to_owned(), claimed.to_string());
            }
        }
        let base_class =
            workload.as_ref().map_or(DataClass::Internal, |workload| workload.spec.data_class);
        let claimed_class: Option<DataClass> = said.parsed("x-tally-data-class")?;
        let said_template: Option<TemplateName> = said.parsed("x-tally-template")?;
        let resolved = said_template.as_ref().and_then(|said| plane.snapshot.template(said));
        let agent_session = header_text(headers, "x-claude-code-session-id")
            .or_else(|| header_text(headers, "session_id"));
        Ok(Self {
            workload,
            task_id: said.text("x-tally-task")?,
            task_type: said.text("x-tally-task-type")?,
            template_replaced_by: resolved
                .as_ref()
                .filter(|template| template.is_retired)
                .map(|template| template.replaced_by.as_ref().map_or("none", |it| it.as_str()))
                .map(str::to_owned),
            template: resolved.map(|template| template.name).or(said_template),
            prompt_fingerprint: None,
            // A header may raise the class, never lower it.
            data_class: claimed_class.map_or(base_class, |claimed| claimed.max(base_class)),
            session: agent_session.or_else(|| request.session.clone()),
            tags,
            user_agent: header_text(headers, "user-agent"),
        })
    }

    /// What takes the place of the call's template if it is retired; `none` where nothing does.
    pub(crate) fn template_replaced_by(&self) -> Option<&str> {
        self.template_replaced_by.as_deref()
    }

    /// Remembers the request of a task, so that a prompt asked again is known as such. Other
    /// calls are not looked at: nothing is told of them.
    pub(crate) fn fingerprint(&mut self, key: &RedactionKey, body: &[u8]) {
        if self.task_id.is_some() {
            self.prompt_fingerprint = Some(key.fingerprint(body));
        }
    }

    /// How sensitive the prompt is.
    pub(crate) fn data_class(&self) -> DataClass {
        self.data_class
    }

    /// What policies know of the call, the model and the provider apart.
    pub(crate) fn policy_call(&self, identity: &Identity) -> PolicyCall {
        let workload = self.workload.as_deref();
        let team = identity.team.as_ref().or_else(|| workload?.team.as_ref());
        let department = identity.department.as_ref().or_else(|| workload?.department.as_ref());
        PolicyCall {
            person: identity.person.as_ref().map(ToString::to_string).unwrap_or_default(),
            team: team.map(ToString::to_string).unwrap_or_default(),
            department: department.cloned().unwrap_or_default(),
            roles: identity.roles.clone(),
            workload: workload.map(|workload| workload_facts(&workload.name, &workload.spec)),
            environment: environment(workload),
            task_type: self.task_type.clone().unwrap_or_default(),
            data_class: self.data_class,
            key: identity.key.to_string(),
            application: self.user_agent.as_deref().map(application).unwrap_or_default(),
            ..PolicyCall::default()
        }
    }

    /// A usage event with everything known before the call leaves.
    pub(crate) fn event(
        &self,
        identity: &Identity,
        event_id: EventId,
        call_id: CallId,
        time: Timestamp,
    ) -> UsageEvent {
        let mut event = UsageEvent::new(event_id, call_id, time, Source::Gateway);
        let workload = self.workload.as_deref();
        event.person.clone_from(&identity.person);
        event.key = Some(identity.key.clone());
        event.team = identity.team.clone().or_else(|| workload?.team.clone());
        event.department = identity.department.clone().or_else(|| workload?.department.clone());
        event.cost_center = workload
            .map(|workload| workload.spec.cost_center.clone())
            .or_else(|| identity.cost_center.clone());
        event.workload = workload.map(|workload| workload.name.clone());
        event.workload_class = workload.map(|workload| workload.spec.class);
        event.environment = environment(workload);
        event.application = self.user_agent.as_deref().map(application);
        event.user_agent.clone_from(&self.user_agent);
        event.task_id.clone_from(&self.task_id);
        event.task_type.clone_from(&self.task_type);
        event.session.clone_from(&self.session);
        event.value_tag = self.tags.get("value").cloned();
        event.tags.clone_from(&self.tags);
        event.template.clone_from(&self.template);
        event.prompt_fingerprint = self.prompt_fingerprint;
        event.data_class = self.data_class;
        event
    }
}

fn environment(workload: Option<&Workload>) -> tally_types::Environment {
    workload.map_or(tally_types::Environment::Experimentation, |workload| workload.spec.environment)
}

fn header_text(headers: &HeaderMap, name: &str) -> Option<String> {
    let text = headers.get(name)?.to_str().ok()?.trim();
    let text: String = text.chars().take(USER_AGENT_BYTES_MAX).collect();
    (!text.is_empty()).then_some(text)
}

/// `claude-cli/2.1.197 (external)` → `claude-cli`; `OpenAI/Python 2.8` → `OpenAI/Python`.
fn application(user_agent: &str) -> String {
    let product = user_agent.split_whitespace().next().unwrap_or(user_agent);
    match product.rsplit_once('/') {
        Some((name, version)) if version.starts_with(|c: char| c.is_ascii_digit()) => {
            name.to_owned()
        }
        _ => product.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn applications() {
        for (user_agent, name) in [
            ("claude-cli/2.1.197 (external, sdk-cli)", "claude-cli"),
            ("OpenAI/Python 2.8.1", "OpenAI/Python"),
            ("AsyncAnthropic/Python 0.75.0", "AsyncAnthropic/Python"),
            ("curl/8.1", "curl"),
        ] {
            assert_eq!(application(user_agent), name);
        }
    }
}
