/** What the check before a run has found: where, why, and what mends it. */

import { element, uniqueId } from "./elements.js";
import { text } from "./texts.js";

/** Whether something stops the submission. */
export function stops(findings) {
  return findings.some(({ severity }) => severity === "error");
}

/**
 * The list of findings, the errors first; nothing where there are none.
 * @param {object[]} findings - {severity, cell, place, why, remedy}, from the server
 * @param {(cell: number) => void} onGo - shows a cell, counted from 1
 */
export function findingList(findings, onGo) {
  return ["error", "warning"].map((severity) => {
    const found = findings.filter((one) => one.severity === severity);
    if (!found.length) {
      return null;
    }
    const id = uniqueId("findings");
    return element(
      "section",
      { class: `vds-findings vds-${severity}s`, "aria-labelledby": id },
      element("h3", { id }, text(`checked_${severity}s`)),
      element("ul", {}, ...found.map((one) => item(one, onGo)))
    );
  });
}

function item({ severity, cell, place, why, remedy }, onGo) {
  const title = text("go_to_cell");
  const where = cell
    ? element("button", { type: "button", class: "vds-link", title, onclick: () => onGo(cell) }, place)
    : place;
  return element(
    "li",
    {},
    element("p", {}, element("strong", {}, text(`severity_${severity}`)), " · ", where),
    element("p", { class: "vds-reason" }, why),
    element("p", { class: "vds-help" }, text("remedy", { remedy }))
  );
}
