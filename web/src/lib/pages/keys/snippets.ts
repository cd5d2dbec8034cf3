/** How to use a key with what people already have. */
export interface Snippet {
  id: string;
  label: string;
  text: string;
}

/**
 * Ready to paste. `secret` stands in them once, where the client looks for it;
 * without it a placeholder does.
 */
export function snippets(origin: string, secret: string): Snippet[] {
  return [
    {
      id: 'claude-code',
      label: 'Claude Code',
      text: `export ANTHROPIC_BASE_URL=${origin}\nexport ANTHROPIC_AUTH_TOKEN=${secret}\nclaude`,
    },
    {
      id: 'openai',
      label: 'OpenAI SDK',
      text: [
        'from openai import OpenAI',
        '',
        `client = OpenAI(base_url="${origin}/v1", api_key="${secret}")`,
        'reply = client.chat.completions.create(',
        '    model="gpt-5-mini",',
        '    messages=[{"role": "user", "content": "Hello"}],',
        ')',
        'print(reply.choices[0].message.content)',
      ].join('\n'),
    },
    {
      id: 'anthropic',
      label: 'Anthropic SDK',
      text: [
        'from anthropic import Anthropic',
        '',
        `client = Anthropic(base_url="${origin}", api_key="${secret}")`,
        'reply = client.messages.create(',
        '    model="claude-haiku-4-5",',
        '    max_tokens=1024,',
        '    messages=[{"role": "user", "content": "Hello"}],',
        ')',
        'print(reply.content[0].text)',
      ].join('\n'),
    },
    {
      id: 'curl',
      label: 'curl',
      text: [
        `curl ${origin}/v1/chat/completions \\`,
        `  -H "authorization: Bearer ${secret}" \\`,
        '  -H "content-type: application/json" \\',
        `  -d '{"model": "gpt-5-mini", "messages": [{"role": "user", "content": "Hello"}]}'`,
      ].join('\n'),
    },
  ];
}
