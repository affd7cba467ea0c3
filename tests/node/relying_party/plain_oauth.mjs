// oauth4webapi, step by step: each answer must pass its checks, and a resource server must take our access token.
import * as oauth from "oauth4webapi";
import { assert, done, given, issuer, newBrowser, person, REDIRECT } from "./setting.mjs";
import { journey } from "./browser.mjs";

const insecure = { [oauth.allowInsecureRequests]: true };
for (const algorithm of ["oidc", "oauth2"]) {
  const found = await oauth.discoveryRequest(new URL(issuer), { algorithm, ...insecure });
  await oauth.processDiscoveryResponse(new URL(issuer), found);
}
const as = await oauth.processDiscoveryResponse(new URL(issuer), await oauth.discoveryRequest(new URL(issuer), insecure));
const client = { client_id: given.client.id };
const auth = oauth.ClientSecretBasic(given.client.secret);
const pair = await oauth.generateKeyPair("ES256");
const DPoP = oauth.DPoP(client, pair);

const verifier = oauth.generateRandomCodeVerifier();
const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()];
const pushed = await oauth.pushedAuthorizationRequest(as, client, auth, {
  response_type: "code", redirect_uri: REDIRECT, scope: "openid email offline_access", state, nonce,
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
}, { DPoP, ...insecure });
const { request_uri } = await oauth.processPushedAuthorizationResponse(as, client, pushed);
const url = new URL(as.authorization_endpoint);
url.search = new URLSearchParams({ client_id: client.client_id, request_uri });
const { landed } = await journey(newBrowser(), url, person);

const parameters = oauth.validateAuthResponse(as, client, landed, state);
const answer = await oauth.authorizationCodeGrantRequest(as, client, auth, parameters, REDIRECT, verifier, { DPoP, ...insecure });
const tokens = await oauth.processAuthorizationCodeResponse(as, client, answer, { expectedNonce: nonce, requireIdToken: true });
const claims = oauth.getValidatedIdTokenClaims(tokens);
await oauth.validateApplicationLevelSignature(as, answer, insecure);

const userinfo = await oauth.userInfoRequest(as, client, tokens.access_token, { DPoP, ...insecure });
const info = await oauth.processUserInfoResponse(as, client, claims.sub, userinfo);
assert.equal(info.email, person.email);

const api = "https://api.example/thing";
let proven;
await oauth.protectedResourceRequest(tokens.access_token, "GET", new URL(api), new Headers(), null, {
  DPoP, [oauth.customFetch]: async (target, options) => {
    proven = new Request(target, { method: options.method, headers: options.headers });
    return new Response("{}");
  },
});
const access = await oauth.validateJwtAccessToken(as, proven, "iam-clients", { requireDPoP: true, ...insecure });
assert.equal(access.sub, claims.sub);

const refreshed = await oauth.refreshTokenGrantRequest(as, client, auth, tokens.refresh_token, { DPoP, ...insecure });
const second = await oauth.processRefreshTokenResponse(as, client, refreshed);
const revoked = await oauth.revocationRequest(as, client, auth, second.refresh_token, insecure);
await oauth.processRevocationResponse(revoked);
const dead = await oauth.refreshTokenGrantRequest(as, client, auth, second.refresh_token, { DPoP, ...insecure });
await assert.rejects(oauth.processRefreshTokenResponse(as, client, dead), (error) => error.error === "invalid_grant");
done();
