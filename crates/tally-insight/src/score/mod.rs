//! Scores of people and teams, and why they are what they are; `docs/scoreboards.md` has the rules.
//!
//! [`SeasonTasks`] gathers the tasks of a season, [`PastSeason`] is what is left of one that is over, and [`Scores`]
//! has the boards and explains them.

mod advice;
mod board;
mod compute;
mod explain;
mod explanation;
mod input;
mod knowledge;
mod links;
mod measure;
mod past;
mod peers;
mod samples;
mod settle;
mod sums;
mod tasks;
mod titles;

pub use board::{
    BoardOf, BoardRow, ComparedType, Parts, Season, Standings, TitleHolder, Unranked, Volume,
};
pub use compute::Scores;
pub use explanation::{
    Advice, AdvisedChange, CompliancePart, EfficiencyPart, Explanation, ImprovedType,
    ImprovementPart, KnowledgePart, Peers, Place, SharedContribution, SharedItem, TaskGroup,
    TaskShown, TaskStanding, TemplateEffect, TemplatePart, TypePart, WorthlessContribution,
};
pub use input::{
    Compliance, ComplianceFacts, ConfirmedContribution, ConfirmedStory, Directory, Facts,
    Knowledge, KnownTemplate, Rules,
};
pub use past::PastSeason;
pub use tasks::SeasonTasks;
