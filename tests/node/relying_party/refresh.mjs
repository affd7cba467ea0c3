// Rotation: each refresh token once, and the reuse of an old one ends the session and all that hangs on it.
import { assert, discovered, done, oidc, refused, signedIn, userinfoStatus } from "./setting.mjs";

const config = await discovered();
const { tokens, claims } = await signedIn(config);
const second = await oidc.refreshTokenGrant(config, tokens.refresh_token);
assert.notEqual(second.refresh_token, tokens.refresh_token);
assert.notEqual(second.access_token, tokens.access_token);
assert.equal(second.claims().sub, claims.sub);
assert.equal(second.claims().auth_time, claims.auth_time);
assert.equal(second.claims().nonce, undefined);
assert.equal(await userinfoStatus(second.access_token), 200);

const narrow = await oidc.refreshTokenGrant(config, second.refresh_token, { scope: "openid" });
assert.equal(narrow.scope, "openid");
const info = await oidc.fetchUserInfo(config, narrow.access_token, claims.sub);
assert.deepEqual(Object.keys(info), ["sub"]);

await refused(oidc.refreshTokenGrant(config, tokens.refresh_token), "invalid_grant");
await refused(oidc.refreshTokenGrant(config, narrow.refresh_token), "invalid_grant");
for (const { access_token } of [tokens, second, narrow]) assert.equal(await userinfoStatus(access_token), 401);
done();
