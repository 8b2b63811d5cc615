// A Sigstore of one's own on loopback: a certificate authority, a certificate log and a transparency log.
// Prints the client trust config that belongs to it, then serves until it is killed.
const http = require("http"), crypto = require("crypto");
const mock = require("@sigstore/mock");
const { TrustedRoot, HashAlgorithm, PublicKeyDetails } = require("@sigstore/protobuf-specs");

const start = new Date(Date.now() - 3600e3);
const keys = () => crypto.generateKeyPairSync("ec", { namedCurve: "P-256" });
const sha256 = (bytes) => crypto.createHash("sha256").update(bytes).digest();

function log(baseUrl, rawBytes, keyId) {
  const keyDetails = PublicKeyDetails.PKIX_ECDSA_P256_SHA_256;
  const publicKey = { rawBytes, keyDetails, validFor: { start } };
  return { baseUrl, logId: { keyId }, hashAlgorithm: HashAlgorithm.SHA2_256, operator: "test", publicKey };
}

// What the real services make of a request before they use it, and the mock does not.
function prepared(body, headers) {
  const [, token] = (headers.authorization || "").split(" ");
  if (token) body.credentials = { oidcIdentityToken: token };
  const csr = body.certificateSigningRequest;
  if (csr) body.certificateSigningRequest = Buffer.from(csr, "base64").toString();
  const proposed = body.spec && body.spec.proposedContent;
  if (proposed) {
    const envelope = JSON.parse(proposed.envelope);
    const hash = (bytes) => ({ algorithm: "sha256", value: sha256(bytes).toString("hex") });
    body.spec = {
      envelopeHash: hash(proposed.envelope),
      payloadHash: hash(Buffer.from(envelope.payload, "base64")),
      signatures: [{ signature: envelope.signatures[0].sig, verifier: proposed.verifiers[0] }],
    };
  }
  return JSON.stringify(body);
}

async function main() {
  const server = http.createServer();
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const url = `http://127.0.0.1:${server.address().port}`;
  const ctlog = await mock.initializeCTLog(keys());
  const ca = await mock.initializeCA(keys(), ctlog);
  const tlog = await mock.initializeTLog(url, keys());
  const routes = [mock.fulcioHandler(ca), mock.rekorHandler(tlog)];
  server.on("request", (request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", async () => {
      const route = routes.find((each) => request.url.startsWith(each.path));
      if (!route) return response.writeHead(404).end();
      const reply = await route.fn(prepared(JSON.parse(Buffer.concat(chunks).toString()), request.headers));
      response.writeHead(reply.statusCode, { "Content-Type": reply.contentType || "text/plain" }).end(reply.response);
    });
  });
  const trustedRoot = TrustedRoot.toJSON({
    mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
    tlogs: [log(url, tlog.publicKey, sha256(tlog.publicKey))],
    ctlogs: [log(url, ctlog.publicKey, Buffer.from(ctlog.logID))],
    certificateAuthorities: [
      {
        subject: { commonName: "sigstore", organization: "test" },
        uri: url,
        operator: "test",
        validFor: { start },
        certChain: { certificates: [{ rawBytes: Buffer.from(ca.rootCertificate) }] },
      },
    ],
    timestampAuthorities: [],
  });
  const service = { url, majorApiVersion: 1, validFor: { start: start.toISOString() }, operator: "test" };
  const signingConfig = {
    mediaType: "application/vnd.dev.sigstore.signingconfig.v0.2+json",
    caUrls: [service],
    oidcUrls: [],
    rekorTlogUrls: [service],
    rekorTlogConfig: { selector: "ANY" },
    tsaUrls: [],
    tsaConfig: { selector: "ANY" },
  };
  const mediaType = "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json";
  console.log(JSON.stringify({ mediaType, trustedRoot, signingConfig }));
}

main();
