/**
 * What the extension says. The server gives every text in the person's language; the English here
 * speaks where it does not answer.
 */

const ENGLISH = {
  start: "Start",
  start_caption: "What is here, the templates and your latest runs",
  overview: "Overview",
  guided: "Guided notebooks",
  palette: "Data sandbox",
  open_template: "New from template: {title}",
  open_guided: "Guided notebook: {title}",
  card_caption: "{purpose} (about {minutes} min)",
  copy_failed: "The notebook could not be opened",
  reports: "Reports",
  reports_caption: "All runs and their reports",
  data: "Data",
  data_caption: "Datasets, tables, columns and published tables",
  pages_missing: "The report pages are not running",
  pages_missing_remedy:
    "Close the workspace, then start both together with this command: sandbox up",
  submit: "Submit",
  submit_caption: "Submit this notebook: it runs once from top to bottom, and you get a report",
  submit_title: "Submit: {title}",
  submit_intro:
    "The notebook as it is saved now runs from top to bottom, in a kernel of its own, with " +
    "the values below. You follow it here and then open its report.",
  reading: "Saving the notebook and reading its parameters…",
  not_saved:
    "The notebook could not be saved, so it was not submitted. Save it, then press Submit again.",
  not_ready: "This notebook cannot be submitted yet",
  parameters: "Parameters",
  no_parameters: "This notebook declares no parameters: it runs as it stands.",
  kind_str: "text",
  kind_int: "whole number",
  kind_float: "number",
  kind_bool: "yes or no",
  kind_list: "list, for example [1, 2]",
  kind_dict: "pairs, for example {\"a\": 1}",
  kind_Literal: "one of the choices",
  checked_errors: "Mend this first, save, and press Submit again",
  checked_warnings: "Worth a look before you submit; these remarks travel with the run",
  severity_error: "Error",
  severity_warning: "Warning",
  remedy: "What to do: {remedy}",
  go_to_cell: "Show this cell in the notebook",
  yes: "yes",
  no: "no",
  may_be_empty: "may be left empty",
  default: "default: {value}",
  nothing: "(none)",
  about: "About this run",
  team: "Team",
  team_help: "For whom you submit; the report names it",
  why: "Why",
  why_help: "In one sentence: what do you want to find out?",
  send: "Submit",
  sending: "Checking and submitting…",
  attachments: "Files that go with the notebook",
  close: "Close",
  server_gone: "The workspace does not answer. What you typed is kept; trying again…",
  server_gone_run: "The workspace does not answer. The run is not lost; asking again…",
  signed_out:
    "You are signed out of the workspace. Open it again with the address that “sandbox up” " +
    "printed.",
  server_fault:
    "The workspace met an error (number {status}). Try again; if it comes back, restart with " +
    "“sandbox up”.",
  run_title: "Run {id}",
  waiting: "Waiting for its turn",
  cell_of: "Cell {cell} of {n_cells}",
  keep_working:
    "You may close this window and keep working: the run goes on, and a message tells you " +
    "when it ends.",
  cancel_run: "Cancel the run",
  cancelling: "Cancelling…",
  succeeded: "The run is complete.",
  failed: "The run did not succeed.",
  cancelled: "The run was cancelled.",
  open_report: "Open the report",
  open_run: "Open the run’s page",
  pages_missing_run: "The report pages are not running. Read this run with: sandbox run show {id}",
  again: "Change the values and submit again",
  ended: "{title} – {status}",
};

let texts = ENGLISH;
let spoken = "en";

/** Take the server's texts; what it lacks stays English. */
export function learn(answer, language) {
  texts = { ...ENGLISH, ...answer };
  spoken = language;
}

/** Give a text, its {places} filled. */
export function text(key, values = {}) {
  return texts[key].replace(/\{(\w+)\}/g, (place, name) =>
    name in values ? String(values[name]) : place
  );
}

/** The language that the texts are in, for `lang` attributes. */
export function language() {
  return spoken;
}
