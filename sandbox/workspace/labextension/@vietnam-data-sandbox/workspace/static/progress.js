/** A run's way to its end, and what came of it. */

import { element } from "./elements.js";
import { webAddress } from "./frame.js";
import { text } from "./texts.js";

/** The progress of one run, redrawn at each change. */
export class Progress {
  /**
   * @param {import("./runs.js").Run} run
   * @param {{onClose: () => void, onAgain: () => void, onOpen: (url: string) => void}} on
   */
  constructor(run, on) {
    this.run = run;
    this.on = on;
    this.status = element("p", { class: "vds-status", role: "status" });
    this.fault = element("p", { class: "vds-alert", role: "alert" });
    this.fill = element("div", { class: "vds-bar-fill" });
    this.bar = element("div", { class: "vds-bar", role: "progressbar" }, this.fill);
    this.reason = element("p", { class: "vds-reason" });
    this.note = element("p", { class: "vds-help" }, text("keep_working"));
    this.buttons = element("div", { class: "vds-buttons" });
    const name = element("p", { class: "vds-help" }, text("run_title", { id: run.id }));
    const trial = element("p", { class: "vds-help", hidden: !run.trial }, run.trial);
    this.nodes = [name, trial, this.status, this.bar, this.reason, this.fault, this.note, this.buttons];
    this.stop = run.listen(() => this.draw());
    this.draw();
  }

  draw() {
    const { state, fault } = this.run;
    this.status.className = `vds-status vds-${state.status}`;
    say(this.status, statusText(this.run));
    say(this.fault, fault ? faultText(fault) : "");
    const isBad = state.is_final && state.status !== "succeeded";
    say(this.reason, isBad ? state.message || "" : "");
    this.note.hidden = state.is_final;
    this.drawBar();
    this.drawButtons();
  }

  drawBar() {
    const { status, cell, n_cells: cells, is_final: isFinal } = this.run.state;
    const isWhole = status === "succeeded";
    this.bar.hidden = isFinal && !isWhole;
    this.bar.setAttribute("aria-label", text("run_title", { id: this.run.id }));
    this.bar.setAttribute("aria-valuemin", "0");
    this.bar.setAttribute("aria-valuemax", String(cells || 1));
    this.bar.setAttribute("aria-valuenow", String(isWhole ? cells || 1 : cell || 0));
    this.bar.setAttribute("aria-valuetext", statusText(this.run));
    this.fill.style.width = `${isWhole ? 100 : (100 * (cell || 0)) / (cells || 1)}%`;
  }

  /** The buttons are made anew only when they change: a redrawn one would lose the focus. */
  drawButtons() {
    const { state, isCancelling } = this.run;
    const stage = `${state.status} ${isCancelling}`;
    if (stage === this.stage) {
      return;
    }
    const isAway = this.buttons.contains(document.activeElement);
    this.stage = stage;
    this.buttons.replaceChildren(
      ...(state.is_final ? this.finalButtons(state) : this.runningButtons(isCancelling))
    );
    if (isAway || state.is_final) {
      this.buttons.lastElementChild.focus();
    }
  }

  runningButtons(isCancelling) {
    const cancel = button(text(isCancelling ? "cancelling" : "cancel_run"), () => {
      if (!this.run.isCancelling) {
        this.run.cancel();
      }
    });
    cancel.setAttribute("aria-disabled", String(isCancelling));
    return [cancel, button(text("close"), this.on.onClose)];
  }

  finalButtons({ status, url }) {
    const isDone = status === "succeeded";
    const target = url ? webAddress(url) : null;
    const remedy = text("pages_missing_run", { id: this.run.id });
    return [
      target ? null : element("p", { class: "vds-help" }, remedy),
      isDone ? null : button(text("again"), this.on.onAgain),
      button(text("close"), this.on.onClose),
      target ? this.link(text(isDone ? "open_report" : "open_run"), target.href) : null,
    ].filter(Boolean);
  }

  link(label, url) {
    return element(
      "a",
      {
        class: "vds-button vds-main",
        href: url,
        onclick: (event) => {
          event.preventDefault();
          this.on.onOpen(url);
        },
      },
      label
    );
  }
}

/** Say where a run stands, in words. */
export function statusText({ state }) {
  const { status, status_title: title, cell, n_cells: cells, is_final: isFinal } = state;
  if (isFinal) {
    return text({ succeeded: "succeeded", cancelled: "cancelled" }[status] || "failed");
  }
  if (state.text) {
    return state.text;
  }
  if (status === "running" && cells) {
    return text("cell_of", { cell: Math.min((cell || 0) + 1, cells), n_cells: cells });
  }
  return status === "queued" ? text("waiting") : title || text("waiting");
}

function faultText(fault) {
  return fault.kind === "gone" ? text("server_gone_run") : fault.message;
}

/** Write only what differs, so that a screen reader speaks of changes only. */
function say(node, words) {
  node.hidden = !words;
  if (node.textContent !== words) {
    node.textContent = words;
  }
}

function button(label, onclick) {
  return element("button", { type: "button", class: "vds-button", onclick }, label);
}
