// A real provider of OpenID Connect for tests: the package oidc-provider (tools/javascript), on a loopback port.
// node oidc_provider.mjs PACKAGE PORT REDIRECT_URI; people who sign out are sent back to /sign-in beside it. It prints "ready" when it listens. Its own login form takes any name;
// what it then says of that person is in PEOPLE.
import { generateKeyPairSync } from "node:crypto";
import { pathToFileURL } from "node:url";

const [, , folder, port, redirectUri] = process.argv;
const { Provider } = await import(pathToFileURL(`${folder}/lib/index.js`).href);
const issuer = `http://127.0.0.1:${port}`;

const PEOPLE = {
  hana: { name: "Hana Sato", preferred_username: "hana", email: "hana@shop.example", email_verified: true, groups: ["ops-admins", "everybody"] },
  mio: { name: "Mio Abe", preferred_username: "mio", email: "mio@shop.example", email_verified: true, groups: ["everybody"] },
  eve: { name: "Eve", preferred_username: "hana", email: "eve@elsewhere.example", email_verified: true, groups: ["ops-admins"] },
  zed: { name: "Zed", preferred_username: "zed", email: "zed@shop.example", email_verified: false, groups: ["ops-admins"] },
};
const key = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" });

const provider = new Provider(issuer, {
  clients: [{ client_id: "ops", client_secret: "a secret+with/odd=characters", redirect_uris: [redirectUri], post_logout_redirect_uris: [new URL("/sign-in", redirectUri).href], grant_types: ["authorization_code"], response_types: ["code"] }],
  claims: { openid: ["sub"], profile: ["name", "preferred_username"], email: ["email", "email_verified"], groups: ["groups"] },
  cookies: { keys: ["only for tests"] },
  jwks: { keys: [{ ...key, kid: `k${Date.now()}`, use: "sig", alg: "RS256" }] },
  pkce: { required: () => true },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...PEOPLE[id] }) }),
});
provider.listen(Number(port), "127.0.0.1", () => console.log("ready"));
