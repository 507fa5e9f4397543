'use strict';
// The token's header and claims, as they are written in it; the decision shows whether they are verified.

const DATES = ['iat', 'nbf', 'exp'];

/** How far a date is from another one, in words. */
function distance(seconds) {
  const size = Math.abs(seconds);
  const [unit, name] = [[86400, 'day'], [3600, 'hour'], [60, 'minute'], [1, 'second']].find(([unit]) => size >= unit) ?? [1, 'second'];
  const number = Math.floor(size / unit);
  const words = `${number} ${name}${number === 1 ? '' : 's'}`;
  return `${words} ${seconds < 0 ? 'before' : 'after'} the request`;
}

function dates(claims, now) {
  return DATES.filter((name) => typeof claims[name] === 'number').map((name) => {
    const date = new Date(claims[name] * 1000);
    const text = Number.isNaN(date.getTime()) ? 'no date' : date.toISOString().replace('.000Z', 'Z');
    const seconds = claims[name] - now;
    return element('li', {}, element('code', {}, name), ` ${text}`, Number.isFinite(seconds) ? `, ${distance(seconds)}` : null);
  });
}

/** `time` is that of the request: a date, or seconds since 1970. */
function showToken(decoded, time) {
  const now = /^\s*\d+\s*$/.test(time) ? Number(time) : Date.parse(time) / 1000;
  const place = byId('decoded');
  if (decoded === null) return place.replaceChildren();
  if (decoded.trouble) return place.replaceChildren(element('p', {className: 'trouble'}, prose(decoded.trouble)));
  const part = (name, text) => element('div', {}, element('h3', {}, name), element('pre', {}, text));
  place.replaceChildren(
    part('Header', decoded.header),
    part('Claims', decoded.claims),
    element('ul', {className: 'dates'}, dates(JSON.parse(decoded.claims), now)));
}
