package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"math/big"
	"net/http"
	"time"

	"github.com/fxamacker/cbor/v2"
)

var oidTaggedEvidence = asn1.ObjectIdentifier{2, 23, 133, 5, 4, 9}

// A certificate with evidence from a machine, and the two keys that it vouches for.
type identity struct {
	certificate tls.Certificate
	tlsKey      *ecdsa.PrivateKey
	bindingKey  *ecdsa.PrivateKey
}

// Asks the machine at the URL for a quote. A fault makes one of the parts be what it must not be.
func newIdentity(machine string, sigstruct []byte, fault string) (*identity, error) {
	tlsKey, bindingKey := newKey(), newKey()
	now := time.Now()
	notBefore, notAfter := now.Add(-time.Minute), now.Add(time.Hour)
	spki := publicOf(tlsKey)
	if fault == "other-key" {
		spki = publicOf(newKey())
	}
	digest := sha256.Sum256(spki)
	given := map[string][]byte{
		"pubkey-hash":          encode([]any{1, digest[:]}),
		"casemate-binding-key": publicOf(bindingKey),
		"casemate-window":      encode([]int64{notBefore.Unix(), notAfter.Unix()}),
	}
	if sigstruct != nil {
		given["casemate-enclave"] = sigstruct
	}
	buffer := encode(given)
	evidence, err := quote(machine, sha256.Sum256(buffer))
	if err != nil {
		return nil, err
	}
	if fault == "other-claims" {
		given["nonce"] = []byte{1}
		buffer = encode(given)
	}
	extension := encode(cbor.Tag{Number: tagTeeQuote, Content: [][]byte{evidence, buffer}})
	template := &x509.Certificate{
		SerialNumber:    big.NewInt(now.UnixNano()),
		Subject:         pkix.Name{CommonName: "another implementation"},
		NotBefore:       notBefore,
		NotAfter:        notAfter,
		KeyUsage:        x509.KeyUsageDigitalSignature,
		ExtraExtensions: []pkix.Extension{{Id: oidTaggedEvidence, Value: extension}},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &tlsKey.PublicKey, tlsKey)
	if err != nil {
		return nil, err
	}
	return &identity{tls.Certificate{Certificate: [][]byte{der}, PrivateKey: tlsKey}, tlsKey, bindingKey}, nil
}

func quote(machine string, digest [32]byte) ([]byte, error) {
	reportData := append(digest[:], make([]byte, 32)...)
	response, err := http.Post(machine, "application/octet-stream", bytes.NewReader(reportData))
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var answer struct{ Outblob []byte }
	err = json.NewDecoder(response.Body).Decode(&answer)
	return answer.Outblob, err
}

// What a peer's certificate proves. Nobody signs it but itself, so that TLS checks only that the peer has its key.
func readPeer(certificates []*x509.Certificate) (*claims, error) {
	if len(certificates) == 0 {
		return nil, refuse("evidence-missing")
	}
	certificate := certificates[0]
	for _, extension := range certificate.Extensions {
		if !extension.Id.Equal(oidTaggedEvidence) {
			continue
		}
		quote, buffer, err := readExtension(extension.Value)
		if err != nil {
			return nil, err
		}
		found, err := readClaims(quote, buffer, certificate.RawSubjectPublicKeyInfo)
		if err != nil {
			return nil, err
		}
		now := time.Now()
		if now.After(certificate.NotAfter) || now.Unix() > found.notAfter {
			return nil, refuse("certificate-expired")
		}
		if now.Before(certificate.NotBefore) || now.Unix() < found.notBefore {
			return nil, refuse("certificate-not-yet-valid")
		}
		return found, nil
	}
	return nil, refuse("evidence-missing")
}

func parseP256(spki []byte) (*ecdsa.PublicKey, error) {
	parsed, err := x509.ParsePKIXPublicKey(spki)
	key, isECDSA := parsed.(*ecdsa.PublicKey)
	if err != nil || !isECDSA || key.Curve != elliptic.P256() {
		return nil, refuse("evidence-malformed")
	}
	return key, nil
}

func newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	return key
}

func publicOf(key *ecdsa.PrivateKey) []byte {
	spki, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	must(err)
	return spki
}

func encode(value any) []byte {
	encoded, err := cbor.Marshal(value)
	must(err)
	return encoded
}
