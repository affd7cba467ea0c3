// A device that waits while the person signs in elsewhere; and one that the person turns away.
import { assert, discovered, done, given, oidc, person, posted, refused, newBrowser } from "./setting.mjs";
import { journey } from "./browser.mjs";

const config = await discovered();
const begun = await oidc.initiateDeviceAuthorization(config, { scope: "openid profile offline_access" });
assert.match(begun.user_code, /^[A-Z]{4}-[A-Z]{4}$/);
assert.ok(begun.expires_in > 60 && begun.interval >= 1);
const poll = (code) => posted("/token", given.client, { grant_type: "urn:ietf:params:oauth:grant-type:device_code", device_code: code });
const pending = await poll(begun.device_code);
assert.deepEqual([pending.status, pending.body.error], [400, "authorization_pending"]);
const hasty = await poll(begun.device_code);
assert.deepEqual([hasty.status, hasty.body.error], [400, "slow_down"]);

const browser = newBrowser();
const isOver = (page) => page.forms.length === 0 || /go back to (your|the) device/i.test(page.words);
const { cards } = await journey(browser, begun.verification_uri_complete, person, isOver);
assert.ok(cards.includes("password"), String(cards));
const wait = AbortSignal.timeout(25_000);
const tokens = await oidc.pollDeviceAuthorizationGrant(config, begun, undefined, { signal: wait });
const info = await oidc.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
assert.equal(info.preferred_username, person.username);
await oidc.refreshTokenGrant(config, tokens.refresh_token);
const twice = await poll(begun.device_code);
assert.deepEqual([twice.status, twice.body.error], [400, "invalid_grant"]);
const junk = await poll("junk");
assert.deepEqual([junk.status, junk.body.error], [400, "invalid_grant"]);
done({ cards });
