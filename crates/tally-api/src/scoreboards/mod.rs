//! Scoreboards: who makes most of what they spend, and who shares. The numbers are
//! `tally-insight`'s; here is who sees them.

mod award;
mod board;
mod choice;
mod computed;
mod explain;
mod groups;
mod individuals;
mod knowledge;
mod live;
mod privacy;
mod pseudonyms;
mod rows;
mod seasons;
mod service;
mod source;

use serde_json::json;

use crate::operation::{Access, Operation};

pub(crate) use individuals::Individuals;
pub use service::ScoreKeeper;

const TAG: &str = "scoreboards";

pub(crate) fn operations() -> Vec<Operation> {
    let all = Access::SignedIn;
    vec![
        Operation::get("getScoreboards", "/api/v1/scoreboards", all, board::overview)
            .about(TAG, "What scoreboards there are", "Seasons, boards, the formulas in full, who has which title, and where the caller stands.")
            .query::<board::SeasonQuery>()
            .reply::<board::Overview>("What there is."),
        Operation::get("liveScoreboards", "/api/v1/scoreboards/live", all, live::live)
            .about(TAG, "Standings as they change", "Server-sent events: `standings` at the beginning and whenever they were computed anew, with the caller's ranks; `end` before the server closes. Comments keep the connection alive.")
            .stream::<live::StandingsChanged>("Events until either side closes; the data of `standings`."),
        Operation::get("explainScore", "/api/v1/scoreboards/explain", all, explain::explain)
            .about(TAG, "Why a score is what it is", "Every part with the peers' median, the tasks that count and those that do not, what was shared, how rules were kept to, and the two changes that would help most. One's own, and those of teams; of others to the roles in `scoreboards.individuals_seen_by`.")
            .query::<explain::ExplainQuery>()
            .reply::<explain::ScoreExplained>("The score taken apart."),
        Operation::get("getScoreboardAward", "/api/v1/scoreboards/award", all, award::award)
            .about(TAG, "The award of a quarter", "It goes to the team with the best return: value of vouched outcomes for all that was spent.")
            .query::<award::AwardQuery>()
            .reply::<award::Award>("The award and its evidence."),
        Operation::get("getScoreboard", "/api/v1/scoreboards/{name}", all, board::page)
            .about(TAG, "A board", "`overall`, `efficiency`, `improvement`, `knowledge`, or `return` of teams, page by page. People appear as they chose: by name, by a pseudonym, or not at all.")
            .query::<board::BoardQuery>()
            .reply::<rows::BoardPage>("A page of rows."),
        Operation::get("getMyScoreboardChoice", "/api/v1/me/scoreboard-choice", all, choice::get)
            .about(TAG, "How I appear on scoreboards", "What I chose, or what holds for who chose nothing; and pseudonyms that are free.")
            .reply::<choice::Choice>("How I appear."),
        Operation::put("putMyScoreboardChoice", "/api/v1/me/scoreboard-choice", all, choice::put)
            .about(TAG, "Choose how I appear on scoreboards", "By name, by a pseudonym, or not at all; nobody else can say so. It holds at once, for past seasons, too.")
            .body::<choice::NewChoice>(json!({ "shown": "pseudonym", "pseudonym": "Amber Heron" }))
            .reply::<choice::Choice>("How I appear now."),
    ]
}
