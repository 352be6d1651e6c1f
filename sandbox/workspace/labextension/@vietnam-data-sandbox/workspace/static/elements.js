/** DOM elements in one line each. Text always goes in as text, never as HTML. */

let count = 0;

/** Give an id that no other element has. */
export function uniqueId(stem) {
  count += 1;
  return `vds-${stem}-${count}`;
}

/**
 * Make an element.
 * @param {string} tag
 * @param {object} attributes - on* are listeners, true and false set or leave out an attribute
 * @param {...(Node|string|null)} children
 */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) {
      node.addEventListener(name.slice(2), value);
    } else if (value === true) {
      node.setAttribute(name, "");
    } else if (value !== false && value !== null && value !== undefined) {
      node.setAttribute(name, value);
    }
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}
