/** Prices as lists have them, and how to add one that is missing. */

import { at } from '../../api/client';
import { listAll } from '../../api/list';

export interface RateSet {
  service_tier?: string;
  above_input_tokens?: number;
  input?: string;
  cache_read?: string;
  cache_write_5m?: string;
  cache_write_1h?: string;
  output?: string;
  reasoning?: string;
}

export interface PriceRow {
  list: string;
  version: string;
  provider: string;
  model: string;
  from?: string;
  until?: string;
  rates: RateSet[];
  per_request_usd?: string;
  per_tool_usd?: Record<string, string>;
  modifiers?: { when: string; percent: number }[];
  context_tokens_max?: number;
  output_tokens_max?: number;
}

export const listPrices = (signal?: AbortSignal): Promise<PriceRow[]> =>
  listAll<PriceRow>(at`/api/v1/prices`, {}, signal);

/** Quoted so that no name can end the document or the shell's text early. */
function quoted(text: string): string {
  return JSON.stringify(text);
}

/** A command that adds a price for a model, ready but for the two numbers. */
export function priceCommand(provider: string, model: string): string {
  return [
    "tally apply --set own-prices -f - <<'EOF'",
    'kind: PriceList',
    'name: own-prices',
    'spec:',
    '  source: our contract',
    `  as_of: ${new Date().toISOString().slice(0, 10)}`,
    '  precedence: 10',
    '  entries:',
    `    - provider: ${quoted(provider)}`,
    `      model: ${quoted(model)}`,
    '      # US dollars per million tokens: put in what you pay.',
    '      rates: [{ input: "…", output: "…" }]',
    'EOF',
  ].join('\n');
}

/** One set of rates of one price: what a line of the table shows. */
export interface RateRow {
  id: string;
  price: PriceRow;
  rates: RateSet;
}

/** A line per set of rates; a price with fees only has one line, too. */
export function rateRows(prices: PriceRow[]): RateRow[] {
  return prices.flatMap((price, at) => {
    const sets = price.rates.length > 0 ? price.rates : [{}];
    return sets.map((rates, set) => ({ id: `${at}.${set}`, price, rates }));
  });
}
