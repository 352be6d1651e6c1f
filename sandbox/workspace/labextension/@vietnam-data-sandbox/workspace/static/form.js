/** The form that submits a notebook. What is typed into it outlives errors, closing and outages. */

import { element, uniqueId } from "./elements.js";
import { parameterField, textField } from "./fields.js";
import { findingList } from "./findings.js";
import { insist, post } from "./server.js";
import { text } from "./texts.js";

/** The form of one notebook. */
export class SubmitForm {
  /**
   * @param {object} options
   * @param {object} options.declared - {path, title, parameters, findings, team}, from the server
   * @param {Map<string, any>} options.draft - what was typed before, by field; kept up to date
   * @param {() => void} options.onClose
   * @param {(cell: number) => void} options.onGo - shows a cell of the notebook
   * @param {(submitted: object) => void} options.onSubmitted
   */
  constructor({ declared, draft, onClose, onGo, onSubmitted }) {
    this.path = declared.path;
    this.draft = draft;
    this.onSubmitted = onSubmitted;
    this.onGo = onGo;
    this.isSending = false;
    // One id for this form, so that a call repeated after an outage is not a second submission.
    this.once = crypto.randomUUID?.() || `${Date.now()}-${Math.random()}`;
    this.parameters = new Map(declared.parameters.map((one) => [one.name, parameterField(one)]));
    const team = { label: text("team"), help: [text("team_help")], initial: declared.team || "" };
    const why = { label: text("why"), help: [text("why_help")], lines: 2 };
    this.others = new Map([
      ["team", textField(team)],
      ["why", textField(why)],
    ]);
    this.alert = element("div", { class: "vds-alert", role: "alert", tabindex: "-1" });
    this.send = element("button", { type: "submit", class: "vds-button vds-main" }, text("send"));
    this.node = this.layout(declared, { onClose, onGo });
    this.restore();
  }

  /** Where to begin typing. */
  get first() {
    return this.node.querySelector("input, select, textarea");
  }

  layout(declared, { onClose, onGo }) {
    const close = element("button", { type: "button", class: "vds-button" }, text("close"));
    close.addEventListener("click", onClose);
    const form = element(
      "form",
      { novalidate: true },
      element("p", { class: "vds-intro" }, text("submit_intro")),
      ...findingList(declared.findings, onGo),
      attachmentList(declared.attachments),
      group(text("parameters"), this.parameters) ||
        element("p", { class: "vds-help" }, text("no_parameters")),
      group(text("about"), this.others),
      this.alert,
      element("div", { class: "vds-buttons" }, close, this.send)
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    form.addEventListener("input", () => this.remember());
    return form;
  }

  remember() {
    this.fields().forEach(([key, field]) => this.draft.set(key, field.typed()));
  }

  restore() {
    this.fields().forEach(([key, field]) => {
      if (this.draft.has(key)) {
        field.type(this.draft.get(key));
      }
    });
  }

  /** All fields, each with a key that no parameter's name can take from another. */
  fields() {
    return [
      ...[...this.parameters].map(([name, field]) => [`parameter ${name}`, field]),
      ...this.others,
    ];
  }

  async submit() {
    if (this.isSending) {
      return;
    }
    this.sending(true);
    this.clear();
    try {
      const ask = () => post("api/runs", this.values(), { "X-Sandbox-Once": this.once });
      const submitted = await insist(ask, {
        onGone: (fault) => this.say(fault.message),
        isWanted: () => this.node.isConnected, // whoever closes the form wants no more tries
      });
      this.onSubmitted(submitted);
    } catch (fault) {
      this.complain(fault);
    } finally {
      this.sending(false);
    }
  }

  values() {
    const parameters = [...this.parameters].map(([name, field]) => [name, field.value()]);
    return {
      path: this.path,
      parameters: Object.fromEntries(parameters),
      team: this.others.get("team").value().trim(),
      why: this.others.get("why").value().trim(),
    };
  }

  sending(isSending) {
    this.isSending = isSending;
    this.send.textContent = text(isSending ? "sending" : "send");
    // Not `disabled`: a button that loses the focus takes the keyboard's place away.
    this.send.setAttribute("aria-disabled", String(isSending));
  }

  /** Put an error beside the field that it is about, and the focus there. */
  complain(fault) {
    const field = this.parameters.get(fault.parameter) || this.others.get(fault.parameter);
    if (field) {
      this.say("");
      field.complain(fault.message);
    } else if (fault.findings?.length) {
      this.alert.replaceChildren(...findingList(fault.findings, this.onGo).filter(Boolean));
      this.alert.focus();
    } else {
      this.say(fault.message);
      this.alert.focus();
    }
  }

  clear() {
    this.say("");
    this.fields().forEach(([, field]) => field.complain(""));
  }

  say(message) {
    this.alert.textContent = message;
  }
}

/** What travels with the notebook; nothing where nothing does. */
function attachmentList(attachments = []) {
  if (!attachments.length) {
    return null;
  }
  const id = uniqueId("attachments");
  return element(
    "section",
    { class: "vds-attachments", "aria-labelledby": id },
    element("h3", { id }, text("attachments")),
    element("ul", {}, ...attachments.map((one) => element("li", {}, one)))
  );
}

function group(title, fields) {
  if (!fields.size) {
    return null;
  }
  const nodes = [...fields.values()].map((field) => field.node);
  return element("fieldset", {}, element("legend", {}, title), ...nodes);
}
