/** What a table is told about its columns. */

import type { Snippet } from 'svelte';

export interface TableColumn<Row> {
  id: string;
  label: string;
  /** Numbers go to the right. */
  align?: 'start' | 'end';
  sortable?: boolean;
  /** What the column means, on hover. */
  hint?: string;
  /** The text of a cell, unless it has a snippet. */
  text?: (row: Row) => string;
  /** The exact value, on hover. */
  exact?: (row: Row) => string | undefined;
  /** Given the row and the column's id, so that columns of one kind share it. */
  cell?: Snippet<[row: Row, column: string]>;
  /** Makes the text a link. */
  href?: (row: Row) => string | undefined;
  /** A CSS width such as `120px`. */
  width?: string;
  /** Left out where there is little room. */
  optional?: boolean;
}

export interface Sort {
  by: string;
  desc: boolean;
}

/** The order after a click on a heading: numbers largest first, text from A, then the other way. */
export function nextSort(sort: Sort | null, column: { id: string; align?: 'start' | 'end' }): Sort {
  if (sort?.by === column.id) return { by: column.id, desc: !sort.desc };
  return { by: column.id, desc: column.align === 'end' };
}
