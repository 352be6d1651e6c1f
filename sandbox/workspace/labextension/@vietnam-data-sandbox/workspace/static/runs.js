/** Runs that were submitted from this page: each is followed until it ends, seen or unseen. */

import { get, insist, pause, post } from "./server.js";

const PERIOD_MS = 700;

/** One submitted run and what is known of it. */
export class Run {
  /** @param {{id: string, url: string|null, trial?: string}} submitted @param {string} title */
  constructor(submitted, title) {
    this.id = submitted.id;
    this.title = title;
    this.trial = submitted.trial || ""; // what came of it on a small replica, in words
    this.state = { status: "queued", cell: 0, n_cells: 0, is_final: false, ...submitted };
    this.fault = null; // why the state cannot be read just now
    this.isCancelling = false;
    this.listeners = new Set();
  }

  /** Ask for the state until it is final; resolves then, or when asking makes no sense. */
  async follow() {
    while (!this.state.is_final) {
      await pause(PERIOD_MS);
      try {
        const state = await insist(() => get(`api/runs/${encodeURIComponent(this.id)}`), {
          onGone: (fault) => this.tell({ fault }),
        });
        this.tell({ state, fault: null });
      } catch (fault) {
        this.tell({ fault });
        return;
      }
    }
  }

  /** Cancel; what comes of it is seen in the state. */
  async cancel() {
    this.tell({ isCancelling: true });
    try {
      this.tell({ state: await post(`api/runs/${encodeURIComponent(this.id)}/cancel`, {}) });
    } catch (fault) {
      this.tell({ fault, isCancelling: false });
    }
  }

  /** Hear of each change; gives the function that ends it. */
  listen(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  tell(changes) {
    Object.assign(this, changes);
    this.listeners.forEach((listener) => listener(this));
  }
}
