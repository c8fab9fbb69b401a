package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math/big"
	"slices"

	"github.com/fxamacker/cbor/v2"
)

const (
	tagTeeQuote   = 60000
	maxExtension  = 64 * 1024
	maxClaims     = 16 * 1024
	sigstructSize = 1808
)

var strict, _ = cbor.DecOptions{
	DupMapKey:   cbor.DupMapKeyEnforcedAPF,
	IndefLength: cbor.IndefLengthForbidden,
}.DecMode()

// What the evidence of a certificate says, checked against itself and the certificate's key. That the quote was made by
// genuine hardware is not: that takes a chain of certificates and is tested elsewhere.
type claims struct {
	bindingKey *ecdsa.PublicKey
	notBefore  int64
	notAfter   int64
	kind       string
	mrEnclave  string
	mrSigner   string
}

func readExtension(value []byte) (quote, buffer []byte, err error) {
	var tag cbor.RawTag
	var parts [][]byte
	if len(value) > maxExtension || strict.Unmarshal(value, &tag) != nil || tag.Number != tagTeeQuote ||
		strict.Unmarshal(tag.Content, &parts) != nil || len(parts) != 2 {
		return nil, nil, refuse("evidence-malformed")
	}
	return parts[0], parts[1], nil
}

func readClaims(quote, buffer, spki []byte) (*claims, error) {
	var given map[string][]byte
	if len(buffer) > maxClaims || strict.Unmarshal(buffer, &given) != nil {
		return nil, refuse("evidence-malformed")
	}
	var keyHash struct {
		_         struct{} `cbor:",toarray"`
		Algorithm int
		Digest    []byte
	}
	digest := sha256.Sum256(spki)
	if strict.Unmarshal(given["pubkey-hash"], &keyHash) != nil || keyHash.Algorithm != 1 {
		return nil, refuse("evidence-malformed")
	}
	if !bytes.Equal(keyHash.Digest, digest[:]) {
		return nil, refuse("key-not-bound")
	}
	var window [2]int64
	key, err := parseP256(given["casemate-binding-key"])
	if err != nil || strict.Unmarshal(given["casemate-window"], &window) != nil {
		return nil, refuse("evidence-malformed")
	}
	found := &claims{bindingKey: key, notBefore: window[0], notAfter: window[1]}
	if found.kind, err = checkQuote(quote, sha256.Sum256(buffer)); err != nil {
		return nil, err
	}
	if sigstruct, stated := given["casemate-enclave"]; stated {
		if found.mrEnclave, found.mrSigner, err = checkSigstruct(sigstruct); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// The report data, and the signature of the quote by the attestation key that it carries.
func checkQuote(quote []byte, digest [32]byte) (kind string, err error) {
	if len(quote) < 48 {
		return "", refuse("evidence-refused")
	}
	size := 0
	switch version, tee := binary.LittleEndian.Uint16(quote), binary.LittleEndian.Uint32(quote[4:]); {
	case version == 3 && tee == 0:
		kind, size = "sgx", 48+384
	case version == 4 && tee == 0x81:
		kind, size = "tdx", 48+584
	}
	if size == 0 || len(quote) < size+4+128 {
		return "", refuse("evidence-refused")
	}
	reportData := quote[size-64 : size]
	if !bytes.Equal(reportData, append(digest[:], make([]byte, 32)...)) {
		return "", refuse("key-not-bound")
	}
	point, number := append([]byte{4}, quote[size+68:size+132]...), new(big.Int)
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		return "", refuse("evidence-refused")
	}
	signed := sha256.Sum256(quote[:size])
	r, s := number.SetBytes(quote[size+4:size+36]), new(big.Int).SetBytes(quote[size+36:size+68])
	if !ecdsa.Verify(key, signed[:], r, s) {
		return "", refuse("evidence-refused")
	}
	return kind, nil
}

// Who signed the enclave, and its measurement (Intel SDM volume 3D, 38.13).
func checkSigstruct(sigstruct []byte) (mrEnclave, mrSigner string, err error) {
	if len(sigstruct) != sigstructSize {
		return "", "", refuse("evidence-refused")
	}
	bigEndian := func(field []byte) []byte {
		turned := slices.Clone(field)
		slices.Reverse(turned)
		return turned
	}
	modulus, signature := sigstruct[128:512], sigstruct[516:900]
	key := &rsa.PublicKey{N: new(big.Int).SetBytes(bigEndian(modulus)), E: 3}
	signed := sha256.Sum256(append(slices.Clone(sigstruct[:128]), sigstruct[900:1028]...))
	if rsa.VerifyPKCS1v15(key, crypto.SHA256, signed[:], bigEndian(signature)) != nil {
		return "", "", refuse("evidence-refused")
	}
	signer := sha256.Sum256(modulus)
	return hex.EncodeToString(sigstruct[960:992]), hex.EncodeToString(signer[:]), nil
}
