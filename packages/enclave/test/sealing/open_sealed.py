"""Opens what is sealed, written from the description of the format alone (header.ts, derive.ts, chunks.ts, roots.ts).

Reads JSON from stdin: the root's secret, or the data key, in hex; the identity of the opener; a list of what is sealed,
in hex. Prints for each plaintext and additional data in hex, or the error.
"""
import hashlib
import json
import struct
import sys

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def hkdf(secret, salt, info, size):
    return HKDF(algorithm=hashes.SHA256(), length=size, salt=salt, info=info).derive(secret)


def open_sealed(sealed, root_secret, who):
    (magic, version, form, policy, algorithm, root_kind, debug, has_cpu_svn, zero, svn, product, cpu_svn, measurement,
     root_id, key_id, nonce, label_size) = struct.unpack_from("<4sBBBBBBBBHH16s32s16s32s12sI", sealed)
    assert (magic, version, algorithm, zero) == (b"CMSB", 1, 1, 0)
    label = sealed[128:128 + label_size]
    body = sealed[128 + label_size:]

    secret = root_secret
    if root_kind == 3:
        secret = hkdf(secret, None, b"casemate-broker-root/1\n" + bytes([policy]), 32)
    assert hkdf(secret, None, b"casemate-root-id/1\n" + bytes([root_kind, policy]), 16) == root_id

    own = bytes.fromhex(who["mrEnclave"] if policy == 1 else who["mrSigner"])
    own_product = 0 if policy == 1 else who["isvProdId"]
    assert (own, own_product, who["debug"]) == (measurement, product, bool(debug))
    assert who["isvSvn"] >= svn
    info = b"casemate-seal/1\n" + struct.pack("<BBHHBB16s32s", policy, debug, svn, product, has_cpu_svn, 0, cpu_svn, own)
    aead = AESGCM(hkdf(secret, key_id, info, 32))

    header = sealed[:128 + label_size]
    if form == 1:
        plaintext = aead.decrypt(nonce, body, header)
    else:
        plaintext = b""
        step = 65536 + 16
        chunks = [body[at:at + step] for at in range(0, max(1, len(body)), step)]
        for index, chunk in enumerate(chunks):
            last = index == len(chunks) - 1
            chunk_nonce = nonce[:7] + struct.pack(">IB", index, last)
            plaintext += aead.decrypt(chunk_nonce, chunk, hashlib.sha256(header).digest())
    return {"plaintext": plaintext.hex(), "label": label.hex()}


def answer(sealed, root_secret, who):
    try:
        return open_sealed(sealed, root_secret, who)
    except InvalidTag:
        return {"error": "tag"}


asked = json.load(sys.stdin)
root = bytes.fromhex(asked["secret"])
print(json.dumps([answer(bytes.fromhex(one), root, asked["identity"]) for one in asked["sealed"]]))
