/**
 * Whether an upload's parts are staged, where they can be read before Complete, or go straight to where S3 joins them:
 * its first bytes decide, and they come with part 1, which clients send first or at the same time as the others.
 */
import { LRUCache } from 'lru-cache';

/** How long another part waits for part 1 to be looked at; after that it is staged, which is right for both kinds. */
const FIRST_PART_WAIT_MS = 300;
const MAX_KNOWN = 10_000;

export type Route = 'staged' | 'direct';

interface Decision {
  readonly route: Promise<Route>;
  settle(route: Route): void;
  settled?: Route;
}

export class UploadRoutes {
  readonly #decisions = new LRUCache<string, Decision>({ max: MAX_KNOWN });

  /** What part 1 said; a part 1 that is sent again may say otherwise. */
  decide(uploadId: string, route: Route): void {
    const decision = this.#decision(uploadId);
    if (decision.settled === undefined) decision.settle(route);
    else if (decision.settled !== route) this.#decisions.set(uploadId, settledDecision(route));
  }

  /** `undefined` where part 1 has not come in time. Rejects with the signal's reason. */
  async wait(uploadId: string, signal: AbortSignal): Promise<Route | undefined> {
    const decision = this.#decision(uploadId);
    if (decision.settled !== undefined) return decision.settled;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), FIRST_PART_WAIT_MS);
    });
    try {
      const route = await Promise.race([decision.route, late]);
      signal.throwIfAborted();
      return route;
    } finally {
      clearTimeout(timer);
    }
  }

  forget(uploadId: string): void {
    this.#decisions.delete(uploadId);
  }

  #decision(uploadId: string): Decision {
    let decision = this.#decisions.get(uploadId);
    if (decision === undefined) {
      decision = openDecision();
      this.#decisions.set(uploadId, decision);
    }
    return decision;
  }
}

function openDecision(): Decision {
  let resolve: (route: Route) => void = () => undefined;
  const decision: Decision = {
    route: new Promise<Route>((settle) => (resolve = settle)),
    settle(route) {
      decision.settled = route;
      resolve(route);
    },
  };
  return decision;
}

function settledDecision(route: Route): Decision {
  const decision = openDecision();
  decision.settle(route);
  return decision;
}
