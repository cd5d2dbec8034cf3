/** What the API says of scoreboards: boards, the score taken apart, and one's own choice. */

import { api, at } from './client';
import type { components } from './schema';

type Schemas = components['schemas'];

export type Overview = Schemas['ScoreboardsOverview'];
export type Board = Schemas['Scoreboard'];
export type Row = Schemas['ScoreboardRow'];
export type BoardName = Schemas['Board'];
export type Of = Schemas['Competitors'];
export type Season = Schemas['Season'];
export type TaskType = Schemas['ScoreboardTaskType'];
export type TitleShown = Schemas['ScoreboardTitle'];
export type StandingsChanged = Schemas['StandingsChanged'];
export type Award = Schemas['ScoreboardAward'];
export type Explained = Schemas['ScoreExplained'];
export type Choice = Schemas['MyScoreboardChoice'];
export type ShownAs = Schemas['ShownAs'];

/** The ids of the operations that `me` lists. */
export const BOARDS = {
  list: 'getScoreboards',
  board: 'getScoreboard',
  explain: 'explainScore',
  award: 'getScoreboardAward',
  choice: 'getMyScoreboardChoice',
  choose: 'putMyScoreboardChoice',
} as const;

export interface BoardQuery {
  board: BoardName;
  of: Of;
  season: string | null;
  /** Empty for tasks without a type, null for all types. */
  task_type: string | null;
  search: string | null;
  after: string | null;
  around: 'me' | null;
}

export const getOverview = (season: string | null, signal?: AbortSignal): Promise<Overview> =>
  api.get('/api/v1/scoreboards', { query: { season }, signal });

export const getBoard = ({ board, ...query }: BoardQuery, signal?: AbortSignal): Promise<Board> =>
  api.get(at`/api/v1/scoreboards/${board}`, { query, signal });

export const explain = (
  query: { of: Of; name: string | null; season: string | null },
  signal?: AbortSignal,
): Promise<Explained> => api.get('/api/v1/scoreboards/explain', { query, signal });

export const getAward = (quarter: string | null, signal?: AbortSignal): Promise<Award> =>
  api.get('/api/v1/scoreboards/award', { query: { quarter }, signal });

const CHOICE = '/api/v1/me/scoreboard-choice';

export const getChoice = (_: unknown, signal?: AbortSignal): Promise<Choice> =>
  api.get(CHOICE, { signal });

export const choose = (choice: { shown: ShownAs; pseudonym?: string }): Promise<Choice> =>
  api.put(CHOICE, choice);
