"""Signatures: who says so, about which digest, and how anyone can check it.

    signer = KeySigner.read(Path("signing.key"), passphrase=None)
    bundle = signer.sign(image_statement(digest))           # attached to the image, in the form that cosign 3 reads

    statement = KeyVerifier.read(Path("signing.pub")).verify(bundle)
    statement.is_about(digest)

What is signed is always an in-toto statement in a DSSE envelope, kept as a Sigstore bundle: a signature says *what* it
says about a digest, so that one of a bill of materials never passes for one of an image.

    statement     what is said, and of which digest
    bundle        the signed statement as it is stored
    keys          signing and checking with a key of one's own
    keyless       the same with an identity (Sigstore), through the library of that name
"""
