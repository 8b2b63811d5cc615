// Checks a bundle with a public key: called with both, and what the library calls the kind of key.
// Prints what is signed.
const fs = require("fs"), crypto = require("crypto");
const { bundleFromJSON, assertBundleLatest } = require("@sigstore/bundle");
const { Verifier, toSignedEntity, toTrustMaterial } = require("@sigstore/verify");
const [bundlePath, keyPath, keyDetails] = process.argv.slice(2);
const bundle = bundleFromJSON(JSON.parse(fs.readFileSync(bundlePath)));
assertBundleLatest(bundle);
const rawBytes = crypto.createPublicKey(fs.readFileSync(keyPath)).export({ type: "spki", format: "der" });
const hint = bundle.verificationMaterial.content.publicKey.hint;
const root = { mediaType: "", tlogs: [], ctlogs: [], certificateAuthorities: [], timestampAuthorities: [] };
const trust = toTrustMaterial(root, { [hint]: { rawBytes, keyDetails, validFor: undefined } });
const limits = { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 };
new Verifier(trust, limits).verify(toSignedEntity(bundle));
console.log(Buffer.from(bundle.content.dsseEnvelope.payload).toString());
