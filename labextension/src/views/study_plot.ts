/** A picture of the cases of a study: a measured time or a result over a parameter, one mark for each case. */

import { told, type Client } from '../core/client.js';
import { t } from '../core/language.js';
import { measured, MOST_READ, NoResultsError, parameterAxes, results, ticks, type Axis, type Measure } from '../core/study_results.js';
import { caseName, type CaseState } from '../core/studies.js';
import { element, show, write } from '../dom.js';
import { printable, stateWords } from '../words.js';

const [WIDTH, HEIGHT] = [640, 300];
/** Room for the axes: left, right, top, bottom. */
const [LEFT, RIGHT, TOP, BOTTOM] = [70, 16, 12, 46];
/** Words below an axis, and characters of each. */
const LABELS = 12;
const WORD = 14;
/** Marks that are drawn; of more points each second, third, … is one. */
const MARKS = 4000;
const SVG = 'http://www.w3.org/2000/svg';

export class StudyPlot {
  readonly node = element('details', 'tj-Folded tj-Plot');

  constructor(
    private readonly client: Client,
    private readonly open: (uuid: string) => void
  ) {
    const label = (words: string, control: HTMLElement): HTMLElement => element('label', 'tj-Pair', {}, `${words} `, control);
    this.read.addEventListener('submit', event => {
      event.preventDefault();
      void this.collect();
    });
    this.read.append(label(t('Results in'), this.path), element('button', 'tj-Button', { type: 'submit' }, t('Read them')));
    const bar = element('div', 'tj-Bar', {}, label(t('Draw'), this.upward), label(t('over'), this.across), this.read);
    this.node.append(element('summary', '', {}, t('Plot')), bar, this.note, this.place);
    for (const menu of [this.upward, this.across]) {
      menu.addEventListener('change', () => this.draw());
    }
    this.node.addEventListener('toggle', () => this.draw());
    show(this.note, false);
  }

  /** Draw these cases; of another study nothing that was read stays. */
  update(name: string, cases: readonly CaseState[]): void {
    if (name !== this.name) {
      this.name = name;
      this.collected = [];
      this.say('');
    }
    // Results are told by places, which more cases leave as they are.
    this.cases = cases;
    this.draw();
  }

  private async collect(): Promise<void> {
    const { name } = this;
    const path = this.path.value.trim();
    if (!path || this.isReading) {
      return;
    }
    this.isReading = true;
    this.say(t('Reading …'));
    try {
      const found = await results(this.client, this.cases, path, done => this.say(t('Reading … {count}', { count: done.toLocaleString() })));
      if (name === this.name) {
        this.collected = found;
        const number = Math.max(...found.map(({ values }) => values.filter(value => value !== null).length));
        const values = { path, count: number.toLocaleString(), code: `study.collect("${path}")` };
        this.say(number === MOST_READ ? t('{path}: read of {count} cases, the first ones. All of them: {code} in a cell.', values) : t('{path}: read of {count} cases. All of them: {code} in a cell.', values));
        // A table often says its parameters again: a result is what is not one of them.
        const given = new Set(this.cases.flatMap(({ parameters }) => Object.keys(parameters)));
        this.draw((found.find(({ name: each }) => !given.has(each)) ?? found[0])?.name);
      }
    } catch (fault) {
      this.say(`⚠ ${path}: ${fault instanceof NoResultsError ? fault.message : told(fault)}`);
    } finally {
      this.isReading = false;
    }
  }

  private draw(chosen = this.upward.value): void {
    if (!this.node.open) {
      return;
    }
    const measures = [...this.collected, ...measured(this.cases)];
    const axes = parameterAxes(this.cases);
    fill(this.upward, measures.map(({ name }) => name), chosen);
    fill(this.across, axes.map(({ name }) => name), this.across.value);
    const measure = measures.find(({ name }) => name === this.upward.value);
    const axis = axes.find(({ name }) => name === this.across.value);
    const key = JSON.stringify([measure, axis, this.cases.map(({ status }) => status)]);
    if (key === this.drawn) {
      return;
    }
    this.drawn = key;
    this.place.replaceChildren(measure && axis ? this.picture(measure, axis) : element('p', 'tj-Empty', {}, t('There is a picture once the first case has ended.')));
  }

  private picture(measure: Measure, axis: Axis): SVGElement {
    const points = this.cases.flatMap((one, place) => {
      const [x, y] = [axis.values[place] ?? null, measure.values[place] ?? null];
      return x === null || y === null ? [] : [{ one, x, y }];
    });
    const across = axis.words ? axis.words.map((_, place) => place) : ticks(points.map(({ x }) => x), 6);
    const upward = ticks(points.map(({ y }) => y), 5);
    const [toX, toY] = [scale(across, LEFT, WIDTH - RIGHT, axis.words !== null), scale(upward, HEIGHT - BOTTOM, TOP)];
    const every = Math.ceil(across.length / LABELS);
    const each = Math.max(1, Math.ceil(points.length / MARKS));
    const marks = points.filter((_, place) => place % each === 0).map(({ one, x, y }) => {
      const name = `${caseName(one)}: ${measure.name} ${y.toLocaleString()}`;
      const mark = svg('circle', { cx: toX(x), cy: toY(y), r: 4, class: 'tj-Mark tj-Tone', 'data-tone': stateWords(one.status).tone }, svg('title', {}, printable(name)));
      mark.addEventListener('click', () => this.open(one.jobUuid));
      return mark;
    });
    const words = printable([t('{measure} over {parameter}: {count} cases', { measure: measure.name, parameter: axis.name, count: points.length.toLocaleString() }), ...(each > 1 ? [t('one mark for each {count} of them', { count: each })] : [])].join(', '));
    return svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': words, class: 'tj-Picture-plot' },
      ...across.map((value, place) => below(toX(value), place % every ? '' : axis.words ? (axis.words[value] ?? '') : value.toLocaleString())),
      ...upward.map(value => beside(toY(value), value)),
      svg('text', { x: (LEFT + WIDTH - RIGHT) / 2, y: HEIGHT - 6, 'text-anchor': 'middle', class: 'tj-AxisName' }, printable(axis.name)),
      svg('text', { x: 0, y: 0, 'text-anchor': 'middle', transform: `translate(14 ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)`, class: 'tj-AxisName' }, printable(measure.name)),
      ...marks
    );
  }

  private say(words: string): void {
    write(this.note, printable(words));
    show(this.note, words !== '');
  }

  private readonly upward = element('select', '', { 'aria-label': 'What is drawn' });
  private readonly across = element('select', '', { 'aria-label': 'Over which parameter' });
  private readonly path = element('input', 'tj-Search', { 'aria-label': 'Output with results', placeholder: 'results.csv', spellcheck: 'false' });
  private readonly read = element('form', 'tj-Bar');
  private readonly note = element('p', 'tj-Note', { role: 'status' });
  private readonly place = element('div', 'tj-PlotPlace');
  private name = '';
  private cases: readonly CaseState[] = [];
  private collected: readonly Measure[] = [];
  private drawn = '';
  private isReading = false;
}

function fill(menu: HTMLSelectElement, names: readonly string[], chosen: string): void {
  const shown = [...menu.options].map(({ value }) => value);
  if (JSON.stringify(shown) !== JSON.stringify(names)) {
    menu.replaceChildren(...names.map(name => element('option', '', { value: name }, printable(name))));
  }
  menu.value = names.includes(chosen) ? chosen : (names[0] ?? '');
}

/** Where a value of the axis stands between two ends; `isRoomy` keeps both ends free. */
function scale(values: readonly number[], from: number, to: number, isRoomy = false): (value: number) => number {
  const room = isRoomy ? 0.5 : 0;
  const low = (values[0] ?? 0) - room;
  const span = (values.at(-1) ?? 1) + room - low || 1;
  return value => from + ((value - low) / span) * (to - from);
}

function below(x: number, words: string): SVGElement {
  const told = words.length > WORD ? `${words.slice(0, WORD)}…` : words;
  return svg('g', {},
    svg('line', { x1: x, x2: x, y1: TOP, y2: HEIGHT - BOTTOM, class: 'tj-GridLine' }),
    svg('text', { x, y: HEIGHT - BOTTOM + 16, 'text-anchor': 'middle' }, printable(told)));
}

function beside(y: number, value: number): SVGElement {
  return svg('g', {},
    svg('line', { x1: LEFT, x2: WIDTH - RIGHT, y1: y, y2: y, class: 'tj-GridLine' }),
    svg('text', { x: LEFT - 6, y: y + 4, 'text-anchor': 'end' }, value.toLocaleString()));
}

function svg(tag: string, attributes: Record<string, string | number>, ...children: (Node | string)[]): SVGElement {
  const node = document.createElementNS(SVG, tag) as SVGElement;
  for (const [name, value] of Object.entries(attributes)) {
    node.setAttribute(name, typeof value === 'number' ? String(Math.round(value * 10) / 10) : value);
  }
  node.append(...children);
  return node;
}
