/** Our icons: drawn on a grid of 24, in the colours of the theme. */

import { lab } from "./lab.js";

const SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">';
const LINE =
  'fill="none" stroke="currentColor" stroke-width="1.7" ' +
  'stroke-linecap="round" stroke-linejoin="round"';

/** By domain, as templates name it. */
const DOMAINS = {
  market: '<path d="M5 8h14l-1 12.5H6z"/><path d="M8.5 10.5V7a3.5 3.5 0 0 1 7 0v3.5"/>',
  people:
    '<circle cx="9" cy="8" r="3.2"/><path d="M3 20c0-4 2.6-6.2 6-6.2s6 2.2 6 6.2"/>' +
    '<path d="M15.5 5.2a3 3 0 0 1 0 5.7M17.3 14.2c2.3.8 3.7 2.8 3.7 5.8"/>',
  health:
    '<path d="M12 20.5S3.5 15.6 3.5 9.4A4.6 4.6 0 0 1 12 7a4.6 4.6 0 0 1 8.5 2.4' +
    'c0 6.2-8.5 11.1-8.5 11.1z"/>' +
    '<path d="M6.5 12h3l1.5-2.6 2 4.4 1.3-1.8h3.2"/>',
  education:
    '<path d="M2.5 9.5 12 5l9.5 4.5L12 14z"/>' +
    '<path d="M6.5 11.6v4.6c1.4 1.5 3.3 2.3 5.5 2.3s4.1-.8 5.5-2.3v-4.6M21.5 9.5v5.5"/>',
  enterprise:
    '<path d="M4 21V6l8-3v18M12 9l8 2.5V21M2.5 21h19"/>' +
    '<path d="M7 9.5h2M7 13h2M7 16.5h2M15 14.5h2M15 17.5h2"/>',
  finance:
    '<circle cx="12" cy="12" r="8.7"/><path d="M8.3 16.8h7.4M14.4 6.5v7.3M12.2 8.6h4.2"/>' +
    '<circle cx="11.9" cy="11.9" r="2.5"/>',
  land: '<path d="m3 7 6-3 6 3 6-3v13l-6 3-6-3-6 3z"/><path d="M9 4v13M15 7v13"/>',
  work:
    '<rect x="3" y="8" width="18" height="12" rx="1.8"/>' +
    '<path d="M8.5 8V5.8c0-1 .8-1.8 1.8-1.8h3.4c1 0 1.8.8 1.8 1.8V8M3 13.2h18M12 12v2.6"/>',
};
const OTHER = '<path d="M4 20V4M4 20h16"/><path d="M8 16v-4M12 16V8M16 16v-6"/>';

const PLACES = {
  start: '<path d="M4 11 12 4l8 7M6 9.5V20h12V9.5"/><path d="M10 20v-5.5h4V20"/>',
  guided:
    '<path d="M12 6.5C10 5 7 4.4 3.5 4.6v13.6c3.5-.2 6.5.4 8.5 1.9' +
    ' 2-1.5 5-2.1 8.5-1.9V4.6C17 4.4 14 5 12 6.5zM12 6.5v13.6"/>',
  reports:
    '<path d="M6 3h8.5L19 7.5V21H6z"/><path d="M14 3v5h5M9 17v-2.5M12.5 17v-5M16 17v-3.5"/>',
  data:
    '<ellipse cx="12" cy="6" rx="7.5" ry="3"/>' +
    '<path d="M4.5 6v12c0 1.7 3.4 3 7.5 3s7.5-1.3 7.5-3V6' +
    'M4.5 12c0 1.7 3.4 3 7.5 3s7.5-1.3 7.5-3"/>',
  submit: '<path d="M12 15.5V4M7.5 8.2 12 3.7l4.5 4.5"/><path d="M4 14.5V20h16v-5.5"/>',
};

const made = new Map();

/** Give the icon of a domain. */
export function domainIcon(domain) {
  return Object.hasOwn(DOMAINS, domain)
    ? icon(`domain-${domain}`, DOMAINS[domain])
    : icon("domain-other", OTHER);
}

/** Give the icon of a place of ours: start, guided, reports, data, submit. */
export function placeIcon(name) {
  return icon(name, PLACES[name]);
}

function icon(name, drawing) {
  if (!made.has(name)) {
    const svgstr = `${SVG}<g ${LINE}>${drawing}</g></svg>`;
    made.set(name, new lab.ui.LabIcon({ name: `vietnam-data-sandbox:${name}`, svgstr }));
  }
  return made.get(name);
}
