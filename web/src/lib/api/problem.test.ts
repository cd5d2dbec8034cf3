import { describe, expect, it } from 'vitest';
import { Problem, asProblem } from './problem';

describe('problems', () => {
  it('are read from problem documents', async () => {
    const body = JSON.stringify({
      title: 'Not found',
      code: 'not_found',
      detail: 'there is no Team `x`',
      next_step: 'list the teams',
      errors: [{ field: 'spec.team', message: 'unknown' }],
    });
    const problem = await Problem.from(
      new Response(body, { status: 404, headers: { 'retry-after': '7' } }),
    );
    expect(problem).toMatchObject({
      status: 404,
      code: 'not_found',
      detail: 'there is no Team `x`',
      nextStep: 'list the teams',
      retryAfter: 7,
    });
    expect(problem.errors).toHaveLength(1);
  });

  it('are made of whatever a proxy answers', async () => {
    const page = new Response('<html>Bad gateway</html>', { status: 500, statusText: 'Broken' });
    expect(await Problem.from(page)).toMatchObject({
      code: 'http_500',
      title: 'Broken',
      detail: '',
    });
    const odd = new Response('{"code":5,"errors":"x"}', { status: 400 });
    expect(await Problem.from(odd)).toMatchObject({ code: 'http_400', errors: [] });
  });

  it('are not what a newer question cut short', () => {
    expect(asProblem(new DOMException('x', 'AbortError'))).toBeNull();
    expect(asProblem(new Error('boom'))?.code).toBe('page_error');
    expect(Problem.away().isAway).toBe(true);
  });
});
