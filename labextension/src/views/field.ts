/** One field of a form: its label, its control with its limits, and what is wrong with it while one types. */

import { t } from '../core/language.js';
import { choices, fault, limits, type FieldRules } from '../core/rules.js';
import { button, element, show, write } from '../dom.js';
import { text } from '../job.js';
import { printable } from '../words.js';

/** Makes what chooses a file for a field; it lies below the field until something is chosen. */
export type Pick = (given: {
  label: string;
  wanted: string;
  address: string;
  done: (address: string | null) => void;
}) => { node: HTMLElement; focus(): void };

type Control = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

export interface FieldGiven {
  rules: FieldRules;
  /** What it is called where the rules have no title. */
  name: string;
  value?: unknown;
  isNeeded?: boolean;
  /** Several lines, as a script has. */
  isLong?: boolean;
  /** What may be meant, offered while one types. */
  offered?: readonly string[];
  /** Chooses a file, for fields that name one. */
  pick?: Pick;
  changed: () => void;
}

let count = 0;

export class Field {
  readonly node = element('div', 'tj-FormField');

  constructor(private readonly given: FieldGiven) {
    this.rules = given.rules;
    this.first = text(given.value);
    const id = `tj-field-${(count += 1)}`;
    this.control = this.made();
    this.control.id = id;
    this.control.classList.add('tj-Input');
    this.control.setAttribute('aria-describedby', `${id}-limit ${id}-help ${id}-fault`);
    this.control.toggleAttribute('required', given.isNeeded === true);
    this.limitWords.id = `${id}-limit`;
    this.help.id = `${id}-help`;
    this.trouble.id = `${id}-fault`;
    const label = printable(t(given.rules.title || given.name)) + (given.isNeeded ? ' *' : '');
    write(this.help, printable(text(given.rules.description)));
    show(this.help, this.help.textContent !== '');
    const line = element('div', 'tj-FormLine', {}, this.control, this.slider, this.limitWords);
    if (given.pick && given.rules['x-picker']) {
      this.browse.title = t('Choose for {field}', { field: label });
      line.append(this.browse);
    }
    this.offers.id = `${id}-offered`;
    line.append(this.offers);
    this.offer(given.offered ?? []);
    this.node.append(element('label', 'tj-Label', { for: id }, label), line, this.place, this.help, this.trouble);
    this.slider.setAttribute('aria-label', t('{field}: slider', { field: label }));
    this.control.addEventListener('input', () => this.typed());
    this.control.addEventListener('change', () => this.typed());
    this.slider.addEventListener('input', () => {
      this.control.value = this.slider.value;
      this.typed();
    });
    this.limit(given.rules);
  }

  /** What is filled in. Empty is nothing, but '' where the app would put something in by itself. */
  get value(): unknown {
    const told = this.control.value;
    if (told === '') {
      return this.first === '' ? undefined : '';
    }
    return this.rules.type === 'integer' && /^\s*-?\d+\s*$/.test(told) ? Number(told) : told;
  }

  /** Other limits hold: those of another queue. */
  limit(rules: FieldRules): void {
    this.rules = rules;
    const { minimum, maximum } = rules;
    const isRange = rules.type === 'integer' && minimum !== undefined && maximum !== undefined && minimum < maximum;
    if (isRange) {
      Object.assign(this.slider, { min: String(minimum), max: String(maximum), step: '1', value: this.control.value });
    }
    show(this.slider, isRange);
    write(this.limitWords, rules.type === 'integer' ? limits(rules) : '');
    this.draw();
  }

  /** These may be meant: they are offered while one types. */
  offer(values: readonly string[]): void {
    if (values.length) {
      this.control.setAttribute('list', this.offers.id);
      this.offers.replaceChildren(...values.map(value => element('option', '', { value: printable(value) })));
    }
  }

  /** What is wrong, told beside the field too. */
  check(): string {
    this.isTouched = true;
    this.draw();
    return this.fault;
  }

  focus(): void {
    this.control.focus();
  }

  /** What is wrong with it; empty when nothing is. */
  get fault(): string {
    return fault(this.rules, this.control.value, this.given.isNeeded === true);
  }

  private typed(): void {
    this.isTouched = true;
    if (!this.slider.hidden) {
      this.slider.value = this.control.value;
    }
    this.draw();
    this.given.changed();
  }

  private draw(): void {
    // A field that nobody has touched yet is not blamed for being empty.
    const told = this.isTouched || this.control.value !== '' ? this.fault : '';
    write(this.trouble, printable(told));
    this.control.setAttribute('aria-invalid', String(told !== ''));
  }

  /** Open what chooses a file, or close it again. */
  private choose(): void {
    const { pick, rules, name } = this.given;
    const isOpen = this.place.firstElementChild !== null;
    this.browse.setAttribute('aria-expanded', String(!isOpen));
    this.place.replaceChildren();
    if (isOpen || !pick) {
      return;
    }
    const done = (address: string | null): void => {
      this.choose();
      if (address !== null) {
        this.control.value = address;
        this.typed();
      }
      this.control.focus();
    };
    const wanted = text(rules['x-picker']);
    const picker = pick({ label: rules.title || name, wanted, address: this.control.value, done });
    this.place.append(picker.node);
    picker.focus();
  }

  private made(): Control {
    const { rules, isLong, isNeeded } = this.given;
    const offered = choices(rules);
    if (offered) {
      return this.menu(offered, isNeeded === true);
    }
    const hint = rules['x-picker'] ? 'tapis://system/path' : '';
    const more = { spellcheck: 'false', autocomplete: 'off', placeholder: text(rules.examples?.[0]) || hint };
    const control = isLong
      ? element('textarea', 'tj-mod-code', { ...more, rows: '8' })
      : element('input', '', { ...more, type: 'text', ...(rules.type === 'integer' && { inputmode: 'numeric' }) });
    control.value = this.first;
    return control;
  }

  private menu(offered: [string, string][], isNeeded: boolean): HTMLSelectElement {
    const menu = element('select', '');
    const isKnown = offered.some(([value]) => value === this.first);
    if (!isKnown || !isNeeded) {
      menu.append(element('option', '', { value: '' }, isNeeded ? t('Choose…') : t('(nothing)')));
    }
    menu.append(...offered.map(([value, words]) => element('option', '', { value }, printable(words))));
    menu.value = isKnown ? this.first : '';
    return menu;
  }

  private readonly offers = element('datalist', '');
  private readonly slider = element('input', 'tj-Slider', { type: 'range', tabindex: '-1' });
  private readonly limitWords = element('span', 'tj-Limit');
  private readonly browse = button('Browse…', 'Choose a file', () => this.choose());
  private readonly place = element('div', '');
  private readonly help = element('p', 'tj-FormHelp');
  private readonly trouble = element('p', 'tj-Fault', { role: 'status' });
  private readonly control: Control;
  private readonly first: string;
  private rules: FieldRules;
  private isTouched = false;
}
