'use strict';
// The decision, and the steps that led to it.

const showExplanation = (() => {
  const TITLES = {
    allowed: ['pass', 'Admitted'],
    answered: ['pass', 'Answered by the gate'],
    audited: ['wait', 'Admitted, since it is only audited'],
    denied: ['refuse', 'Refused'],
    undecided: ['wait', 'Undecided'],
  };
  const MARKS = {passed: 'yes', failed: 'no', trusted: 'yes', unknown: 'skipped'};
  const WORDS = {trusted: ' (trusted)', unknown: ' (not known)'};

  const code = (text) => element('code', {}, text);
  const step = (mark, ...children) => element('li', {className: mark}, element('div', {}, ...children));
  const mark = (met) => (met === null ? 'skipped' : met ? 'yes' : 'no');
  const section = (title, steps) => (steps.length === 0 ? [] : [
    element('h3', {}, title), element('ol', {className: 'steps'}, steps)]);

  function verdict(answer) {
    const {outcome, reason, detail, rule, answer: reply} = answer.decision;
    const [kind, title] = TITLES[outcome] ?? ['wait', outcome];
    const because = rule === null ? null : element('p', {}, 'Rule ', code(rule));
    return element('div', {className: `verdict ${kind}`},
      element('p', {className: 'what'}, reply === null ? title : `${title}: ${reply.status}`),
      element('p', {className: 'why'}, detail, detail && reason ? ': ' : null, reason ? code(reason) : null),
      because);
  }

  function path({canonical, problem}) {
    if (problem !== null) return [step('no', prose(problem))];
    return canonical === null ? [] : [step('yes', 'rules see ', code(canonical))];
  }

  function mismatch({what, expected, found}) {
    return element('div', {}, `${what}: expected `, expected.flatMap((one, index) => [index === 0 ? null : ' or ', code(one)]), ', found ', found === null ? 'none' : code(found));
  }

  function rules(answer) {
    const steps = answer.rules.map(({rule, matches, mismatches}) =>
      step(mark(matches), code(rule), matches ? ' matches' : null, mismatches.map(mismatch)));
    const {access} = answer;
    if (access !== null && access.rule === null) steps.push(step('yes', 'no rule matches: ', code('default')));
    return steps;
  }

  function requirement({asks, found, met, parts}, holder) {
    const inner = parts.map((part) => requirement(part, holder));
    const nested = inner.length === 0 ? null : element('ol', {className: 'steps'}, inner);
    return step(mark(met), prose(asks), prose(found === null ? '' : `; the ${holder} has ${found}`), nested);
  }

  function access({access: asked, session}) {
    if (asked === null) return [];
    if (asked.requirement === null) return [step(asked.asks === 'deny' ? 'no' : 'yes', code(asked.asks))];
    return [requirement(asked.requirement, session === null ? 'token' : 'session')];
  }

  function credential(found) {
    if (found === null) return [];
    const locations = found.places.map((place) =>
      step(place.used ? 'yes' : 'skipped', `${place.place}: `, place.found, place.used ? ', which is used' : null));
    return found.reason === null ? locations : [...locations, step('no', code(found.reason))];
  }

  function token(found) {
    if (found === null) return [];
    const made = found.checks.filter(({outcome}) => outcome !== 'skipped').map(({check, outcome, detail}) =>
      step(MARKS[outcome] ?? '', element('b', {}, check), detail === '' ? null : ': ', prose(detail), WORDS[outcome]));
    const skipped = found.checks.filter(({outcome}) => outcome === 'skipped').map(({check}) => check);
    return skipped.length === 0 ? made : [...made, step('skipped', `skipped: ${skipped.join(', ')}`)];
  }

  function sender(found) {
    if (found === undefined) return [];
    const bound = found.boundTo.length === 0 ? step('', 'the token is bound to nothing')
      : step(mark(found.reason === null), 'the token is bound: ', found.boundTo.flatMap((name, index) => [index === 0 ? null : ', ', code(name)]));
    return found.reason === null ? [bound] : [bound, step('no', code(found.reason), ': ', prose(found.detail ?? ''))];
  }

  function credentials(made) {
    return (made ?? []).map(({credential, header, source, made: isMade}) =>
      step(isMade ? 'yes' : 'skipped', code(credential), ` (${source}) in `, code(header)));
  }

  function session(found) {
    if (found === null) return [];
    return [
      step('yes', 'login ', code(found.login), found.issuer === null ? null : [', issuer ', code(found.issuer)]),
      step('yes', `since ${found.created}`, found.expires === null ? null : `, until ${found.expires}`),
      step('yes', 'claims ', code(JSON.stringify(found.claims))),
      ...(found.over ? [step('no', 'it is over')] : []),
      ...(found.reason === null ? [] : [step('no', code(found.reason), ': ', prose(found.detail ?? ''))])];
  }

  function login(sent) {
    if (sent === null) return [];
    const where = sent.authorization ?? sent.discovery;
    return [
      step('yes', 'login ', code(sent.login), ', issuer ', code(sent.issuer)),
      step('yes', sent.authorization === null ? 'to the authorization endpoint in ' : 'to ', code(where ?? '')),
      step('yes', 'and back to ', code(sent.redirectUri)),
      step('yes', 'scopes ', code(sent.scopes.join(' ')))];
  }

  /** The field that a token lacks which is neither good nor bad. */
  function missing(found) {
    const asksIssuer = found?.checks.some(({check}) => check === 'introspection') ?? false;
    return asksIssuer ? 'introspection' : 'keys';
  }

  function outcome({answer: reply, upstream, log}) {
    const made = [];
    if (reply !== null) {
      made.push(table('The client gets', ['Header', 'Value'], [[':status', `${reply.status}`], ...Object.entries(reply.headers)]));
      if (reply.body !== '') made.push(element('pre', {className: 'body'}, reply.body));
    }
    if (upstream !== null) {
      const set = upstream.set.map(([name, value]) => [name, value]);
      const kept = new Set(set.map(([name]) => name));
      const removed = upstream.removed.filter((name) => !kept.has(name)).map((name) => [name, element('em', {}, 'removed')]);
      const rows = [...set, ...removed];
      made.push(rows.length > 0
        ? table('The upstream gets the request with', ['Header', 'Value'], rows)
        : element('p', {className: 'hint'}, 'The upstream gets the request as it is.'));
    }
    if (log !== null) made.push(element('h3', {}, 'The log says'), element('pre', {className: 'body'}, log));
    return made;
  }

  return (answer) => {
    if (answer.trouble) {
      byId('decision').replaceChildren(element('div', {className: 'verdict wait'},
        element('p', {className: 'what'}, 'Not decided'), element('p', {className: 'why'}, prose(answer.trouble))));
      return byId('explanation').replaceChildren();
    }
    byId('decision').replaceChildren(verdict(answer));
    // Where something is missing, here is the place for it.
    if (answer.decision.outcome === 'undecided') byId(missing(answer.token)).closest('details').open = true;
    if (answer.decision.reason === 'proof_missing') byId('proof').closest('details').open = true;
    byId('explanation').replaceChildren(
      ...outcome(answer.decision),
      ...section('Path', path(answer.path)),
      ...section('Rules', rules(answer)),
      ...section('Access', access(answer)),
      ...section('Credential', credential(answer.credential)),
      ...section('Token', token(answer.token)),
      ...section('Sender', sender(answer.sender)),
      ...section('Session', session(answer.session)),
      ...section('Login', login(answer.login)),
      ...section('Credentials for the upstream', credentials(answer.upstreamCredentials)),
      ...section('Notes', answer.notes.map((note) => step('skipped', prose(note)))));
  };
})();
