/** Makes elements. Text goes in as text only: what a job prints is never HTML. */

import { t } from './core/language.js';

type Attributes = Record<string, string | boolean>;

/** Attributes that a person reads or hears; they are told in the page's language. */
const TOLD = new Set(['title', 'aria-label', 'placeholder']);

export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  node.className = className;
  for (const [name, value] of Object.entries(attributes)) {
    node.toggleAttribute(name, value !== false);
    if (typeof value === 'string') {
      node.setAttribute(name, TOLD.has(name) ? t(value) : value);
    }
  }
  node.append(...children);
  return node;
}

export function button(label: string, title: string, act: () => void): HTMLButtonElement {
  const node = element('button', 'tj-Button', { type: 'button', title }, t(label));
  node.addEventListener('click', act);
  return node;
}

/** Write `told` where it differs, so that a selection and the screen reader are left in peace. */
export function write(node: Element, told: string): void {
  if (node.textContent !== told) {
    node.textContent = told;
  }
}

export function show(node: HTMLElement, isShown: boolean): void {
  node.hidden = !isShown;
}

/** Calls all listeners each second, while there are any and someone looks at the page. */
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | null = null;

export function eachSecond(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => document.hidden || listeners.forEach(each => each()), 1000);
  return () => {
    listeners.delete(listener);
    if (!listeners.size && timer !== null) {
      clearInterval(timer);
      timer = null;
    }
  };
}
