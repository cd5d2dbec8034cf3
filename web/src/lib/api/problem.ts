/** Why a request failed, in words a person can act on. */

export interface FieldError {
  resource?: string;
  origin?: string;
  field?: string;
  message: string;
  suggestion?: string;
}

export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly nextStep: string | null;
  readonly errors: FieldError[];
  /** Seconds after which the server is willing to be asked again. */
  readonly retryAfter: number | null;

  constructor(of: {
    status: number;
    code: string;
    title: string;
    detail?: string;
    nextStep?: string | null;
    errors?: FieldError[];
    retryAfter?: number | null;
  }) {
    super(of.detail || of.title);
    this.name = 'Problem';
    this.status = of.status;
    this.code = of.code;
    this.title = of.title;
    this.detail = of.detail ?? '';
    this.nextStep = of.nextStep ?? null;
    this.errors = of.errors ?? [];
    this.retryAfter = of.retryAfter ?? null;
  }

  /** The server could not be reached at all. */
  get isAway(): boolean {
    return this.code === 'server_away';
  }

  static away(): Problem {
    return new Problem({
      status: 0,
      code: 'server_away',
      title: 'Tally does not answer',
      detail: 'The server cannot be reached.',
      nextStep: 'It is asked again by itself; nothing you entered is lost.',
    });
  }

  /** From an answer that is not a success; tolerates bodies that are no problem document. */
  static async from(response: Response): Promise<Problem> {
    const after = Number(response.headers.get('retry-after') ?? Number.NaN);
    const retryAfter = Number.isFinite(after) ? after : null;
    let body: Record<string, unknown> = {};
    try {
      const parsed: unknown = JSON.parse(await response.text());
      if (parsed && typeof parsed === 'object') body = parsed as Record<string, unknown>;
    } catch {
      // A proxy's page, or nothing: the status has to do.
    }
    const text = (name: string): string | null =>
      typeof body[name] === 'string' ? (body[name] as string) : null;
    return new Problem({
      status: response.status,
      code: text('code') ?? `http_${response.status}`,
      title: text('title') ?? (response.statusText || `Status ${response.status}`),
      detail: text('detail') ?? '',
      nextStep: text('next_step'),
      errors: Array.isArray(body.errors) ? (body.errors as FieldError[]) : [],
      retryAfter,
    });
  }
}

/** Whatever was thrown, as a problem; null when a newer request replaced this one. */
export function asProblem(error: unknown): Problem | null {
  if (error instanceof Problem) return error;
  if (error instanceof DOMException && error.name === 'AbortError') return null;
  const detail = error instanceof Error ? error.message : String(error);
  return new Problem({ status: 0, code: 'page_error', title: 'This page failed', detail });
}
