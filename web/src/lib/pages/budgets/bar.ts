/** Where everything on a budget's bar is, in percent of its width. */

import type { BudgetUse } from '../../api/budgets';
import { plus, shareOf } from './amount';

export interface Piece {
  /** Both in percent of the width. */
  left: number;
  width: number;
}

export interface Mark {
  /** Of the limit, in percent. */
  at: number;
  left: number;
  kind: 'stage' | 'limit' | 'ceiling';
  isReached: boolean;
}

export interface BarGeometry {
  /** Used within the limit, beyond it, and held by calls under way. */
  used: Piece;
  over: Piece | null;
  reserved: Piece | null;
  /** Where it would end at this pace. */
  projected: number | null;
  marks: Mark[];
  /** Whether something lies beyond the right edge. */
  isCut: boolean;
}

/** A bar ends a little after its limit, and never shows more than twice of it. */
const ROOM = 1.04;
const MOST = 2;
/** Guesses do not squeeze what is known. */
const GUESS_MOST = 1.3;

export function barOf(use: BudgetUse): BarGeometry {
  const settled = shareOf(use.settled, use.limit);
  const held = shareOf(plus(use.settled, use.reserved), use.limit);
  const ceiling = use.ceiling ? shareOf(use.ceiling, use.limit) : null;
  const projected = use.projected ? shareOf(use.projected, use.limit) : null;
  const stages = use.stages.map(({ stage }) => stage.at / 100);
  const farthest = Math.max(1, held, ceiling ?? 0, ...stages);
  const guess = Math.min(GUESS_MOST, projected ?? 0);
  const top = Math.min(MOST, Math.max(ROOM, guess * 1.01, farthest * (farthest > 1 ? 1.03 : ROOM)));
  const place = (share: number) => round((Math.min(share, top) / top) * 100);
  const piece = (from: number, to: number): Piece | null => {
    const left = place(from);
    const width = round(place(to) - left);
    return width > 0 ? { left, width } : null;
  };
  const marks: Mark[] = use.stages
    .filter(({ stage }) => stage.at !== 100)
    .map(({ stage, reached_at }) => ({
      at: stage.at,
      left: place(stage.at / 100),
      kind: stage.deny ? 'ceiling' : 'stage',
      isReached: Boolean(reached_at),
    }));
  const deniesAtLimit = use.stages.some(({ stage }) => stage.at === 100 && stage.deny);
  marks.push({
    at: 100,
    left: place(1),
    kind: deniesAtLimit ? 'ceiling' : 'limit',
    isReached: settled >= 1,
  });
  if (ceiling !== null && !marks.some((mark) => mark.kind === 'ceiling')) {
    marks.push({
      at: Math.round(ceiling * 100),
      left: place(ceiling),
      kind: 'ceiling',
      isReached: settled >= ceiling,
    });
  }
  return {
    used: piece(0, Math.min(settled, 1)) ?? { left: 0, width: 0 },
    over: settled > 1 ? piece(1, settled) : null,
    reserved: piece(settled, held),
    projected: projected === null ? null : place(projected),
    marks: marks.sort((a, b) => a.at - b.at),
    isCut: Math.max(farthest, projected ?? 0) > top,
  };
}

function round(value: number): number {
  return Number.isFinite(value) ? Math.round(value * 1_000) / 1_000 : 100;
}
