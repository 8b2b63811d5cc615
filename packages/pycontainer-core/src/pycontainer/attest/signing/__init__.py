"""Signatures: who says so, about which digest, and how anyone can check it.

    image = sign_image(image, KeySigner.read(Path("signing.key"), passphrase=None))

    KeyVerifier.read(Path("signing.pub")).verify(bundle)
    Statement.read(bundle.envelope.payload).is_about(image.digest)

What is signed is always an in-toto statement in a DSSE envelope, kept as a Sigstore bundle: a signature says *what* it
says about a digest, so that one of a bill of materials never passes for one of an image.

    sign          an image, and what is attached to it
    bundle        the signed statement as it is stored
    attachments   the same as it is attached
    keys          signing and checking with a key of one's own
    keyless       the same with an identity (Sigstore), through the library of that name
"""
