'use strict';
// Making elements: text is always text, and never markup.

const byId = (id) => document.getElementById(id);

/** An element with these properties and children; what is null is left out. */
function element(name, properties, ...children) {
  const made = document.createElement(name);
  Object.assign(made, properties);
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

/** A text whose `parts in backticks` are code. */
function prose(text) {
  return text.split('`').map((part, index) => (index % 2 === 1 ? element('code', {}, part) : part));
}

/** A table of names and values. */
function table(caption, headings, rows) {
  const head = element('tr', {}, headings.map((heading) => element('th', {scope: 'col'}, heading)));
  const body = rows.map(([name, ...values]) => element('tr', {},
    element('th', {scope: 'row'}, name), values.map((value) => element('td', {}, value))));
  return element('table', {},
    element('caption', {}, caption), element('thead', {}, head), element('tbody', {}, body));
}
