//! What templates did, from the tasks that are gathered for scores anyway.

use std::collections::HashMap;

use tally_types::PicoUsdSum;

use crate::{
    score::tasks::{NONE, SeasonTasks},
    share::{Group, Samples},
};

// === impl SeasonTasks ===

impl SeasonTasks {
    /// Its tasks by what is alike and by template; how long they took and which version of a template it was is not
    /// known any more.
    pub fn samples(&self) -> Samples {
        let mut groups: HashMap<(u32, u32, u32), Group> = HashMap::new();
        for task in &self.tasks {
            let Some(cost) = task.cost else { continue };
            let group = groups.entry((task.workload, task.kind, task.template)).or_default();
            let success = task.outcome.map(|came| came.succeeded);
            group.add(PicoUsdSum::from_pico(i128::from(cost)), task.tokens, success);
            if task.template != NONE {
                group.add_user(self.people.get(task.person), self.teams.get(task.team));
            }
        }
        let mut samples = Samples::default();
        for ((workload, kind, template), group) in groups {
            let workload = self.workloads.get(workload).cloned();
            let kind = self.kinds.get(kind).cloned().flatten();
            samples.take_group(workload, kind, self.templates.get(template), group);
        }
        samples
    }
}
