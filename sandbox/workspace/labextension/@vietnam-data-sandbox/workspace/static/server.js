/**
 * The workspace server's API. Each call answers what the server says, or throws a `Fault` whose
 * message can be shown to a person.
 */

import { lab } from "./lab.js";
import { text } from "./texts.js";

const PATIENCE_MS = 60_000;

/** Why a call failed. */
export class Fault extends Error {
  /**
   * @param {"gone"|"refused"|"signed out"|"fault"} kind
   * @param {string} message - for the person
   * @param {string|null} parameter - the field that it is about
   * @param {object[]} findings - of the check, which say the same at their places
   */
  constructor(kind, message, parameter = null, findings = []) {
    super(message);
    this.kind = kind;
    this.parameter = parameter;
    this.findings = findings;
  }
}

/** What the server told this page about itself: {language, pages, start}. */
export function settings() {
  const told = lab.coreutils.PageConfig.getOption("sandbox");
  return { language: "en", pages: null, ...(told ? JSON.parse(told) : {}) };
}

/** Give an address of the workspace server from its path below /sandbox. */
export function address(path) {
  return lab.coreutils.URLExt.join(lab.coreutils.PageConfig.getBaseUrl(), "sandbox", path);
}

/** Ask for something. */
export function get(path, query = {}) {
  const search = new URLSearchParams(query).toString();
  return call(search ? `${path}?${search}` : path, { method: "GET" });
}

/** Send something. */
export function post(path, body, headers = {}) {
  return call(path, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "Content-Type": "application/json", ...headers },
  });
}

/** Call again and again while the server does not answer; `onGone` hears of each failure. */
export async function insist(ask, { onGone, isWanted = () => true }) {
  for (let failures = 1; ; failures += 1) {
    try {
      return await ask();
    } catch (fault) {
      if (fault.kind !== "gone" || !isWanted()) {
        throw fault;
      }
      onGone(fault);
      await pause(Math.min(1000 * failures, 5000));
    }
  }
}

/** Wait. */
export function pause(milliseconds) {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}

async function call(path, options) {
  const { ServerConnection } = lab.services;
  const connection = ServerConnection.makeSettings({ init: { cache: "no-store" } });
  let response;
  let body;
  try {
    // It adds what Jupyter wants to see: token or cookie, and the X-XSRFToken header.
    response = await ServerConnection.makeRequest(
      address(path),
      { ...options, signal: AbortSignal.timeout(PATIENCE_MS) },
      connection
    );
    body = await response.text();
  } catch {
    throw new Fault("gone", text("server_gone"));
  }
  const answer = parsed(body);
  if (response.ok && answer !== undefined) {
    return answer;
  }
  throw fault(response.status, answer);
}

function parsed(body) {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function fault(status, answer) {
  if (status >= 502 && status <= 504) {
    return new Fault("gone", text("server_gone"));
  }
  if (status === 401 || status === 403) {
    return new Fault("signed out", text("signed_out"));
  }
  if (status >= 400 && status < 500 && answer && answer.message) {
    return new Fault("refused", answer.message, answer.parameter || null, answer.findings);
  }
  return new Fault("fault", text("server_fault", { status }));
}
