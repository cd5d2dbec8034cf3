//! Budgets and people: stages that were reached are kept and told, approvals opened; what
//! people asked for is escalated and ended.

use std::{sync::Arc, time::Duration};

use tally_api::BudgetView;
use tally_store::Store;

const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Looks every second; what fails is tried again at the next look.
pub(crate) async fn follow_budgets(store: Store, budgets: Arc<dyn BudgetView>) {
    loop {
        keep_stages(&store, budgets.as_ref()).await;
        let swept = async {
            store.grants().sweep().await?;
            store.exceptions().sweep().await?;
            store.access_requests().sweep().await
        };
        if let Err(error) = swept.await {
            tracing::warn!(%error, "requests are neither escalated nor ended");
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// A stage is acknowledged once it is kept; told again, it is known.
async fn keep_stages(store: &Store, budgets: &dyn BudgetView) {
    let mut reached = budgets.reached();
    reached.sort_by_key(|one| (one.at, one.stage.at));
    let mut kept = Vec::with_capacity(reached.len());
    for one in reached {
        match store.stage_events().keep(&one).await {
            Ok(_) => kept.push(one),
            Err(error) => {
                tracing::warn!(%error, counter = %one.counter, "a stage is not told yet");
                break;
            }
        }
    }
    if !kept.is_empty() {
        budgets.acknowledge(&kept);
    }
}
