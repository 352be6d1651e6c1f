/** The person's language: asked for once, before anything of ours is shown. */

import { get, settings } from "./server.js";
import { learn } from "./texts.js";

const WAIT_MS = 4000;
let asked = null;

/** Resolve when the texts are there; a server that is slow or mute holds nothing up. */
export function ready() {
  asked = asked || Promise.race([ask(), patience()]);
  return asked;
}

async function ask() {
  try {
    learn(await get("api/texts"), settings().language);
  } catch {
    // English then: the page itself works, and whoever calls the server next is told why.
  }
}

function patience() {
  return new Promise((resolve) => {
    setTimeout(resolve, WAIT_MS);
  });
}
