//! The service catalog of the company: workloads that run by themselves, and those
//! that people use with their own keys.

use tally_types::DataClass::{Confidential, Public, Restricted};

use super::{
    teams::Trade,
    workload_plan::{Rhythm, Shape, WorkloadPlan, Worth},
};

const OPUS: &str = "claude-opus-4-8";
const SONNET: &str = "claude-sonnet-4-6";
const HAIKU: &str = "claude-haiku-4-5";
const GPT_BIG: &str = "gpt-5.5";
const GPT: &str = "gpt-5";
const CODEX: &str = "gpt-5.3-codex";
const MINI: &str = "gpt-5-mini";
const NANO: &str = "gpt-5-nano";
const EMBED: &str = "text-embedding-3-small";
const EMBED_LARGE: &str = "text-embedding-3-large";

/// Moves from a frontier to a standard model in the middle of the history.
pub(crate) const SWITCHED: &str = "invoice-extraction";
/// Its prompt grows for a week.
pub(crate) const BLOATED: &str = "support-copilot";
/// The coding agent, which idles over a weekend.
pub(crate) const CODING: &str = "code-assistant";
/// Small, and several times a day: the work in which engineers can be compared with each other.
pub(crate) const READING: &str = "change-reader";

const fn plan(name: &'static str, team: &'static str, purpose: &'static str) -> WorkloadPlan {
    WorkloadPlan::new(name, team, purpose)
}

/// Every workload of the catalog.
pub(crate) fn all() -> impl Iterator<Item = &'static WorkloadPlan> {
    CUSTOMERS.iter().chain(INSIDE).chain(NIGHTLY).chain(PEOPLE)
}

const CUSTOMERS: &[WorkloadPlan] = &[
    plan(BLOATED, "support-emea", "Drafts replies to customer tickets")
        .runs(Rhythm::Customers, 170.0, (1, 3))
        .asks(&[(SONNET, 1.0)], Shape::chat(3_200.0, 900.0, 280.0))
        .does(&[("ticket-reply", 1.0)], "cost-saving", 0.84, Worth::Ticket(4.2))
        .promises(9_000, "0.06")
        .holding(Confidential),
    plan("ticket-triage", "support-americas", "Sorts incoming tickets by topic and urgency")
        .runs(Rhythm::Customers, 220.0, (1, 1))
        .asks(&[(HAIKU, 1.0)], Shape::chat(2_200.0, 450.0, 24.0))
        .does(&[("classify", 1.0)], "cost-saving", 0.93, Worth::Minutes(2.0))
        .promises(2_500, "0.003")
        .holding(Confidential),
    plan("semantic-search", "search", "Finds products and help articles by meaning")
        .runs(Rhythm::Customers, 260.0, (1, 1))
        .asks(&[(EMBED, 1.0)], Shape::embedding(60.0))
        .does(&[("search", 1.0)], "revenue", 0.95, Worth::Sale(0.04, 38.0))
        .promises(400, "0.0001")
        .critical(),
    plan("help-center-answers", "customer-success", "Answers questions in the help center")
        .runs(Rhythm::Customers, 120.0, (1, 2))
        .asks(&[(MINI, 1.0)], Shape::chat(2_400.0, 1_500.0, 220.0))
        .does(&[("answer", 1.0)], "cost-saving", 0.78, Worth::Ticket(3.1))
        .promises(4_500, "0.003")
        .holding(Public),
    plan("fraud-triage", "payments", "Explains suspicious payments to the fraud desk")
        .runs(Rhythm::Customers, 130.0, (1, 1))
        .asks(&[(MINI, 1.0)], Shape::chat(1_900.0, 800.0, 70.0))
        .does(&[("classify", 1.0)], "risk", 0.91, Worth::Money(6.5))
        .promises(3_000, "0.002")
        .holding(Confidential)
        .critical(),
    plan("order-status-bot", "logistics", "Tells customers where their parcel is")
        .runs(Rhythm::Customers, 110.0, (1, 2))
        .asks(&[(NANO, 1.0)], Shape::chat(1_300.0, 260.0, 90.0))
        .does(&[("answer", 1.0)], "cost-saving", 0.88, Worth::Ticket(2.4))
        .promises(2_500, "0.0005"),
    plan("product-recommendations", "storefront", "Picks products that go together")
        .runs(Rhythm::Customers, 140.0, (1, 1))
        .asks(&[(EMBED, 1.0)], Shape::embedding(340.0))
        .does(&[("recommend", 1.0)], "revenue", 0.9, Worth::Sale(0.06, 44.0))
        .promises(500, "0.0001")
        .critical(),
    plan("incident-summaries", "site-reliability", "Writes up incidents while they go on")
        .runs(Rhythm::Customers, 15.0, (2, 4))
        .asks(&[(SONNET, 1.0)], Shape::chat(1_200.0, 7_500.0, 480.0))
        .does(&[("summarize", 1.0)], "risk", 0.9, Worth::Minutes(25.0))
        .promises(15_000, "0.20"),
];

const INSIDE: &[WorkloadPlan] = &[
    plan(SWITCHED, "accounting", "Reads amounts and dates off supplier invoices")
        .runs(Rhythm::Office, 85.0, (1, 2))
        .asks(&[(OPUS, 1.0)], Shape::chat(1_600.0, 2_800.0, 240.0))
        .does(&[("extract", 1.0)], "cost-saving", 0.92, Worth::Minutes(6.0))
        .promises(9_000, "0.04")
        .holding(Confidential),
    plan("product-descriptions", "content", "Writes descriptions of new products")
        .runs(Rhythm::Office, 35.0, (1, 2))
        .asks(&[(GPT, 1.0)], Shape::chat(1_100.0, 600.0, 420.0))
        .does(&[("draft", 1.0)], "revenue", 0.87, Worth::Minutes(14.0))
        .promises(12_000, "0.02")
        .holding(Public),
    plan("clause-search", "legal", "Finds clauses in earlier contracts")
        .runs(Rhythm::Office, 30.0, (1, 1))
        .asks(&[(EMBED_LARGE, 1.0)], Shape::embedding(220.0))
        .does(&[("search", 1.0)], "risk", 0.9, Worth::Minutes(9.0))
        .promises(800, "0.001")
        .holding(Confidential),
    plan("sales-call-summaries", "presales", "Sums up calls with customers")
        .runs(Rhythm::Office, 35.0, (1, 1))
        .asks(&[(SONNET, 1.0)], Shape::chat(700.0, 9_000.0, 520.0))
        .does(&[("summarize", 1.0)], "revenue", 0.91, Worth::Minutes(18.0))
        .promises(15_000, "0.06")
        .holding(Confidential),
    plan("translation", "content", "Translates the shop and its help pages")
        .runs(Rhythm::Office, 40.0, (1, 2))
        .asks(&[(MINI, 1.0)], Shape::chat(500.0, 1_400.0, 1_300.0))
        .does(&[("translate", 1.0)], "cost-saving", 0.94, Worth::Minutes(11.0))
        .promises(16_000, "0.01")
        .holding(Public),
    plan("release-notes", "platform", "Drafts release notes from merged changes")
        .runs(Rhythm::Office, 10.0, (1, 2))
        .asks(&[(SONNET, 1.0)], Shape::chat(900.0, 12_000.0, 650.0))
        .does(&[("draft", 1.0)], "productivity", 0.93, Worth::Minutes(30.0))
        .promises(20_000, "0.10"),
    plan("code-review-bot", "developer-experience", "Comments on merge requests")
        .runs(Rhythm::Office, 62.0, (1, 3))
        .asks(&[(SONNET, 0.8), (CODEX, 0.2)], Shape::chat(6_000.0, 5_200.0, 460.0))
        .does(&[("code-review", 1.0)], "productivity", 0.82, Worth::Minutes(12.0))
        .promises(18_000, "0.12"),
    plan("sql-assistant", "analytics", "Turns questions into queries")
        .runs(Rhythm::Office, 40.0, (2, 4))
        .asks(&[(CODEX, 1.0)], Shape::chat(5_200.0, 600.0, 240.0))
        .does(&[("query", 1.0)], "productivity", 0.81, Worth::Minutes(16.0))
        .promises(9_000, "0.03"),
    plan("policy-answers", "people", "Answers questions on leave, travel and benefits")
        .runs(Rhythm::Office, 40.0, (1, 2))
        .asks(&[(HAIKU, 1.0)], Shape::chat(2_800.0, 500.0, 190.0))
        .does(&[("answer", 1.0)], "productivity", 0.85, Worth::Minutes(5.0))
        .promises(4_000, "0.01"),
    plan("vendor-risk", "procurement", "Researches suppliers before a contract")
        .runs(Rhythm::Office, 6.0, (4, 8))
        .asks(&[(OPUS, 1.0)], Shape::agent(9_000.0, 5_000.0, 900.0))
        .does(&[("research", 1.0)], "risk", 0.76, Worth::Minutes(90.0))
        .promises(40_000, "1.20")
        .holding(Confidential),
    plan("meeting-notes", "it-service", "Writes minutes of recorded meetings")
        .runs(Rhythm::Office, 50.0, (1, 1))
        .asks(&[(HAIKU, 1.0)], Shape::chat(400.0, 7_200.0, 450.0))
        .does(&[("summarize", 1.0)], "productivity", 0.92, Worth::Minutes(12.0))
        .promises(9_000, "0.02"),
    plan("agent-playground", "innovation-lab", "Tries out agents before anyone depends on them")
        .runs(Rhythm::Office, 14.0, (4, 9))
        .asks(&[(GPT_BIG, 0.6), (OPUS, 0.4)], Shape::agent(8_000.0, 2_500.0, 700.0))
        .does(&[("research", 0.7), ("plan", 0.3)], "curiosity", 0.55, Worth::Unknown)
        .exploring(),
];

const NIGHTLY: &[WorkloadPlan] = &[
    plan("document-index", "search", "Keeps the search index of all documents fresh")
        .runs(Rhythm::Night, 220.0, (1, 1))
        .asks(&[(EMBED, 1.0)], Shape::embedding(5_400.0))
        .does(&[("index", 1.0)], "productivity", 0.99, Worth::Unknown)
        .promises(2_000, "0.001"),
    plan("ticket-clustering", "support-apac", "Groups tickets that tell of the same problem")
        .runs(Rhythm::Night, 60.0, (1, 1))
        .asks(&[(EMBED_LARGE, 1.0)], Shape::embedding(2_600.0))
        .does(&[("cluster", 1.0)], "cost-saving", 0.96, Worth::Unknown)
        .promises(2_000, "0.001")
        .holding(Confidential),
    plan("voice-of-customer", "customer-success", "Sums up what customers complain about")
        .runs(Rhythm::Night, 40.0, (1, 1))
        .asks(&[(HAIKU, 1.0)], Shape::chat(0.0, 3_600.0, 230.0))
        .does(&[("summarize", 1.0)], "revenue", 0.93, Worth::Minutes(8.0))
        .promises(30_000, "0.01"),
    plan("expense-audit", "controlling", "Checks expense reports against the rules")
        .runs(Rhythm::Night, 60.0, (1, 1))
        .asks(&[(HAIKU, 1.0)], Shape::chat(0.0, 1_700.0, 90.0))
        .does(&[("classify", 1.0)], "risk", 0.94, Worth::Money(1.8))
        .promises(30_000, "0.004")
        .holding(Confidential),
    plan("lead-scoring", "sales-dach", "Ranks yesterday's leads")
        .runs(Rhythm::Night, 90.0, (1, 1))
        .asks(&[(MINI, 1.0)], Shape::chat(0.0, 1_200.0, 110.0))
        .does(&[("classify", 1.0)], "revenue", 0.88, Worth::Sale(0.02, 310.0))
        .promises(30_000, "0.002"),
    plan("log-explainer", "site-reliability", "Explains unusual log lines of the night")
        .runs(Rhythm::Night, 40.0, (1, 1))
        .asks(&[(HAIKU, 1.0)], Shape::chat(1_200.0, 4_200.0, 260.0))
        .does(&[("summarize", 1.0)], "risk", 0.86, Worth::Minutes(7.0))
        .promises(30_000, "0.01"),
    plan("test-data-maker", "data-platform", "Makes realistic test data")
        .runs(Rhythm::Night, 30.0, (1, 1))
        .asks(&[(NANO, 1.0)], Shape::chat(0.0, 700.0, 1_900.0))
        .does(&[("draft", 1.0)], "productivity", 0.97, Worth::Minutes(4.0))
        .promises(30_000, "0.002"),
    plan("image-alt-text", "storefront", "Describes product pictures for screen readers")
        .runs(Rhythm::Night, 60.0, (1, 1))
        .asks(&[(MINI, 1.0)], Shape::chat(0.0, 1_100.0, 60.0))
        .does(&[("caption", 1.0)], "cost-saving", 0.95, Worth::Minutes(1.0))
        .promises(30_000, "0.001")
        .holding(Public),
    plan("knowledge-gardener", "innovation-lab", "Looks for contradictions in the wiki")
        .runs(Rhythm::Night, 16.0, (3, 6))
        .asks(&[(GPT_BIG, 1.0)], Shape::agent(6_000.0, 2_200.0, 500.0))
        .does(&[("research", 1.0)], "curiosity", 0.5, Worth::Unknown)
        .exploring(),
];

const EVERYONE: &[(Trade, f64)] = &[
    (Trade::Engineering, 0.7),
    (Trade::Data, 0.9),
    (Trade::Product, 1.5),
    (Trade::Support, 0.8),
    (Trade::Sales, 1.0),
    (Trade::Marketing, 1.2),
    (Trade::Finance, 0.8),
    (Trade::Legal, 0.9),
    (Trade::Operations, 1.1),
];

const PEOPLE: &[WorkloadPlan] = &[
    plan(CODING, "platform", "The coding agents of all engineers")
        .used_by(&[(Trade::Engineering, 2.1), (Trade::Data, 0.5)], (4, 16))
        .asks(&[(SONNET, 0.58), (OPUS, 0.24), (CODEX, 0.18)], Shape::agent(24_000.0, 350.0, 420.0))
        .does(
            &[("code-change", 0.55), ("debug", 0.2), ("write-tests", 0.15), ("explain-code", 0.1)],
            "productivity",
            0.8,
            Worth::Minutes(38.0),
        )
        .promises(30_000, "0.80"),
    plan("notebook-assistant", "data-platform", "Helps with notebooks and pipelines")
        .used_by(&[(Trade::Data, 1.3)], (3, 11))
        .asks(&[(CODEX, 0.6), (OPUS, 0.4)], Shape::agent(12_000.0, 900.0, 480.0))
        .does(
            &[("analysis", 0.7), ("code-change", 0.3)],
            "productivity",
            0.77,
            Worth::Minutes(32.0),
        )
        .promises(30_000, "0.60"),
    plan("company-chat", "innovation-lab", "A chat for everyone")
        .used_by(EVERYONE, (1, 4))
        .asks(
            &[(GPT, 0.5), (MINI, 0.25), (SONNET, 0.2), (GPT_BIG, 0.05)],
            Shape::chat(1_300.0, 800.0, 380.0),
        )
        .does(
            &[
                ("summarize", 0.3),
                ("draft", 0.3),
                ("research", 0.15),
                ("translate", 0.15),
                ("brainstorm", 0.1),
            ],
            "productivity",
            0.74,
            Worth::Minutes(7.0),
        )
        .exploring(),
    plan("sales-email-drafts", "sales-dach", "Drafts personal e-mails to customers")
        .used_by(&[(Trade::Sales, 2.6)], (1, 3))
        .asks(&[(GPT, 0.7), (SONNET, 0.3)], Shape::chat(1_500.0, 1_100.0, 310.0))
        .does(&[("draft", 1.0)], "revenue", 0.83, Worth::Sale(0.03, 420.0))
        .promises(9_000, "0.02")
        .holding(Confidential),
    plan("contract-review", "legal", "Compares contracts with our standard clauses")
        .used_by(&[(Trade::Legal, 1.8), (Trade::Finance, 0.15)], (3, 6))
        .asks(&[(OPUS, 1.0)], Shape::chat(5_500.0, 15_000.0, 1_150.0))
        .does(&[("contract-review", 1.0)], "risk", 0.88, Worth::Minutes(70.0))
        .promises(40_000, "0.90")
        .holding(Restricted),
    plan("campaign-writer", "growth", "Drafts and tests campaign texts")
        .used_by(&[(Trade::Marketing, 1.9)], (2, 4))
        .asks(&[(GPT, 0.8), (GPT_BIG, 0.2)], Shape::chat(1_700.0, 700.0, 620.0))
        .does(&[("draft", 0.8), ("brainstorm", 0.2)], "revenue", 0.79, Worth::Minutes(20.0))
        .promises(15_000, "0.06"),
    plan("spec-drafter", "product-management", "Drafts specifications from research notes")
        .used_by(&[(Trade::Product, 0.9)], (2, 5))
        .asks(&[(SONNET, 0.8), (OPUS, 0.2)], Shape::chat(2_000.0, 5_200.0, 900.0))
        .does(&[("draft", 1.0)], "productivity", 0.8, Worth::Minutes(40.0))
        .promises(25_000, "0.25"),
    plan("spreadsheet-helper", "controlling", "Explains and writes formulas, drafts reports")
        .used_by(&[(Trade::Finance, 1.5), (Trade::Operations, 0.4)], (1, 3))
        .asks(&[(MINI, 0.7), (GPT, 0.3)], Shape::chat(1_400.0, 1_900.0, 330.0))
        .does(&[("analysis", 0.6), ("draft", 0.4)], "productivity", 0.86, Worth::Minutes(13.0))
        .promises(9_000, "0.02")
        .holding(Confidential),
    plan("reply-polish", "support-emea", "Polishes replies that agents wrote themselves")
        .used_by(&[(Trade::Support, 3.2)], (1, 2))
        .asks(&[(HAIKU, 1.0)], Shape::chat(1_100.0, 420.0, 200.0))
        .does(&[("ticket-reply", 1.0)], "cost-saving", 0.92, Worth::Minutes(3.0))
        .promises(4_000, "0.004")
        .holding(Confidential),
    plan("research-agent", "innovation-lab", "Deep research with sources")
        .used_by(
            &[
                (Trade::Product, 0.3),
                (Trade::Data, 0.3),
                (Trade::Marketing, 0.2),
                (Trade::Legal, 0.2),
            ],
            (5, 12),
        )
        .asks(&[(GPT_BIG, 0.7), (OPUS, 0.3)], Shape::agent(7_000.0, 6_500.0, 800.0))
        .does(&[("research", 1.0)], "curiosity", 0.66, Worth::Minutes(45.0))
        .exploring(),
    plan(READING, "developer-experience", "Reads a change before a colleague does")
        .used_by(&[(Trade::Engineering, 5.0), (Trade::Data, 2.0)], (1, 2))
        .asks(&[(SONNET, 0.6), (CODEX, 0.25), (MINI, 0.15)], Shape::chat(1_800.0, 2_600.0, 380.0))
        .does(&[("code-review", 1.0)], "productivity", 0.87, Worth::Minutes(6.0))
        .promises(15_000, "0.05"),
];
