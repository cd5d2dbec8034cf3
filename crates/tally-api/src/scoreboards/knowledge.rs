//! What was shared in a season, as scores see it.

use tally_insight::{
    score::{ConfirmedContribution, ConfirmedStory, Knowledge, KnownTemplate, Season},
    share::Samples,
};
use tally_store::Snapshot;
use tally_types::{
    Name, TemplateName, Timestamp,
    spec::{ContributionSpec, ContributionState, StorySpec, StoryVerdict, TemplateSpec},
};

/// What was shared, measured on the season's tasks until a moment.
pub(super) fn of(
    snapshot: &Snapshot,
    season: &Season,
    until: Timestamp,
    samples: &Samples,
) -> Knowledge {
    let is_in = |at: Timestamp| season.from <= at && at < season.until && at <= until;
    let template = |(name, spec): (&Name, &TemplateSpec)| template(name, spec, samples);
    let story = |(name, spec): (&Name, &StorySpec)| {
        let is_confirmed =
            spec.result.verdict == StoryVerdict::Confirmed && is_in(spec.at) && !spec.withdrawn;
        is_confirmed.then(|| ConfirmedStory { name: name.clone(), author: spec.author.clone() })
    };
    let contribution = |(name, spec): (&Name, &ContributionSpec)| {
        let is_confirmed =
            spec.state == ContributionState::Confirmed && spec.decided_at.is_some_and(is_in);
        is_confirmed.then(|| ConfirmedContribution {
            name: name.clone(),
            kind: spec.shared.kind,
            by: spec.author.clone(),
            mentored: spec.shared.mentored.clone(),
        })
    };
    Knowledge {
        templates: snapshot.templates.iter().filter_map(template).collect(),
        stories: snapshot.stories.iter().filter_map(story).collect(),
        contributions: snapshot.contributions.iter().filter_map(contribution).collect(),
    }
}

/// What Tally comes with is nobody's merit.
fn template(name: &Name, spec: &TemplateSpec, samples: &Samples) -> Option<KnownTemplate> {
    if spec.shipped {
        return None;
    }
    let measured = samples.measured(name.as_str(), &spec.owner).all;
    Some(KnownTemplate {
        name: name.as_str().parse::<TemplateName>().ok()?,
        owner: spec.owner.clone(),
        team: spec.team.clone(),
        effect: measured.effect,
        cost_ratio: measured.cost.map(|cost| cost.ratio),
    })
}
