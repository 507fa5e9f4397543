// oidc-provider, a certified OpenID provider, with what a test or a demo asks of it.
//
//   node certified.mjs '{"clients": [{"id": "app", "redirectUris": ["http://…/callback"]}]}'
//
// It runs where npm has installed it (`make providers`), prints its port, and then a line of JSON for each request: the
// endpoint, the status, and whatever must stay secret. It ends as soon as its standard input does.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

// Node has it from version 22 on, and proofs of possession are read with it.
URL.parse ??= (text, base) => (URL.canParse(text, base) ? new URL(text, base) : null);

const installed = createRequire(`${process.cwd()}/`).resolve('oidc-provider');
const { default: Provider } = await import(pathToFileURL(installed));

const options = {
  port: 0,
  clients: [],
  // Every login name has an account. These have claims of their own.
  accounts: {},
  // `forms`: the pages of oidc-provider for login and consent. `automatic`: this account, without a page.
  login: 'automatic',
  account: 'alice',
  // `strict`: a refresh token is good once, and its second use ends all that came of the login. `off`: it stays.
  rotation: 'strict',
  // `opaque`: introspection tells about them. `jwt`: they are for this resource.
  accessTokens: 'opaque',
  resource: 'https://api.example.com',
  // Proofs of possession (RFC 9449) need a nonce of this server.
  dpopNonce: false,
  // Seconds, by kind of token: `AccessToken`, `AuthorizationCode`, `ClientCredentials`, `IdToken`, `RefreshToken`.
  ttl: {},
  ...JSON.parse(process.argv[2] ?? '{}'),
};

// An idle connection stays: a proxy that asks again over one that ends in that moment would answer 503.
const server = createServer({ keepAliveTimeout: 0 });
server.listen(options.port, '127.0.0.1', start);
process.stdin.on('end', () => process.exit()).resume();

function start() {
  const { port } = server.address();
  // Its warnings are for those who would run this for others.
  for (const kind of ['info', 'warn']) console[kind] = () => {};
  const provider = new Provider(`http://127.0.0.1:${port}`, configuration());
  provider.use(report);
  if (options.login === 'automatic') provider.use(logIn(provider));
  server.on('request', provider.callback());
  print(port);
}

function configuration() {
  return {
    clients: options.clients.map(client),
    jwks: { keys: [signingKey()] },
    cookies: { keys: [randomBytes(32).toString('hex')] },
    scopes: ['openid', 'offline_access', 'profile', 'email', 'groups', 'read', 'write'],
    claims: { profile: ['name', 'preferred_username'], email: ['email', 'email_verified'], groups: ['groups'] },
    // Claims are in the ID token, too, as with most providers.
    conformIdTokenClaims: false,
    findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, ...account(sub) }) }),
    issueRefreshToken: () => true,
    rotateRefreshToken: options.rotation === 'strict',
    pkce: { required: () => true },
    ttl: options.ttl,
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: options.login === 'forms' },
      dPoP: { enabled: true, nonceSecret: randomBytes(32), requireNonce: () => options.dpopNonce },
      introspection: { enabled: true, allowedPolicy: () => true },
      mTLS: { enabled: true, certificateBoundAccessTokens: true, getCertificate },
      resourceIndicators: {
        enabled: options.accessTokens === 'jwt',
        defaultResource: () => options.resource,
        useGrantedResource: () => true,
        getResourceServerInfo: (_, audience) =>
          ({ audience, scope: 'read write', accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } } }),
      },
      revocation: { enabled: true },
    },
    ...(options.login === 'automatic' && { loadExistingGrant: grantAll }),
  };
}

function account(sub) {
  return { name: sub, preferred_username: sub, email: `${sub}@example.com`, email_verified: true, ...options.accounts[sub] };
}

// `bound`: `dpop` or `mtls`, what its access tokens are bound to in any case.
function client({ id, authentication = 'none', secret, jwks, redirectUris = [], postLogoutRedirectUris = [], grants, bound }) {
  const methods = { basic: 'client_secret_basic', post: 'client_secret_post', privateKey: 'private_key_jwt', none: 'none' };
  return {
    client_id: id,
    ...(secret && { client_secret: secret }),
    ...(jwks && { jwks, token_endpoint_auth_signing_alg: jwks.keys[0].alg }),
    token_endpoint_auth_method: methods[authentication],
    grant_types: grants ?? ['authorization_code', 'refresh_token'],
    ...(grants && !grants.includes('authorization_code') && { response_types: [] }),
    dpop_bound_access_tokens: bound === 'dpop',
    tls_client_certificate_bound_access_tokens: bound === 'mtls',
    redirect_uris: redirectUris,
    post_logout_redirect_uris: postLogoutRedirectUris,
  };
}

// The proxy that ends TLS says in this header who its peer was.
function getCertificate(ctx) {
  const [, escaped] = /Cert="([^"]*)"/.exec(ctx.get('x-forwarded-client-cert')) ?? [];
  return escaped && decodeURIComponent(escaped);
}

function signingKey() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), kid: randomBytes(4).toString('hex'), use: 'sig', alg: 'RS256' };
}

// Whoever is logged in has agreed to everything.
async function grantAll({ oidc }) {
  const grant = new oidc.provider.Grant({ accountId: oidc.session.accountId, clientId: oidc.client.clientId });
  grant.addOIDCScope('openid offline_access profile email groups');
  await grant.save();
  return grant;
}

// Takes the place of the login page.
function logIn(provider) {
  return async (ctx, next) => {
    if (!ctx.path.startsWith('/interaction/')) return next();
    const { params } = await provider.interactionDetails(ctx.req, ctx.res);
    const accountId = params.login_hint ?? options.account;
    return provider.interactionFinished(ctx.req, ctx.res, { login: { accountId } });
  };
}

async function report(ctx, next) {
  await next();
  const sent = { ...ctx.oidc?.params, ...ctx.oidc?.body };
  // After a logout, `state` comes back and guards nothing.
  const isLogout = ctx.oidc?.route?.startsWith('end_session') ?? false;
  const location = ctx.response.get('location');
  const redirect = URL.canParse(location) ? Object.fromEntries(new URL(location).searchParams) : {};
  const names = [
    'access_token', 'client_assertion', 'client_secret', 'code', 'code_verifier', 'id_token', 'id_token_hint', 'nonce',
    'refresh_token', 'state', 'token',
  ];
  const secrets = [sent, redirect, ctx.body ?? {}].flatMap((from) =>
    names.filter((name) => typeof from[name] === 'string' && !(isLogout && name === 'state')).map((name) => [name, from[name]]));
  print({ endpoint: ctx.oidc?.route ?? null, status: ctx.status, grant: sent.grant_type ?? null, secrets });
}

function print(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
