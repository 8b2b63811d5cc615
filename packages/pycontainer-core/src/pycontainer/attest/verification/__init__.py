"""Is an image what it says it is, and who says so?

report = verify_image(source, descriptor, signer=KeyVerifier.read(Path("signing.pub")))
report.holds, report.findings

report        what was looked at, and what became of it
contents      manifests, configs and layers against their digests
evidence      signatures and documents that are attached, against the digest they are about
verify        all of it together
"""
