'use strict';
// Examples to begin with: one configuration, and requests to it. Their tokens are signed with the key of RFC 8037 A.1,
// which everybody has.

const examples = (() => {
  const all = JSON.parse(byId('examples.json').textContent);
  const configuration = byId('example.yaml').textContent;
  const FIELDS = ['method', 'url', 'headers', 'token', 'time'];
  const REST = ['proof', 'introspection', 'session', 'keys'];

  return {
    /** Offers them, and calls `changed` when one was put in. */
    offer(changed) {
      const choice = byId('example');
      choice.replaceChildren(...all.map(({name}) => element('option', {}, name)));
      const put = () => {
        byId('configuration').value = configuration;
        for (const field of FIELDS) byId(field).value = all[choice.selectedIndex][field];
        for (const field of REST) byId(field).value = '';
        changed();
      };
      choice.addEventListener('change', put);
      put();
    },
  };
})();
