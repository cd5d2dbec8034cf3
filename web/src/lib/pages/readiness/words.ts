/** The readiness of teams in plain words, and where each line is mended. */

import type { ReadinessItem, TeamReadiness } from '../../api/catalog';

interface Line {
  label: string;
  /** In the head of a narrow column. */
  short: string;
  /** What it asks for. */
  meaning: string;
  /** Where it is mended, as far as the page of a team goes. */
  link: (team: string) => { href: string; label: string };
  command: (team: string) => string;
}

const ofTeam = (team: string) =>
  `tally get team ${team} > team.yaml\n# change it, then:\ntally apply -f team.yaml`;

const LINES: Record<string, Line> = {
  access_approvals: {
    label: 'Access approvals',
    short: 'Access',
    meaning: 'Keys of its people end by themselves, or were asked for',
    link: () => ({ href: '/settings?tab=organization', label: 'Settings of the organization' }),
    command: () =>
      'tally get organization > organization.yaml\n# own_keys: on_request, then:\ntally apply -f organization.yaml',
  },
  usage_tagging: {
    label: 'Usage tagging',
    short: 'Tagging',
    meaning: 'At least 80 % of its spend is for a workload of the catalog',
    link: () => ({ href: '/inventory', label: 'Register what was seen' }),
    command: () => 'tally inventory',
  },
  quotas: {
    label: 'Quotas',
    short: 'Quotas',
    meaning: 'A budget holds for it',
    link: () => ({ href: '/budgets', label: 'Budgets' }),
    command: (team) =>
      `cat > budget.yaml <<'END'\nkind: Budget\nname: ${team}-month\nspec:\n  owner: …\n  scope: { team: ${team} }\n  limit: { usd: "1000" }\n  window: { calendar: month }\nEND\ntally apply -f budget.yaml`,
  },
  fallback_paths: {
    label: 'Fallback paths',
    short: 'Fallback',
    meaning: 'Each of its workloads says what happens when its first choice is not to be had',
    link: () => ({ href: '/catalog?missing=fallback', label: 'Workloads without a fallback' }),
    command: () => 'tally catalog',
  },
  audit_log: {
    label: 'Audit log',
    short: 'Audit',
    meaning: 'Somebody has the role to review it',
    link: () => ({ href: '/settings?tab=people', label: 'Roles of people' }),
    command: () =>
      'tally get person … > person.yaml\n# roles: [auditor], then:\ntally apply -f person.yaml',
  },
  incident_response: {
    label: 'Incident response',
    short: 'Incidents',
    meaning: 'Its manager can be reached, and somebody stands in for them',
    link: (team) => ({ href: `/teams/${encodeURIComponent(team)}`, label: 'The team' }),
    command: ofTeam,
  },
};

export const ITEMS = Object.keys(LINES);

export const lineOf = (item: string): Line =>
  LINES[item] ?? {
    label: item.replaceAll('_', ' '),
    short: item.replaceAll('_', ' '),
    meaning: '',
    link: (team) => ({ href: `/teams/${encodeURIComponent(team)}`, label: 'The team' }),
    command: ofTeam,
  };

export const itemOf = ({ items }: TeamReadiness, name: string): ReadinessItem | undefined =>
  items.find(({ item }) => item === name);

export const met = ({ items }: TeamReadiness): number => items.filter(({ ok }) => ok).length;

/** The furthest from ready first. */
export function byNeed(teams: TeamReadiness[]): TeamReadiness[] {
  return teams.toSorted((a, b) => met(a) - met(b) || a.team.localeCompare(b.team));
}

/** Of how many teams a line is met. */
export function countOf(teams: TeamReadiness[], name: string): number {
  return teams.filter((team) => itemOf(team, name)?.ok).length;
}

/** A sentence with what stands in ticks apart, to be set as code. */
export function pieces(text: string): { text: string; code: boolean }[] {
  return text
    .split('`')
    .map((piece, at) => ({ text: piece, code: at % 2 === 1 }))
    .filter((piece) => piece.text !== '');
}
