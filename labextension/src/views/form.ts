/** The form of an app, drawn from its schema: plain fields, sections of named ones, and lists that grow. */

import type { AppForm } from '../core/api.js';
import { t } from '../core/language.js';
import { fields, type FieldRules, type Values } from '../core/rules.js';
import { element } from '../dom.js';
import { record } from '../job.js';
import { printable } from '../words.js';
import { Field, type Pick } from './field.js';
import { Rows } from './rows.js';

/** What few people need: folded, unless something in it is needed. */
const FOLDED = new Set([
  'targets', 'containerArgs', 'schedulerOptions', 'moreArgs', 'moreEnv', 'moreInputs', 'memoryMB', 'reservation'
]);

/** Something that stands for one value of the form. */
interface Part {
  readonly node: HTMLElement;
  readonly value: unknown;
  /** The fields in it, as they are seen. */
  readonly fields: Iterable<Field>;
}

/** What a form may use of the page it is in. */
export interface FormWays {
  pick?: Pick;
  /** What may be meant, by the name of the field. */
  offered?: Readonly<Record<string, readonly string[]>>;
}

export class FormView {
  readonly node = element('div', 'tj-Form');

  constructor(
    private readonly form: AppForm,
    private readonly given: Values,
    private readonly changed: (name: string) => void,
    private readonly ways: FormWays = {}
  ) {
    const needed = new Set((form.schema['required'] ?? []) as string[]);
    const more = element('div', 'tj-FormMore');
    for (const [name, rules] of fields(form.schema, given)) {
      const hints = record(form.ui[name]);
      if (hints['ui:widget'] === 'hidden') {
        continue;
      }
      const part = this.part(name, rules, hints, needed.has(name));
      this.parts.set(name, part);
      const isFolded = FOLDED.has(name) && !needed.has(name);
      (isFolded ? more : this.node).append(part.node);
    }
    this.more.append(element('summary', '', {}, t('More')), more);
    if (more.childElementCount) {
      this.node.append(this.more);
    }
  }

  /** What is filled in; fields that are not shown keep what they were given. */
  get values(): Values {
    const found: Values = { ...this.given };
    for (const [name, { value }] of this.parts) {
      put(found, name, value);
    }
    return found;
  }

  /** True when there is a field of this name. */
  has(name: string): boolean {
    return this.parts.has(name);
  }

  /** What may be meant in a field was learnt later. */
  offer(name: string, values: readonly string[]): void {
    [...(this.parts.get(name)?.fields ?? [])].forEach(field => field.offer(values));
  }

  /** True when there is no fault; nothing is told. */
  get isFilled(): boolean {
    return [...this.parts.values()].every(part => [...part.fields].every(field => field.fault === ''));
  }

  /** Tell of all faults, go to the first; true when there is none. */
  check(): boolean {
    const wrong = [...this.parts.values()].flatMap(part => [...part.fields]).filter(field => field.check() !== '');
    if (wrong.some(field => this.more.contains(field.node))) {
      this.more.open = true;
    }
    wrong[0]?.focus();
    return wrong.length === 0;
  }

  private part(name: string, rules: FieldRules, hints: Values, isNeeded: boolean): Part {
    const value = this.given[name];
    const changed = (): void => this.hear(name);
    if (rules.type === 'object') {
      return new Section(rules, record(value), hints, changed, this.ways);
    }
    if (rules.type === 'array') {
      return new Rows(name, rules, value, changed, this.ways.pick);
    }
    const { pick } = this.ways;
    const offered = this.ways.offered?.[name] ?? [];
    const isLong = hints['ui:widget'] === 'textarea';
    const field = new Field({ name, rules, value, isNeeded, isLong, changed, offered, ...(pick && { pick }) });
    return { node: field.node, fields: [field], get value() { return field.value; } };
  }

  private hear(name: string): void {
    if (name === 'execSystemLogicalQueue') {
      this.limit();
    }
    this.changed(name);
  }

  private limit(): void {
    for (const [name, rules] of fields(this.form.schema, this.values)) {
      const part = this.parts.get(name);
      if (rules.type === 'integer' && part) {
        [...part.fields].forEach(field => field.limit(rules));
      }
    }
  }

  private readonly parts = new Map<string, Part>();
  private readonly more = element('details', 'tj-Folded');
}

/** Fields under one heading. */
class Section implements Part {
  readonly node: HTMLElement;

  constructor(
    rules: FieldRules,
    private readonly given: Values,
    hints: Values,
    changed: () => void,
    { pick }: FormWays
  ) {
    this.node = element('fieldset', 'tj-FormSection', {}, element('legend', '', {}, printable(t(rules.title ?? ''))));
    for (const [name, inner] of Object.entries(rules.properties ?? {})) {
      if (record(hints[name])['ui:widget'] !== 'hidden') {
        const isNeeded = rules.required?.includes(name) === true;
        const field = new Field({ name, rules: inner, value: given[name], isNeeded, changed, ...(pick && { pick }) });
        this.named.set(name, field);
        this.node.append(field.node);
      }
    }
    this.node.hidden = !this.named.size;
  }

  get fields(): Iterable<Field> {
    return this.named.values();
  }

  get value(): Values {
    const found: Values = { ...this.given };
    for (const [name, field] of this.named) {
      put(found, name, field.value);
    }
    return found;
  }

  private readonly named = new Map<string, Field>();
}

function put(values: Values, name: string, value: unknown): void {
  if (value === undefined) {
    delete values[name];
  } else {
    values[name] = value;
  }
}
