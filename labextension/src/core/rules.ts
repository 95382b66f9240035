/** What the form of an app allows: the part of JSON Schema that the server's forms use. */

import { t } from './language.js';
import { list, record, text } from '../job.js';

/** The schema of one field. */
export interface FieldRules {
  type?: string;
  title?: string;
  description?: string;
  enum?: unknown[];
  oneOf?: { const?: unknown; title?: string }[];
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  pattern?: string;
  format?: string;
  examples?: unknown[];
  properties?: Record<string, FieldRules>;
  required?: string[];
  items?: FieldRules;
  /** What is told in place of the pattern. */
  'x-message'?: string;
  /** Names a file, directory, or both. */
  'x-picker'?: string;
}

/** Longer texts are not held against a pattern while one types: its time may grow with a power of the length. */
const LOOKED_AT = 256;

export type Values = Record<string, unknown>;

/** What may be chosen: pairs of value and words; null where anything may be written. */
export function choices({ enum: values, oneOf }: FieldRules): [string, string][] | null {
  if (oneOf) {
    return oneOf.map(choice => [text(choice.const), text(choice.title) || text(choice.const)]);
  }
  return values ? values.map(value => [text(value), text(value)]) : null;
}

/** What is wrong with a value, in a sentence; empty when nothing is. */
export function fault(rules: FieldRules, value: unknown, isNeeded: boolean): string {
  const told = text(value);
  if (told === '') {
    return isNeeded ? t('This is needed.') : '';
  }
  const offered = choices(rules);
  if (offered && !offered.some(([name]) => name === told)) {
    return t('Choose one of {choices}.', { choices: offered.map(([, words]) => words).join(', ') });
  }
  return rules.type === 'integer' ? numberFault(rules, told) : textFault(rules, told);
}

function numberFault(rules: FieldRules, told: string): string {
  if (!/^\s*-?\d{1,15}\s*$/.test(told)) {
    return t('This must be a whole number.');
  }
  const { minimum = -Infinity, maximum = Infinity } = rules;
  return Number(told) < minimum || Number(told) > maximum ? t('This must be {limits}.', { limits: limits(rules) }) : '';
}

function textFault({ minLength = 0, maxLength = Infinity, pattern, format, ...rules }: FieldRules, told: string): string {
  const length = [...told].length;
  if (length > maxLength) {
    return t('At most {most} characters, not {count}.', { most: maxLength, count: length });
  }
  if (length < minLength) {
    return t('At least {least} characters, not {count}.', { least: minLength, count: length });
  }
  if (format === 'email' && !/^[^\s@]+@[^\s@]+$/.test(told)) {
    return t('This must be an e-mail address.');
  }
  if (pattern !== undefined && length <= LOOKED_AT && expression(pattern)?.test(told) === false) {
    return rules['x-message'] || t('This must be like {pattern}.', { pattern });
  }
  return '';
}

/** A pattern that this browser does not know is left to the server. */
function expression(pattern: string): RegExp | null {
  try {
    return new RegExp(pattern, 'u');
  } catch {
    return null;
  }
}

/** `1 to 4`, `at least 1`, `at most 120`; empty without limits. */
export function limits({ minimum, maximum }: FieldRules): string {
  const least = minimum?.toLocaleString();
  const most = maximum?.toLocaleString();
  if (least !== undefined && most !== undefined) {
    return least === most ? least : t('{least} to {most}', { least, most });
  }
  return least !== undefined ? t('at least {least}', { least }) : most !== undefined ? t('at most {most}', { most }) : '';
}

/** The fields of a form, with the limits that hold for what is chosen: those of the queue. */
export function fields(schema: Values, values: Values): Map<string, FieldRules> {
  const found = new Map(Object.entries(record(schema['properties'])).map(([name, rules]) => [name, record(rules) as FieldRules]));
  for (const rule of list(schema['allOf']).map(record)) {
    if (holds(record(record(rule['if'])['properties']), values)) {
      for (const [name, more] of Object.entries(record(record(rule['then'])['properties']))) {
        found.set(name, { ...found.get(name), ...record(more) });
      }
    }
  }
  return found;
}

function holds(wanted: Values, values: Values): boolean {
  return Object.entries(wanted).every(([name, rule]) => values[name] === record(rule)['const']);
}
