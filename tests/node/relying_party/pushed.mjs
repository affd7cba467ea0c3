// Pushed authorization requests: taken once, by their own client, and the only way in where they are required.
import { assert, checks, discovered, done, newBrowser, oidc, person, posted, given, started } from "./setting.mjs";
import { journey } from "./browser.mjs";

const config = await discovered();
const flow = await started(config);
const url = await oidc.buildAuthorizationUrlWithPAR(config, flow.parameters);
assert.deepEqual([...url.searchParams.keys()].sort(), ["client_id", "request_uri"]);
const browser = newBrowser();
const { landed } = await journey(browser, url, person);
const tokens = await oidc.authorizationCodeGrant(config, landed, checks(flow));
assert.equal(tokens.claims().aud, given.client.id);

const twice = await newBrowser().open(url);
assert.ok(!(twice instanceof URL) && twice.status === 400, "a request_uri counts once");
const theirs = await oidc.buildAuthorizationUrlWithPAR(config, flow.parameters);
theirs.searchParams.set("client_id", given.other.id);
const stolen = await newBrowser().open(theirs);
assert.ok(!(stolen instanceof URL) && stolen.status === 400, "a request_uri belongs to one client");

const plain = await browser.open(flow.url);
if (plain instanceof URL) assert.equal(plain.searchParams.get("error"), "invalid_request");
else assert.equal(plain.status, 400);
const bad = await posted("/par", given.client, { ...flow.parameters, response_type: "code", redirect_uri: "https://evil.example/" });
assert.equal(bad.status, 400);
done();
