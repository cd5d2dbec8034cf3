//! Grants: more of a budget, asked for and decided on. The rules are the store's.

mod ask;
mod budgets;
mod list;

use serde_json::json;
use tally_types::spec::GrantSpec;

use crate::{
    access::BROWSERS,
    approvals::{self, Words, schema_of},
    operation::{Access, Operation},
};

pub use budgets::BudgetView;

const TAG: &str = "budgets";

pub(crate) fn operations() -> Vec<Operation> {
    let own = Access::OwnOr(BROWSERS);
    let mut all = approvals::operations::<GrantSpec>(&Words {
        tag: TAG,
        id: "Grant",
        ids: "Grants",
        one: "a grant",
        who_ends: "By an approver, the budget's owner, whoever asked, FinOps or an admin; it needs a reason.",
        yes: json!({ "reason": "The recall is real, and the replies are good" }),
        no: json!({ "reason": "The smaller model does this as well" }),
    });
    let create = Operation::post("createGrant", "/api/v1/grants", own, ask::create)
        .about(TAG, "Ask for more of a budget", ask::DESCRIPTION)
        .query::<approvals::AskQuery>()
        .body::<ask::NewGrantBody>(ask::example());
    let create = approvals::asks::<GrantSpec>(create).or_reply(
        "With `dry_run`: the grant as it would be, and how the budgets stand.",
        schema_of::<ask::Preview>(),
    );
    let events =
        Operation::get("listBudgetEvents", "/api/v1/budgets/{name}/events", own, list::events)
            .about(TAG, "The stages that a budget reached", "Newest first, page by page. Developers see those of counters that are their own or everyone's.")
            .query::<list::EventsQuery>()
            .reply::<tally_store::notices::StageEventsPage>("The events.");
    // In the order of the document: the list first, then asking, then what is said.
    all.insert(1, create);
    all.push(events);
    all
}
