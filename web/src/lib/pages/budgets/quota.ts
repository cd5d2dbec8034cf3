/** My quota: what happens to my calls, now and next. */

import type { BudgetStage, BudgetUse } from '../../api/budgets';
import { usedShare } from './list';
import { toYou } from './words';

/** The first stage that is still ahead. */
export function nextStage(use: BudgetUse): BudgetStage | null {
  const used = usedShare(use) * 100;
  return use.stages.find(({ stage }) => stage.at > used)?.stage ?? null;
}

/** The stage that decides what calls get now; null while they go on as they are. */
export function bindingStage(use: BudgetUse): BudgetStage | null {
  if (use.state === 'ok' || use.state === 'notified') return null;
  const used = usedShare(use) * 100;
  const reached = use.stages.filter(({ stage }) => stage.at <= used);
  const matching = reached.findLast(({ stage, approved }) => {
    if (use.state === 'denied') return stage.deny;
    if (use.state === 'degraded') return Boolean(stage.degrade);
    return Boolean(stage.approval?.length) && approved !== true;
  });
  return (matching ?? reached.at(-1))?.stage ?? null;
}

/** What calls get now, in a sentence. */
export function nowWords(use: BudgetUse): string {
  const binding = bindingStage(use);
  if (use.state === 'denied')
    return 'Your calls are refused until the window ends or more is granted.';
  if (!binding) {
    return use.state === 'degraded'
      ? 'Your calls are served with less.'
      : 'Your calls go on as they are.';
  }
  if (use.state === 'approval') {
    const words = toYou(binding);
    return `It waits for approval: ${words}.`;
  }
  const words = toYou(binding);
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}

/** What comes next, in a sentence; null where nothing more does. */
export function nextWords(use: BudgetUse): string | null {
  const stage = nextStage(use);
  return stage ? `At ${stage.at} % ${toYou(stage)}.` : null;
}
