'use strict';
// The engine: a module without imports, which is asked and answers in JSON.

const engine = (() => {
  let module = null;
  let exports = null;

  function text(ask) {
    const octets = new TextEncoder().encode(ask);
    const place = exports.question(octets.length);
    new Uint8Array(exports.memory.buffer, place, octets.length).set(octets);
    const answer = exports.answer();
    return new TextDecoder().decode(new Uint8Array(exports.memory.buffer, answer, exports.answer_length()));
  }

  return {
    /** Compiles the module that the page holds. */
    async start() {
      const octets = Uint8Array.from(atob(byId('module').textContent), (character) => character.charCodeAt(0));
      module = await WebAssembly.compile(octets);
      exports = (await WebAssembly.instantiate(module)).exports;
    },

    /** The answer to a question. */
    ask(question) {
      try {
        return JSON.parse(text(JSON.stringify(question)));
      } catch (error) {
        // Whatever it stumbled over, the next question finds it fresh.
        exports = new WebAssembly.Instance(module).exports;
        return {trouble: `the engine stopped: ${error.message}`};
      }
    },
  };
})();
