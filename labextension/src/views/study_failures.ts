/** Why cases of a study failed: groups that ended alike, what one of each printed, and another attempt for them. */

import { told } from '../core/client.js';
import { t } from '../core/language.js';
import { caseName, failedCases, type CaseState, type FailedCases } from '../core/studies.js';
import { button, element, show } from '../dom.js';
import { stdoutName } from '../job.js';
import { printable, printedLines, stateWords } from '../words.js';
import { failureOf, type FailedJob, type Help } from './failure.js';
import { outputSize, slice, type Site } from './site.js';

/** Groups that are shown, and bytes of output that are looked through for the telling line. */
const SHOWN = 12;
const LOOKED = 4096;

export type Retry = (cases: readonly CaseState[], changes: Readonly<Record<string, number>>) => void;

interface Line {
  readonly node: HTMLElement;
  group: FailedCases;
  help: Help | null;
}

export class StudyFailures {
  readonly node = element('section', 'tj-StudyFailures', { 'aria-label': 'Why cases failed', hidden: true });

  constructor(
    private readonly site: Site,
    private readonly retry: Retry,
    private readonly open: (uuid: string) => void
  ) {}

  /** Show why these cases failed; of a group that grows only its number is drawn again. */
  update(cases: readonly CaseState[]): void {
    const groups = failedCases(cases);
    show(this.node, groups.length > 0);
    const key = JSON.stringify(groups.map(({ cases: members }) => [members.length, members[0]?.jobUuid]));
    if (key === this.shown) {
      return;
    }
    this.shown = key;
    const known = this.lines;
    this.lines = new Map(groups.slice(0, SHOWN).map(group => [group.cases[0]?.jobUuid ?? '', this.line(group, known)]));
    const rest = groups.slice(SHOWN).reduce((sum, group) => sum + group.cases.length, 0);
    const more = rest ? [element('li', '', {}, t('and {count} that ended in other ways', { count: rest.toLocaleString() }))] : [];
    this.node.replaceChildren(element('ul', 'tj-Groups', {}, ...[...this.lines.values()].map(({ node }) => node), ...more));
  }

  /** The line of a group; what its first job told is not asked for again. */
  private line(group: FailedCases, known: ReadonlyMap<string, Line>): Line {
    const before = known.get(group.cases[0]?.jobUuid ?? '');
    if (before) {
      before.group = group;
      this.tell(before);
      return before;
    }
    const job: FailedJob = { status: 'FAILED', condition: group.condition, exitCode: group.exitCode };
    const made: Line = { node: element('li', 'tj-Group'), group, help: failureOf(job) };
    this.tell(made);
    void this.read(made, job);
    return made;
  }

  private tell({ node, group: { cases }, help }: Line): void {
    const [first] = cases;
    if (!help || !first) {
      return;
    }
    const number = cases.length.toLocaleString();
    const mark = element('span', 'tj-Tone tj-Glyph', { 'aria-hidden': 'true' }, stateWords('FAILED').glyph);
    mark.dataset['tone'] = 'failed';
    const line = help.evidence ? [element('code', '', {}, printable(help.evidence)), ' '] : [];
    const example = button(t('in {case}', { case: printable(caseName(first)) }), 'Show the job of this case', () => this.open(first.jobUuid));
    const changes = help.changes ?? {};
    const words = Object.entries(changes).map(([field, value]) => `${field} ${value.toLocaleString()}`);
    const label = words.length ? t('Retry {count} with {changes}', { count: number, changes: words.join(', ') }) : t('Retry {count}', { count: number });
    const again = button(label, 'Give these cases another attempt; what they made before stays', () => this.retry(cases, changes));
    node.replaceChildren(mark, element('strong', '', {}, ` ${t('{count} failed: {cause}', { count: number, cause: printable(help.cause) })}`), ' ', ...line, example, ' ', again);
  }

  /** Look at one job of the group: its limits, and what it printed last. */
  private async read(line: Line, known: FailedJob): Promise<void> {
    const uuid = line.group.cases[0]?.jobUuid ?? '';
    const learn = (help: Help | null): void => {
      line.help = help;
      this.tell(line);
    };
    try {
      const { result } = await this.site.client.call('GET /v3/jobs/{jobUuid}', { path: { jobUuid: uuid } });
      const job: FailedJob = { ...known, ...result, status: 'FAILED' };
      learn(failureOf(job));
      const path = stdoutName(job);
      const end = await outputSize(this.site, uuid, path);
      const bytes = await slice(this.site, uuid, path, Math.max(0, end - LOOKED), end);
      learn(failureOf(job, printedLines(new TextDecoder().decode(bytes))));
    } catch (fault) {
      // Without job and output the condition alone is told.
      line.node.title = printable(told(fault));
    }
  }

  /** By the uuid of the first job. */
  private lines: ReadonlyMap<string, Line> = new Map();
  private shown = '';
}
