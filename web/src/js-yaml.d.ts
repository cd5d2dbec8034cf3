/** What is used of js-yaml, which brings no types of its own. */
declare module 'js-yaml' {
  export class YAMLException extends Error {
    reason: string;
    mark?: { line: number; column: number };
  }
  export const FAILSAFE_SCHEMA: object;
  export function load(text: string, options?: { schema?: object }): unknown;
  export function dump(value: unknown, options?: { lineWidth?: number; noRefs?: boolean }): string;
}
