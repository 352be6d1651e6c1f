/** The fields of the submit form: one for each parameter that a notebook declares. */

import { element, uniqueId } from "./elements.js";
import { text } from "./texts.js";

/**
 * A field for a declared parameter: {node, value(), typed(), type(typed), complain(message)}.
 * Numbers, lists and mappings are text: a person can type anything, and the server says in words
 * what does not fit.
 */
export function parameterField(parameter) {
  const { name, choices, comment } = parameter;
  const type = kindOf(parameter);
  const help = [comment, hint(parameter)].filter(Boolean);
  if (choices) {
    return choiceField(parameter, choices, { label: name, help });
  }
  if (type === "bool") {
    return parameter.optional
      ? choiceField(parameter, [true, false], { label: name, help })
      : checkField(parameter, { label: name, help });
  }
  return textField({
    label: name,
    help,
    code: true,
    initial: written(parameter.default),
    attributes: { inputmode: { int: "numeric", float: "decimal" }[type] },
    read: (typed) => typedValue(parameter, typed),
  });
}

/** A field for any other text. */
export function textField({ label, help, initial = "", attributes = {}, read, code, lines }) {
  const { autocomplete = "off", ...others } = attributes;
  const input = element(lines ? "textarea" : "input", {
    ...(lines ? { rows: lines } : { type: "text" }),
    class: "vds-input",
    autocomplete,
    spellcheck: "false",
    ...others,
  });
  input.value = initial;
  return field(input, {
    label,
    help,
    code,
    typed: () => input.value,
    type: (value) => {
      input.value = value;
    },
    value: () => (read ? read(input.value) : input.value),
  });
}

function choiceField(parameter, choices, { label, help }) {
  const values = parameter.optional ? [null, ...choices] : choices;
  const select = element(
    "select",
    { class: "vds-input" },
    ...values.map((value, index) =>
      element("option", { value: index }, written(value) || text("nothing"))
    )
  );
  select.value = String(values.indexOf(parameter.default));
  return field(select, {
    label,
    help,
    code: true,
    typed: () => select.value,
    type: (index) => {
      select.value = index;
    },
    value: () => values[Number(select.value)],
  });
}

function checkField(parameter, { label, help }) {
  const box = element("input", { type: "checkbox" });
  box.checked = parameter.default === true;
  return field(box, {
    label,
    help,
    code: true,
    typed: () => box.checked,
    type: (isChecked) => {
      box.checked = isChecked;
    },
    value: () => box.checked,
  });
}

/** Put label, input, help and the place of an error together, tied for a screen reader. */
function field(input, { label, help, code = false, ...access }) {
  const [helpId, errorId] = [uniqueId("help"), uniqueId("error")];
  input.id = uniqueId("field");
  input.setAttribute("aria-describedby", `${errorId} ${helpId}`);
  const error = element("p", { id: errorId, class: "vds-error", role: "alert" });
  const isBox = input.type === "checkbox";
  const name = element("label", { for: input.id, class: code ? "vds-code" : null }, label);
  const node = element(
    "div",
    { class: isBox ? "vds-field vds-check" : "vds-field" },
    ...(isBox ? [input, name] : [name, input]),
    error,
    element("p", { id: helpId, class: "vds-help" }, help.join(" · "))
  );
  const complain = (message) => {
    error.textContent = message || "";
    input.setAttribute("aria-invalid", message ? "true" : "false");
    if (message) {
      input.focus();
    }
  };
  input.addEventListener("input", () => complain(""));
  return { node, complain, ...access };
}

/** Give the outer type: `list` for list[int]. */
function kindOf({ type }) {
  return /^\w+/.exec(type)[0];
}

function hint(parameter) {
  const { optional, default: value } = parameter;
  return [
    text(`kind_${kindOf(parameter)}`),
    text("default", { value: written(value) || text("nothing") }),
    optional ? text("may_be_empty") : null,
  ]
    .filter(Boolean)
    .join(", ");
}

/** Write a value as a person would type it. */
function written(value) {
  if (value === null || value === undefined) {
    return "";
  }
  if (typeof value === "boolean") {
    return text(value ? "yes" : "no");
  }
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Read what was typed; what cannot be read is sent as it is, for the server to refuse. */
function typedValue(parameter, typed) {
  if (parameter.optional && typed.trim() === "") {
    return null;
  }
  const type = kindOf(parameter);
  if (type === "list" || type === "dict") {
    try {
      return JSON.parse(typed);
    } catch {
      return typed; // perhaps as Python writes it: the server knows
    }
  }
  return typed; // the server reads text as the declared type, large numbers exactly
}
