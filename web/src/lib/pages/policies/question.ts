/** A call that somebody asks about, as addresses hold it. */

import type { PolicyQuestion } from '../../api/guardrails';

export const DATA_CLASSES = ['public', 'internal', 'confidential', 'restricted'] as const;

/** What the address holds of a call; all but the numbers and the marks are names. */
export const NAMES = [
  'person',
  'workload',
  'model',
  'provider',
  'data_class',
  'task_type',
] as const;
export const TOKENS = 'tokens';
export const IMAGES = 'images';

/** The call that an address asks about; null where it names none. */
export function readQuestion(parameters: URLSearchParams): PolicyQuestion | null {
  const question: PolicyQuestion = {};
  for (const name of NAMES) {
    const value = parameters.get(name);
    if (value && name !== 'data_class') question[name] = value;
  }
  const dataClass = DATA_CLASSES.find((one) => one === parameters.get('data_class'));
  if (dataClass) question.data_class = dataClass;
  const tokens = Number(parameters.get(TOKENS) ?? 0);
  if (Number.isInteger(tokens) && tokens > 0) question.token_estimate = tokens;
  if (parameters.get(IMAGES) === 'yes') question.images = true;
  return Object.keys(question).length > 0 ? question : null;
}
