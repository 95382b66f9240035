/** Jobs, studies, systems, apps and the form behind one row of tabs: each loaded when first seen, at rest while it is not. */

import { told } from '../core/client.js';
import { ServerExtras, type Extras } from '../core/extras.js';
import { Jobs } from '../core/jobs.js';
import { t } from '../core/language.js';
import { Studies } from '../core/studies.js';
import { element } from '../dom.js';
import { printable } from '../words.js';
import type { DetailsView } from './details.js';
import type { JobsView } from './jobs.js';
import type { Site } from './site.js';
import type { SubmitView } from './submit.js';
import { Tabs } from './tabs.js';

export const PLACES = ['Jobs', 'Studies', 'Systems', 'Apps', 'Submit'] as const;
export type PlaceName = (typeof PLACES)[number];

/** What stands in a place. */
export interface View {
  readonly node: HTMLElement;
  /** A hidden one causes no traffic. */
  show(isShown: boolean): void;
  dispose(): void;
}

export interface FrameHost {
  /** Put a first cell into the notebook in front. */
  insertFirstCell?(): void;
  /** Columns and actions beside those of the server's packages. */
  extras?: readonly Extras[];
  /** The person went to another place. */
  went?(place: PlaceName): void;
}

export class Frame {
  readonly node = element('div', 'tj-Frame', { role: 'region', 'aria-label': 'Tapis Jobs' });

  constructor(
    private readonly site: Site,
    private readonly host: FrameHost = {}
  ) {
    this.tabs = new Tabs('Tapis Jobs', PLACES, name => void this.came(name as PlaceName));
    this.node.append(this.tabs.node);
  }

  get place(): PlaceName {
    return this.tabs.current as PlaceName;
  }

  go(place: PlaceName): void {
    this.tabs.open(place);
  }

  /** Show one job, with what it writes. */
  async openJob(uuid: string): Promise<void> {
    this.go('Jobs');
    await ((await this.made('Jobs')) as JobsView).openJob(uuid);
  }

  /** Show the form, filled by a cell, JSON or YAML. */
  async openCode(code: string): Promise<void> {
    this.go('Submit');
    await (await this.form()).open(code);
  }

  /** The page shows or hides the whole. */
  show(isShown: boolean): void {
    this.isShown = isShown;
    if (isShown && !this.tabs.current) {
      this.go('Jobs');
    }
    this.rest();
  }

  dispose(): void {
    this.isGone = true;
    this.views.forEach(view => view.then(made => made.dispose(), () => undefined));
  }

  private async came(place: PlaceName): Promise<void> {
    this.host.went?.(place);
    const panel = this.tabs.panel(place);
    try {
      const view = await this.made(place);
      if (!this.isGone && view.node.parentElement !== panel) {
        panel.replaceChildren(view.node);
      }
    } catch (fault) {
      this.views.delete(place);
      const words = `${t('{place} could not be loaded; load the page again.', { place: t(place) })} ${told(fault)}`;
      panel.replaceChildren(element('p', 'tj-Trouble', { role: 'status' }, printable(words)));
    }
    this.rest();
  }

  /** Only the place that is seen is at work. */
  private rest(): void {
    for (const [name, view] of this.views) {
      view.then(made => !this.isGone && made.show(this.isShown && name === this.place), () => undefined);
    }
  }

  private made(place: PlaceName): Promise<View> {
    let view = this.views.get(place);
    if (!view) {
      view = this.make(place);
      this.views.set(place, view);
    }
    return view;
  }

  // A place's code is fetched when it is first seen: the grid is the largest part of the bundle.
  private async make(place: PlaceName): Promise<View> {
    const { site } = this;
    const details = async (uuid: string): Promise<DetailsView> =>
      new (await import('./details.js')).DetailsView(site, uuid);
    switch (place) {
      case 'Jobs': {
        const { insertFirstCell } = this.host;
        const extras = [new ServerExtras(site.client), ...(this.host.extras ?? [])];
        const studies = new Studies(site.client, site.live);
        const host = { details, extras, studies, submit: () => this.go('Submit'), ...(insertFirstCell && { insertFirstCell }) };
        const jobs = new Jobs(site.client, site.live, path => site.wire.url(path));
        return new (await import('./jobs.js')).JobsView(jobs, host);
      }
      case 'Studies':
        return new (await import('./studies.js')).StudiesView(site, { details });
      case 'Systems':
        return new (await import('./systems.js')).SystemsView(site.client);
      case 'Apps': {
        const submit = (appId: string, appVersion: string): void => void this.choose(appId, appVersion);
        return new (await import('./apps.js')).AppsView(site.client, { submit });
      }
      case 'Submit':
        return new (await import('./submit.js')).SubmitView(site, { open: uuid => void this.openJob(uuid) });
    }
  }

  private async choose(appId: string, appVersion: string): Promise<void> {
    this.go('Submit');
    await (await this.form()).chooseNamed(appId, appVersion);
  }

  private async form(): Promise<SubmitView> {
    return (await this.made('Submit')) as SubmitView;
  }

  private readonly tabs: Tabs;
  private readonly views = new Map<PlaceName, Promise<View>>();
  private isShown = false;
  private isGone = false;
}
