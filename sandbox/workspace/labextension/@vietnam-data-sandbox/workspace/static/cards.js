/** Launcher cards and command palette entries: guided notebooks, then templates by domain. */

import { openCopy } from "./copies.js";
import { domainIcon, placeIcon } from "./icons.js";
import { lab } from "./lab.js";
import { OPEN_DATA, OPEN_REPORTS } from "./pages.js";
import { get, insist } from "./server.js";
import { ready } from "./speaking.js";
import { OPEN_START } from "./start.js";
import { text } from "./texts.js";

const OPEN_COPY = "sandbox:open-copy";
const FIRST = -1000; // before JupyterLab's own categories, which begin at 0

/** The plugin of the cards. */
export const cardsPlugin = {
  id: "@vietnam-data-sandbox/workspace:cards",
  description: "Offers templates and guided notebooks in the launcher and the command palette.",
  autoStart: true,
  optional: [lab.launcher.ILauncher, lab.apputils.ICommandPalette],
  activate,
};

async function activate(app, launcher, palette) {
  const { commands } = app;
  commands.addCommand(OPEN_COPY, {
    label: ({ kind, title, isPalette }) =>
      isPalette ? text(kind === "template" ? "open_template" : "open_guided", { title }) : title,
    caption: ({ purpose, minutes }) =>
      minutes ? text("card_caption", { purpose, minutes }) : purpose,
    icon: ({ kind, domain }) => (kind === "template" ? domainIcon(domain) : placeIcon("guided")),
    execute: ({ kind, name }) => openCopy(commands, { kind, name }),
  });
  await ready();
  offerPlaces(launcher, palette);
  // Not waited for: reading the templates takes the server longer than the Lab should wait.
  offerCopies(launcher, palette).catch((fault) => {
    lab.apputils.Notification.emit(fault.message, "error", { autoClose: false });
  });
}

function offerPlaces(launcher, palette) {
  [OPEN_START, OPEN_REPORTS, OPEN_DATA].forEach((command, rank) => {
    launcher?.add({ command, category: text("overview"), categoryRank: -1, rank });
    palette?.addItem({ command, category: text("palette") });
  });
}

async function offerCopies(launcher, palette) {
  const { domains, notebooks } = await insist(() => get("api/templates"), { onGone() {} });
  const groups = [
    { title: text("guided"), kind: "notebook", items: notebooks },
    ...domains.map(({ domain, title, templates }) => ({
      title,
      domain,
      kind: "template",
      items: templates,
    })),
  ];
  groups.forEach(({ title: category, domain = "", kind, items }, group) => {
    items.forEach(({ name, title, purpose, minutes }, rank) => {
      const args = { kind, name, title, purpose, minutes, domain };
      const card = { command: OPEN_COPY, args, category, categoryRank: FIRST + group, rank };
      launcher?.add(card);
      palette?.addItem({
        command: OPEN_COPY,
        args: { ...args, isPalette: true },
        category: text("palette"),
      });
    });
  });
}
