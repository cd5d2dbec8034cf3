/** Comma-separated values that spreadsheets read as they are meant. */

export type CsvCell = string | number | null | undefined;

export function csvText(lines: CsvCell[][]): string {
  return lines.map((line) => line.map(cell).join(',') + '\r\n').join('');
}

function cell(value: CsvCell): string {
  const text = String(value ?? '');
  // A spreadsheet takes what begins like a formula for one.
  const safe = /^[=+@\t]|^-(?!\d)/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
