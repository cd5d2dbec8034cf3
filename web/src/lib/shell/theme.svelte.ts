/** Light, dark, or as the system says; static/theme.js applies it before the first paint. */

export type Theme = 'light' | 'dark' | 'system';

const NAME = 'tally.theme';

function stored(): Theme {
  try {
    const text = localStorage.getItem(NAME);
    return text === 'light' || text === 'dark' ? text : 'system';
  } catch {
    return 'system';
  }
}

class ThemeChoice {
  choice = $state<Theme>(stored());
  /** Raised when colours changed; canvases draw again. */
  changes = $state(0);

  // The build looks at modules outside of any browser.
  #system = globalThis.matchMedia?.('(prefers-color-scheme: dark)');

  constructor() {
    this.#system?.addEventListener('change', () => this.#apply());
  }

  set(theme: Theme): void {
    this.choice = theme;
    try {
      if (theme === 'system') localStorage.removeItem(NAME);
      else localStorage.setItem(NAME, theme);
    } catch {
      // It holds until the page is closed.
    }
    this.#apply();
  }

  next(): void {
    this.set(this.choice === 'system' ? 'light' : this.choice === 'light' ? 'dark' : 'system');
  }

  #apply(): void {
    const dark = this.choice === 'dark' || (this.choice === 'system' && this.#system?.matches);
    document.documentElement.dataset.theme = dark ? 'dark' : 'light';
    this.changes += 1;
  }
}

export const theme = new ThemeChoice();
