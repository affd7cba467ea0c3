// The peer of the provider's benchmark: node oidc-provider with its own in-memory adapter, ES256 throughout.
// Usage: node server.mjs PORT. GET /health says when it is ready, GET /seed?count=N gives refresh tokens to begin with.
import { createServer } from "node:http";
import { exportJWK, generateKeyPair } from "jose";
import Provider from "oidc-provider";

const port = Number(process.argv[2]);
const issuer = `http://127.0.0.1:${port}`;
const api = "https://api.example";
const { privateKey } = await generateKeyPair("ES256", { extractable: true });
const resource = {
  scope: "read", audience: "iam-clients", accessTokenTTL: 900, accessTokenFormat: "jwt", jwt: { sign: { alg: "ES256" } },
};
const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "bench", client_secret: "bench-secret-0123456789abcdef0123456789",
      grant_types: ["client_credentials", "authorization_code", "refresh_token"], scope: "openid offline_access read",
      redirect_uris: ["http://127.0.0.1/callback"], id_token_signed_response_alg: "ES256",
    },
  ],
  clientDefaults: { id_token_signed_response_alg: "ES256" },
  enabledJWA: { idTokenSigningAlgValues: ["ES256"] },
  jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: "ES256", use: "sig", kid: "bench" }] },
  scopes: ["openid", "offline_access", "read"],
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true, defaultResource: () => api, useGrantedResource: () => true, getResourceServerInfo: () => resource,
    },
  },
  findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  interactions: { url: () => "/unused" },
  issueRefreshToken: () => true,
  rotateRefreshToken: true,
  ttl: { AccessToken: 900, ClientCredentials: 900, Grant: 604800, IdToken: 300, RefreshToken: 604800, Session: 604800 },
});

async function refreshToken() {
  const client = await provider.Client.find("bench");
  const grant = new provider.Grant({ accountId: "alice", clientId: "bench" });
  grant.addOIDCScope("openid offline_access");
  grant.addResourceScope(api, "read");
  const token = new provider.RefreshToken({
    accountId: "alice", authTime: Math.floor(Date.now() / 1000), client, claims: {}, expiresWithSession: false,
    grantId: await grant.save(), gty: "authorization_code", resource: api, scope: "openid offline_access read",
  });
  return token.save();
}

const answer = provider.callback();
createServer(async (request, response) => {
  const url = new URL(request.url, issuer);
  if (url.pathname === "/health") return response.end("up");
  if (url.pathname !== "/seed") return answer(request, response);
  const tokens = await Promise.all(Array.from({ length: Number(url.searchParams.get("count")) }, refreshToken));
  response.setHeader("content-type", "application/json");
  return response.end(JSON.stringify(tokens));
}).listen(port, "127.0.0.1");
