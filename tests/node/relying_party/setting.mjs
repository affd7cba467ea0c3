// What every scenario has: the material on standard input, a discovered provider, and the ways to sign in and to fail.
import assert from "node:assert/strict";
import * as jose from "jose";
import * as oidc from "openid-client";
import { Browser, journey } from "./browser.mjs";

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
export const given = JSON.parse(Buffer.concat(chunks).toString("utf8"));
export const { issuer, person } = given;
export const REDIRECT = given.redirect_uri;
export { assert, jose, oidc };

export const secretAuth = (client) => (client.secret ? oidc.ClientSecretBasic(client.secret) : oidc.None());

export async function discovered(client = given.client, auth = secretAuth(client), metadata = {}) {
  return oidc.discovery(new URL(issuer), client.id, metadata, auth, { execute: [oidc.allowInsecureRequests] });
}

export const newBrowser = () => new Browser((url) => String(url).startsWith(REDIRECT) || url.port === "9");

export async function started(config, more = {}) {
  const verifier = oidc.randomPKCECodeVerifier();
  const [state, nonce] = [oidc.randomState(), oidc.randomNonce()];
  const parameters = {
    redirect_uri: REDIRECT, scope: "openid profile email offline_access", state, nonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256", ...more,
  };
  return { verifier, state, nonce, parameters, url: oidc.buildAuthorizationUrl(config, parameters) };
}

export const checks = (flow, more = {}) => ({
  pkceCodeVerifier: flow.verifier, expectedState: flow.state, expectedNonce: flow.nonce, idTokenExpected: true, ...more,
});

// The whole code flow: tokens, the callback's address, the cards that were shown, and the browser afterwards.
export async function signedIn(config, { browser = newBrowser(), ask = {}, check = {}, options } = {}) {
  const flow = await started(config, ask);
  const { landed, cards } = await journey(browser, flow.url, person);
  assert.equal(landed.searchParams.get("error"), null, String(landed));
  const tokens = await oidc.authorizationCodeGrant(config, landed, checks(flow, check), undefined, options);
  return { ...flow, tokens, claims: tokens.claims(), landed, cards, browser };
}

export async function refused(promise, error) {
  const problem = await promise.then((value) => ({ accepted: value }), (thrown) => thrown);
  const code = problem.error ?? problem.cause?.error ?? problem.code ?? problem.message;
  assert.equal(code, error, `accepted or refused otherwise: ${JSON.stringify(problem, null, 1)} ${problem.stack ?? ""}`);
  return problem;
}

// A token request by hand, for what a proper library would never send.
export async function posted(path, client, fields, headers = {}) {
  const basic = client.secret && { authorization: `Basic ${btoa(`${client.id}:${client.secret}`)}` };
  const body = new URLSearchParams(client.secret ? fields : { client_id: client.id, ...fields });
  const answer = await fetch(issuer + path, { method: "POST", body, headers: { ...basic, ...headers } });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, body: text === "" ? {} : JSON.parse(text) };
}

export const keys = jose.createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`));

export async function userinfoStatus(accessToken, scheme = "Bearer", more = {}) {
  const answer = await fetch(`${issuer}/userinfo`, { headers: { authorization: `${scheme} ${accessToken}`, ...more } });
  await answer.arrayBuffer();
  return answer.status;
}

export const done = (verdict = {}) => process.stdout.write(JSON.stringify({ verdict: "passed", ...verdict }));
