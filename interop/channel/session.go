package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
)

const (
	frameHello   = 1
	frameBinding = 2
	frameReady   = 3
	frameRefused = 4

	version        = 1
	demandAnyone   = 0
	demandEvidence = 1

	maxBody       = 64 * 1024
	exporterLabel = "EXPORTER-casemate-channel-binding"
	domain        = "casemate channel binding v1\x00"
)

// Why a session did not come about.
type refusal struct {
	code string
	// By the other side.
	theirs bool
}

func (r refusal) Error() string { return fmt.Sprintf("%s (by the other side: %t)", r.code, r.theirs) }

func refuse(code string) error { return refusal{code, false} }

type side struct {
	isServer bool
	demands  byte
	identity *identity
	fault    string
	// Of another session, to be signed for this one.
	exporter []byte
}

// Everything between the TLS handshake and the first byte of the application. What is found of the peer is nil where
// nothing was demanded.
func (s side) open(conn *tls.Conn) (*claims, error) {
	found, err := s.exchange(conn)
	if own, isRefusal := err.(refusal); isRefusal && !own.theirs {
		writeFrame(conn, frameRefused, []byte(own.code))
	}
	return found, err
}

func (s side) exchange(conn *tls.Conn) (*claims, error) {
	own := []byte{version, s.demands}
	writeFrame(conn, frameHello, own)
	theirs, err := expect(conn, frameHello)
	if err != nil {
		return nil, err
	}
	if len(theirs) != 2 || theirs[0] != version || theirs[1] > 2 {
		return nil, refuse("protocol-violation")
	}
	exporter := exporterOf(conn)
	facts := s.facts(conn, own, theirs, exporter)
	if theirs[1] != demandAnyone {
		if s.exporter != nil {
			exporter = s.exporter
		}
		if err := s.bind(conn, s.facts(conn, own, theirs, exporter)); err != nil {
			return nil, err
		}
	}
	var found *claims
	if s.demands != demandAnyone {
		if found, err = s.accept(conn, facts); err != nil {
			return nil, err
		}
	}
	writeFrame(conn, frameReady, nil)
	_, err = expect(conn, frameReady)
	return found, err
}

// What is signed, but for who signs it.
func (s side) facts(conn *tls.Conn, own, theirs, exporter []byte) []byte {
	state := conn.ConnectionState()
	var ownCertificate, theirCertificate []byte
	if s.identity != nil {
		ownCertificate = s.identity.certificate.Certificate[0]
	}
	if len(state.PeerCertificates) > 0 {
		theirCertificate = state.PeerCertificates[0].Raw
	}
	clientHello, serverHello, client, server := own, theirs, ownCertificate, theirCertificate
	if s.isServer {
		clientHello, serverHello, client, server = theirs, own, theirCertificate, ownCertificate
	}
	clientDigest := make([]byte, 32)
	if serverHello[1] != demandAnyone && client != nil {
		clientDigest = digestOf(client)
	}
	return slices.Concat(clientHello, serverHello, exporter, digestOf(server), clientDigest)
}

func exporterOf(conn *tls.Conn) []byte {
	state := conn.ConnectionState()
	exporter, err := state.ExportKeyingMaterial(exporterLabel, nil, 32)
	must(err)
	return exporter
}

func message(byServer bool, facts []byte) []byte {
	role := byte('C')
	if byServer {
		role = 'S'
	}
	return digestOf(slices.Concat([]byte(domain), []byte{role}, facts))
}

func (s side) bind(conn *tls.Conn, facts []byte) error {
	if s.identity == nil {
		return refuse("identity-missing")
	}
	key, digest := s.identity.bindingKey, message(s.isServer, facts)
	switch s.fault {
	case "tls-key":
		key = s.identity.tlsKey
	case "other-role":
		digest = message(!s.isServer, facts)
	case "no-binding":
		return nil
	case "mirror":
		// Whatever the other side signs, sent back to it.
		theirs, err := expect(conn, frameBinding)
		writeFrame(conn, frameBinding, theirs)
		return err
	}
	signature, err := ecdsa.SignASN1(rand.Reader, key, digest)
	must(err)
	body := slices.Concat(binary.LittleEndian.AppendUint16(nil, uint16(len(signature))), signature)
	if s.fault == "cut" {
		header := binary.LittleEndian.AppendUint32([]byte{frameBinding}, uint32(len(body)))
		conn.Write(append(header, body[:20]...))
		return conn.NetConn().Close()
	}
	writeFrame(conn, frameBinding, body)
	return nil
}

func (s side) accept(conn *tls.Conn, facts []byte) (*claims, error) {
	found, err := readPeer(conn.ConnectionState().PeerCertificates)
	if err != nil {
		return nil, err
	}
	body, err := expect(conn, frameBinding)
	if err != nil {
		return nil, err
	}
	if len(body) < 2 || int(binary.LittleEndian.Uint16(body)) != len(body)-2 ||
		!ecdsa.VerifyASN1(found.bindingKey, message(!s.isServer, facts), body[2:]) {
		return nil, refuse("binding-invalid")
	}
	return found, nil
}

func writeFrame(conn io.Writer, kind byte, body []byte) {
	header := binary.LittleEndian.AppendUint32([]byte{kind}, uint32(len(body)))
	// A peer that has gone is noticed by whoever reads next.
	conn.Write(append(header, body...))
}

func expect(conn io.Reader, kind byte) ([]byte, error) {
	header := make([]byte, 5)
	if _, err := io.ReadFull(conn, header); err != nil {
		return nil, err
	}
	size := binary.LittleEndian.Uint32(header[1:])
	if size > maxBody {
		return nil, refuse("frame-too-large")
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(conn, body); err != nil {
		return nil, err
	}
	switch header[0] {
	case kind:
		return body, nil
	case frameRefused:
		return nil, refusal{string(bytes.ToValidUTF8(body, nil)), true}
	}
	return nil, refuse("protocol-violation")
}

func digestOf(parts []byte) []byte {
	digest := sha256.Sum256(parts)
	return digest[:]
}
