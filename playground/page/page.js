'use strict';
// The page: whatever is entered is checked at once.

(async () => {
  const configuration = editor(byId('configuration'));
  const FIELDS = ['configuration', 'method', 'url', 'headers', 'token', 'proof', 'introspection', 'session', 'time', 'keys'];
  // Long enough that fast typing is not held up.
  const PAUSE = 120;
  let timer = 0;

  function entered() {
    return Object.fromEntries(FIELDS.map((id) => [id, byId(id).value]));
  }

  function judge() {
    const question = entered();
    const checked = engine.ask({ask: 'check', configuration: question.configuration});
    configuration.show(checked.diagnostics ?? []);
    showFindings(checked, configuration.goTo);
    const token = question.token.trim();
    showToken(token === '' ? null : engine.ask({ask: 'decode', token}), question.time);
    showExplanation(engine.ask({ask: 'explain', ...question}));
  }

  function soon() {
    clearTimeout(timer);
    timer = setTimeout(judge, PAUSE);
  }

  try {
    await engine.start();
  } catch (error) {
    byId('decision').textContent = `The engine cannot be started: ${error.message}`;
    return;
  }
  for (const field of document.querySelectorAll('main input, main textarea')) field.addEventListener('input', soon);
  byId('now').addEventListener('click', () => {
    byId('time').value = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
    soon();
  });
  examples.offer(judge);
})();
