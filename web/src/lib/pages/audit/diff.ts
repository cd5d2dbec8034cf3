/** One field that differs between two specs. */
export interface FieldChange {
  field: string;
  before: string | null;
  after: string | null;
}

type Flat = Map<string, string>;

function flatten(value: unknown, path: string, into: Flat): void {
  if (value !== null && typeof value === 'object') {
    const entries = Object.entries(value as Record<string, unknown>);
    if (entries.length === 0) into.set(path, Array.isArray(value) ? '[]' : '{}');
    for (const [key, inner] of entries) {
      const step = Array.isArray(value) ? `[${key}]` : path ? `.${key}` : key;
      flatten(inner, path + step, into);
    }
    return;
  }
  if (value !== undefined)
    into.set(path, typeof value === 'string' ? value : JSON.stringify(value));
}

/** What changed from one spec to another, field by field, in the order of the fields. */
export function changes(before: unknown, after: unknown): FieldChange[] {
  const old: Flat = new Map();
  const now: Flat = new Map();
  if (before !== null && before !== undefined) flatten(before, '', old);
  if (after !== null && after !== undefined) flatten(after, '', now);
  const fields = [...new Set([...old.keys(), ...now.keys()])];
  return fields
    .map((field) => ({ field, before: old.get(field) ?? null, after: now.get(field) ?? null }))
    .filter((change) => change.before !== change.after)
    .sort((a, b) => a.field.localeCompare(b.field, 'en', { numeric: true }));
}
