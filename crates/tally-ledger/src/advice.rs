//! What to do about a statement: sentences with amounts, out of its own rows.

use std::collections::BTreeMap;

use tally_types::{Environment, PicoUsdSum, Tier};

use crate::{ChargeLine, ChargeRow, print::usd, statement::is_token_meter};

/// A statement gives so many pieces of advice at most.
const ADVICE_MAX: usize = 3;
/// Fewer tokens a call than this are small work.
const SMALL_CALL_TOKENS: u64 = 2_000;
/// Advice is given about a twentieth of the amount and more.
const SHARE: i128 = 20;
/// Prompts are worth a cache from so many tokens a call.
const LONG_PROMPT_TOKENS: u64 = 4_000;

/// What was seen of one workload's use of one model.
#[derive(Debug, Default)]
struct Use {
    tier: Option<Tier>,
    calls: u64,
    tokens: u64,
    uncached: u64,
    cached: u64,
    uncached_pico: i128,
    pico: i128,
}

/// What was seen of a statement's rows.
#[derive(Debug, Default)]
pub struct Observed {
    uses: BTreeMap<(String, String), Use>,
    unregistered_pico: i128,
    experiments_charged_pico: i128,
    idle_pico: i128,
    unallocated_pico: i128,
    unpriced_calls: u64,
    pico: i128,
}

// === impl Observed ===

impl Observed {
    /// Looks at a row.
    pub fn add(&mut self, row: &ChargeRow) {
        let pico = row.amount_usd.pico();
        self.pico += pico;
        if row.line == ChargeLine::Idle {
            self.idle_pico += pico;
        }
        if row.line != ChargeLine::Usage {
            return;
        }
        self.unallocated_pico += row.payment.unallocated_usd.pico();
        if row.environment == Some(Environment::Experimentation) {
            self.experiments_charged_pico += row.payment.charged_usd.pico();
        }
        if row.list_usd.is_none() {
            self.unpriced_calls += row.calls;
        }
        let Some(workload) = &row.workload else {
            self.unregistered_pico += pico;
            return;
        };
        let key = (workload.to_string(), row.model.clone().unwrap_or_default());
        let used = self.uses.entry(key).or_default();
        used.tier = row.tier.or(used.tier);
        used.calls += row.calls;
        used.pico += pico;
        if is_token_meter(&row.meter) {
            used.tokens += row.quantity;
        }
        match row.meter.as_str() {
            "input_uncached" => {
                used.uncached += row.quantity;
                used.uncached_pico += pico;
            }
            "cache_read" | "cache_write_5m" | "cache_write_1h" => used.cached += row.quantity,
            _ => {}
        }
    }

    /// At most three sentences, about the largest amounts first.
    pub fn advice(&self) -> Vec<String> {
        let mut found: Vec<(i128, String)> = Vec::new();
        for ((workload, model), used) in &self.uses {
            found.extend(small_work(workload, model, used));
            found.extend(uncached(workload, model, used));
        }
        let mut say = |pico: i128, text: &str| {
            found.push((pico, text.replace("{}", &usd(PicoUsdSum::from_pico(pico)))));
        };
        say(
            self.unregistered_pico,
            "{} of it belongs to no workload: register what is behind it in the inventory, so \
             that it has an owner and a fallback.",
        );
        say(
            self.experiments_charged_pico,
            "Experiments were charged {}: end some, or move what has proven itself to \
             production.",
        );
        say(
            self.idle_pico,
            "{} of reserved capacity stood idle: move steady work of the models it covers onto \
             it, or reserve less.",
        );
        say(
            self.unallocated_pico,
            "Nobody pays for {} yet: give the calls a cost center, or the cost center a \
             chargeback model.",
        );
        found.retain(|(pico, _)| *pico > 0 && pico.saturating_mul(SHARE) >= self.pico);
        found.sort_by(|(a, first), (b, second)| b.cmp(a).then_with(|| first.cmp(second)));
        let mut advice: Vec<String> = found.into_iter().map(|(_, text)| text).collect();
        if self.unpriced_calls > 0 {
            let text = format!(
                "{} calls have no known price and cost nothing here: import a price list that \
                 names their models, so that the next ones are charged.",
                self.unpriced_calls
            );
            advice.insert(0, text);
        }
        advice.truncate(ADVICE_MAX);
        advice
    }
}

fn small_work(workload: &str, model: &str, used: &Use) -> Option<(i128, String)> {
    let each = used.tokens.checked_div(used.calls)?;
    if used.tier != Some(Tier::Frontier) || each >= SMALL_CALL_TOKENS {
        return None;
    }
    let text = format!(
        "`{workload}` paid {} for {} calls of `{model}`, a frontier model, with {each} tokens each \
         on average: try a standard or economy model for such small work.",
        usd(PicoUsdSum::from_pico(used.pico)),
        used.calls,
    );
    Some((used.pico, text))
}

fn uncached(workload: &str, model: &str, used: &Use) -> Option<(i128, String)> {
    let prompt = used.uncached.checked_div(used.calls)?;
    let share = (used.uncached * 100).checked_div(used.uncached + used.cached)?;
    if prompt < LONG_PROMPT_TOKENS || share < 70 {
        return None;
    }
    let text = format!(
        "`{workload}` paid {} for prompts of `{model}` that no cache served ({share} % of all \
         prompt tokens, {prompt} a call): put what repeats first and mark it for the cache.",
        usd(PicoUsdSum::from_pico(used.uncached_pico)),
    );
    Some((used.uncached_pico, text))
}
