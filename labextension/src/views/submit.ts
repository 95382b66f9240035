/** Submit a job by a form: choose an app, fill in what it wants, try it without submitting, submit it. */

import { Allocations } from '../core/allocations.js';
import type { AppForm, FilledForm } from '../core/api.js';
import { RefusedError, told } from '../core/client.js';
import { called, carried, Forms, type AppName } from '../core/forms.js';
import { t } from '../core/language.js';
import type { Values } from '../core/rules.js';
import { pageStorage } from '../core/storage.js';
import { needing, Templates, withVariables } from '../core/templates.js';
import { button, element, show, write } from '../dom.js';
import { record, text, type JobRow } from '../job.js';
import { printable } from '../words.js';
import { AboutApp } from './about_app.js';
import { CodeBar } from './code_bar.js';
import { CodeBeside } from './code_beside.js';
import { cost, dryRun } from './dry_run.js';
import type { Pick } from './field.js';
import { FormView } from './form.js';
import { Picker, type Wanted } from './picker.js';
import { Sent } from './sent.js';
import type { Site } from './site.js';

const UNKNOWN = (): string => t('The server does not answer. Look at the jobs before you submit again: it may have been accepted.');

/** From so many pixels on the code stands beside the form. */
const WIDE = 760;

export interface SubmitHost {
  /** Show a job that was submitted. */
  open?(uuid: string): void;
}

export class SubmitView {
  readonly node = element('div', 'tj-Jobs tj-Submit', { role: 'region', 'aria-label': 'Submit a job' });

  constructor(
    private readonly site: Site,
    private readonly host: SubmitHost = {}
  ) {
    this.forms = new Forms(site.client);
    this.templates = new Templates(site.client);
    this.models.addEventListener('change', () => void this.openTemplate(this.models.value));
    this.menu.addEventListener('change', () => void this.choose(this.apps[Number(this.menu.value)]));
    this.retry = button('Try again', 'Ask for the apps again', () => (this.listed = this.list()));
    const app = element('label', 'tj-FormField', {}, element('span', 'tj-Label', {}, t('App')), this.menu);
    const { dry, send } = this;
    send.classList.add('tj-mod-main');
    this.foot.append(element('div', 'tj-Bar', {}, dry, send), new CodeBar(site, () => this.request()).node);
    this.beside = new CodeBeside(site.client, () => this.request(), () => this.view?.isFilled ?? false);
    const main = element('div', 'tj-FormMain', {}, this.place, this.cost, this.foot, this.note, this.result);
    const columns = element('div', 'tj-FormColumns', {}, main, this.beside.node);
    this.ofTemplate.append(element('span', 'tj-Label', {}, t('Template')), this.models);
    this.node.append(app, this.ofTemplate, this.retry, this.about.node, this.opening(), columns);
    [this.ofTemplate, this.retry, this.cost, this.foot, this.beside.node].forEach(node => show(node, false));
    this.listed = this.list();
  }

  /** The page shows or hides the view; a hidden one causes no traffic. */
  show(isShown: boolean): void {
    this.isVisible = isShown;
    this.sent?.setVisible(isShown);
  }

  dispose(): void {
    this.isGone = true;
    this.beside.dispose();
    this.sent?.dispose();
  }

  /** The form of one app. */
  async chooseNamed(id: string, version: string): Promise<void> {
    await this.listed;
    this.point({ id, version });
    await this.choose({ id, version });
  }

  /** A cell, JSON or YAML, as a form. */
  async open(code: string): Promise<void> {
    await this.listed;
    const asked = (this.asked += 1);
    await this.attempt(async () => {
      const { request, warnings } = await this.forms.read(code);
      this.models.value = '';
      await this.fill(asked, request, [], warnings.join(' ') || t('The form is filled.'));
    });
  }

  /** The defaults of a template as a form, in which what it wants is marked. */
  async openTemplate(name: string): Promise<void> {
    const asked = (this.asked += 1);
    await this.attempt(async () => {
      if (name) {
        const { request, required, description } = await this.templates.get(name);
        const named = { name: text(request['appId']).slice(0, 64), ...request };
        await this.fill(asked, named, required, description || t('The form is filled.'));
      }
    });
  }

  private async fill(asked: number, request: Values, required: readonly string[], words: string): Promise<void> {
    const app = this.named(request);
    if (!app) {
      this.say(request['appId'] ? t('There is no app {app} for you here.', { app: text(request['appId']) }) : t('This names no app.'));
      return;
    }
    const form = await this.forms.form(app, text(request['execSystemId']) || null);
    const filled = filledBy(form, await this.forms.filled(form, request));
    if (asked === this.asked) {
      this.draw(form, { ...filled, values: withVariables(form, filled.values, required) }, required);
      this.point(app);
      this.say(words);
    }
  }

  private async list(): Promise<void> {
    show(this.retry, false);
    try {
      this.apps = await this.forms.apps();
    } catch (fault) {
      this.say(told(fault));
      show(this.retry, true);
      return;
    }
    this.say(this.apps.length ? '' : t('There is no app yet.'));
    this.menu.replaceChildren(element('option', '', { value: '' }, t('Choose an app…')), ...this.apps.map(option));
    const names = await this.templates.names();
    const none = element('option', '', { value: '' }, t('No template'));
    this.models.replaceChildren(none, ...names.map(name => element('option', '', { value: name }, printable(name))));
    show(this.ofTemplate, names.length > 0);
  }

  /** The app of a request; the version that is listed where it says none. */
  private named({ appId, appVersion }: Values): AppName | null {
    const listed = this.apps.find(({ id }) => id === appId);
    const version = text(appVersion) || listed?.version;
    return appId && version ? { id: text(appId), version } : null;
  }

  /** Let the menu say what the form is of; an app that came after the list was read is added to it. */
  private point(app: AppName): void {
    let at = this.apps.findIndex(({ id, version }) => id === app.id && version === app.version);
    if (at < 0) {
      at = this.apps.length;
      this.apps = [...this.apps, app];
      this.menu.append(option(app, at));
    }
    this.menu.value = String(at);
  }

  private async choose(app: AppName | undefined): Promise<void> {
    if (app) {
      const asked = (this.asked += 1);
      this.models.value = '';
      await this.attempt(async () => {
        const form = await this.forms.form(app);
        if (asked === this.asked) {
          this.draw(form, { values: { name: form.appId.slice(0, 64), ...form.values } });
        }
      });
    }
  }

  /** The limits of another system hold; what is filled in stays. */
  private async move(from: AppForm, filled: FilledForm): Promise<void> {
    const asked = (this.asked += 1);
    await this.attempt(async () => {
      const app = { id: from.appId, version: from.appVersion };
      const form = await this.forms.form(app, text(filled.values['execSystemId']) || null);
      if (asked === this.asked) {
        this.draw(form, { ...filled, values: carried(from, this.filled.values, form) }, this.required);
      }
    });
  }

  private draw(form: AppForm, filled: FilledForm, required: readonly string[] = []): void {
    this.form = form;
    this.required = required;
    this.rest = filled.rest ?? {};
    const system = text(filled.values['execSystemId']);
    const ways = { pick: this.pick, offered: { allocation: this.allocations.of(system) } };
    const view = new FormView(needing(form, required), filled.values, name => this.changed(name), ways);
    this.view = view;
    if (view.has('allocation')) {
      void this.allocations.all(this.site.client, system).then(names => view.offer('allocation', names));
    }
    const kept = Object.keys(this.rest);
    this.about.draw(form, kept.length ? t('Kept as it was opened: {fields}.', { fields: kept.join(', ') }) : '');
    this.place.replaceChildren(this.view.node);
    this.result.replaceChildren();
    [this.foot, this.beside.node].forEach(node => show(node, true));
    // Where there is room beside the form, its code stands there from the start.
    this.beside.node.open ||= this.isFirst && this.node.clientWidth >= WIDE;
    this.isFirst = false;
    this.follow();
  }

  /** What is told of the form while one fills it in. */
  private follow(): void {
    const words = cost(this.filled.values as JobRow);
    write(this.cost, words && t('Asks for {cost}.', { cost: words }));
    show(this.cost, words !== '');
    this.beside.changed();
  }

  private changed(name: string): void {
    this.say('');
    if (this.result.firstElementChild?.classList.contains('tj-DryRun')) {
      this.result.replaceChildren();
    }
    if (name === 'execSystemId' && this.form) {
      void this.move(this.form, this.filled);
    }
    this.follow();
  }

  /** Choose a file for a field, on the system of the job first. */
  private readonly pick: Pick = given => {
    const system = text(this.filled.values['execSystemId']);
    return new Picker(this.site.client, { ...given, wanted: given.wanted as Wanted, system });
  };

  // -- what is done with it

  private get filled(): FilledForm {
    return { values: this.view?.values ?? {}, rest: this.rest };
  }

  private async request(): Promise<Values> {
    return this.form ? this.forms.request(this.form, this.filled) : {};
  }

  private async tryOut(): Promise<void> {
    if (this.isRight()) {
      await this.attempt(async turn => {
        const found = await this.forms.dryRun(await this.request());
        if (turn === this.turn) {
          this.result.replaceChildren(dryRun(found));
        }
      });
    }
  }

  private async submit(): Promise<void> {
    if (this.send.disabled || !this.isRight()) {
      return;
    }
    this.send.disabled = true;
    await this.attempt(async () => {
      const request = await this.request();
      const job = await this.forms.submit(request).catch((fault: unknown) => {
        throw fault instanceof RefusedError ? fault : new RefusedError(0, UNKNOWN());
      });
      const { allocation, execSystemId } = this.filled.values;
      if (allocation) {
        this.allocations.used(text(execSystemId), text(allocation));
      }
      this.sent?.dispose();
      if (!this.isGone) {
        this.sent = new Sent(this.site, job, this.host.open?.bind(this.host));
        this.sent.setVisible(this.isVisible);
        this.result.replaceChildren(this.sent.node);
        this.say(t('Submitted.'));
      }
    });
    this.send.disabled = false;
  }

  private isRight(): boolean {
    const isRight = this.view?.check() ?? false;
    this.say(isRight ? '' : t('Some fields are not right yet.'));
    return isRight;
  }

  /** Do it, and tell where it failed; what began earlier and ends later is passed over. */
  private async attempt(deed: (turn: number) => Promise<void>): Promise<void> {
    const turn = (this.turn += 1);
    this.node.setAttribute('aria-busy', 'true');
    try {
      await deed(turn);
    } catch (fault) {
      this.say(told(fault));
    }
    if (turn === this.turn) {
      this.node.removeAttribute('aria-busy');
    }
  }

  private say(words: string): void {
    write(this.note, printable(words));
  }

  private opening(): HTMLElement {
    const entry = element('textarea', 'tj-Input tj-mod-code', {
      rows: '5', spellcheck: 'false', 'aria-label': 'A %%tapisjob cell, JSON or YAML', placeholder: '%%tapisjob python …'
    });
    const fill = button('Fill the form', 'Show what stands here as a form', () => void this.open(entry.value));
    return element('details', 'tj-Folded', {}, element('summary', '', {}, t('Open a cell or JSON')), entry, fill);
  }

  private readonly menu = element('select', 'tj-Input');
  private readonly models = element('select', 'tj-Input');
  private readonly ofTemplate = element('label', 'tj-FormField');
  private readonly retry: HTMLButtonElement;
  private readonly about = new AboutApp();
  private readonly place = element('div', 'tj-FormPlace');
  private readonly foot = element('div', 'tj-FormFoot');
  private readonly note = element('p', 'tj-Note', { role: 'status' });
  private readonly result = element('div', 'tj-FormResult');
  private readonly dry = button('Dry run', 'See what it would become, without submitting it', () => void this.tryOut());
  private readonly send = button('Submit', 'Submit the job', () => void this.submit());
  private readonly cost = element('p', 'tj-Cost', { role: 'status' });
  private readonly allocations = new Allocations(pageStorage());
  private readonly beside: CodeBeside;
  private readonly forms: Forms;
  private readonly templates: Templates;
  private apps: AppName[] = [];
  private listed: Promise<void>;
  private form: AppForm | null = null;
  /** What the template wants that the form was filled from. */
  private required: readonly string[] = [];
  private view: FormView | null = null;
  private rest: Values = {};
  private sent: Sent | null = null;
  private turn = 0;
  /** Counts the forms that were asked for: the last one is shown, whatever is done meanwhile. */
  private asked = 0;
  private isVisible = true;
  private isFirst = true;
  private isGone = false;
}

function option(app: AppName, at: number): HTMLOptionElement {
  return element('option', '', { value: String(at) }, printable(called(app)));
}

/** The form's own values, and over them those that a request says. */
function filledBy(form: AppForm, { values, rest }: FilledForm): FilledForm {
  const found: Values = { ...form.values };
  for (const [name, value] of Object.entries(values)) {
    const isSection = value !== null && typeof value === 'object' && !Array.isArray(value);
    found[name] = isSection ? { ...record(form.values[name]), ...record(value) } : value;
  }
  return { values: found, rest: rest ?? {} };
}
