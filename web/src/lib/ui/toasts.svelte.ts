/** Short notes on what was just done, with a way back where there is one. */

export interface Toast {
  id: number;
  text: string;
  tone: 'ok' | 'bad';
  undo?: () => void;
}

let next = 0;

class Toasts {
  items = $state.raw<Toast[]>([]);

  show(text: string, options: { tone?: 'ok' | 'bad'; undo?: () => void } = {}): void {
    const toast: Toast = { id: next++, text, tone: options.tone ?? 'ok', undo: options.undo };
    this.items = [...this.items.slice(-2), toast];
    // A failure stays until it is read.
    if (toast.tone === 'ok') setTimeout(() => this.dismiss(toast.id), toast.undo ? 10_000 : 5_000);
  }

  dismiss(id: number): void {
    this.items = this.items.filter((toast) => toast.id !== id);
  }
}

export const toasts = new Toasts();
