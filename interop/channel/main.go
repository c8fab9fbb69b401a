// Another implementation of a channel's wire, written from packages/channel/PROTOCOL.md: what the real one is tested with.
// It tells what became of each session as one line of JSON.
package main

import (
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"net"
	"os"
)

// What is told of a session.
type outcome struct {
	// Opened, or why not.
	Code string `json:"code"`
	// Whether the other side said so.
	Theirs    bool     `json:"theirs"`
	Error     string   `json:"error,omitempty"`
	Version   string   `json:"version,omitempty"`
	Group     string   `json:"group,omitempty"`
	Resumed   bool     `json:"resumed"`
	Kind      string   `json:"kind,omitempty"`
	MrEnclave string   `json:"mrEnclave,omitempty"`
	MrSigner  string   `json:"mrSigner,omitempty"`
	Answers   []answer `json:"answers,omitempty"`
	// How the bytes of the application ended: with a word of the other side's TLS, or cut off.
	End string `json:"end,omitempty"`
}

type answer struct {
	Code  string   `json:"code,omitempty"`
	Items []string `json:"items"`
}

type options struct {
	address, protocol, demands, machine, sigstruct, groups, fault string
	maxVersion                                                    uint
}

func main() {
	var o options
	flag.StringVar(&o.address, "address", "127.0.0.1:0", "where to connect or to listen")
	flag.StringVar(&o.protocol, "protocol", "casemate-channel/1", "what to speak (ALPN); nothing where empty")
	flag.StringVar(&o.demands, "demands", "evidence", "evidence or anyone")
	flag.StringVar(&o.machine, "machine", "", "URL of the machine that gives quotes; no evidence where empty")
	flag.StringVar(&o.sigstruct, "sigstruct", "", "file of the enclave's SIGSTRUCT")
	flag.StringVar(&o.groups, "groups", "hybrid", "hybrid, classical or both")
	flag.StringVar(&o.fault, "fault", "", "what to do wrong")
	flag.UintVar(&o.maxVersion, "max-version", tls.VersionTLS13, "newest TLS to offer")
	role := os.Args[1]
	must(flag.CommandLine.Parse(os.Args[2:]))
	if role == "server" {
		serve(o)
	} else {
		tell(dial(o))
	}
}

func (o options) side(isServer bool) (side, *tls.Config) {
	s := side{isServer: isServer, fault: o.fault}
	if o.demands == "evidence" {
		s.demands = demandEvidence
	}
	config := &tls.Config{
		// Who signed a certificate means nothing here: the evidence in it is read instead.
		InsecureSkipVerify: true,
		ClientAuth:         tls.RequestClientCert,
		MaxVersion:         uint16(o.maxVersion),
		CurvePreferences: map[string][]tls.CurveID{
			"hybrid":    {tls.X25519MLKEM768},
			"classical": {tls.X25519},
			"both":      {tls.X25519MLKEM768, tls.X25519},
		}[o.groups],
		ClientSessionCache: tls.NewLRUClientSessionCache(4),
	}
	if o.protocol != "" {
		config.NextProtos = []string{o.protocol}
	}
	if o.machine != "" {
		var sigstruct []byte
		var err error
		if o.sigstruct != "" {
			sigstruct, err = os.ReadFile(o.sigstruct)
			must(err)
		}
		s.identity, err = newIdentity(o.machine, sigstruct, o.fault)
		must(err)
		config.Certificates = []tls.Certificate{s.identity.certificate}
	}
	return s, config
}

func dial(o options) outcome {
	s, config := o.side(false)
	if o.fault == "other-session" || o.fault == "resume" {
		first, err := tls.Dial("tcp", o.address, config)
		must(err)
		// Tickets come with the first bytes.
		_, err = expect(first, frameHello)
		must(err)
		if o.fault == "other-session" {
			s.exporter = exporterOf(first)
		}
		first.Close()
	}
	conn, err := tls.Dial("tcp", o.address, config)
	if err != nil {
		return failed(err)
	}
	defer conn.Close()
	return s.play(conn, func(told *outcome) error {
		if o.protocol == "casemate-enclave/1" {
			return callSome(conn, told)
		}
		_, err := io.WriteString(conn, "hello")
		if err == nil {
			_, err = io.ReadFull(conn, make([]byte, 5))
		}
		return errors.Join(err, conn.CloseWrite())
	})
}

func callSome(conn *tls.Conn, told *outcome) error {
	text := func(all ...string) (items [][]byte) {
		for _, one := range all {
			items = append(items, []byte(one))
		}
		return items
	}
	answers, err := callAll(conn, []call{
		{name: "echo", items: text("one")},
		{name: "copy", items: text("two", "", "three")},
		{name: "status", items: text("four")},
		{name: "unknown", items: text("five")},
	})
	for _, one := range answers {
		items := []string{}
		for _, item := range one.items {
			items = append(items, base64.StdEncoding.EncodeToString(item))
		}
		told.Answers = append(told.Answers, answer{one.name, items})
	}
	return errors.Join(err, conn.CloseWrite())
}

func serve(o options) {
	s, config := o.side(true)
	listener, err := net.Listen("tcp", o.address)
	must(err)
	tell(map[string]int{"port": listener.Addr().(*net.TCPAddr).Port})
	for {
		raw, err := listener.Accept()
		must(err)
		conn := tls.Server(raw, config)
		if err := conn.Handshake(); err != nil {
			tell(failed(err))
			raw.Close()
			continue
		}
		current := s
		if o.fault == "other-session" {
			// The first session stands; later ones are given its exporter.
			s.exporter = exporterOf(conn)
		}
		tell(current.play(conn, func(*outcome) error {
			if o.protocol == "casemate-enclave/1" {
				return answerAll(conn)
			}
			_, err := io.Copy(conn, conn)
			return err
		}))
		conn.Close()
	}
}

func (s side) play(conn *tls.Conn, speak func(*outcome) error) outcome {
	state := conn.ConnectionState()
	told := outcome{Code: "opened"}
	found, err := s.open(conn)
	if err != nil {
		told = failed(err)
	}
	told.Version, told.Group = tls.VersionName(state.Version), state.CurveID.String()
	told.Resumed = state.DidResume
	if found != nil {
		told.Kind, told.MrEnclave, told.MrSigner = found.kind, found.mrEnclave, found.mrSigner
	}
	if err == nil {
		err = speak(&told)
		if err == nil {
			_, err = io.Copy(io.Discard, conn)
		}
		told.End = "close-notify"
		if err != nil && !errors.Is(err, io.EOF) {
			told.End = err.Error()
		}
	}
	return told
}

func failed(err error) outcome {
	var why refusal
	if errors.As(err, &why) {
		return outcome{Code: why.code, Theirs: why.theirs}
	}
	return outcome{Code: "failed", Error: err.Error()}
}

func tell(what any) { must(json.NewEncoder(os.Stdout).Encode(what)) }

func must(err error) {
	if err != nil {
		panic(err)
	}
}
