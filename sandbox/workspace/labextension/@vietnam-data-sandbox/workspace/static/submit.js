/** The Submit button: from the notebook on the screen to the report of its run. */

import { Dialog } from "./dialog.js";
import { element } from "./elements.js";
import { findingList, stops } from "./findings.js";
import { SubmitForm } from "./form.js";
import { placeIcon } from "./icons.js";
import { lab } from "./lab.js";
import { OPEN_PAGES } from "./pages.js";
import { Progress, statusText } from "./progress.js";
import { Run } from "./runs.js";
import { Fault, get, insist } from "./server.js";
import { ready } from "./speaking.js";
import { text } from "./texts.js";

const SUBMIT = "sandbox:submit";
const drafts = new Map(); // what was typed, by notebook
const running = new Map(); // the run that goes on, by notebook

/** The plugin of the Submit button; its schema puts the button on the notebook's toolbar. */
export const submitPlugin = {
  id: "@vietnam-data-sandbox/workspace:submit",
  description: "Submits a notebook and follows its run.",
  autoStart: true,
  requires: [lab.notebook.INotebookTracker, lab.apputils.IToolbarWidgetRegistry],
  optional: [lab.apputils.ICommandPalette],
  activate,
};

async function activate(app, notebooks, toolbars, palette) {
  const { commands } = app;
  await ready();
  commands.addCommand(SUBMIT, {
    label: () => text("submit"),
    caption: () => text("submit_caption"),
    icon: () => placeIcon("submit"),
    isEnabled: () => notebooks.currentWidget !== null,
    execute: () => notebooks.currentWidget && new Submission(commands, notebooks.currentWidget),
  });
  palette?.addItem({ command: SUBMIT, category: text("palette") });
  toolbars.addFactory(
    "Notebook",
    "sandbox-submit",
    (panel) =>
      new lab.ui.ToolbarButton({
        label: text("submit"),
        icon: placeIcon("submit"),
        tooltip: text("submit_caption"),
        className: "vds-Submit",
        noFocusOnClick: true, // the focus goes back to the cell when the window closes
        onClick: () => new Submission(commands, panel),
      })
  );
}

/** One window over one notebook: reading, then the form, then the run. */
class Submission {
  constructor(commands, panel) {
    if (document.querySelector("dialog.vds-Dialog")) {
      return; // a second click; the window of the first is open
    }
    this.commands = commands;
    this.panel = panel;
    this.path = panel.context.localPath;
    this.isOpen = true;
    this.dialog = new Dialog({ onClose: () => this.closed() });
    this.close = () => this.dialog.close();
    const run = running.get(this.path);
    if (run) {
      this.showProgress(run);
    } else {
      this.begin();
    }
  }

  closed() {
    this.isOpen = false;
    this.progress?.stop();
  }

  /** Save, read the parameters, show the form; or say why that cannot be. */
  async begin() {
    this.progress?.stop();
    const note = element("p", { role: "status" }, text("reading"));
    this.dialog.show(this.title(), [note, this.closing()]);
    try {
      await save(this.panel);
      const declared = await insist(() => get("api/parameters", { path: this.path }), {
        onGone: (fault) => {
          note.textContent = fault.message;
        },
        isWanted: () => this.isOpen,
      });
      this.showForm(declared);
    } catch (fault) {
      const reason = element("p", { class: "vds-alert", role: "alert" }, fault.message);
      this.dialog.show(text("not_ready"), [reason, this.closing()]);
    }
  }

  showForm(declared) {
    if (stops(declared.findings)) {
      const told = findingList(declared.findings, (cell) => this.showCell(cell));
      const reason = element("div", { role: "alert" }, ...told);
      this.dialog.show(text("not_ready"), [reason, this.closing()]);
      return;
    }
    if (!drafts.has(this.path)) {
      drafts.set(this.path, new Map());
    }
    const form = new SubmitForm({
      declared,
      draft: drafts.get(this.path),
      onClose: this.close,
      onGo: (cell) => this.showCell(cell),
      onSubmitted: (submitted) => this.follow(new Run(submitted, declared.title || this.path)),
    });
    this.dialog.show(this.title(declared.title), [form.node], { focus: form.first });
  }

  /** Close the window and show a cell, counted from 1. */
  async showCell(cell) {
    this.close();
    const { content } = this.panel;
    content.activeCellIndex = cell - 1;
    await content.scrollToItem(cell - 1);
    content.activate();
  }

  /** Follow the run to its end, also when the window is closed meanwhile. */
  async follow(run) {
    running.set(this.path, run);
    if (this.isOpen) {
      this.showProgress(run);
    }
    await run.follow();
    running.delete(this.path);
    if (run.state.status === "succeeded") {
      drafts.delete(this.path);
    }
    if (!run.listeners.size && run.state.is_final) {
      this.announce(run);
    }
  }

  showProgress(run) {
    this.progress = new Progress(run, {
      onClose: this.close,
      onAgain: () => this.begin(),
      onOpen: (url) => {
        this.close();
        this.commands.execute(OPEN_PAGES, { url });
      },
    });
    this.dialog.show(run.title, this.progress.nodes);
  }

  /** Tell of the end of a run that nobody is looking at. */
  announce(run) {
    const { Notification } = lab.apputils;
    const { status, url } = run.state;
    const isDone = status === "succeeded";
    const open = {
      label: text(isDone ? "open_report" : "open_run"),
      callback: () => this.commands.execute(OPEN_PAGES, { url }),
    };
    Notification.emit(
      text("ended", { title: run.title, status: statusText(run) }),
      isDone ? "success" : "warning",
      { autoClose: false, actions: url ? [open] : [] }
    );
  }

  title(title = this.path) {
    return text("submit_title", { title });
  }

  closing() {
    const close = element("button", { type: "button", class: "vds-button" }, text("close"));
    close.addEventListener("click", this.close);
    return element("div", { class: "vds-buttons" }, close);
  }
}

/** Save the notebook, so that what runs is what is on the screen. */
async function save(panel) {
  const { context } = panel;
  await context.ready;
  if (!context.model.dirty || context.model.readOnly) {
    return;
  }
  await context.save().catch(() => undefined); // JupyterLab shows why; what counts is below
  if (context.model.dirty) {
    throw new Fault("refused", text("not_saved"));
  }
}
