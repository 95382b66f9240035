/** Shows a job's card where a notebook has one, instead of its HTML. */

import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { Widget } from '@lumino/widgets';

import { readSavedCard } from './job.js';
import { theServer } from './server.js';
import { CardView } from './view.js';

export const MIME = 'application/vnd.tapisjobs.job+json';

class CardWidget extends Widget implements IRenderMime.IRenderer {
  constructor() {
    super();
    this.addClass('tj-Output-area');
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const card = readSavedCard(model.data[MIME]);
    if (this.view?.uuid === card.uuid) {
      this.view.update(card);
      return;
    }
    this.view?.dispose();
    this.view = new CardView(theServer(), card);
    this.node.replaceChildren(this.view.node);
  }

  override dispose(): void {
    this.view?.dispose();
    super.dispose();
  }

  private view: CardView | null = null;
}

const extension: IRenderMime.IExtension = {
  id: 'jupyter-tapis-jobs:card',
  description: 'Draws the live card of a Tapis job.',
  rendererFactory: {
    // Everything in a card is written as text, so an untrusted notebook may show it.
    safe: true,
    mimeTypes: [MIME],
    createRenderer: () => new CardWidget()
  },
  rank: 0,
  dataType: 'json'
};

export default extension;
