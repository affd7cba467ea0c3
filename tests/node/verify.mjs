// Reads one JSON document from standard input, judges it with independent libraries, prints a verdict as JSON.
import { createLocalJWKSet, createRemoteJWKSet, jwtVerify } from "jose";
import { Webhook } from "standardwebhooks";

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const { webhook, token, securityEvent } = JSON.parse(Buffer.concat(chunks).toString("utf8"));
const verdict = {};

if (webhook) {
  try {
    new Webhook(webhook.secret).verify(webhook.body, webhook.headers);
    verdict.webhook = "accepted";
  } catch (error) {
    verdict.webhook = `refused: ${error.message}`;
  }
}
if (token) {
  try {
    const keys = createLocalJWKSet(token.jwks);
    const { payload, protectedHeader } = await jwtVerify(token.jwt, keys, {
      issuer: token.issuer,
      audience: token.audience,
      typ: "at+jwt",
      algorithms: ["ES256"],
    });
    verdict.token = { claims: payload, header: protectedHeader };
  } catch (error) {
    verdict.token = `refused: ${error.message}`;
  }
}
if (securityEvent) {
  // Everything but the token itself is learnt from the transmitter's own document.
  try {
    const found = await fetch(`${securityEvent.issuer}/.well-known/ssf-configuration`);
    const transmitter = await found.json();
    const { payload, protectedHeader } = await jwtVerify(
      securityEvent.jwt,
      createRemoteJWKSet(new URL(transmitter.jwks_uri)),
      { issuer: transmitter.issuer, audience: securityEvent.audience, typ: "secevent+jwt" },
    );
    verdict.securityEvent = { claims: payload, header: protectedHeader };
  } catch (error) {
    verdict.securityEvent = `refused: ${error.message}`;
  }
}
process.stdout.write(JSON.stringify(verdict));
