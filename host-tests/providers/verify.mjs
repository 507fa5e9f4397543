// jose's word on a token, with a key set at a URL.
//
//   node verify.mjs http://…/jwks.json ISSUER AUDIENCE < token
//
// It runs where npm has installed it, and prints the claims; a token that is not good ends it with an error.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const installed = createRequire(`${process.cwd()}/`).resolve('jose');
const { createRemoteJWKSet, jwtVerify } = await import(pathToFileURL(installed));

const [jwks, issuer, audience] = process.argv.slice(2);
const token = readFileSync(0, 'utf8').trim();
const requiredClaims = ['exp', 'iat', 'jti', 'sub'];
const { payload } = await jwtVerify(token, createRemoteJWKSet(new URL(jwks)), { issuer, audience, requiredClaims });
console.log(JSON.stringify(payload));
