/** The commands of the views, by the place that they open. */

import type { PlaceName } from './views/frame.js';

/** What each command says and tells. */
export const COMMANDS: Readonly<Record<PlaceName, readonly [string, string]>> = {
  Jobs: ['Open the jobs', 'Jobs with their states, live'],
  Studies: ['Open the studies', 'Studies with their cases, live'],
  Systems: ['Open the systems', 'Hosts with their connections, queues and runtimes'],
  Apps: ['Open the apps', 'The apps that jobs may use'],
  Submit: ['Submit a job', 'Submit a job by the form of its app']
};

export function commandOf(place: PlaceName): string {
  return place === 'Submit' ? 'tapisjobs:submit' : `tapisjobs:open-${place.toLowerCase()}`;
}
