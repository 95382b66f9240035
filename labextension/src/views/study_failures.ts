/** Why cases of a study failed: groups that ended alike, what one of each printed, and another attempt for them. */

import { told } from '../core/client.js';
import { failedCases, type CaseState, type FailedCases } from '../core/studies.js';
import { button, element, show } from '../dom.js';
import { stdoutName } from '../job.js';
import { printable, printedLines, stateWords } from '../words.js';
import { failureOf, type FailedJob, type Help } from './failure.js';
import { outputSize, slice, type Site } from './site.js';

/** Groups that are shown, and bytes of output that are looked through for the telling line. */
const SHOWN = 12;
const LOOKED = 4096;

export type Retry = (cases: readonly CaseState[], changes: Readonly<Record<string, number>>) => void;

export class StudyFailures {
  readonly node = element('section', 'tj-StudyFailures', { 'aria-label': 'Why cases failed', hidden: true });

  constructor(
    private readonly site: Site,
    private readonly retry: Retry,
    private readonly open: (uuid: string) => void
  ) {}

  /** Show why these cases failed; what is as before stays as it is. */
  update(cases: readonly CaseState[]): void {
    const groups = failedCases(cases);
    show(this.node, groups.length > 0);
    const key = JSON.stringify(groups.map(({ cases: members }) => [members.length, members[0]?.jobUuid]));
    if (key === this.shown) {
      return;
    }
    this.shown = key;
    const rest = groups.slice(SHOWN).reduce((sum, group) => sum + group.cases.length, 0);
    const more = rest ? [element('li', '', {}, `and ${rest.toLocaleString()} that ended in other ways`)] : [];
    this.node.replaceChildren(element('ul', 'tj-Groups', {}, ...groups.slice(0, SHOWN).map(group => this.draw(group)), ...more));
  }

  private draw(group: FailedCases): HTMLElement {
    const node = element('li', 'tj-Group');
    const job: FailedJob = { status: 'FAILED', condition: group.condition, exitCode: group.exitCode };
    this.tell(node, group, failureOf(job));
    void this.read(node, group, job);
    return node;
  }

  private tell(node: HTMLElement, { cases }: FailedCases, help: Help | null): void {
    const [first] = cases;
    if (!help || !first) {
      return;
    }
    const number = cases.length.toLocaleString();
    const mark = element('span', 'tj-Tone tj-Glyph', { 'aria-hidden': 'true' }, stateWords('FAILED').glyph);
    mark.dataset['tone'] = 'failed';
    const line = help.evidence ? [element('code', '', {}, printable(help.evidence)), ' '] : [];
    const example = button(`in ${printable(first.id)}`, 'Show the job of this case', () => this.open(first.jobUuid));
    const changes = help.changes ?? {};
    const words = Object.entries(changes).map(([field, value]) => `${field} ${value.toLocaleString()}`);
    const label = [`Retry ${number}`, words.join(', ')].filter(Boolean).join(' with ');
    const again = button(label, 'Give these cases another attempt; what they made before stays', () => this.retry(cases, changes));
    node.replaceChildren(mark, element('strong', '', {}, ` ${number} failed: ${printable(help.cause)}`), ' ', ...line, example, again);
  }

  /** Look at one job of the group: its limits, and what it printed last. */
  private async read(node: HTMLElement, group: FailedCases, known: FailedJob): Promise<void> {
    const uuid = group.cases[0]?.jobUuid ?? '';
    try {
      const { result } = await this.site.client.call('GET /v3/jobs/{jobUuid}', { path: { jobUuid: uuid } });
      const job: FailedJob = { ...known, ...result, status: 'FAILED' };
      this.tell(node, group, failureOf(job));
      const path = stdoutName(job);
      const end = await outputSize(this.site, uuid, path);
      const bytes = await slice(this.site, uuid, path, Math.max(0, end - LOOKED), end);
      this.tell(node, group, failureOf(job, printedLines(new TextDecoder().decode(bytes))));
    } catch (fault) {
      // Without job and output the condition alone is told.
      node.title = printable(told(fault));
    }
  }

  private shown = '';
}
