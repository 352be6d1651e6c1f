/**
 * A modal window for one view after another. It is the browser's own <dialog>: focus stays in it,
 * Escape closes it, and focus goes back to where it was.
 */

import { element, uniqueId } from "./elements.js";
import { language } from "./texts.js";

/** A window; `onClose` hears that it was closed, however that was done. */
export class Dialog {
  constructor({ onClose }) {
    this.node = element("dialog", {
      class: "vds-Dialog",
      lang: language(),
      // Keys pressed in here are no shortcuts of the Lab.
      "data-lm-suppress-shortcuts": "true",
      onclose: () => {
        this.node.remove();
        onClose();
      },
    });
    document.body.append(this.node);
    this.node.showModal();
  }

  /**
   * Show a view in place of the one before.
   * @param {string} title
   * @param {Node[]} children
   * @param {{focus?: HTMLElement}} options - what gets the focus; the heading without
   */
  show(title, children, { focus } = {}) {
    const heading = element("h2", { id: uniqueId("title"), tabindex: "-1" }, title);
    this.node.setAttribute("aria-labelledby", heading.id);
    this.node.replaceChildren(heading, ...children);
    (focus || heading).focus();
  }

  close() {
    this.node.close();
  }
}
