/** Tells why a job failed, and offers to submit it again with what may mend it. */

import { told } from '../core/client.js';
import { t } from '../core/language.js';
import { button, element, show, write } from '../dom.js';
import { printable, printedLines } from '../words.js';
import { failureOf, type FailedJob, type Help } from './failure.js';
import { stdoutName } from '../job.js';
import { outputSize, slice, type Site } from './site.js';

/** Bytes of output that are looked through for the telling line. */
const LOOKED = 4096;

export class FailurePane {
  readonly node = element('div', 'tj-Failure', { hidden: true });

  constructor(
    private readonly site: Site,
    private readonly uuid: string
  ) {}

  /** The job stands otherwise than before. */
  update(job: FailedJob): void {
    show(this.node, job.status === 'FAILED');
    if (job.status === 'FAILED') {
      this.draw(failureOf(job));
      void this.read(job);
    }
  }

  private async read(job: FailedJob): Promise<void> {
    const path = stdoutName(job);
    try {
      const end = await outputSize(this.site, this.uuid, path);
      const bytes = await slice(this.site, this.uuid, path, Math.max(0, end - LOOKED), end);
      this.draw(failureOf(job, printedLines(new TextDecoder().decode(bytes))));
    } catch {
      // Without the output the cause alone is told.
    }
  }

  private draw(help: Help | null): void {
    if (!help) {
      return;
    }
    const parts: (Node | string)[] = [element('strong', '', {}, printable(help.cause))];
    if (help.evidence) {
      parts.push(': ', element('code', '', {}, printable(help.evidence)));
    }
    parts.push(element('div', 'tj-Next', {}, '→ ', element('code', '', {}, printable(help.nextStep)), ' ', ...this.offer(help)), this.note);
    this.node.replaceChildren(...parts);
  }

  private offer({ changes }: Help): HTMLElement[] {
    if (!changes) {
      return [];
    }
    const words = Object.entries(changes).map(([field, value]) => `${field} ${value.toLocaleString()}`);
    const label = words.length ? t('Submit again with {changes}', { changes: words.join(', ') }) : t('Submit again');
    const again = button(label, t('Submit the same request anew; this job stays as it is'), () => void this.again(again, changes));
    return [again];
  }

  private async again(pressed: HTMLButtonElement, changes: Help['changes']): Promise<void> {
    pressed.disabled = true;
    try {
      const route = 'POST /v3/jobs/{jobUuid}/resubmit';
      const { result } = await this.site.client.call(route, { path: { jobUuid: this.uuid }, body: { ...changes } });
      write(this.note, t('Submitted as {name} ({uuid}).', { name: printable(result.name), uuid: String(result.uuid) }));
    } catch (fault) {
      write(this.note, printable(told(fault)));
      pressed.disabled = false;
    }
  }

  private readonly note = element('div', 'tj-Note', { role: 'status' });
}
