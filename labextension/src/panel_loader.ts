/** The small module that a notebook keeps of a panel. The panel itself comes from the page's server, else from the kernel. */

import { t } from './core/language.js';
import { baseUrl, thisPage } from './core/page_wire.js';
import { element } from './dom.js';
import { record } from './job.js';
import type { Model } from './core/kernel_line.js';

interface Place {
  el: HTMLElement;
  model: Model;
}

/** The panel's module: what anywidget calls. */
interface Module {
  default: { render(place: Place): () => void };
}

/** The module, and its style as an element. */
type Loaded = [Module, HTMLElement];
type Bring = (address: string) => Promise<Module>;

const bring: Bring = address => import(address) as Promise<Module>;

/** From the server of the page, which may be of another version than the kernel: the panel goes with the server. */
async function fromPage(load: Bring): Promise<Loaded> {
  const base = baseUrl(thisPage());
  if (base === null) {
    throw new TypeError('no server');
  }
  const at = `${base}tapis/v3/tapisjobs/panel/panel`;
  const module = await load(`${at}.js`);
  return [module, element('link', '', { rel: 'stylesheet', href: `${at}.css` })];
}

/** Through the kernel, which answers when its cell has ended. */
async function fromKernel(model: Model, load: Bring): Promise<Loaded> {
  const id = Math.random().toString(36).slice(2);
  const [code, style] = await new Promise<BlobPart[]>(resolve => {
    const hear = (told: unknown, beside: BlobPart[] = []): void => {
      if (record(told)['type'] === 'module' && record(told)['id'] === id) {
        model.off('msg:custom', hear);
        resolve(beside);
      }
    };
    model.on('msg:custom', hear);
    model.send({ type: 'module', id });
  });
  const address = URL.createObjectURL(new Blob([code ?? ''], { type: 'text/javascript' }));
  try {
    return [await load(address), element('style', '', {}, await new Blob([style ?? '']).text())];
  } finally {
    URL.revokeObjectURL(address);
  }
}

export async function render({ el, model }: Place, load: Bring = bring): Promise<() => void> {
  const note = element('p', 'tj-Empty', { role: 'status' });
  el.append(note);
  let isGone = false;
  let end = (): void => void (isGone = true);
  const draw = ([module, style]: Loaded): void => {
    if (!isGone) {
      note.replaceWith(style);
      end = module.default.render({ el, model });
    }
  };
  const late = (fault: unknown): void => {
    note.textContent = `${t('The panel could not be loaded; load the page again.')} ${fault instanceof Error ? fault.message : ''}`;
  };
  try {
    draw(await fromPage(load));
  } catch {
    note.textContent = t('⏳ The panel comes through the kernel, when the running cell has ended. After a restart, run this cell again.');
    // The widget is there meanwhile, and can be taken away.
    fromKernel(model, load).then(draw, late);
  }
  return () => end();
}

export default { render: (place: Place) => render(place) };
