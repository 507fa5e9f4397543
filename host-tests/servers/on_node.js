// Node's own HTTP server, and Express on it. Prints its port, and ends with its standard input.
//
// node on_node.js express|http
'use strict';

const http = require('node:http');

// Which of its handlers ran, and what was made of the request.
function seen(handler, { method, path, host, query }, headers) {
  const header = (name) => headers[name] ?? null;
  return {
    handler, method, path, host, query,
    tenant: header('x-tenant'), rule: header('x-rule'), route: header('x-route'), raw: header('x-raw-path'),
  };
}

const tenant = (value) => (value === 'acme' ? 'acme' : 'tenant');
const file = (name) => (name.endsWith('.css') ? 'style' : 'secret');
const belowX = (rest) => (rest.startsWith('{admin}/') ? 'braces' : 'x');
const sites = { 'api.example.com': 'api-site', 'public.example.com': 'public-site' };
const site = (host) => sites[host] ?? 'other-site';

function onExpress() {
  const express = require('express');
  const methodOverride = require('method-override');
  const app = express();
  app.set('trust proxy', true);
  for (const name of ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override']) {
    app.use(methodOverride(name, { methods: null }));
  }
  // As commonly written for what stands behind IIS.
  app.use((request, response, next) => {
    request.url = request.headers['x-original-url'] ?? request.headers['x-rewrite-url'] ?? request.url;
    next();
  });
  const route = (handler) => (request, response) => {
    const name = typeof handler === 'string' ? handler : handler(request);
    const query = request.url.split('?').slice(1).join('?');
    const { method, path, hostname: host } = request;
    response.json(seen(name, { method, path, host, query }, request.headers));
  };
  const rest = (request) => request.params.rest.join('/');
  app.get('/items/:id', route('read-item'));
  app.delete('/items/:id', route('delete-item'));
  app.all('/items/:id', route('item'));
  app.all('/tenant/*rest', route((request) => tenant(request.get('X-Tenant'))));
  app.all('/jobs/:id\\:delete', route('purge'));
  app.all('/jobs/:id', route('job'));
  app.all('/static/*rest', route((request) => file(rest(request))));
  app.all('/x/*rest', route((request) => belowX(rest(request))));
  app.all('/p|q', route('pipe'));
  app.all('/public/*rest', route('public'));
  app.all('/admin{/*rest}', route('admin'));
  app.all('/site', route((request) => site(request.hostname)));
  app.use(route('rest'));
  // What Express answers by itself, as JSON: a path that it cannot decode.
  app.use((error, request, response, next) => response.status(error.status ?? 500).json({ refused: error.message }));
  return app;
}

// What people write without a framework: the URL parsed by the platform, and decoded.
function onHttp(request, response) {
  const answer = (status, body) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  };
  let url, path;
  try {
    url = new URL(request.url, `http://${request.headers.host}`);
    path = decodeURIComponent(url.pathname);
  } catch (error) {
    return answer(400, { refused: error.message });
  }
  const [, first, ...others] = path.split('/');
  const rest = others.join('/');
  const items = { GET: 'read-item', DELETE: 'delete-item' };
  const one = { items: () => items[request.method] ?? 'item', jobs: () => (rest.endsWith(':delete') ? 'purge' : 'job') };
  const none = { site: () => site(url.hostname), 'p|q': () => 'pipe', admin: () => 'admin' };
  const any = {
    tenant: () => tenant(request.headers['x-tenant']), static: () => file(rest), x: () => belowX(rest),
    public: () => 'public', admin: () => 'admin',
  };
  const own = (handlers) => (Object.hasOwn(handlers, first) ? handlers[first]() : undefined);
  const handler = (others.length === 1 && rest && own(one)) || (others.length === 0 && own(none))
    || (others.length > 0 && own(any)) || 'rest';
  const query = url.search.slice(1);
  return answer(200, seen(handler, { method: request.method, path, host: url.host, query }, request.headers));
}

const server = http.createServer(process.argv[2] === 'express' ? onExpress() : onHttp);
// An idle connection stays: a proxy that asks again over one that ends in that moment would answer 503.
server.keepAliveTimeout = 0;
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.on('end', () => process.exit()).resume();
