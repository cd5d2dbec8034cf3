/** Policies in plain words. */

import type {
  PolicyDecision,
  PolicyEffect,
  PolicyOverride,
  PolicyRule,
  PolicySpec,
  RuleEffect,
  RuleOverride,
  Severity,
  Standing,
} from '../../api/guardrails';
import { words } from '../../format';
import { type Tone, listed } from '../budgets/words';

export const SEVERITIES: { name: Severity; label: string; tone: Tone; meaning: string }[] = [
  { name: 'severe', label: 'Severe', tone: 'bad', meaning: 'Needs a person now' },
  { name: 'high', label: 'High', tone: 'bad', meaning: 'Needs a fix soon' },
  { name: 'medium', label: 'Medium', tone: 'warn', meaning: 'Worth a fix' },
  { name: 'low', label: 'Low', tone: 'neutral', meaning: 'Worth a look' },
];

const DECISIONS: Record<PolicyDecision | PolicyEffect, { label: string; tone: Tone }> = {
  deny: { label: 'Refused', tone: 'bad' },
  review: { label: 'Sent to review', tone: 'warn' },
  reroute: { label: 'Rerouted', tone: 'accent' },
  degrade: { label: 'Degraded', tone: 'accent' },
  redact: { label: 'Redacted', tone: 'accent' },
  log: { label: 'Recorded', tone: 'neutral' },
  allow: { label: 'Passes', tone: 'ok' },
};

export const decisionOf = (decision: PolicyDecision | PolicyEffect) => DECISIONS[decision];

export const STANDINGS: Record<Standing, { label: string; tone: Tone; meaning: string }> = {
  acts: { label: 'Acts', tone: 'accent', meaning: 'It holds and acts' },
  waived: { label: 'Waived', tone: 'warn', meaning: 'It holds, but an exception waives it' },
  shadow: { label: 'Shadow', tone: 'neutral', meaning: 'It holds, but only watches' },
  silent: { label: 'Does not hold', tone: 'neutral', meaning: 'Its condition is not met' },
  not_in_force: {
    label: 'Not in force here',
    tone: 'neutral',
    meaning: 'Switched off for this part of the company, or in a pilot elsewhere',
  },
};

/** What a rule does, and how that looks. */
export function effectOf(effect: RuleEffect): { label: string; tone: Tone } {
  if (typeof effect === 'string') {
    switch (effect) {
      case 'allow':
        return { label: 'Allow', tone: 'ok' };
      case 'deny':
        return { label: 'Deny', tone: 'bad' };
      case 'review':
        return { label: 'Review', tone: 'warn' };
      case 'register':
        return { label: 'Register first', tone: 'bad' };
      case 'degrade':
        return { label: 'Degrade', tone: 'accent' };
      case 'log':
        return { label: 'Record only', tone: 'neutral' };
    }
  }
  if ('redact' in effect) {
    return { label: `Redact ${listed(effect.redact.map(words))}`, tone: 'accent' };
  }
  if ('reroute' in effect) return { label: `Reroute to ${effect.reroute}`, tone: 'accent' };
  const { tier, to } = effect.degrade;
  return { label: `Degrade to ${to ?? tier ?? 'a cheaper model'}`, tone: 'accent' };
}

/** Whether a policy only watches, and for whom. */
export function forceOf({ shadow }: PolicySpec): { label: string; tone: Tone; meaning: string } {
  if (shadow === true) {
    const meaning = 'It decides and records for everyone, and acts for no one';
    return { label: 'Shadow', tone: 'neutral', meaning };
  }
  if (shadow) {
    const meaning = 'It decides and records for these teams only, and acts for no one';
    return { label: `Pilot: ${listed(shadow.teams)}`, tone: 'accent', meaning };
  }
  return { label: 'In force', tone: 'ok', meaning: 'It holds for everyone' };
}

/** team support */
export function whomOf({ for: whom }: PolicyOverride): string {
  const [[what, name] = ['', '']] = Object.entries(whom);
  return `${what} ${name}`;
}

export interface Difference {
  /** Whose words they are. */
  by: string;
  /** What is different about the rule there. */
  changes: string[];
}

/** What parts of the company say otherwise about a rule; the rest is inherited. */
export function differencesOf(spec: PolicySpec, id: string): Difference[] {
  return (spec.overrides ?? []).flatMap((override) =>
    override.rules
      .filter((rule) => rule.id === id)
      .map((rule) => ({ by: whomOf(override), changes: changesOf(rule) })),
  );
}

function changesOf({ then, off, severity, says }: RuleOverride): string[] {
  const changes: string[] = [];
  if (off) changes.push('does not apply');
  if (then) changes.push(effectOf(then).label.toLowerCase());
  if (severity) changes.push(`severity ${severity}`);
  if (says) changes.push(`says “${says}”`);
  return changes;
}

/** `data-classes/no-secrets` */
export const ruleName = (policy: string, rule: PolicyRule): string => `${policy}/${rule.id}`;

/** The place of a rule on the page of policies. */
export const ruleHref = (rule: string): string => `/policies?q=${encodeURIComponent(rule)}`;

export const violationsHref = (rule: string): string =>
  `/violations?rule=${encodeURIComponent(rule)}`;

/** A request for an exception, with what is known of it. */
export function askHref(rule: string, scope: Record<string, string | null | undefined> = {}) {
  const query = new URLSearchParams({ rule });
  for (const [name, value] of Object.entries(scope)) if (value) query.set(name, value);
  return `/exceptions/new?${query}`;
}
