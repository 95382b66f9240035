/** The systems that a person may use: hosts with their connection, queues and runtimes. */

import type { HostReport, HostState } from '../core/api.js';
import { Catalog, type Load, type SystemInfo } from '../core/catalog.js';
import type { Client } from '../core/client.js';
import { reached } from '../core/host_sign_in.js';
import { t } from '../core/language.js';
import { later, type Later } from '../core/painter.js';
import { button, element, show } from '../dom.js';
import { AddHost } from './add_host.js';
import { Dialog } from './dialog.js';
import { asking } from './host_questions.js';
import { Looker } from './looker.js';
import { SystemCard } from './system_card.js';

/** Milliseconds between two looks at the connections, which no event tells of. */
const PAUSE = 15_000;

export class SystemsView {
  readonly node = element('div', 'tj-Jobs tj-Systems', { role: 'region', 'aria-label': 'Systems' });

  constructor(client: Client, wait: Later = later) {
    this.catalog = new Catalog(client);
    this.looker = new Looker(() => this.look(), PAUSE, wait);
    const added = (): void => this.looker.now();
    const name = (): string => this.form.name;
    this.form = new AddHost({ add: host => this.catalog.addHost(host), ask: asking(this.dialog, name), added });
    show(this.empty, false);
    const add = button('Add a host…', 'Connect to a host and keep it as a system', () => this.form.open());
    this.node.append(element('div', 'tj-Bar', {}, add), this.looker.node, this.form.node, this.empty, this.place, this.dialog.node);
    this.show(true);
  }

  /** The page shows or hides the view; a hidden one causes no traffic. */
  show(isShown: boolean): void {
    this.looker.show(isShown);
    if (!isShown) {
      this.dialog.close();
    }
  }

  dispose(): void {
    this.show(false);
  }

  private async look(): Promise<void> {
    const [systems, hosts, load] = await Promise.all([this.catalog.systems(), this.catalog.hosts(), this.catalog.load()]);
    this.draw(systems, new Map(hosts.map(host => [host.id, host])), load);
    // Each is drawn when it comes: no host waits for a slower one.
    systems.filter(system => system.queues.length).forEach(({ id }) => void this.fill(id));
  }

  private async fill(id: string): Promise<void> {
    if (this.asked.has(id)) {
      return;
    }
    this.asked.add(id);
    try {
      this.cards.get(id)?.fill(await this.catalog.fullness(id));
    } catch {
      // How the host stands says why.
      this.cards.get(id)?.fill(null);
    }
    this.asked.delete(id);
  }

  private draw(systems: readonly SystemInfo[], hosts: ReadonlyMap<string, HostState>, load: Load): void {
    show(this.empty, systems.length === 0);
    const known = new Map(this.cards);
    this.cards.clear();
    systems.forEach((system, place) => {
      const card = known.get(system.id) ?? this.make(system.id);
      this.cards.set(system.id, card);
      card.update(system, hosts.get(system.id) ?? null, load);
      if (this.place.children[place] !== card.node) {
        this.place.insertBefore(card.node, this.place.children[place] ?? null);
      }
    });
    known.forEach((card, id) => this.cards.has(id) || card.node.remove());
  }

  private make(id: string): SystemCard {
    const check = (): Promise<HostReport | null> => reached(answers => this.catalog.check(id, answers), asking(this.dialog, () => id));
    return new SystemCard(id, { check, changed: () => this.looker.now() });
  }

  private readonly place = element('div', 'tj-StudiesMain');
  private readonly empty = element('p', 'tj-Empty', {}, t('No systems yet. Add a host here, or in a cell: {code}', { code: 'tapis.add_host("name", host="login.example.org")' }));
  private readonly dialog = new Dialog();
  private readonly form: AddHost;
  /** Systems whose load is on its way. */
  private readonly asked = new Set<string>();
  private readonly cards = new Map<string, SystemCard>();
  private readonly catalog: Catalog;
  private readonly looker: Looker;
}
