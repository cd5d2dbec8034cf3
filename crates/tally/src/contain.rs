//! Keys that the gateway suspended, taken over into the resources: so it lasts, is in the
//! audit trail, reaches every node, and people are told.

use std::{sync::Arc, time::Duration};

use tally_gateway::Gateway;
use tally_store::Store;

/// What could not be taken over is tried again then.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Takes suspensions over as they come; the gateway forgets each once the resources show it.
pub(crate) async fn follow_containment(store: Store, gateway: Arc<Gateway>) {
    let contained = Arc::clone(gateway.contained());
    loop {
        for (key, why) in contained.waiting() {
            let rule = why.rule.as_deref().unwrap_or_default();
            match store.contain_key(&key, &why).await {
                Ok(true) => {
                    tracing::warn!(%key, rule, "a severe rule was met: the key is suspended")
                }
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(%error, %key, "suspended on this node only; tried again");
                }
            }
        }
        tokio::select! {
            () = contained.added() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}
