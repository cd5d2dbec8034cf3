//! Who calls.

use std::sync::Arc;

use http::{HeaderMap, StatusCode};
use tally_gateway::{DataPlane, Gateway, Identity, bearer, require_scope};
use tally_types::{KeyScope, Role, Timestamp, WorkloadName};

use super::Problem;

/// Who calls, and the resources as they were when the call came in.
#[derive(Clone)]
pub struct Caller {
    /// Whose key it is.
    pub identity: Arc<Identity>,
    /// What the key was looked up in.
    pub plane: Arc<DataPlane>,
}

// === impl Caller ===

impl Caller {
    /// Identifies the caller by the key in the headers.
    ///
    /// # Errors
    /// 401 when there is none, or it opens nothing; 403 while it is suspended.
    pub fn identify(
        gateway: &Gateway,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Result<Self, Problem> {
        let secret = bearer(headers).ok_or_else(|| {
            Problem::new(StatusCode::UNAUTHORIZED, "key_missing", "no Tally key was sent")
                .with_next_step("send it as `authorization: Bearer …`")
        })?;
        let (plane, identity) = gateway.identify(secret, now)?;
        Ok(Self { identity, plane })
    }

    /// Refuses a key that may not be used for this.
    ///
    /// # Errors
    /// 403 that names the scope.
    pub fn require(&self, scope: KeyScope) -> Result<(), Problem> {
        Ok(require_scope(&self.identity, scope)?)
    }

    /// Whether the caller has one of these roles.
    pub fn has_any(&self, roles: &[Role]) -> bool {
        self.identity.roles.iter().any(|role| roles.contains(role))
    }

    /// Whether the key stands for this workload or may name it.
    pub fn is_bound_to(&self, workload: &WorkloadName) -> bool {
        self.identity.workload.as_ref() == Some(workload)
            || self.identity.workloads.contains(workload)
    }
}
