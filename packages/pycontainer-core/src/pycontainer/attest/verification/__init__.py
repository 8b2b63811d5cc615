"""Is an image what it says it is, and who says so?

report = verify_image(name, descriptor, source, attachments, signer=KeyVerifier.read(Path("signing.pub")))
report.holds, report.findings

report        what was looked at, and what became of it
contents      manifests, configs and layers against their digests
evidence      signatures and documents that are attached, against the digest they are about
provenance    what it says of the image, against what the image says of itself
verify        all of it together
"""
