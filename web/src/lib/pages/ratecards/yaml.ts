/** Rate cards as YAML; the parser is fetched only where it is needed. */

import type { RateCardSpec } from '../../api/statements';

/** Where a text is not YAML, in words. */
export class NotYaml extends Error {}

export async function toYaml(value: object): Promise<string> {
  const { dump } = await import('js-yaml');
  return dump(value, { lineWidth: 100, noRefs: true });
}

/** Amounts stay the digits that were written: nothing passes through a float. */
export async function fromYaml(text: string): Promise<RateCardSpec> {
  const { FAILSAFE_SCHEMA, YAMLException, load } = await import('js-yaml');
  try {
    const read: unknown = load(text, { schema: FAILSAFE_SCHEMA });
    if (typeof read !== 'object' || read === null || Array.isArray(read)) {
      throw new NotYaml('Expected the fields of a rate card, such as `from: "2027-01-01"`.');
    }
    // A file to apply holds the card as its `spec`.
    const { spec } = read as { spec?: RateCardSpec };
    return spec ?? (read as RateCardSpec);
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const { line, column } = error.mark ?? {};
    const where = line === undefined ? '' : `Line ${line + 1}, column ${(column ?? 0) + 1}: `;
    throw new NotYaml(`${where}${error.reason}`);
  }
}
