package main

import (
	"encoding/binary"
	"io"
	"slices"
	"strings"
)

const (
	callLimits  = 0
	callCall    = 1
	callAnswer  = 2
	callFailure = 3

	maxFrame = 1 << 20
)

type call struct {
	kind  byte
	name  string
	id    uint32
	items [][]byte
}

func (c call) write(conn io.Writer) error {
	body := []byte(c.name)
	for _, item := range c.items {
		body = binary.LittleEndian.AppendUint32(body, uint32(len(item)))
	}
	body = append(body, slices.Concat(c.items...)...)
	head := binary.LittleEndian.AppendUint32(nil, uint32(len(body)))
	head = append(head, c.kind, byte(len(c.name)))
	head = binary.LittleEndian.AppendUint16(head, uint16(len(c.items)))
	head = binary.LittleEndian.AppendUint32(head, c.id)
	_, err := conn.Write(append(head, body...))
	return err
}

func readCall(conn io.Reader) (call, error) {
	head := make([]byte, 12)
	if _, err := io.ReadFull(conn, head); err != nil {
		return call{}, err
	}
	size, nameSize := int(binary.LittleEndian.Uint32(head)), int(head[5])
	count := int(binary.LittleEndian.Uint16(head[6:]))
	if size > maxFrame || size < nameSize+4*count {
		return call{}, refuse("protocol-violation")
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(conn, body); err != nil {
		return call{}, err
	}
	found := call{kind: head[4], name: string(body[:nameSize]), id: binary.LittleEndian.Uint32(head[8:])}
	lengths, payload := body[nameSize:nameSize+4*count], body[nameSize+4*count:]
	for ; len(lengths) > 0; lengths = lengths[4:] {
		length := int(binary.LittleEndian.Uint32(lengths))
		if length > len(payload) {
			return call{}, refuse("protocol-violation")
		}
		found.items, payload = append(found.items, payload[:length]), payload[length:]
	}
	if len(payload) > 0 {
		return call{}, refuse("protocol-violation")
	}
	return found, nil
}

func sendLimits(conn io.Writer) error {
	limits := binary.LittleEndian.AppendUint32(nil, maxFrame)
	limits = binary.LittleEndian.AppendUint32(limits, 8)
	return call{kind: callLimits, items: [][]byte{limits}}.write(conn)
}

// Sends all calls at once, and gives the answers in the order of the calls.
func callAll(conn io.ReadWriter, calls []call) ([]call, error) {
	if err := sendLimits(conn); err != nil {
		return nil, err
	}
	if limits, err := readCall(conn); err != nil || limits.kind != callLimits || len(limits.items) != 1 {
		return nil, refuse("protocol-violation")
	}
	for id, one := range calls {
		one.kind, one.id = callCall, uint32(id)
		if err := one.write(conn); err != nil {
			return nil, err
		}
	}
	answers := make([]call, len(calls))
	for range calls {
		answer, err := readCall(conn)
		if err != nil {
			return nil, err
		}
		if answer.id >= uint32(len(answers)) {
			return nil, refuse("protocol-violation")
		}
		answers[answer.id] = answer
	}
	return answers, nil
}

// Answers with upper case; `status` fails, with a status of its own.
func answerAll(conn io.ReadWriter) error {
	if err := sendLimits(conn); err != nil {
		return err
	}
	for {
		one, err := readCall(conn)
		if err != nil {
			return err
		}
		switch {
		case one.kind == callLimits:
			continue
		case one.name == "upper":
			one.kind = callAnswer
			for index, item := range one.items {
				one.items[index] = []byte(strings.ToUpper(string(item)))
			}
			one.name = ""
		case one.name == "status":
			one = call{kind: callFailure, name: "call-failed", id: one.id, items: [][]byte{[]byte("5")}}
		default:
			one = call{kind: callFailure, name: "function-unknown", id: one.id}
		}
		if err := one.write(conn); err != nil {
			return err
		}
	}
}
