'use strict';
// A text field with line numbers, whose mistakes are marked behind the text.

function editor(field) {
  const frame = field.closest('.editor');
  const numbers = frame.querySelector('.numbers');
  const marks = frame.querySelector('.marks');

  function scroll() {
    marks.scrollTop = numbers.scrollTop = field.scrollTop;
    marks.scrollLeft = field.scrollLeft;
  }
  field.addEventListener('scroll', scroll);

  /** Where a line and a column, counted in characters from 1, are in the text. */
  function offset(line, column) {
    const lines = field.value.split('\n');
    const before = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
    return before + [...(lines[line - 1] ?? '')].slice(0, column - 1).join('').length;
  }

  function show(findings) {
    const count = field.value.split('\n').length;
    const worst = new Map();
    for (const {line, severity} of findings) if (worst.get(line) !== 'error') worst.set(line, severity);
    numbers.replaceChildren(...Array.from({length: count}, (_, index) =>
      element('span', {className: worst.get(index + 1) ?? ''}, `${index + 1}\n`)));
    let end = 0;
    const parts = [];
    for (const finding of findings) {
      const start = offset(finding.line, finding.column);
      const stop = Math.min(offset(finding.endLine, finding.endColumn), field.value.length);
      // One mark for what lies in another.
      if (start < end || stop <= start) continue;
      parts.push(field.value.slice(end, start));
      parts.push(element('mark', {className: finding.severity}, field.value.slice(start, stop)));
      end = stop;
    }
    marks.replaceChildren(...parts, field.value.slice(end), '\n');
    scroll();
  }

  return {
    /** Marks what was found, in the order of the text. */
    show,

    /** Goes to a finding. */
    goTo(finding) {
      const start = offset(finding.line, finding.column);
      field.focus();
      field.setSelectionRange(start, Math.max(start, offset(finding.endLine, finding.endColumn)));
      const height = field.scrollHeight / field.value.split('\n').length;
      field.scrollTop = Math.max(0, (finding.line - 4) * height);
    },
  };
}
