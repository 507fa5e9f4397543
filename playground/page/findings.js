'use strict';
// Mistakes in the configuration, and likely mistakes.

function showFindings({diagnostics: findings = [], trouble}, goTo) {
  const count = (severity, name) => {
    const number = findings.filter((finding) => finding.severity === severity).length;
    return number === 0 ? [] : [`${number} ${name}${number === 1 ? '' : 's'}`];
  };
  const counts = [...count('error', 'error'), ...count('warning', 'warning')];
  byId('findings-count').textContent = trouble ?? (counts.join(', ') || 'fine');
  const worst = ['error', 'warning'].find((severity) => findings.some((finding) => finding.severity === severity));
  byId('findings-count').className = trouble ? 'error' : worst ?? 'fine';
  byId('findings').replaceChildren(...findings.map((finding) => {
    const line = element('button', {type: 'button', onclick: () => goTo(finding)}, `line ${finding.line}`);
    const path = finding.path === '' ? null : element('code', {}, finding.path);
    const help = finding.help ? element('p', {className: 'help'}, prose(`help: ${finding.help}`)) : null;
    const head = element('p', {}, element('strong', {}, finding.severity), ' ', line, ' ', path);
    return element('li', {className: finding.severity}, head, element('p', {}, prose(finding.message)), help);
  }));
}
